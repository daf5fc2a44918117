//! The one door: every operation, ours and yours, is run and recorded here.

use crate::graph::{Edge, Link, Node};
use crate::mode::is_grad_enabled;
use crate::op::{Few, Op, Pack, Promotion};
use crate::tensor::{Kind, vacant};
use crate::{OpError, Save, Tensor, must, no_grad};
use gradus_tensor::{Array, Category, DType, Meta, result_type};
use std::borrow::Borrow;
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
        let mut taken: Few<Taken> = Few::new();
        for t in Pack::<X>::items(x) {
            let borrowed: &Tensor = t.borrow();
            let place = matches!(borrowed.0, Kind::Place(_));
            taken.push(if place { borrowed.taken() } else { t.into().into_taken() });
        }
        match run(op, taken) {
            Ok(y) => Ok(y),
            Err((e, _)) => Err(e),
        }
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
    O: Op<Out<Tensor> = Tensor>,
{
    must(run(op, Few::from([a, b])).map_err(|(e, _)| e))
}

fn refusal<O: Op>(first: &Tensor, rest: &[&Tensor], rule: &'static str) -> OpError {
    let metas = std::iter::once(first).chain(rest.iter().copied()).map(Tensor::meta).collect();
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
    let mut taken = Few::new();
    let want = old.array.meta().clone();
    taken.push(old);
    taken.extend(rest);
    let becomes_float = O::PROMOTION == Promotion::Float && !want.dtype.is_float();
    match op.infer(Pack::collect(taken.iter().map(|t| t.array.meta()))) {
        Ok(meta) if meta == want && !becomes_float => {}
        Ok(_) => {
            let rule = "an in-place result keeps shape and dtype";
            let e = OpError::rule(rule).of(O::NAME, metas(&taken));
            return Err((e, taken.swap_remove(0)));
        }
        Err(e) => {
            let e = e.of(O::NAME, metas(&taken));
            return Err((e, taken.swap_remove(0)));
        }
    }
    run(op, taken).map_err(|(e, mut taken)| (e, taken.swap_remove(0)))
}

fn metas(taken: &[Taken]) -> Vec<Meta> {
    taken.iter().map(|t| t.array.meta().clone()).collect()
}

/// The door itself; an error gives the inputs back.
#[track_caller]
#[inline]
fn run<O: Op>(op: O, mut taken: Few<Taken>) -> Result<O::Out<Tensor>, (OpError, Few<Taken>)> {
    // Autocast belongs here, before promotion: it reads `O::AUTOCAST` and the mode of the thread.
    promote(O::PROMOTION, &mut taken);
    let outs = match op.infer(Pack::collect(taken.iter().map(|t| t.array.meta()))) {
        Ok(outs) => outs,
        Err(e) => return Err((e.of(O::NAME, metas(&taken)), taken)),
    };
    if !(is_grad_enabled() && taken.iter().any(|t| t.edge.is_some())) {
        let arrays = Pack::collect(taken.into_iter().map(|t| t.array));
        let y = op.forward(arrays, &mut Save::new(&[]));
        return Ok(Pack::collect(Pack::<Array>::items(y).map(Tensor::new)));
    }
    if !O::DIFFERENTIABLE {
        let e = OpError::rule("the operation has no derivative").hint("detach the input first");
        return Err((e.of(O::NAME, metas(&taken)), taken));
    }
    let mut links = Few::new();
    let arrays = Pack::collect(taken.into_iter().map(|Taken { array, edge }| {
        links.push(Link { edge, meta: array.meta().clone() });
        array
    }));
    let need: Few<bool> = links.iter().map(|l| l.edge.is_some()).collect();
    let mut save = Save::new(&need);
    // The anomaly check and the profiler stand around this call.
    let y = op.forward(arrays, &mut save);
    let Save { kept, constant, .. } = save;
    let arrays: Few<Array> = Pack::<Array>::items(y).collect();
    debug_assert!(
        arrays.iter().map(|a| a.meta().clone()).eq(Pack::<Meta>::items(outs)),
        "{}: infer is wrong",
        O::NAME
    );
    let node = Node::new(Box::new(op), links, arrays.len(), Location::caller(), kept);
    Ok(Pack::collect(attach(node, arrays, constant)))
}

/// The outputs of a recorded op; one that is marked as constant leaves untracked.
fn attach(node: Arc<Node>, arrays: Few<Array>, constant: u64) -> impl Iterator<Item = Tensor> {
    let last = arrays.len() - 1;
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
fn promote(promotion: Promotion, taken: &mut Few<Taken>) {
    let (from, float) = match promotion {
        Promotion::Keep => return,
        Promotion::Common => (0, false),
        Promotion::CommonFrom(i) => (i, false),
        Promotion::Float => (0, true),
    };
    let Some(inputs) = taken.get_mut(from..) else { return };
    let Some(first) = inputs.first() else { return };
    let dtype = first.array.dtype();
    if inputs.iter().all(|t| t.array.dtype() == dtype) && (dtype.is_float() || !float) {
        return;
    }
    unify(inputs, float);
}

#[cold]
#[track_caller]
fn unify(inputs: &mut [Taken], float: bool) {
    let operands = inputs.iter().map(|t| (t.array.dtype(), Some(t.array.rank())));
    let mut dtype = result_type(operands);
    if float && dtype.category() < Category::Float {
        dtype = DType::F32;
    }
    for t in inputs.iter_mut().filter(|t| t.array.dtype() != dtype) {
        let Taken { array, edge } = mem::replace(t, Taken { array: vacant(), edge: None });
        let cast = Tensor(Kind::Value { array, edge, kept: None }).to_dtype(dtype);
        *t = cast.into_taken();
    }
}
