//! The leaves of a module: what is trained, and what is only saved.

use crate::Tensor;
use crate::place::{Lent, Place, product};
use crate::tensor::{Kind, vacant};
use gradus_tensor::{Array, DType, Meta};
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

/// A trainable leaf, shared between a module and an optimizer; it reads as a [`Tensor`].
///
/// A clone is the same parameter. Frozen is not another kind: see [`Parameter::set_requires_grad`].
#[derive(Clone)]
pub struct Parameter(Tensor);

/// A leaf that is saved with the module but not trained (`torch.nn.Module.register_buffer`), such as
/// running statistics; it reads as a [`Tensor`]. A clone is the same buffer.
#[derive(Clone)]
pub struct Buffer(Tensor);

/// A value does not fit the leaf that it should replace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// Of the leaf.
    pub leaf: Meta,
    /// Of the value.
    pub value: Meta,
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a value {} does not fit the leaf {}", self.value, self.leaf)
    }
}
impl std::error::Error for Misfit {}

fn place(t: &Tensor) -> &Arc<Place> {
    match &t.0 {
        Kind::Place(p) => p,
        Kind::Value { .. } => unreachable!("new makes a place, and no one gets a &mut"),
    }
}

/// What parameters and buffers share.
macro_rules! leaf {
    ($Leaf:ident) => {
        impl $Leaf {
            /// Change the value: in place if no graph still holds it, else in a copy. The closure runs
            /// without a lock; it must not read this leaf.
            ///
            /// # Panics
            /// If the closure leaves another shape behind.
            pub fn update<T>(&self, f: impl FnOnce(&mut Array) -> T) -> T {
                f(&mut place(&self.0).lend())
            }
            /// Take the value out until the guard is dropped: [`Self::update`] for several leaves at
            /// once. A leaf that is lent must not be read or lent again by the same thread; threads
            /// that lend several do so in the order of [`Self::id`], or they may wait for each other
            /// for ever.
            pub fn lend(&self) -> Lent<'_> {
                place(&self.0).lend()
            }
            /// Replace the value (checkpoint); the dtype of the leaf stays.
            ///
            /// # Errors
            /// If the shape differs.
            pub fn set(&self, value: Array) -> Result<(), Misfit> {
                if value.shape() != self.shape() {
                    return Err(Misfit { leaf: self.meta(), value: value.meta().clone() });
                }
                let value = value.cast(self.dtype());
                self.update(|x| *x = value);
                Ok(())
            }
            /// Change the dtype in place, for all handles.
            pub fn set_dtype(&self, dtype: DType) {
                self.update(|x| *x = std::mem::replace(x, vacant()).cast(dtype));
                if let Some(g) = self.grad() {
                    place(&self.0).return_grad(g.detach().to_dtype(dtype));
                }
            }
            /// Is it the same leaf (tied weights)?
            pub fn same(&self, other: &$Leaf) -> bool {
                Arc::ptr_eq(place(&self.0), place(&other.0))
            }
            /// A number that two handles share exactly if they are the same leaf.
            pub fn id(&self) -> usize {
                Arc::as_ptr(place(&self.0)) as usize
            }
            /// The leaf as a tensor: another handle on the same place.
            pub fn tensor(&self) -> &Tensor {
                &self.0
            }
        }
        impl Deref for $Leaf {
            type Target = Tensor;
            fn deref(&self) -> &Tensor {
                &self.0
            }
        }
        impl fmt::Debug for $Leaf {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($Leaf), " {:?}"), self.0.array())
            }
        }
        impl std::borrow::Borrow<Tensor> for $Leaf {
            fn borrow(&self) -> &Tensor {
                &self.0
            }
        }
        impl From<&$Leaf> for Tensor {
            fn from(leaf: &$Leaf) -> Tensor {
                leaf.0.clone()
            }
        }
    };
}
leaf!(Parameter);
leaf!(Buffer);

