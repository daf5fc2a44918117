//! The expansion as text, and every message with the words it points at.

use std::str::FromStr;

use proc_macro2::TokenStream;

use crate::expand::derive_module;
use crate::input::{Body, Input};

/// The blocks of the crate's page, so that what is documented is what is tested.
fn documented(block: usize) -> String {
    let page = include_str!("lib.rs").lines().filter_map(|line| line.strip_prefix("//!"));
    let mut blocks = Vec::new();
    let mut open = false;
    for line in page.map(str::trim_end) {
        match line.trim_start().strip_prefix("```") {
            Some(_) if open => open = false,
            Some(_) => {
                open = true;
                blocks.push(String::new());
            }
            None if open => *blocks.last_mut().expect("a block is open") += line,
            None => {}
        }
    }
    blocks.swap_remove(block)
}

/// Without white space: `quote!` and the lexer put it at different places.
fn normal(source: &str) -> String {
    source.split_whitespace().collect()
}

fn expanded(source: &str) -> String {
    normal(&derive_module(TokenStream::from_str(source).expect("tokens")).to_string())
}

/// Each message with the source it is reported at.
fn mistakes(source: &str) -> Vec<(String, String)> {
    let error = match Input::parse(TokenStream::from_str(source).expect("tokens")) {
        Err(error) | Ok(Input { body: Body::Refused(error), .. }) => error,
        Ok(_) => panic!("{source} is accepted"),
    };
    let text = |error: syn::Error| (error.to_string(), error.span().source_text());
    error.into_iter().map(text).map(|(m, at)| (m, at.unwrap_or_default())).collect()
}

#[track_caller]
fn assert_mistake(source: &str, message: &str, at: &str) {
    assert_eq!(mistakes(source), [(message.to_owned(), at.to_owned())], "for {source}");
}

const BARE: &str = "a bare Tensor is no part of a module: write `Parameter` if it is trained, `Buffer` if it is only \
                    saved, or mark the field `#[module(skip)]`";

#[test]
fn the_expansion_is_the_documented_one() {
    assert_eq!(expanded(&documented(0)), normal(&documented(1)));
}

