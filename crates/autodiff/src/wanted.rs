//! What [`crate::grad`] is asked for, and the nodes that lead there.

use crate::Tensor;
use crate::graph::Edge;
use std::collections::{BTreeMap, HashSet};

/// Names an [`Edge`] without holding it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    Leaf(usize),
    Slot(u64, u32),
}

impl Edge {
    pub(crate) fn key(&self) -> Key {
        match self {
            Edge::Node(n, slot) => Key::Slot(n.number, *slot),
            Edge::Leaf(p) => Key::Leaf(p.as_ptr() as usize),
        }
    }
}

/// Inputs that are asked for; nodes that lead to one.
pub(crate) struct Wanted {
    keys: HashSet<Key>,
    useful: HashSet<u64>,
}

impl Wanted {
    pub(crate) fn new(outputs: &[&Tensor], keys: HashSet<Key>) -> Self {
        let mut tape = BTreeMap::new();
        let mut stack: Vec<_> = outputs.iter().filter_map(|t| t.edge()).collect();
        while let Some(edge) = stack.pop() {
            if let Edge::Node(n, _) = edge
                && tape.insert(n.number, n.clone()).is_none()
            {
                stack.extend(n.edges.iter().flatten().cloned());
            }
        }
        let mut wanted = Wanted { keys, useful: HashSet::new() };
        for (number, node) in tape {
            if node.edges.iter().flatten().any(|e| wanted.leads(e)) {
                wanted.useful.insert(number);
            }
        }
        wanted
    }
    /// Is this very edge asked for?
    pub(crate) fn asks(&self, key: Key) -> bool {
        self.keys.contains(&key)
    }
    /// Does this edge lead to one that is asked for?
    pub(crate) fn leads(&self, edge: &Edge) -> bool {
        self.keys.contains(&edge.key())
            || matches!(edge, Edge::Node(n, _) if self.useful.contains(&n.number))
    }
}
