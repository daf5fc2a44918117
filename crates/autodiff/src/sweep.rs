//! The reverse sweep: a loop over the reachable nodes in falling order of their numbers.

use crate::graph::{Edge, Node};
use crate::mode::set_recording;
use crate::op::Few;
use crate::ops::Add;
use crate::place::Place;
use crate::profile::{self, Sweeping};
use crate::queue::{Pending, Queue};
use crate::saved::Kept;
use crate::tensor::Kind;
use crate::wanted::{Key, Wanted};
use crate::{GraphError, Saved, Tensor, must};
use gradus_tensor::{Array, Meta};
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Weak};

/// How to sweep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sweep {
    /// Record the sweep itself, so that gradients can be differentiated; retains the graph.
    pub create_graph: bool,
    /// Keep the saved values for another sweep.
    pub retain_graph: bool,
}

impl Sweep {
    /// Keep the saved values.
    pub const RETAIN: Sweep = Sweep { create_graph: false, retain_graph: true };
    /// Record the sweep.
    pub const CREATE: Sweep = Sweep { create_graph: true, retain_graph: true };
}

impl Tensor {
    /// Add the gradient of this one number to every leaf it depends on.
    ///
    /// # Panics
    /// As [`Tensor::try_backward`].
    #[track_caller]
    pub fn backward(&self) {
        must(self.try_backward(None, Sweep::default()));
    }
    /// As [`Tensor::backward`], starting from the gradient `grad` of this result.
    ///
    /// # Panics
    /// As [`Tensor::try_backward`].
    #[track_caller]
    pub fn backward_with(&self, grad: &Tensor) {
        must(self.try_backward(Some(grad), Sweep::default()));
    }
    /// As [`Tensor::backward_with`], with options. Leaves get their gradients at the end: all or none.
    ///
    /// # Errors
    /// If this result is not tracked, if the start does not fit, or if a rule needs freed values.
    pub fn try_backward(&self, grad: Option<&Tensor>, how: Sweep) -> Result<(), GraphError> {
        let _mode = set_recording(how.create_graph);
        let sweeping = profile::sweeping();
        let mut run = Run::new(how, None);
        run.start(self, grad)?;
        run.sweep(&sweeping)?;
        if let Some(leaf) = run.leaves.values().find(|leaf| !leaf.place.takes(leaf.scaled)) {
            return Err(GraphError::MixedScales(leaf.meta()));
        }
        for Leaf { place, grad, scaled } in run.leaves.into_values() {
            grad.into_iter().for_each(|g| place.accumulate(g, scaled));
        }
        Ok(())
    }
}

/// `∂(Σ outputs)/∂inputs` (`torch.autograd.grad`). Leaves stay as they are.
///
/// ```
/// use gradus_autodiff::{Sweep, Tensor, grad};
/// let x = Tensor::from([2.0]).requires_grad_();
/// let first = grad(&[&(&x * &x * &x)], &[&x], Sweep::CREATE).remove(0);
/// let second = grad(&[&first], &[&x], Sweep::default()).remove(0);
/// assert_eq!((first.item(), second.item()), (12.0, 12.0));
/// ```
/// # Panics
/// If an output is not tracked or not one number, if no output depends on an input (the message names
/// it), or if a rule needs freed values.
#[track_caller]
pub fn grad(outputs: &[&Tensor], inputs: &[&Tensor], how: Sweep) -> Vec<Tensor> {
    must(try_grad(outputs, &[], inputs, how))
}

/// As [`grad`], with the gradient each output starts from: one for each output, or none at all.
///
/// # Errors
/// Where [`grad`] panics.
pub fn try_grad(
    outputs: &[&Tensor],
    starts: &[&Tensor],
    inputs: &[&Tensor],
    how: Sweep,
) -> Result<Vec<Tensor>, GraphError> {
    let found = grad_allow_unused(outputs, starts, inputs, how)?;
    let named = |(i, g): (usize, Option<Tensor>)| {
        g.ok_or_else(|| GraphError::Unused { input: i, meta: inputs[i].meta() })
    };
    found.into_iter().enumerate().map(named).collect()
}

