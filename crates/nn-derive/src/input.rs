//! The struct or enum as the derive sees it: checked, with a name for every field.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Error, Fields, Generics, Member, Result, Type};

use crate::attributes::{ContainerOptions, FieldOptions, refuse_on_variant};
use crate::refused::refuse_type;

pub(crate) struct Input {
    pub(crate) ident: Ident,
    pub(crate) generics: Generics,
    pub(crate) options: ContainerOptions,
    pub(crate) body: Body,
}

pub(crate) enum Body {
    Struct(Vec<Field>),
    Enum(Vec<Variant>),
    /// What is wrong with the fields. The impls are written all the same, empty, or every use of the type as a module
    /// would be one more error.
    Refused(Error),
}

pub(crate) struct Variant {
    pub(crate) ident: Ident,
    pub(crate) fields: Vec<Field>,
}

pub(crate) struct Field {
    pub(crate) member: Member,
    pub(crate) ty: Type,
    /// Its part of the path.
    pub(crate) name: String,
    pub(crate) skip: bool,
}

impl Input {
    /// Fails where not even an empty impl can be written; mistakes in fields are a `Body::Refused`.
    pub(crate) fn parse(tokens: TokenStream) -> Result<Self> {
        let input: DeriveInput = syn::parse2(tokens)?;
        let options = ContainerOptions::parse(&input.attrs)?;
        let body = read_body(&input.data).unwrap_or_else(Body::Refused);
        Ok(Self { ident: input.ident, generics: input.generics, options, body })
    }

    pub(crate) fn fields(&self) -> impl Iterator<Item = &Field> {
        let (fields, variants): (&[Field], &[Variant]) = match &self.body {
            Body::Struct(fields) => (fields, &[]),
            Body::Enum(variants) => (&[], variants),
            Body::Refused(_) => (&[], &[]),
        };
        fields.iter().chain(variants.iter().flat_map(|variant| &variant.fields))
    }

    /// Whether `ty` needs a bound: it depends on a type parameter, and asking for the bound does not ask for the impl
    /// it stands on (as `Option<Box<Net<M>>>` inside `Net<M>` would).
    pub(crate) fn needs_bound(&self, ty: &Type) -> bool {
        let tokens = ty.to_token_stream();
        let is_parameter = |ident: &Ident| self.generics.type_params().any(|p| p.ident == *ident);
        let is_self = |ident: &Ident| *ident == self.ident || ident == "Self";
        mentions(tokens.clone(), &is_parameter) && !mentions(tokens, &is_self)
    }
}

/// Errors of all fields come together, or a user would meet them one compilation at a time.
fn read_body(data: &Data) -> Result<Body> {
    let mut errors = Vec::new();
    let body = match data {
        Data::Struct(data) => Body::Struct(read_fields(&data.fields, &mut errors)),
        Data::Enum(data) => {
            let read = |variant: &syn::Variant| {
                errors.extend(refuse_on_variant(&variant.attrs).err());
                let fields = read_fields(&variant.fields, &mut errors);
                Variant { ident: variant.ident.clone(), fields }
            };
            Body::Enum(data.variants.iter().map(read).collect())
        }
        Data::Union(data) => {
            let message = "a union cannot be a module, which field holds is unknown: write an enum";
            return Err(Error::new(data.union_token.span(), message));
        }
    };
    let combine = |mut all: Error, one| {
        all.combine(one);
        all
    };
    errors.into_iter().reduce(combine).map_or(Ok(body), Err)
}

fn read_fields(fields: &Fields, errors: &mut Vec<Error>) -> Vec<Field> {
    let mut read: Vec<Field> = Vec::new();
    for (member, field) in fields.members().zip(fields) {
        let options = match FieldOptions::parse(&field.attrs) {
            Ok(options) => options,
            Err(error) => {
                errors.push(error);
                continue;
            }
        };
        if !options.skip {
            refuse_type(&field.ty, errors);
        }
        let (name, named_at) = match (&options.rename, &member) {
            (Some(rename), _) => (rename.value(), rename.span()),
            (None, Member::Named(ident)) => (ident.unraw().to_string(), ident.span()),
            (None, Member::Unnamed(index)) => (index.index.to_string(), field.ty.span()),
        };
        if !options.skip && read.iter().any(|other| !other.skip && other.name == name) {
            errors.push(Error::new(named_at, format!("another field is already named `{name}`")));
        }
        read.push(Field { member, ty: field.ty.clone(), name, skip: options.skip });
    }
    read
}

fn mentions(tokens: TokenStream, wanted: &impl Fn(&Ident) -> bool) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => wanted(&ident),
        TokenTree::Group(group) => mentions(group.stream(), wanted),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}
