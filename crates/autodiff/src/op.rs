//! The contract of a differentiable operation.

use crate::{OpError, Save, Saved, Tensor, Work};
use gradus_tensor::{Array, Meta};
use smallvec::SmallVec;
use std::iter::once;
use std::slice;

/// Precision under `autocast` (PyTorch's CUDA lists); every op must say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Autocast {
    /// Safe and fast in half precision (matmul, linear).
    Low,
    /// Needs f32 (exp, softmax, sums, losses).
    F32,
    /// The widest of its inputs (add, cat).
    Widest,
    /// Whatever its input is (neg, tanh, shapes).
    Input,
}

/// Which inputs are brought to one dtype before the op sees them, as `torch.result_type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Promotion {
    /// None: the op takes them as they are.
    Keep,
    /// All, to their common dtype.
    Common,
    /// All from this position on (`where`, whose first input is a condition).
    CommonFrom(usize),
    /// All, to their common dtype; integers and bools become f32 (`exp`, `/`).
    Float,
}

/// A few things: two fit without an allocation.
pub(crate) type Few<T> = SmallVec<[T; 2]>;

/// What has arrived for the outputs of a node, of which there is mostly one.
pub(crate) type OfOutputs<T> = SmallVec<[Option<T>; 1]>;

/// How an op counts: `T` is one, `[T; N]` is N, `Vec<T>` is any number.
pub trait Pack<T>: Sized {
    /// What a rule sees of gradients: a single one is there, of several any may be `None`, which is zero.
    type Grads;
    #[doc(hidden)]
    fn items(self) -> impl Iterator<Item = T>;
    #[doc(hidden)]
    fn slice(&self) -> &[T];
    #[doc(hidden)]
    fn slice_mut(&mut self) -> &mut [T];
    #[doc(hidden)]
    fn collect(items: impl Iterator<Item = T>) -> Self;
    #[doc(hidden)]
    fn grads(items: OfOutputs<T>) -> Self::Grads;
    #[doc(hidden)]
    fn each_grad(grads: Self::Grads, each: &mut dyn FnMut(usize, T));
}

impl<T> Pack<T> for T {
    type Grads = T;
    #[inline]
    fn items(self) -> impl Iterator<Item = T> {
        once(self)
    }
    #[inline]
    fn collect(mut items: impl Iterator<Item = T>) -> T {
        items.next().expect("one item")
    }
    #[inline]
    fn slice(&self) -> &[T] {
        slice::from_ref(self)
    }
    #[inline]
    fn slice_mut(&mut self) -> &mut [T] {
        slice::from_mut(self)
    }
    #[inline]
    fn grads(mut items: OfOutputs<T>) -> T {
        items.pop().flatten().expect("a rule runs only if its output has a gradient")
    }
    #[inline]
    fn each_grad(grads: T, each: &mut dyn FnMut(usize, T)) {
        each(0, grads);
    }
}

impl<T, const N: usize> Pack<T> for [T; N] {
    type Grads = [Option<T>; N];
    #[inline]
    fn items(self) -> impl Iterator<Item = T> {
        self.into_iter()
    }
    #[inline]
    fn collect(mut items: impl Iterator<Item = T>) -> Self {
        std::array::from_fn(|_| items.next().expect("N items"))
    }
    #[inline]
    fn slice(&self) -> &[T] {
        self
    }
    #[inline]
    fn slice_mut(&mut self) -> &mut [T] {
        self
    }
    fn grads(items: OfOutputs<T>) -> [Option<T>; N] {
        Pack::collect(items.into_iter())
    }
    #[inline]
    fn each_grad(grads: [Option<T>; N], each: &mut dyn FnMut(usize, T)) {
        each_some(grads, each);
    }
}

impl<T> Pack<T> for Vec<T> {
    type Grads = Vec<Option<T>>;
    fn items(self) -> impl Iterator<Item = T> {
        self.into_iter()
    }
    fn collect(items: impl Iterator<Item = T>) -> Self {
        items.collect()
    }
    fn slice(&self) -> &[T] {
        self
    }
    fn slice_mut(&mut self) -> &mut [T] {
        self
    }
    fn grads(items: OfOutputs<T>) -> Vec<Option<T>> {
        items.into_vec()
    }
    fn each_grad(grads: Vec<Option<T>>, each: &mut dyn FnMut(usize, T)) {
        each_some(grads, each);
    }
}

#[inline]
fn each_some<T>(grads: impl IntoIterator<Item = Option<T>>, each: &mut dyn FnMut(usize, T)) {
    for (i, g) in grads.into_iter().enumerate() {
        if let Some(g) = g {
            each(i, g);
        }
    }
}

