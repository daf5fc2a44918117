//! Arrays: numbers with a shape and a dtype. No history, no gradients.
//!
//! | question | file |
//! |---|---|
//! | what is an array? | [`Array`], `array/` |
//! | where do its bytes live? | `storage/` |
//! | which dtype comes out of a mix? | [`result_type`], `dtype.rs` |
//! | how is a formula run over all elements? | `elementwise/`, `kernels/` |
//! | which instructions are used? | [`kernels::level()`] |
//! | serial or parallel? | [`threads`] |
//! | how are they saved? | `format/`, [`SafeTensors`] |
//! | where do random numbers come from? | `random/`, [`Generator`] |

mod array;
mod channels;
mod cross_entropy;
mod display;
mod dtype;
mod element;
mod elementwise;
mod error;
mod format;
mod indexing;
pub mod kernels;
mod lstm;
mod matmul;
mod meta;
mod random;
mod reduce;
mod rows;
mod scalar;
mod shape;
mod storage;
mod strided;
pub mod threads;

pub use array::{Array, copies};
pub use dtype::{Category, DType, result_type};
pub use element::Element;
pub use error::FormatError;
pub use format::SafeTensors;
#[cfg(not(target_family = "wasm"))]
pub use format::{load_safetensors, save_safetensors, write_atomically};
pub use lstm::LstmCell;
pub use matmul::{Finish, matmul_shape};
pub use meta::Meta;
pub use random::{
    DEFAULT_SEED, Generator, GeneratorRng, manual_seed, rng_state, set_rng_state,
    with_default_generator,
};
pub use scalar::Scalar;
pub use shape::{Axes, Shape};
pub use storage::{cached_bytes, empty_cache, live_bytes, peak_bytes};

pub use half::{bf16, f16};