#[test]
fn nothing_to_visit_leaves_no_unused_argument() {
    let expected = "
        #[automatically_derived]
        impl nn::Module for Unit {
            fn visit(&self, _: &mut nn::Visitor<'_>) {}
        }
        #[automatically_derived]
        impl nn::DeepCopy for Unit {
            fn deep_copy_with(&self, _: &mut nn::Ties) -> Self { Self {} }
        }";
    assert_eq!(expanded("#[module(crate = \"nn\")] struct Unit;"), normal(expected));
}

#[test]
fn a_bound_is_added_for_types_with_a_parameter_only() {
    let expected = "
        #[automatically_derived]
        impl<M: Clone, const N: usize> crate::Module for Wrap<M, N>
        where
            M: Send,
            Vec<M>: crate::Module
        {
            fn visit(&self, visitor: &mut crate::Visitor<'_>) {
                visitor.field(\"inner\", &self.inner);
                visitor.field(\"plain\", &self.plain);
                visitor.field(\"next\", &self.next);
            }
        }";
    let source = "
        #[module(crate = \"crate\", no_deep_copy)]
        struct Wrap<M: Clone, const N: usize> where M: Send {
            inner: Vec<M>,
            plain: [Linear; N],
            next: Option<Box<Wrap<M, N>>>,
            #[module(skip)]
            marker: PhantomData<M>,
        }";
    assert_eq!(expanded(source), normal(expected));
}

#[test]
fn a_bare_tensor_is_refused_wherever_it_stands() {
    assert_mistake("struct N { w: Tensor }", BARE, "Tensor");
    assert_mistake("struct N(gradus::Tensor);", BARE, "gradus::Tensor");
    assert_mistake("struct N { w: Option<Vec<Tensor>> }", BARE, "Tensor");
    assert_mistake("struct N { w: [(Linear, Box<Tensor>); 3] }", BARE, "Tensor");
    assert_mistake("enum E { A { w: Tensor } }", BARE, "Tensor");
}

#[test]
fn plain_values_are_refused_by_name() {
    let plain =
        |name: &str| format!("`{name}` holds no parameters: mark the field `#[module(skip)]`");
    for ty in ["usize", "u8", "i64", "f32", "f64", "bool", "String"] {
        assert_mistake(&format!("struct N {{ x: {ty} }}"), &plain(ty), ty);
    }
    assert_mistake("struct N { x: Vec<f64> }", &plain("f64"), "f64");
    assert_mistake("struct N { x: &'static str }", &plain("str"), "str");
    assert_mistake("struct N { x: std::string::String }", &plain("String"), "std::string::String");
    assert_mistake("struct N<T> { x: PhantomData<T> }", &plain("PhantomData"), "PhantomData<T>");
}

#[test]
fn names_of_other_libraries_and_foreign_generics_are_left_to_the_compiler() {
    for ty in ["text::String", "Typed<f32>", "fn(f32) -> Tensor", "<T as Own>::Tensor"] {
        let source = format!("struct N {{ x: {ty} }}");
        assert!(!expanded(&source).contains("compile_error"), "{source} is refused");
    }
}

#[test]
fn a_skipped_field_may_be_anything() {
    assert!(expanded("struct N { #[module(skip)] w: Tensor }").contains("Skipped"));
}

#[test]
fn all_mistakes_are_reported_at_once() {
    let found = mistakes("struct N { w: Tensor, n: usize, #[module(skipp)] x: f32 }");
    assert_eq!(
        found.iter().map(|(_, at)| at.as_str()).collect::<Vec<_>>(),
        ["Tensor", "usize", "skipp"]
    );
}

#[test]
fn unknown_attributes_list_the_known() {
    let known = "a field knows `skip` and `rename = \"name\"`, a struct or enum `no_deep_copy` and `crate = \"path\"`";
    let check = |source: &str, name: &str, place: &str| {
        assert_mistake(source, &format!("`{name}` is unknown {place}: {known}"), name);
    };
    check("struct N { #[module(ignore)] x: Linear }", "ignore", "on a field");
    check("struct N { #[module(crate = \"nn\")] x: Linear }", "crate", "on a field");
    check("#[module(skip)] struct N;", "skip", "here");
    check("enum E { #[module(rename = \"b\")] A(Linear) }", "rename", "on a variant");
}

#[test]
fn values_of_attributes_are_checked() {
    let dot = "a name in a path is not empty and has no dot";
    assert_mistake("struct N { #[module(rename = \"a.b\")] x: Linear }", dot, "\"a.b\"");
    assert_mistake("struct N { #[module(rename = \"\")] x: Linear }", dot, "\"\"");
    let both = "a skipped field has no path: remove `rename` or `skip`";
    assert_mistake("struct N { #[module(rename = \"b\", skip)] x: Linear }", both, "\"b\"");
    let path = "not a path: write for example `crate = \"gradus_nn\"`";
    assert_mistake("#[module(crate = \"a b\")] struct N;", path, "\"a b\"");
    let list = mistakes("struct N { #[module] x: Linear }").remove(0).0;
    assert!(list.contains("#[module(...)]"), "{list}");
}

#[test]
fn two_fields_cannot_share_a_name() {
    let message = "another field is already named `a`";
    assert_mistake("struct N { a: Linear, #[module(rename = \"a\")] b: Linear }", message, "\"a\"");
    assert_mistake("struct N { #[module(rename = \"a\")] b: Linear, a: Linear }", message, "a");
    assert!(!expanded("enum E { A { a: Linear }, B { a: Linear } }").contains("compile_error"));
}

#[test]
fn a_union_is_refused() {
    let message = "a union cannot be a module, which field holds is unknown: write an enum";
    assert_mistake("union U { a: Linear }", message, "union");
}