/// As [`try_grad`]; `None` for an input that no output depends on. Only nodes between outputs and
/// inputs are visited.
///
/// # Errors
/// If an output is not tracked or its start does not fit, or if a rule needs freed values.
pub fn grad_allow_unused(
    outputs: &[&Tensor],
    starts: &[&Tensor],
    inputs: &[&Tensor],
    how: Sweep,
) -> Result<Vec<Option<Tensor>>, GraphError> {
    let _mode = set_recording(how.create_graph);
    let sweeping = profile::sweeping();
    let keys: Vec<_> = inputs.iter().map(|t| t.edge().map(|e| e.key())).collect();
    let wanted = Wanted::new(outputs, keys.iter().copied().flatten().collect());
    let mut run = Run::new(how, Some(wanted));
    for (i, y) in outputs.iter().enumerate() {
        run.start(y, starts.get(i).copied())?;
    }
    run.sweep(&sweeping)?;
    let found = |key: Key| match key {
        Key::Leaf(at) => run.leaves.get(&at)?.grad.clone(),
        slot => run.found.get(&slot).cloned(),
    };
    Ok(keys.into_iter().map(|k| k.and_then(found)).collect())
}

/// A leaf with what has arrived for it.
struct Leaf {
    place: Arc<Place>,
    grad: Option<Tensor>,
    /// Is it multiplied by a gradient scaler's scale?
    scaled: bool,
}

impl Leaf {
    fn meta(&self) -> Meta {
        Meta { shape: self.place.shape.clone(), dtype: self.place.dtype() }
    }
}

/// Borrows the tape from the outputs it started from: an edge costs no count.
struct Run<'a> {
    how: Sweep,
    wanted: Option<Wanted>,
    pending: Queue<'a>,
    leaves: BTreeMap<usize, Leaf>,
    found: HashMap<Key, Tensor>,
}

