//! What a forward pass leaves for its rule.

use crate::Tensor;
use crate::graph::{Edge, Node};
use crate::op::Few;
use crate::tensor::Kind;
use gradus_tensor::{Array, DType, Shape};
use smallvec::SmallVec;
use std::fmt;
use std::sync::Arc;

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Slot {
    Input(u32),
    Output(u32),
    Cache(u32),
}

pub(crate) type Kept = SmallVec<[(Slot, Array); 2]>;

/// Forward's side: who wants a gradient, and what to keep. Keeps nothing if nobody does.
pub struct Save<'a> {
    need: &'a [bool],
    pub(crate) kept: Kept,
    pub(crate) constant: u64,
}

impl<'a> Save<'a> {
    #[inline]
    pub(crate) fn new(need: &'a [bool]) -> Self {
        Save { need, kept: Kept::new(), constant: 0 }
    }
    /// Does input `i` want a gradient?
    #[inline]
    pub fn need(&self, i: usize) -> bool {
        self.need.get(i).is_some_and(|&n| n)
    }
    /// Does any input want a gradient? If not, caches need not be computed.
    #[inline]
    pub fn any(&self) -> bool {
        self.need.contains(&true)
    }
    #[inline]
    fn keep(&mut self, slot: Slot, x: &Array) {
        if self.any() {
            self.kept.push((slot, x.clone()));
        }
    }
    /// Keep input `i`; a rule may differentiate through it.
    #[inline]
    pub fn input(&mut self, i: u32, x: &Array) {
        self.keep(Slot::Input(i), x);
    }
    /// Keep output `i`; a rule may differentiate through it.
    #[inline]
    pub fn output(&mut self, i: u32, y: &Array) {
        self.keep(Slot::Output(i), y);
    }
    /// Keep cache `i` (mask, argmax, 1/σ): plain numbers, never a variable.
    pub fn cache(&mut self, i: u32, c: &Array) {
        self.keep(Slot::Cache(i), c);
    }
    /// Output `i` (below 64) has no derivative: it leaves untracked.
    pub fn constant(&mut self, i: u32) {
        self.constant |= 1 << i;
    }
}

/// The rule's side. Inputs and outputs come back as variables if the sweep is recorded.
pub struct Saved<'a> {
    pub(crate) node: &'a Arc<Node>,
    pub(crate) kept: Kept,
    pub(crate) need: Few<bool>,
    pub(crate) recorded: bool,
}

impl Saved<'_> {
    /// Must this rule compute the gradient of input `i`?
    #[inline]
    pub fn need(&self, i: usize) -> bool {
        self.need[i]
    }
    /// How many inputs there were.
    pub fn inputs(&self) -> usize {
        self.need.len()
    }
    /// Shape of input `i`; always known.
    pub fn shape(&self, i: usize) -> &Shape {
        &self.node.metas[i].shape
    }
    /// Dtype of input `i`; always known.
    pub fn dtype(&self, i: usize) -> DType {
        self.node.metas[i].dtype
    }
    #[inline]
    fn find(&self, slot: Slot) -> &Array {
        let found = self.kept.iter().find(|(s, _)| *s == slot);
        &found.expect("a rule reads only what forward saved").1
    }
    /// Input `i`, which forward saved.
    #[inline]
    pub fn input(&self, i: u32) -> Tensor {
        let array = self.find(Slot::Input(i)).clone();
        let edge = if self.recorded { self.node.edges[i as usize].clone() } else { None };
        Tensor(Kind::Value { array, edge, kept: None })
    }
    /// Output `i`, which forward saved.
    #[inline]
    pub fn output(&self, i: u32) -> Tensor {
        let array = self.find(Slot::Output(i)).clone();
        let edge = self.recorded.then(|| Edge::Node(self.node.clone(), i));
        Tensor(Kind::Value { array, edge, kept: None })
    }
    /// Cache `i`, which forward saved.
    pub fn cache(&self, i: u32) -> &Array {
        self.find(Slot::Cache(i))
    }
    /// Has forward saved cache `i`?
    pub fn has_cache(&self, i: u32) -> bool {
        self.kept.iter().any(|(s, _)| *s == Slot::Cache(i))
    }
}

impl fmt::Debug for Save<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Save {{ need: {:?}, kept: {} }}", self.need, self.kept.len())
    }
}
impl fmt::Debug for Saved<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "saved by {:?}", self.node)
    }
}
