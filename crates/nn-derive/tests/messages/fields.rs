//! Fields the derive refuses by their name.

extern crate self as gradus;

#[path = "../stand_in/nn.rs"]
pub mod nn;

use gradus_nn_derive::Module;

struct Tensor;

#[derive(Module)]
struct Net {
    weight: Tensor,
    history: Option<Vec<crate::Tensor>>,
    width: usize,
    #[module(ignore)]
    height: usize,
}

#[derive(Module)]
#[module(crate = "not a path")]
struct Elsewhere;

/// No further error: a refused struct counts as a module.
fn use_of(net: &Net) -> Vec<String> {
    nn::names(net)
}

fn main() {}
