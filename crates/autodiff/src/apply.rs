//! The one door: every operation, ours and yours, is run and recorded here.

use crate::graph::{Edge, Node};
use crate::mode::{Mode, is_grad_enabled};
use crate::op::{Few, Op, Pack, Promotion};
use crate::profile::Probe;
use crate::tensor::{Kind, vacant};
use crate::{OpError, Save, Tensor, must, no_grad};
use gradus_tensor::{Array, Category, DType, Meta, result_type};
use std::borrow::Borrow;
use std::iter::once;
use std::mem;
use std::panic::Location;
use std::sync::Arc;

/// An input as the door has taken it: its numbers, and the way back.
#[derive(Debug)]
pub struct Taken {
    pub(crate) array: Array,
    pub(crate) edge: Option<Edge>,
}

impl Tensor {
    /// Run an operation, and record it if an input is tracked:
    ///
    /// ```text
    /// autocast → promotion → infer → forward → anomaly check / profiler → record
    /// ```
    ///
    /// Inputs are all borrowed (`&Tensor`) or all given up (`Tensor`): the buffer of one that is given
    /// up may be reused.
    ///
    /// # Errors
    /// The rule of the operation that the inputs break.
    #[track_caller]
    pub fn try_apply<O, X>(op: O, x: O::In<X>) -> Result<O::Out<Tensor>, OpError>
    where
        O: Op,
        O::In<X>: Pack<X>,
        X: Borrow<Tensor> + Into<Tensor>,
    {
        let mut edges = Few::new();
        let arrays = Pack::collect(Pack::<X>::items(x).map(|t| {
            let borrowed: &Tensor = t.borrow();
            let place = matches!(borrowed.0, Kind::Place(_));
            let Taken { array, edge } =
                if place { borrowed.taken() } else { t.into().into_taken() };
            edges.push(edge);
            array
        }));
        run(op, Inputs { arrays, edges }).map_err(|(e, _)| e)
    }
    /// As [`Tensor::try_apply`].
    ///
    /// # Panics
    /// At the caller's line, if the inputs break the rule of the operation.
    #[track_caller]
    pub fn apply<O, X>(op: O, x: O::In<X>) -> O::Out<Tensor>
    where
        O: Op,
        O::In<X>: Pack<X>,
        X: Borrow<Tensor> + Into<Tensor>,
    {
        must(Tensor::try_apply::<O, X>(op, x))
    }
    /// `self ← op(self, rest)`, in the old buffer if nobody else holds it. What makes `add_` out of an op.
    ///
    /// # Errors
    /// With `self` as before: if the inputs do not fit, if the result has another shape or cannot have
    /// the dtype of `self`, or if `self` is a leaf and the update would be recorded.
    #[track_caller]
    pub fn try_assign<O>(&mut self, op: O, rest: &[&Tensor]) -> Result<(), OpError>
    where
        O: Op<Out<Tensor> = Tensor, Out<Meta> = Meta, Out<Array> = Array>,
    {
        let others = rest_inputs::<O>(self, rest)?;
        let Kind::Place(place) = &self.0 else {
            let old = mem::replace(self, Tensor::new(vacant())).into_taken();
            return match assign(op, old, others) {
                Ok(y) => {
                    *self = y;
                    Ok(())
                }
                Err((e, old)) => {
                    self.0 = Kind::Value { array: old.array, edge: old.edge, kept: None };
                    Err(e)
                }
            };
        };
        if is_grad_enabled() && (self.requires_grad() || others.iter().any(|t| t.edge.is_some())) {
            return Err(refusal::<O>(self, rest, "a leaf is updated inside no_grad only"));
        }
        let mut lent = place.lend();
        let old = Taken { array: mem::replace(&mut *lent, vacant()), edge: None };
        match no_grad(|| assign(op, old, others)) {
            Ok(y) => *lent = y.array(),
            Err((e, old)) => {
                *lent = old.array;
                return Err(e);
            }
        }
        Ok(())
    }
}

/// The door for `a + b` and its like: the operands go in as they are.
#[track_caller]
#[inline]
pub(crate) fn operator<O>(op: O, a: Taken, b: Taken) -> Tensor
where
    O: Op<Out<Tensor> = Tensor, In<Array> = [Array; 2]>,
{
    let inputs = Inputs { arrays: [a.array, b.array], edges: Few::from([a.edge, b.edge]) };
    must(run(op, inputs).map_err(|(e, _)| e))
}

