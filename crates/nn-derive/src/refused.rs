//! Field types that cannot be part of a module, with what to write instead.
//!
//! A derive sees words, not types: what is recognised here is recognised by its name. Everything else is left to the
//! compiler, which reports a missing `Module` at the field.

use syn::punctuated::Punctuated;
use syn::{Error, GenericArgument, Path, PathArguments, Token, Type};

const PLAIN: [&str; 21] = [
    "bool",
    "char",
    "str",
    "String",
    "PhantomData",
    "f16",
    "f32",
    "f64",
    "f128",
    "i8",
    "i16",
    "i32",
    "i64",
    "i128",
    "isize",
    "u8",
    "u16",
    "u32",
    "u64",
    "u128",
    "usize",
];

/// Generics that are modules if what they hold is one: their arguments are looked at.
const TRANSPARENT: [&str; 3] = ["Vec", "Option", "Box"];

/// Adds to `errors` what is wrong with a field of type `ty` that is not skipped.
pub(crate) fn refuse_type(ty: &Type, errors: &mut Vec<Error>) {
    match ty {
        Type::Path(path) if path.qself.is_none() => refuse_path(&path.path, errors),
        Type::Array(array) => refuse_type(&array.elem, errors),
        Type::Group(group) => refuse_type(&group.elem, errors),
        Type::Paren(paren) => refuse_type(&paren.elem, errors),
        Type::Reference(reference) => refuse_type(&reference.elem, errors),
        Type::Slice(slice) => refuse_type(&slice.elem, errors),
        Type::Tuple(tuple) => tuple.elems.iter().for_each(|elem| refuse_type(elem, errors)),
        _ => {}
    }
}

fn refuse_path(path: &Path, errors: &mut Vec<Error>) {
    let Some(last) = path.segments.last() else { return };
    let name = last.ident.to_string();
    if name == "Tensor" {
        errors.push(Error::new_spanned(
            path,
            "a bare Tensor is no part of a module: write `Parameter` if it is trained, \
             `Buffer` if it is only saved, or mark the field `#[module(skip)]`",
        ));
    } else if PLAIN.contains(&name.as_str()) && is_standard(path) {
        errors.push(Error::new_spanned(
            path,
            format!("`{name}` holds no parameters: mark the field `#[module(skip)]`"),
        ));
    } else if TRANSPARENT.contains(&name.as_str())
        && let PathArguments::AngleBracketed(arguments) = &last.arguments
    {
        refuse_arguments(&arguments.args, errors);
    }
}

fn refuse_arguments(arguments: &Punctuated<GenericArgument, Token![,]>, errors: &mut Vec<Error>) {
    for argument in arguments {
        if let GenericArgument::Type(ty) = argument {
            refuse_type(ty, errors);
        }
    }
}

/// `String` and `std::string::String` are the standard library's, `text::String` may be a module.
fn is_standard(path: &Path) -> bool {
    path.segments.len() == 1
        || ["std", "core", "alloc"].iter().any(|name| path.segments[0].ident == name)
}
