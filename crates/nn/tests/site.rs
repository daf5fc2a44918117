//! The entry of a layer: paths in errors, the user's line, hooks.

use gradus_autodiff::Tensor;
use gradus_nn::{Layer, Linear, Module, Sequential, Site, Tanh};
use gradus_tensor::{Array, DType};
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

#[derive(Module)]
#[module(crate = "gradus_nn")]
struct Net {
    encoder: Sequential,
    head: Linear,
}

fn net() -> Net {
    let layers = Sequential::new().then(Linear::new(3, 4)).then(Tanh::new());
    Net { encoder: Sequential::new().then(layers).then(Linear::new(4, 4)), head: Linear::new(4, 2) }
}

fn x(features: usize) -> Tensor {
    Array::full([5, features], 0.5, DType::F32).into()
}

/// What the panic of `f` says, with its place.
fn message(f: impl Fn() -> Tensor) -> String {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _one = ONE_AT_A_TIME.lock().expect("no test panics with it");
    let seen = Arc::new(Mutex::new(String::new()));
    let s = seen.clone();
    let old = panic::take_hook();
    panic::set_hook(Box::new(move |info| *s.lock().expect("free") = info.to_string()));
    let result = catch_unwind(AssertUnwindSafe(f));
    panic::set_hook(old);
    assert!(result.is_err(), "it should be refused");
    seen.lock().expect("free").clone()
}

#[test]
fn errors_name_the_layer_and_the_users_line() {
    let net = net();
    net.train(); // any walk teaches the paths
    let line = line!();
    let head = message(|| net.head.forward(&x(9)));
    let deep = message(|| net.encoder.forward(&x(9)));
    let layer: &dyn Layer = &net.encoder;
    let through_dyn = message(|| layer.forward(&x(9)));
    for (text, path, line) in [
        (&head, "head", line + 1),
        (&deep, "encoder.0.0", line + 2),
        (&through_dyn, "encoder.0.0", line + 4),
    ] {
        assert!(text.contains(&format!("{}:{line}:", file!())), "{text}");
        assert!(text.contains(&format!("(in layer {path})")), "{text}");
        assert!(text.contains("[5, 9]"), "{text}");
    }
}

#[test]
fn before_any_walk_errors_name_the_kind() {
    let text = message(|| Linear::new(3, 4).forward(&x(9)));
    assert!(text.contains("(in layer Linear)"), "{text}");
    // A `Sequential` walks as it is built.
    let text =
        message(|| Sequential::new().then(Tanh::new()).then(Linear::new(3, 4)).forward(&x(9)));
    assert!(text.contains("(in layer 1)"), "{text}");
}

#[test]
fn a_walk_from_below_does_not_shorten_a_path() {
    let net = net();
    net.named_parameters();
    net.encoder.named_parameters();
    net.head.eval();
    let text = message(|| net.encoder.forward(&x(9)));
    assert!(text.contains("(in layer encoder.0.0)"), "{text}");
}

#[test]
fn after_a_panic_errors_outside_layers_name_none() {
    let net = net();
    message(|| net.encoder.forward(&x(9)));
    let text = message(|| x(3).matmul(&x(3)));
    assert!(!text.contains("in layer"), "{text}");
}

#[derive(Module)]
#[module(crate = "gradus_nn")]
struct Watched {
    linear: Linear,
    site: Site,
}

impl Layer for Watched {
    fn forward(&self, x: &Tensor) -> Tensor {
        let call = self.site.enter();
        let y = self.linear.forward(x);
        call.leave(y)
    }
}

#[test]
fn hooks_see_path_and_output_in_order_and_may_replace_it() {
    let net = Watched { linear: Linear::new(3, 2), site: Site::new("Watched") };
    let plain = net.forward(&x(3)).array();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let s = seen.clone();
    let look = net.site.register_forward_hook(move |path, y| {
        s.lock().expect("free").push((path.to_owned(), y.shape().to_vec()));
        None
    });
    let double = net.site.register_forward_hook(|_, y| Some(y * 2.0));
    net.named_parameters_with_prefix("net");
    assert_eq!(net.forward(&x(3)).array(), (Tensor::new(plain.clone()) * 2.0).array());
    assert_eq!(*seen.lock().expect("free"), [("net".to_owned(), vec![5, 2])]);
    let copy = net.deep_copy();
    double.remove();
    look.remove();
    assert_eq!(net.forward(&x(3)).array(), plain);
    assert_eq!(seen.lock().expect("free").len(), 1);
    assert_ne!(copy.forward(&x(3)).array(), plain); // a copy has the hooks it was made with
}

#[test]
fn a_hook_may_use_the_layer_it_hangs_on() {
    let net = Arc::new(Watched { linear: Linear::new(3, 2), site: Site::new("Watched") });
    let inner = Arc::downgrade(&net);
    net.site.register_forward_hook(move |_, _| {
        let net = inner.upgrade()?;
        net.site.register_forward_hook(|_, _| None).remove();
        Some(net.linear.forward(&x(3)) * 0.0)
    });
    assert_eq!(net.forward(&x(3)).sum().item(), 0.0);
}
