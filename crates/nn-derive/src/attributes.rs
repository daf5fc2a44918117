//! Reads `#[module(…)]`.

use proc_macro2::Span;
use quote::ToTokens;
use syn::meta::ParseNestedMeta;
use syn::{Attribute, Error, LitStr, Path, Result, parse_quote};

/// What `#[module(…)]` says on the struct or enum.
pub(crate) struct ContainerOptions {
    /// The module that holds `Module`, `Visitor`, `DeepCopy` and `Ties`.
    pub(crate) nn: Path,
    pub(crate) deep_copy: bool,
}

/// What `#[module(…)]` says on a field.
pub(crate) struct FieldOptions {
    pub(crate) skip: bool,
    pub(crate) rename: Option<LitStr>,
}

impl ContainerOptions {
    pub(crate) fn parse(attributes: &[Attribute]) -> Result<Self> {
        let mut options = Self { nn: parse_quote!(::gradus::nn), deep_copy: true };
        each_option(attributes, |meta| {
            if meta.path.is_ident("crate") {
                let path: LitStr = meta.value()?.parse()?;
                options.nn = path.parse_with(Path::parse_mod_style).map_err(|_| {
                    Error::new(path.span(), "not a path: write for example `crate = \"gradus_nn\"`")
                })?;
            } else if meta.path.is_ident("no_deep_copy") {
                options.deep_copy = false;
            } else {
                return Err(unknown(meta, "here"));
            }
            Ok(())
        })?;
        Ok(options)
    }
}

impl FieldOptions {
    pub(crate) fn parse(attributes: &[Attribute]) -> Result<Self> {
        let mut options = Self { skip: false, rename: None };
        let mut at = Span::call_site();
        each_option(attributes, |meta| {
            if meta.path.is_ident("skip") {
                options.skip = true;
            } else if meta.path.is_ident("rename") {
                let name: LitStr = meta.value()?.parse()?;
                refuse_name(&name)?;
                at = name.span();
                options.rename = Some(name);
            } else {
                return Err(unknown(meta, "on a field"));
            }
            Ok(())
        })?;
        if options.skip && options.rename.is_some() {
            return Err(Error::new(at, "a skipped field has no path: remove `rename` or `skip`"));
        }
        Ok(options)
    }
}

/// Variants take no options; without this check one written there would be ignored.
pub(crate) fn refuse_on_variant(attributes: &[Attribute]) -> Result<()> {
    each_option(attributes, |meta| Err(unknown(meta, "on a variant")))
}

fn each_option(
    attributes: &[Attribute],
    mut read: impl FnMut(&ParseNestedMeta) -> Result<()>,
) -> Result<()> {
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("module")) {
        attribute.parse_nested_meta(|meta| read(&meta))?;
    }
    Ok(())
}

fn unknown(meta: &ParseNestedMeta, place: &str) -> Error {
    let name = meta.path.to_token_stream();
    meta.error(format!(
        "`{name}` is unknown {place}: a field knows `skip` and `rename = \"name\"`, \
         a struct or enum `no_deep_copy` and `crate = \"path\"`"
    ))
}

/// Paths are joined with dots, so a dot inside a name would make state dicts ambiguous.
fn refuse_name(name: &LitStr) -> Result<()> {
    let text = name.value();
    if text.is_empty() || text.contains('.') {
        return Err(Error::new(name.span(), "a name in a path is not empty and has no dot"));
    }
    Ok(())
}
