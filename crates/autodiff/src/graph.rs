//! The tape. Every recorded op makes one node with a growing number; the nodes that a result reaches,
//! sorted by number, *are* its tape. Nothing is global: nodes live as long as the tensors they made.

use crate::GraphError;
use crate::op::{Few, Rule};
use crate::place::Place;
use crate::saved::Kept;
use gradus_tensor::Meta;
use std::fmt;
use std::mem;
use std::ops::Deref;
use std::panic::Location;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// Nodes ever made, and nodes dropped. Relaxed is enough: a tensor that reaches another thread does
/// so by a happens-before edge, so a result always gets a larger number than its inputs.
static MADE: AtomicU64 = AtomicU64::new(0);
static DROPPED: AtomicU64 = AtomicU64::new(0);

/// How many recorded operations this process holds: the same at every step of a loop that does not leak.
pub fn live_nodes() -> u64 {
    MADE.load(Relaxed) - DROPPED.load(Relaxed)
}

/// Where a gradient flows to: output `slot` of a node, or a leaf. Leaves are held weakly, because a
/// leaf's gradient may itself hold a graph; a gradient for a leaf nobody holds has no reader.
#[derive(Clone)]
pub(crate) enum Edge {
    Node(Arc<Node>, u32),
    Leaf(Weak<Place>),
}

/// The ways back from a recorded op, one for each input, of which there is at least one: where a history is dropped.
pub(crate) struct Edges(Few<Option<Edge>>);

/// One recorded op.
pub(crate) struct Node {
    pub(crate) number: u64,
    pub(crate) op: Box<dyn Rule>, // ops are mostly of size zero: no allocation
    /// Of each input where its gradient goes, if it wants one.
    pub(crate) edges: Edges,
    /// Of each input shape and dtype.
    pub(crate) metas: Few<Meta>,
    pub(crate) outputs: usize,
    pub(crate) at: &'static Location<'static>,
    state: Mutex<State>,
}

/// Outputs whose gradients somebody retains, and where they go.
/// Behind one word: almost no node has any, and a chain of small ops is bound by the size of its nodes.
type Retained = Option<Box<Vec<(u32, Weak<Place>)>>>;

pub(crate) struct State {
    kept: Kept,
    freed: bool,
    /// Where gradients of outputs go that somebody retains. Almost always empty.
    retained: Retained,
}

impl Node {
    pub(crate) fn new(
        op: Box<dyn Rule>,
        edges: Few<Option<Edge>>,
        metas: Few<Meta>,
        outputs: usize,
        at: &'static Location<'static>,
        kept: Kept,
    ) -> Arc<Node> {
        let state = Mutex::new(State { kept, freed: false, retained: None });
        let (number, edges) = (MADE.fetch_add(1, Relaxed), Edges(edges));
        Arc::new(Node { number, op, edges, metas, outputs, at, state })
    }
    #[inline]
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// From now on, sweeps add the gradient of output `slot` to `place`.
    pub(crate) fn retain(&self, slot: u32, place: Weak<Place>) {
        self.state().retained.get_or_insert_default().push((slot, place));
    }
    /// For a sweep that has arrived here: where gradients of outputs go that somebody retains.
    #[inline]
    pub(crate) fn open(&self) -> MutexGuard<'_, State> {
        self.state()
    }
}

impl State {
    /// Where gradients of outputs go that somebody retains.
    pub(crate) fn retained(&self) -> Retained {
        self.retained.clone()
    }
    /// The saved values: shared if the graph is retained, else moved out and gone for the next sweep.
    #[inline]
    pub(crate) fn saved(&mut self, node: &Node, retain: bool) -> Result<Kept, GraphError> {
        if self.freed {
            return Err(GraphError::Freed { op: node.op.name(), at: node.at });
        }
        if retain {
            return Ok(self.kept.clone());
        }
        self.freed = !self.kept.is_empty();
        Ok(mem::take(&mut self.kept))
    }
}

/// Free a long history with a loop; the derived drop would recurse once per node.
impl Drop for Edges {
    fn drop(&mut self) {
        if self.0.is_empty() {
            return; // another drop has taken and counted them
        }
        let (mut dropped, mut last) = (1, Vec::new());
        let_go(&mut self.0, &mut last);
        while let Some(mut node) = last.pop() {
            dropped += 1;
            // Nothing of it is moved: a node is large.
            if let Some(node) = Arc::get_mut(&mut node) {
                let_go(&mut node.edges.0, &mut last);
            }
        }
        DROPPED.fetch_add(dropped, Relaxed);
    }
}

/// Takes out these edges, and gives the nodes of which they were the last handles. `into_inner` gives a node to exactly
/// one of several threads that let go at once.
fn let_go(edges: &mut Few<Option<Edge>>, last: &mut Vec<Arc<Node>>) {
    for edge in edges.drain(..) {
        let Some(Edge::Node(mut node, _)) = edge else { continue };
        if Arc::get_mut(&mut node).is_some() {
            last.push(node);
        } else {
            last.extend(Arc::into_inner(node).map(Arc::new));
        }
    }
}

impl Deref for Edges {
    type Target = [Option<Edge>];
    #[inline]
    fn deref(&self) -> &[Option<Edge>] {
        &self.0
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.op.name(), self.at)
    }
}
impl fmt::Debug for Edge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Edge::Node(node, 0) => write!(f, "{node:?}"),
            Edge::Node(node, slot) => write!(f, "output {slot} of {node:?}"),
            Edge::Leaf(_) => write!(f, "leaf"),
        }
    }
}
