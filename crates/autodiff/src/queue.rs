//! The nodes a sweep has still to visit, the highest number first.

use crate::Tensor;
use crate::graph::Node;
use crate::op::OfOutputs;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A node with the gradients of its outputs that have arrived.
pub(crate) struct Pending<'a> {
    pub(crate) node: &'a Arc<Node>,
    pub(crate) grads: OfOutputs<Tensor>,
    /// Are they multiplied by a gradient scaler's scale? `None` before the first.
    pub(crate) scaled: Option<bool>,
}

/// Most graphs have a few open nodes, whose numbers are the highest: those stand in a short, sorted
/// list; the others wait in a tree. Every number of the list is above every number of the tree.
#[derive(Default)]
pub(crate) struct Queue<'a> {
    near: Vec<Pending<'a>>,
    far: BTreeMap<u64, Pending<'a>>,
}

/// Length of the list. A tree costs 40 ns a node, a list of this length 5 ns.
const NEAR: usize = 32;

impl<'a> Queue<'a> {
    /// The entry of this node; a new one has no gradients.
    pub(crate) fn at(&mut self, node: &'a Arc<Node>) -> &mut Pending<'a> {
        let number = node.number;
        let new = || {
            let mut grads = OfOutputs::new();
            for _ in 0..node.outputs {
                grads.push(None);
            }
            Pending { node, grads, scaled: None }
        };
        if self.far.last_key_value().is_some_and(|(&highest, _)| number <= highest) {
            return self.far.entry(number).or_insert_with(new);
        }
        if self.near.len() == NEAR {
            let low = self.near.drain(..NEAR / 2).map(|p| (p.node.number, p));
            self.far.extend(low);
            return self.at(node);
        }
        // From the top: a gradient mostly goes to a node just below.
        let above = self.near.iter().rev().take_while(|p| p.node.number > number).count();
        let at = self.near.len() - above;
        match at.checked_sub(1) {
            Some(i) if self.near[i].node.number == number => &mut self.near[i],
            _ => {
                self.near.insert(at, new());
                &mut self.near[at]
            }
        }
    }
    /// The entry with the highest number.
    #[inline]
    pub(crate) fn pop_last(&mut self) -> Option<Pending<'a>> {
        self.near.pop().or_else(|| self.far.pop_last().map(|(_, p)| p))
    }
}
