//! Fields only the compiler can refuse.

extern crate self as gradus;

#[path = "../stand_in/nn.rs"]
pub mod nn;

use gradus_nn_derive::Module;
use nn::Parameter;

struct Schedule;

#[derive(Module)]
struct NotAModule {
    weight: Parameter,
    schedule: Schedule,
}

#[derive(Module)]
struct NotClone {
    weight: Parameter,
    #[module(skip)]
    schedule: Schedule,
}

#[derive(Module)]
#[module(no_deep_copy)]
enum NotAModuleEither {
    Constant(Schedule),
}

fn main() {}