fn refusal<O: Op>(first: &Tensor, rest: &[&Tensor], rule: &'static str) -> OpError {
    let metas = once(first).chain(rest.iter().copied()).map(Tensor::meta).collect();
    OpError::rule(rule).of(O::NAME, metas)
}

/// The other operands of an in-place op, in the dtype of the first, whose dtype stays.
#[track_caller]
fn rest_inputs<O: Op>(first: &Tensor, rest: &[&Tensor]) -> Result<Few<Taken>, OpError> {
    let dtype = first.dtype();
    let mut taken = Few::new();
    for &t in rest {
        if t.dtype().category() > dtype.category() {
            let rule = "the result cannot be stored in the dtype of the first operand";
            return Err(refusal::<O>(first, rest, rule));
        }
        let t = if t.dtype() == dtype { t.clone() } else { t.to_dtype(dtype) };
        taken.push(t.into_taken());
    }
    Ok(taken)
}

/// Run an in-place op; an error gives the first input back.
#[track_caller]
fn assign<O>(op: O, old: Taken, rest: Few<Taken>) -> Result<Tensor, (OpError, Taken)>
where
    O: Op<Out<Tensor> = Tensor, Out<Meta> = Meta, Out<Array> = Array>,
{
    let want = old.array.meta().clone();
    let becomes_float = O::PROMOTION == Promotion::Float && !want.dtype.is_float();
    let mut edges = Few::new();
    let arrays = Pack::collect(once(old).chain(rest).map(|Taken { array, edge }| {
        edges.push(edge);
        array
    }));
    let inputs = Inputs::<O> { arrays, edges };
    let first = |(e, inputs): (OpError, Inputs<O>)| {
        let (arrays, edges) = (Pack::<Array>::items(inputs.arrays), inputs.edges);
        let mut taken = arrays.zip(edges).map(|(array, edge)| Taken { array, edge });
        (e, taken.next().expect("an in-place op has an input"))
    };
    match inputs.infer(&op) {
        Ok(meta) if meta == want && !becomes_float => run(op, inputs).map_err(first),
        Ok(_) => {
            let rule = "an in-place result keeps shape and dtype";
            Err(first((OpError::rule(rule).of(O::NAME, inputs.metas()), inputs)))
        }
        Err(e) => Err(first((e, inputs))),
    }
}

/// The inputs of an op on their way through the door.
struct Inputs<O: Op> {
    arrays: O::In<Array>,
    edges: Few<Option<Edge>>,
}

impl<O: Op> Inputs<O> {
    fn metas(&self) -> Vec<Meta> {
        metas(self.arrays.slice())
    }
    #[inline]
    fn infer(&self, op: &O) -> Result<O::Out<Meta>, OpError> {
        let metas = Pack::collect(self.arrays.slice().iter().map(Array::meta));
        op.infer(metas).map_err(|e| e.of(O::NAME, self.metas()))
    }
}

/// What an error says of the inputs.
#[cold]
fn metas(arrays: &[Array]) -> Vec<Meta> {
    arrays.iter().map(|a| a.meta().clone()).collect()
}

/// The door itself; an error gives the inputs back.
#[track_caller]
#[inline]
fn run<O: Op>(op: O, mut inputs: Inputs<O>) -> Result<O::Out<Tensor>, (OpError, Inputs<O>)> {
    let mode = Mode::now();
    let probe = Probe::enter(mode);
    // Autocast belongs here, before promotion: it reads `O::AUTOCAST` and the mode of the thread.
    promote(O::PROMOTION, inputs.arrays.slice_mut(), &mut inputs.edges);
    let outs = match inputs.infer(&op) {
        Ok(outs) => outs,
        Err(e) => return Err((e, inputs)),
    };
    if !(mode.records() && inputs.edges.iter().any(Option::is_some)) {
        let y = forward(&op, inputs.arrays, &outs, &mut Save::new(&[]), probe);
        let y = Pack::collect(Pack::<Array>::items(y).map(Tensor::new));
        probe.leave(O::NAME);
        return Ok(y);
    }
    if !O::DIFFERENTIABLE {
        return Err((no_derivative(O::NAME, inputs.arrays.slice()), inputs));
    }
    let Inputs { arrays, edges } = inputs;
    let (mut need, mut metas) = (Few::new(), Few::new());
    know(&edges, arrays.slice(), &mut need, &mut metas);
    let mut save = Save::new(&need);
    let y = forward(&op, arrays, &outs, &mut save, probe);
    let Save { kept, constant, .. } = save;
    debug_assert!(
        y.slice().iter().map(|a| a.meta().clone()).eq(Pack::<Meta>::items(outs)),
        "{}: infer is wrong",
        O::NAME
    );
    let outputs = y.slice().len();
    let node = Node::new(Box::new(op), edges, metas, outputs, Location::caller(), kept);
    probe.recorded(&node);
    let y = Pack::collect(attach(node, outputs, Pack::<Array>::items(y), constant));
    probe.leave(O::NAME);
    Ok(y)
}

