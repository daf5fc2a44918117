//! Random numbers: a stream of bits that is addressed by position, and our own, frozen mapping from
//! bits to numbers.
//!
//! | question | file |
//! |---|---|
//! | where do the bits come from? | [`Generator`], `generator.rs` |
//! | which generator does `Array::randn` use? | [`manual_seed`], `default.rs` |
//! | how is an array filled? | `fill.rs` |
//! | which number does a word of bits become? | `uniform.rs`, `normal.rs`, `bernoulli.rs`, `integer.rs` |
//!
//! Element `i` of an array is a function of the seed and of `i` alone, so that an array can be filled
//! from any number of threads. Only `+ − × ÷ √` are used on the way, which IEEE 754 rounds in one way:
//! the same seed gives the same bits on every machine. Golden tests hold the mapping.

mod bernoulli;
mod default;
mod fill;
mod generator;
mod integer;
mod normal;
mod sample;
mod uniform;

pub use default::{DEFAULT_SEED, manual_seed, rng_state, set_rng_state, with_default_generator};
pub use generator::{Generator, GeneratorRng};
