//! `#[derive(Module)]`: a struct of layers and parameters becomes a tree of named parameters.
//!
//! Users do not depend on this package: `gradus` and `gradus-nn` export the derive beside the trait `Module`.
//!
//! # What a field may be
//!
//! | field | write |
//! |---|---|
//! | numbers that are trained | `Parameter` |
//! | numbers that are saved with the model and not trained | `Buffer` |
//! | a layer, or a module of your own | its type |
//! | several of these | `Vec`, `Option`, `Box`, arrays and tuples of them |
//! | anything else: sizes, rates, flags, names, closures | `#[module(skip)]` |
//!
//! The type may be a struct of any kind or an enum, with or without generics. The fields of a tuple struct are named
//! `0`, `1`, …; those of an enum are named as in a struct, and the variant adds nothing to the path.
//!
//! # Attributes
//!
//! | on a field | effect |
//! |---|---|
//! | `#[module(skip)]` | the field is a plain value, no part of the tree; `deep_copy` clones it |
//! | `#[module(rename = "name")]` | the name of the field in paths and state dicts |
//!
//! | on the struct or enum | effect |
//! |---|---|
//! | `#[module(no_deep_copy)]` | no `DeepCopy`: for skipped fields that cannot be cloned |
//! | `#[module(crate = "path")]` | where `Module` and its companions live, if not in `::gradus::nn` |
//!
//! # The expansion
//!
//! ```text
//! struct Net {
//!     fc1: Linear,
//!     #[module(rename = "dropout")]
//!     drop: Option<Dropout>,
//!     #[module(skip)]
//!     width: usize,
//! }
//! ```
//!
//! becomes
//!
//! ```text
//! #[automatically_derived]
//! impl ::gradus::nn::Module for Net {
//!     fn visit(&self, visitor: &mut ::gradus::nn::Visitor<'_>) {
//!         visitor.field("fc1", &self.fc1);
//!         visitor.field("dropout", &self.drop);
//!     }
//! }
//!
//! #[automatically_derived]
//! impl ::gradus::nn::DeepCopy for Net {
//!     fn deep_copy_with(&self, ties: &mut ::gradus::nn::Ties) -> Self {
//!         #[diagnostic::on_unimplemented(
//!             message = "`deep_copy` clones skipped fields, and `{Self}` is not `Clone`",
//!             label = "a skipped field that is not `Clone`",
//!             note = "implement `Clone` for `{Self}`, or mark the struct `#[module(no_deep_copy)]`"
//!         )]
//!         trait Skipped {
//!             fn cloned(&self) -> Self;
//!         }
//!         #[diagnostic::do_not_recommend]
//!         impl<T: ::core::clone::Clone> Skipped for T {
//!             fn cloned(&self) -> Self {
//!                 ::core::clone::Clone::clone(self)
//!             }
//!         }
//!         Self {
//!             fc1: ::gradus::nn::DeepCopy::deep_copy_with(&self.fc1, ties),
//!             drop: ::gradus::nn::DeepCopy::deep_copy_with(&self.drop, ties),
//!             width: Skipped::cloned(&self.width),
//!         }
//!     }
//! }
//! ```
//!
//! The trait `Skipped` is there for its message, and only if a field is skipped: an error that merely names `Clone`
//! would not say what to write. A field whose type mentions a type parameter adds `where FieldType: Module` (and
//! `DeepCopy`; `Clone` if it is skipped), unless the type mentions the struct itself, where such a bound would be
//! circular.

use proc_macro::TokenStream;

mod attributes;
mod expand;
mod input;
mod refused;
#[cfg(test)]
mod tests;

/// Makes a struct or enum of parameters, buffers and modules a `Module` itself.
///
/// Fields are visited in the order they are written, under their own names: these are the paths of
/// `named_parameters()` and the keys of the state dict. The page of this crate has the attributes and the expansion.
///
/// # Errors
///
/// The program does not compile, with a message at the field that says what to write, if a field is a bare `Tensor`
/// or a plain value (`usize`, `f64`, `String`, …) without `#[module(skip)]`, or if two fields share a name.
///
/// # PyTorch
///
/// What `nn.Module.__setattr__` finds out at run time, found out at compile time. `#[module(skip)]` is an attribute
/// that is no parameter, buffer or module.
///
/// # Example
///
/// ```
/// # use gradus_nn_derive::Module;
/// # mod nn {
/// #     pub trait Module { fn visit(&self, visitor: &mut Visitor<'_>); }
/// #     pub struct Visitor<'a>(pub &'a mut Vec<String>);
/// #     impl Visitor<'_> {
/// #         pub fn field(&mut self, name: &str, module: &dyn Module) {
/// #             self.0.push(name.to_owned());
/// #             module.visit(self);
/// #         }
/// #     }
/// #     pub struct Linear;
/// #     impl Module for Linear { fn visit(&self, _: &mut Visitor<'_>) {} }
/// # }
/// # use nn::{Linear, Module as _, Visitor};
/// #[derive(Module)]
/// # #[module(crate = "nn", no_deep_copy)]
/// struct Net {
///     fc1: Linear,
///     #[module(rename = "head")]
///     fc2: Linear,
///     #[module(skip)]
///     width: usize,
/// }
///
/// let net = Net { fc1: Linear, fc2: Linear, width: 128 };
/// # let mut names = Vec::new();
/// # net.visit(&mut Visitor(&mut names));
/// assert_eq!(names, ["fc1", "head"]);
/// # assert_eq!(net.width, 128);
/// ```
#[proc_macro_derive(Module, attributes(module))]
pub fn derive_module(input: TokenStream) -> TokenStream {
    expand::derive_module(input.into()).into()
}
