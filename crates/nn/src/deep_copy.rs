//! A module of its own with the same values.

use gradus_autodiff::{Buffer, Parameter};
use std::any::Any;
use std::collections::HashMap;
use std::sync::Arc;

/// A copy with leaves of its own; `#[derive(Module)]` writes it.
///
/// Use [`Module::deep_copy`](crate::Module::deep_copy).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no module",
    label = "neither a parameter, a buffer nor a module",
    note = "a plain value is marked `#[module(skip)]`; \
            a struct of layers or parameters has `#[derive(Module)]`"
)]
pub trait DeepCopy {
    /// Copies; a leaf met before gives the copy made then.
    #[must_use]
    fn deep_copy_with(&self, ties: &mut Ties) -> Self;
}

/// The copies made so far, by the original: what was one leaf stays one leaf.
#[derive(Default)]
pub struct Ties(HashMap<usize, Box<dyn Any>>);

impl Ties {
    /// The copy of the original `id`, made now or before.
    fn copy_of<T: Clone + 'static>(&mut self, id: usize, copy: impl FnOnce(&mut Ties) -> T) -> T {
        if let Some(copy) = self.0.get(&id).and_then(|copy| copy.downcast_ref::<T>()) {
            return copy.clone();
        }
        let copy = copy(self);
        self.0.insert(id, Box::new(copy.clone()));
        copy
    }
}

/// Value and `requires_grad`; the gradient is not copied, as in PyTorch.
impl DeepCopy for Parameter {
    fn deep_copy_with(&self, ties: &mut Ties) -> Self {
        ties.copy_of(self.id(), |_| {
            let copy = Parameter::new(self.array());
            copy.set_requires_grad(self.requires_grad());
            copy
        })
    }
}

impl DeepCopy for Buffer {
    fn deep_copy_with(&self, ties: &mut Ties) -> Self {
        ties.copy_of(self.id(), |_| Buffer::new(self.array()))
    }
}

impl<M: DeepCopy> DeepCopy for Option<M> {
    fn deep_copy_with(&self, ties: &mut Ties) -> Self {
        self.as_ref().map(|module| module.deep_copy_with(ties))
    }
}

impl<M: DeepCopy> DeepCopy for Vec<M> {
    fn deep_copy_with(&self, ties: &mut Ties) -> Self {
        self.iter().map(|module| module.deep_copy_with(ties)).collect()
    }
}

impl<M: DeepCopy> DeepCopy for Box<M> {
    fn deep_copy_with(&self, ties: &mut Ties) -> Self {
        Box::new((**self).deep_copy_with(ties))
    }
}

/// A module in two places is copied once.
impl<M: DeepCopy + 'static> DeepCopy for Arc<M> {
    fn deep_copy_with(&self, ties: &mut Ties) -> Self {
        let id = Arc::as_ptr(self) as usize;
        ties.copy_of(id, |ties| Arc::new((**self).deep_copy_with(ties)))
    }
}

impl<M: DeepCopy, const N: usize> DeepCopy for [M; N] {
    fn deep_copy_with(&self, ties: &mut Ties) -> Self {
        self.each_ref().map(|module| module.deep_copy_with(ties))
    }
}

/// Tuples, field by field.
macro_rules! tuple {
    ($($M:ident $index:tt),*) => {
        impl<$($M: DeepCopy),*> DeepCopy for ($($M,)*) {
            fn deep_copy_with(&self, ties: &mut Ties) -> Self {
                ($(self.$index.deep_copy_with(ties),)*)
            }
        }
    };
}
tuple!(A 0);
tuple!(A 0, B 1);
tuple!(A 0, B 1, C 2);
tuple!(A 0, B 1, C 2, D 3);
tuple!(A 0, B 1, C 2, D 3, E 4);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
