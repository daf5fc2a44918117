//! Derived modules at work: paths, copies, generics, enums, structs written by macros.

#![deny(warnings)]

extern crate self as gradus;

#[path = "stand_in/nn.rs"]
pub mod nn;

use std::marker::PhantomData;
use std::rc::Rc;

use gradus_nn_derive::Module;
use nn::{DeepCopy, Parameter, Ties, leaves, names};

#[derive(Module)]
struct Linear {
    weight: Parameter,
    bias: Option<Parameter>,
    #[module(skip)]
    width: usize,
}

impl Linear {
    fn new(weight: f32) -> Self {
        Self { weight: Parameter::new(weight), bias: Some(Parameter::new(-weight)), width: 3 }
    }
}

fn deep_copy<M: DeepCopy>(module: &M) -> M {
    module.deep_copy_with(&mut Ties::default())
}

#[test]
fn fields_are_visited_in_order_under_their_names() {
    #[derive(Module)]
    struct Net {
        r#type: Linear,
        #[module(rename = "head")]
        fc: Vec<Linear>,
    }

    let net = Net { r#type: Linear::new(1.0), fc: vec![Linear::new(2.0), Linear::new(3.0)] };
    let expected = [
        ("type.weight", 1.0),
        ("type.bias", -1.0),
        ("head.0.weight", 2.0),
        ("head.0.bias", -2.0),
        ("head.1.weight", 3.0),
        ("head.1.bias", -3.0),
    ];
    assert_eq!(leaves(&net), expected.map(|(name, value)| (name.to_owned(), value)));
}

#[test]
fn a_deep_copy_has_places_of_its_own_and_keeps_ties_and_skipped_values() {
    #[derive(Module)]
    struct Tied {
        encoder: Linear,
        decoder: Parameter,
    }

    let encoder = Linear::new(1.0);
    let tied = Tied { decoder: encoder.weight.clone(), encoder };
    let copy = deep_copy(&tied);
    copy.decoder.0.set(5.0);
    assert_eq!(tied.encoder.weight.0.get(), 1.0);
    assert_eq!(copy.encoder.weight.0.get(), 5.0);
    assert_eq!(copy.encoder.width, 3);
    assert_eq!(names(&copy), names(&tied));
}

#[test]
fn tuple_structs_count_and_unit_structs_are_empty() {
    #[derive(Module)]
    struct Pair(Linear, #[module(skip)] f32, Parameter);
    #[derive(Module)]
    struct Relu;

    let pair = Pair(Linear::new(1.0), 0.5, Parameter::new(2.0));
    assert_eq!(names(&pair), ["0.weight", "0.bias", "2"]);
    assert_eq!(deep_copy(&pair).1, 0.5);
    assert!(names(&deep_copy(&Relu)).is_empty());
}

#[test]
fn generics_need_no_bounds_of_their_own() {
    #[derive(Module)]
    struct Residual<M> {
        inner: Vec<M>,
        #[module(skip)]
        marker: PhantomData<M>,
    }
    #[derive(Module)]
    struct Bounded<M: nn::Module, const N: usize>
    where
        M: DeepCopy,
    {
        inner: M,
        #[module(skip)]
        sizes: [usize; N],
    }

    let inner = Residual { inner: vec![Linear::new(1.0)], marker: PhantomData };
    let net = Bounded { inner, sizes: [1, 2] };
    assert_eq!(names(&net), ["inner.inner.0.weight", "inner.inner.0.bias"]);
    assert_eq!(deep_copy(&net).sizes, [1, 2]);
    assert_eq!(net.inner.marker, PhantomData);
}

#[test]
fn a_struct_may_hold_itself() {
    #[derive(Module)]
    struct Chain<M> {
        layer: M,
        next: Option<Box<Chain<M>>>,
    }

    let end = Chain { layer: Linear::new(2.0), next: None };
    let chain = Chain { layer: Linear::new(1.0), next: Some(Box::new(end)) };
    assert_eq!(
        names(&chain),
        ["layer.weight", "layer.bias", "next.layer.weight", "next.layer.bias"]
    );
    assert_eq!(leaves(&deep_copy(&chain)), leaves(&chain));
}

#[test]
fn an_enum_is_the_variant_it_holds() {
    #[derive(Module)]
    enum Norm<M> {
        Batch {
            weight: M,
            #[module(skip)]
            eps: f64,
        },
        Layer(Parameter, Linear),
        Identity,
    }

    let batch = Norm::Batch { weight: Parameter::new(1.0), eps: 1e-5 };
    assert_eq!(names(&batch), ["weight"]);
    assert!(matches!(deep_copy(&batch), Norm::Batch { eps: 1e-5, .. }));
    let layer = Norm::<Parameter>::Layer(Parameter::new(1.0), Linear::new(2.0));
    assert_eq!(names(&deep_copy(&layer)), ["0", "1.weight", "1.bias"]);
    assert!(names(&Norm::<Parameter>::Identity).is_empty());
}

#[test]
fn an_enum_without_variants_is_a_module() {
    #[derive(Module)]
    enum Never {}

    assert_eq!(names(&None::<Never>), [""; 0]);
}

#[test]
fn the_path_to_nn_may_be_given() {
    #[derive(Module)]
    #[module(crate = "crate::nn")]
    struct Here(Parameter);
    #[derive(Module)]
    #[module(crate = "gradus::nn")]
    struct There(Here);

    assert_eq!(names(&There(Here(Parameter::new(1.0)))), ["0.0"]);
}

#[test]
fn without_deep_copy_skipped_fields_need_no_clone() {
    struct Handle;
    #[derive(Module)]
    #[module(no_deep_copy)]
    struct Net {
        weight: Parameter,
        #[module(skip)]
        handle: Handle,
    }

    let net = Net { weight: Parameter::new(1.0), handle: Handle };
    let Handle = net.handle;
    assert_eq!(Rc::strong_count(&net.weight.0), 1);
}

#[test]
fn a_struct_written_by_a_macro_is_a_module() {
    macro_rules! module {
        ($name:ident { $($field:ident: $ty:ident),* }) => {
            #[derive(Module)]
            struct $name { $($field: $ty,)* inner: Vec<Parameter>, #[module(skip)] size: usize }
        };
    }
    module!(Net { fc: Linear });

    let net = Net { fc: Linear::new(1.0), inner: vec![Parameter::new(2.0)], size: 7 };
    assert_eq!(names(&net), ["fc.weight", "fc.bias", "inner.0"]);
    assert_eq!(deep_copy(&net).size, 7);
}
