//! Writes the two impls; the crate's page shows the result.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Error, Path, WhereClause, WherePredicate, parse_quote, parse_quote_spanned};

use crate::input::{Body, Field, Input, Variant};

/// The derive on token streams: the impls, and `compile_error!` for each mistake.
pub(crate) fn derive_module(tokens: TokenStream) -> TokenStream {
    Input::parse(tokens).map_or_else(Error::into_compile_error, |input| {
        let module = module_impl(&input);
        let deep_copy = input.options.deep_copy.then(|| deep_copy_impl(&input));
        let mistakes = match &input.body {
            Body::Refused(error) => Some(error.to_compile_error()),
            Body::Struct(_) | Body::Enum(_) => None,
        };
        quote! { #module #deep_copy #mistakes }
    })
}

fn module_impl(input: &Input) -> TokenStream {
    let (ident, nn) = (&input.ident, &input.options.nn);
    let (impl_generics, ty_generics, _) = input.generics.split_for_impl();
    let where_clause = bounds(input, &parse_quote!(#nn::Module), None);
    let body = match &input.body {
        Body::Refused(_) => TokenStream::new(),
        Body::Struct(fields) => visits(fields, of_self),
        Body::Enum(variants) => {
            arms(variants, |variant| visits(&variant.fields, binding), |f| !f.skip)
        }
    };
    // Without a field to visit the argument would be unused.
    let visitor = if input.fields().any(|field| !field.skip) { quote!(visitor) } else { quote!(_) };
    quote! {
        #[automatically_derived]
        impl #impl_generics #nn::Module for #ident #ty_generics #where_clause {
            fn visit(&self, #visitor: &mut #nn::Visitor<'_>) {
                #body
            }
        }
    }
}

fn deep_copy_impl(input: &Input) -> TokenStream {
    let (ident, nn) = (&input.ident, &input.options.nn);
    let (impl_generics, ty_generics, _) = input.generics.split_for_impl();
    let where_clause =
        bounds(input, &parse_quote!(#nn::DeepCopy), Some(&parse_quote!(::core::clone::Clone)));
    let body = match &input.body {
        Body::Refused(_) => quote!(::core::unreachable!()),
        Body::Struct(fields) => {
            let copies = copies(fields, nn, of_self);
            quote!(Self { #copies })
        }
        Body::Enum(variants) => arms(
            variants,
            |Variant { ident, fields }| {
                let copies = copies(fields, nn, binding);
                quote!(Self::#ident { #copies })
            },
            |_| true,
        ),
    };
    let skipped = input.fields().any(|field| field.skip).then(skipped_trait);
    let ties = if input.fields().any(|field| !field.skip) { quote!(ties) } else { quote!(_) };
    quote! {
        #[automatically_derived]
        impl #impl_generics #nn::DeepCopy for #ident #ty_generics #where_clause {
            fn deep_copy_with(&self, #ties: &mut #nn::Ties) -> Self {
                #skipped
                #body
            }
        }
    }
}

/// The written where clause, and a bound for each field type that depends on a type parameter.
fn bounds(input: &Input, module: &Path, skipped: Option<&Path>) -> Option<WhereClause> {
    let mut clause = input.generics.where_clause.clone();
    for field in input.fields() {
        let bound = if field.skip { skipped } else { Some(module) };
        if let Some(bound) = bound.filter(|_| input.needs_bound(&field.ty)) {
            let ty = &field.ty;
            let predicate: WherePredicate = parse_quote_spanned!(place(field)=> #ty: #bound);
            clause.get_or_insert_with(|| parse_quote!(where)).predicates.push(predicate);
        }
    }
    clause
}

fn visits(fields: &[Field], access: impl Fn(usize, &Field) -> TokenStream) -> TokenStream {
    let each = fields.iter().enumerate().filter(|(_, field)| !field.skip).map(|(index, field)| {
        let (name, value) = (&field.name, access(index, field));
        quote_spanned!(place(field)=> visitor.field(#name, #value);)
    });
    quote!(#(#each)*)
}

fn copies(
    fields: &[Field],
    nn: &Path,
    access: impl Fn(usize, &Field) -> TokenStream,
) -> TokenStream {
    let each = fields.iter().enumerate().map(|(index, field)| {
        let (member, value) = (&field.member, access(index, field));
        let copy = if field.skip {
            quote_spanned!(place(field)=> Skipped::cloned(#value))
        } else {
            quote_spanned!(place(field)=> #nn::DeepCopy::deep_copy_with(#value, ties))
        };
        quote!(#member: #copy,)
    });
    quote!(#(#each)*)
}

/// A `match` on `self`, with the fields that `bound` chooses bound by position.
fn arms(
    variants: &[Variant],
    body: impl Fn(&Variant) -> TokenStream,
    bound: impl Fn(&Field) -> bool,
) -> TokenStream {
    if variants.is_empty() {
        return quote!(match *self {});
    }
    let each = variants.iter().map(|variant| {
        let ident = &variant.ident;
        let chosen = variant.fields.iter().enumerate().filter(|(_, field)| bound(field));
        let (members, bindings): (Vec<_>, Vec<_>) =
            chosen.map(|(index, field)| (&field.member, binding(index, field))).unzip();
        let rest = (members.len() < variant.fields.len()).then(|| quote!(..));
        let body = body(variant);
        quote!(Self::#ident { #(#members: #bindings,)* #rest } => { #body })
    });
    quote!(match self { #(#each)* })
}

fn of_self(_: usize, field: &Field) -> TokenStream {
    let member = &field.member;
    quote_spanned!(place(field)=> &self.#member)
}

fn binding(index: usize, field: &Field) -> TokenStream {
    format_ident!("field_{index}", span = place(field)).into_token_stream()
}

/// Where the compiler reports what it has against a field. Only the place is the field's: names still resolve as in
/// the rest of the expansion, or a struct written by a `macro_rules!` would not find `self`.
fn place(field: &Field) -> Span {
    field.ty.span().resolved_at(Span::call_site())
}

fn skipped_trait() -> TokenStream {
    quote! {
        #[diagnostic::on_unimplemented(
            message = "`deep_copy` clones skipped fields, and `{Self}` is not `Clone`",
            label = "a skipped field that is not `Clone`",
            note = "implement `Clone` for `{Self}`, or mark the struct `#[module(no_deep_copy)]`"
        )]
        trait Skipped {
            fn cloned(&self) -> Self;
        }
        #[diagnostic::do_not_recommend]
        impl<T: ::core::clone::Clone> Skipped for T {
            fn cloned(&self) -> Self {
                ::core::clone::Clone::clone(self)
            }
        }
    }
}