impl<'a> Run<'a> {
    fn new(how: Sweep, wanted: Option<Wanted>) -> Self {
        let (pending, leaves, found) = (Queue::default(), BTreeMap::new(), HashMap::new());
        Run { how, wanted, pending, leaves, found }
    }
    fn start(&mut self, y: &'a Tensor, grad: Option<&Tensor>) -> Result<(), GraphError> {
        if !y.requires_grad() {
            return Err(GraphError::Untracked(y.meta()));
        }
        match grad {
            None if y.numel() != 1 => return Err(GraphError::NotOneNumber(y.meta())),
            Some(g) if g.meta() != y.meta() => {
                return Err(GraphError::Start { result: y.meta(), gradient: g.meta() });
            }
            _ => {}
        }
        let g = grad.map_or_else(|| y.ones_like(), Tensor::clone);
        match &y.0 {
            Kind::Value { edge: Some(edge), .. } => self.deliver(edge, g, false),
            Kind::Value { edge: None, .. } => Ok(()),
            Kind::Place(place) => self.deliver_leaf(&Arc::downgrade(place), g, false),
        }
    }
    fn needs(&self, edge: &Edge) -> bool {
        match (&self.wanted, edge) {
            (Some(w), _) => w.leads(edge),
            (None, Edge::Leaf(p)) => p.strong_count() > 0,
            (None, Edge::Node(..)) => true,
        }
    }
    fn deliver(&mut self, edge: &'a Edge, g: Tensor, scaled: bool) -> Result<(), GraphError> {
        match edge {
            Edge::Node(node, slot) => {
                let pending = self.pending.at(node);
                if *pending.scaled.get_or_insert(scaled) != scaled {
                    return Err(GraphError::MixedScales(g.meta()));
                }
                let sum = &mut pending.grads.as_mut_slice()[*slot as usize];
                add_into(sum, g, self.how.create_graph);
                Ok(())
            }
            Edge::Leaf(place) => self.deliver_leaf(place, g, scaled),
        }
    }
    fn deliver_leaf(&mut self, p: &Weak<Place>, g: Tensor, scaled: bool) -> Result<(), GraphError> {
        let at = p.as_ptr() as usize;
        if let Some(leaf) = self.leaves.get_mut(&at) {
            if leaf.scaled != scaled {
                return Err(GraphError::MixedScales(g.meta()));
            }
            add_into(&mut leaf.grad, g, self.how.create_graph);
        } else if let Some(place) = p.upgrade().filter(|p| p.requires_grad.load(Relaxed)) {
            self.leaves.insert(at, Leaf { place, grad: Some(g), scaled });
        }
        Ok(())
    }
    fn sweep(&mut self, sweeping: &Sweeping) -> Result<(), GraphError> {
        let retain = self.how.retain_graph || self.how.create_graph;
        while let Some(Pending { node, grads, scaled }) = self.pending.pop_last() {
            let scaled = scaled == Some(true);
            let recorded = self.how.create_graph;
            let mut saved = Saved { node, kept: Kept::new(), need: Few::new(), recorded };
            for edge in node.edges.iter() {
                saved.need.push(edge.as_ref().is_some_and(|e| self.needs(e)));
            }
            let mut state = node.open();
            let retained = state.retained(); // almost always empty: no allocation
            let goes_on = saved.need.contains(&true);
            if goes_on {
                saved.kept = state.saved(node, retain)?;
            }
            drop(state);
            for (slot, place) in retained.into_iter().flat_map(|r| *r) {
                if let (Some(place), Some(g)) = (place.upgrade(), &grads[slot as usize]) {
                    if !place.takes(scaled) {
                        return Err(GraphError::MixedScales(g.meta()));
                    }
                    place.accumulate(g.clone(), scaled);
                }
            }
            self.hand_out(node, &grads);
            if !goes_on {
                continue;
            }
            sweeping.at(node);
            let scaled = scaled || node.op.scales_gradients();
            let mut delivered = Ok(());
            node.op.vjp(&saved, grads, &mut |i, mut g| {
                if let Some(Some(edge)) = node.edges.get(i)
                    && saved.need(i)
                    && delivered.is_ok()
                {
                    fit(&mut g, &node.metas[i]);
                    delivered = self.deliver(edge, g, scaled);
                }
            });
            delivered?;
        }
        Ok(())
    }
    /// Complete gradients of a node's outputs that somebody asked for.
    fn hand_out(&mut self, node: &Node, grads: &[Option<Tensor>]) {
        let Some(wanted) = &self.wanted else { return };
        for (slot, g) in (0..).zip(grads) {
            let key = Key::Slot(node.number, slot);
            if let Some(g) = g.as_ref().filter(|_| wanted.asks(key)) {
                self.found.insert(key, g.clone());
            }
        }
    }
}

/// Sums over the axes that the forward pass has broadcast, and casts to the input's dtype.
fn fit(g: &mut Tensor, to: &Meta) {
    if *g.shape() != to.shape {
        *g = g.sum_to(&to.shape);
    }
    if g.dtype() != to.dtype {
        *g = g.to_dtype(to.dtype);
    }
}

/// `sum += g`.
#[inline]
fn add_into(sum: &mut Option<Tensor>, g: Tensor, recorded: bool) {
    match sum {
        None => *sum = Some(g),
        Some(_) => *sum = sum.take().map(|old| add(old, g, recorded)),
    }
}

/// Both are given up, so the sum goes into whichever buffer nobody else holds. A sweep that is not recorded adds the
/// numbers without going through the door.
fn add(old: Tensor, g: Tensor, recorded: bool) -> Tensor {
    if recorded || old.dtype() != g.dtype() {
        return old + g;
    }
    let add = |a: Array, b: Array| a.zip(b, Add);
    Tensor::new(profile::accumulate(old.into_array(), g.into_array(), add))
}