impl Parameter {
    /// A parameter with this initial value.
    ///
    /// # Panics
    /// If the dtype is not floating point.
    #[track_caller]
    pub fn new(value: impl Into<Array>) -> Self {
        Parameter(Tensor::new(value.into()).requires_grad_())
    }
    /// Freeze (`false`) or thaw.
    pub fn set_requires_grad(&self, on: bool) {
        place(&self.0).requires_grad.store(on, Relaxed);
    }
    /// Replace the gradient; it counts as unscaled.
    ///
    /// # Panics
    /// If it does not have the shape of the parameter.
    #[track_caller]
    pub fn set_grad(&self, grad: Option<Tensor>) {
        if let Some(g) = &grad {
            assert!(
                g.shape() == self.shape(),
                "set_grad: a gradient {} does not fit the parameter {}",
                g.meta(),
                self.meta()
            );
        }
        place(&self.0).set_grad(grad);
    }
    /// Change the gradient in place if nobody else holds it; false if there is none. The result has no
    /// history.
    pub fn update_grad(&self, f: impl FnOnce(&mut Array)) -> bool {
        self.update_grad_parts(|g, factor| {
            *g = product(std::mem::replace(g, vacant()), factor);
            f(g);
        })
    }
    /// Multiply the gradient by `factor` (clipping, unscaling); false if there is none.
    ///
    /// Multiplying takes no pass of its own: whoever reads the gradient next does it, an optimizer's step in the
    /// pass that it makes anyway. The numbers are those of multiplying at once, which is what happens to half
    /// types, to a gradient with a dtype of its own, and by factors above 1 or without all digits of an f32.
    ///
    /// # Example
    /// ```
    /// use gradus_autodiff::Parameter;
    /// let p = Parameter::new([1.0, 1.0]);
    /// p.set_grad(Some([3.0, 4.0].into()));
    /// assert!(p.scale_grad(0.5));
    /// assert_eq!(p.grad().unwrap().to_vec::<f64>(), [1.5, 2.0]);
    /// ```
    pub fn scale_grad(&self, factor: f64) -> bool {
        let place = place(&self.0);
        let Some((grad, _)) = place.grad_parts() else { return false };
        let digits = f64::from(f32::MIN_POSITIVE)..=f64::from(f32::MAX);
        // What shrinks is finite afterwards exactly if it was before: that can be asked without multiplying.
        let shrinks = factor <= 1.0 && digits.contains(&factor);
        if shrinks && grad.dtype() == self.dtype() && !grad.dtype().is_half() {
            place.scale_grad(factor);
            return true;
        }
        drop(grad); // else it is not unique
        // As an f32 such a factor would lose its digits.
        let wide = factor > 0.0 && !digits.contains(&factor);
        self.update_grad(|g| {
            let (dtype, own) = (g.dtype(), std::mem::replace(g, vacant()));
            let own = if wide { own.cast(DType::F64) } else { own };
            *g = product(own, factor).cast(dtype);
        })
    }
    /// The gradient in two parts, whose product it is: the factor is what [`Parameter::scale_grad`] has left to do.
    pub fn grad_parts(&self) -> Option<(Tensor, f64)> {
        place(&self.0).grad_parts()
    }
    /// As [`Parameter::update_grad`], for a change that begins with multiplying by what [`Parameter::scale_grad`] has
    /// left to do.
    pub fn update_grad_parts(&self, f: impl FnOnce(&mut Array, f64)) -> bool {
        let place = place(&self.0);
        let Some((grad, factor)) = place.take_grad_parts() else { return false };
        let mut array = grad.into_array();
        f(&mut array, factor);
        place.return_grad(Tensor::new(array));
        true
    }
    /// Is the gradient multiplied by a gradient scaler's scale? Clipping and a bare step refuse it then.
    pub fn grad_is_scaled(&self) -> bool {
        place(&self.0).is_scaled()
    }
    /// Set or take off the mark that [`Parameter::grad_is_scaled`] reads.
    pub fn set_grad_scaled(&self, scaled: bool) {
        place(&self.0).set_scaled(scaled);
    }
}

impl Buffer {
    /// A buffer with this initial value, of any dtype.
    pub fn new(value: impl Into<Array>) -> Self {
        Buffer(Tensor(Kind::Place(Arc::new(Place::new(value.into(), false)))))
    }
}
