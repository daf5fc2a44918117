//! What a field of a module may be, besides a module: leaves, and several of anything.

use crate::{Module, Visitor};
use gradus_autodiff::{Buffer, Parameter};
use std::sync::Arc;

impl Module for Parameter {
    fn visit(&self, visitor: &mut Visitor<'_>) {
        visitor.parameter(self);
    }
}

impl Module for Buffer {
    fn visit(&self, visitor: &mut Visitor<'_>) {
        visitor.buffer(self);
    }
}

/// What it holds, under the name of the field; `None` is nothing.
impl<M: Module> Module for Option<M> {
    fn visit(&self, visitor: &mut Visitor<'_>) {
        if let Some(module) = self {
            module.visit(visitor);
        }
    }
    fn type_name(&self) -> &'static str {
        self.as_ref().map_or("", Module::type_name)
    }
}

/// Named `0`, `1`, … (`torch.nn.ModuleList`).
impl<M: Module> Module for Vec<M> {
    fn visit(&self, visitor: &mut Visitor<'_>) {
        numbered(self, visitor);
    }
}

/// Named `0`, `1`, …
impl<M: Module, const N: usize> Module for [M; N] {
    fn visit(&self, visitor: &mut Visitor<'_>) {
        numbered(self, visitor);
    }
}

fn numbered(modules: &[impl Module], visitor: &mut Visitor<'_>) {
    for (index, module) in modules.iter().enumerate() {
        visitor.field(&index.to_string(), module);
    }
}

impl<M: Module + ?Sized> Module for Box<M> {
    fn visit(&self, visitor: &mut Visitor<'_>) {
        (**self).visit(visitor);
    }
    fn type_name(&self) -> &'static str {
        (**self).type_name()
    }
}

/// One module in several places: its parameters count once, under the first name.
impl<M: Module + ?Sized> Module for Arc<M> {
    fn visit(&self, visitor: &mut Visitor<'_>) {
        (**self).visit(visitor);
    }
    fn type_name(&self) -> &'static str {
        (**self).type_name()
    }
}

/// Tuples, named `0`, `1`, …
macro_rules! tuple {
    ($($M:ident $index:tt),*) => {
        impl<$($M: Module),*> Module for ($($M,)*) {
            fn visit(&self, visitor: &mut Visitor<'_>) {
                $(visitor.field(stringify!($index), &self.$index);)*
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