/// The gradients that belong to a [`Pack`] of tensors.
pub type Grads<P> = <P as Pack<Tensor>>::Grads;

/// A differentiable operation. Ours and yours come through [`Tensor::apply`].
///
/// The type holds the op's attributes (`dim`, `eps`, …); it is mostly of size zero.
///
/// ```
/// use gradus_autodiff::{Autocast, Op, OpError, Save, Saved, Tensor};
/// use gradus_tensor::{Array, Meta};
///
/// /// `y = x³`
/// struct Cube;
///
/// impl Op for Cube {
///     const NAME: &'static str = "cube";
///     const AUTOCAST: Autocast = Autocast::F32;
///     type In<T> = T;
///     type Out<T> = T;
///
///     fn infer(&self, x: &Meta) -> Result<Meta, OpError> {
///         Ok(x.clone())
///     }
///     fn forward(&self, x: Array, save: &mut Save<'_>) -> Array {
///         save.input(0, &x);
///         let cubes: Vec<f64> = x.to_vec::<f64>().iter().map(|v| v * v * v).collect();
///         Array::from_f64(x.shape(), x.dtype(), &cubes)
///     }
///     /// `x̄ = ȳ·3x²`
///     fn vjp(&self, saved: &Saved<'_>, g: Tensor) -> Tensor {
///         g * 3.0 * saved.input(0).square()
///     }
/// }
///
/// let x = Tensor::from([2.0]).requires_grad_();
/// Tensor::apply(Cube, &x).sum().backward();
/// assert_eq!(x.grad().unwrap().to_vec::<f64>(), [12.0]);
/// ```
pub trait Op: Send + Sync + Sized + 'static {
    /// The name the user knows.
    const NAME: &'static str;
    /// Precision under `autocast`.
    const AUTOCAST: Autocast;
    /// Which inputs are brought to a common dtype.
    const PROMOTION: Promotion = Promotion::Common;
    /// False: a tracked input is refused with an error.
    const DIFFERENTIABLE: bool = true;
    /// True: the gradients it sends back count as multiplied by a gradient scaler's scale.
    const SCALES_GRADIENTS: bool = false;
    /// Inputs: `T`, `[T; N]` or `Vec<T>`.
    type In<T>: Pack<T>;
    /// Outputs: `T`, `[T; M]` or `Vec<T>`.
    type Out<T>: Pack<T>;

    /// Shapes and dtypes of the outputs. Every mistake a user can make is found here.
    ///
    /// # Errors
    /// The rule that the inputs break.
    fn infer(&self, x: Self::In<&Meta>) -> Result<Self::Out<Meta>, OpError>;

    /// `y = f(x)`. The arrays are given up: one that nobody else holds may be overwritten. `save` says
    /// which inputs want a gradient, and keeps what the rule will read (nothing if none does).
    fn forward(&self, x: Self::In<Array>, save: &mut Save<'_>) -> Self::Out<Array>;

    /// `x̄ = ȳ·∂y/∂x` in differentiable operations, so that it can be differentiated again. May
    /// return a gradient in the broadcast shape or another dtype: the engine sums and casts. Compute
    /// nothing where `saved.need(i)` is false, except what one pass yields anyway.
    fn vjp(&self, saved: &Saved<'_>, grads: Grads<Self::Out<Tensor>>) -> Grads<Self::In<Tensor>>;

    /// How much a call has to do, for a [`crate::profile`]: without this, each element of each input
    /// and output is read or written once, and there is no arithmetic to speak of.
    fn work(&self, x: Self::In<&Meta>, y: Self::Out<&Meta>) -> Work {
        let mut work = Work::of(x.items());
        work += Work::of(y.items());
        work
    }
}

/// What a node keeps of an op: its rule, without its counts.
pub(crate) trait Rule: Send + Sync {
    fn name(&self) -> &'static str;
    fn scales_gradients(&self) -> bool;
    /// Hands each gradient over as it is: a list of them would be written and read once more.
    fn vjp(&self, saved: &Saved<'_>, grads: OfOutputs<Tensor>, each: &mut dyn FnMut(usize, Tensor));
}

impl<O: Op> Rule for O {
    fn name(&self) -> &'static str {
        O::NAME
    }
    fn scales_gradients(&self) -> bool {
        O::SCALES_GRADIENTS
    }
    fn vjp(
        &self,
        saved: &Saved<'_>,
        grads: OfOutputs<Tensor>,
        each: &mut dyn FnMut(usize, Tensor),
    ) {
        <O::In<Tensor>>::each_grad(Op::vjp(self, saved, <O::Out<Tensor>>::grads(grads)), each);
    }
}