/// Which inputs need a gradient, and what each of them is. Not generic, as all that need not be: the door is compiled for
/// each op. Written where it stays: bytes that were just written are waited for if they move as words.
fn know(edges: &[Option<Edge>], arrays: &[Array], need: &mut Few<bool>, metas: &mut Few<Meta>) {
    edges.iter().for_each(|edge| need.push(edge.is_some()));
    arrays.iter().for_each(|array| metas.push(array.meta().clone()));
}

#[cold]
fn no_derivative(name: &'static str, inputs: &[Array]) -> OpError {
    let rule = OpError::rule("the operation has no derivative");
    rule.hint("detach the input first").of(name, metas(inputs))
}

/// The kernel. The anomaly check and the profiler stand around it.
#[inline]
fn forward<O: Op>(
    op: &O,
    x: O::In<Array>,
    outs: &O::Out<Meta>,
    save: &mut Save<'_>,
    probe: Probe,
) -> O::Out<Array> {
    probe.kernel(op, &x, outs);
    let y = op.forward(x, save);
    probe.kernel_ends();
    y
}

/// The outputs of a recorded op; one that is marked as constant leaves untracked.
#[inline]
fn attach(
    node: Arc<Node>,
    outputs: usize,
    arrays: impl Iterator<Item = Array>,
    constant: u64,
) -> impl Iterator<Item = Tensor> {
    let last = outputs - 1;
    let mut node = Some(node);
    (0_u32..).zip(arrays).map(move |(slot, array)| {
        // The last output takes the node itself: one count less for almost every op.
        let handle = if slot as usize == last { node.take() } else { node.clone() };
        let tracked = constant >> slot & 1 == 0;
        let edge = handle.filter(|_| tracked).map(|node| Edge::Node(node, slot));
        Tensor(Kind::Value { array, edge, kept: None })
    })
}

/// Bring inputs to one dtype; the casts are recorded, so gradients come back in the input's dtype.
#[track_caller]
#[inline]
fn promote(promotion: Promotion, arrays: &mut [Array], edges: &mut [Option<Edge>]) {
    let (from, float) = match promotion {
        Promotion::Keep => return,
        Promotion::Common => (0, false),
        Promotion::CommonFrom(i) => (i, false),
        Promotion::Float => (0, true),
    };
    let Some(inputs) = arrays.get_mut(from..) else { return };
    let Some(first) = inputs.first() else { return };
    let dtype = first.dtype();
    if inputs.iter().all(|a| a.dtype() == dtype) && (dtype.is_float() || !float) {
        return;
    }
    unify(inputs, &mut edges[from..], float);
}

#[cold]
#[track_caller]
fn unify(arrays: &mut [Array], edges: &mut [Option<Edge>], float: bool) {
    let operands = arrays.iter().map(|a| (a.dtype(), Some(a.rank())));
    let mut dtype = result_type(operands);
    if float && dtype.category() < Category::Float {
        dtype = DType::F32;
    }
    for (array, edge) in arrays.iter_mut().zip(edges).filter(|(a, _)| a.dtype() != dtype) {
        let input = (mem::replace(array, vacant()), edge.take());
        let input = Tensor(Kind::Value { array: input.0, edge: input.1, kept: None });
        Taken { array: *array, edge: *edge } = input.to_dtype(dtype).into_taken();
    }
}
