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
mod columns;
mod conv;
mod cross_entropy;
mod display;
mod dtype;
mod element;
mod elementwise;
mod error;
mod format;
mod indexing;
pub mod kernels;
mod layer_norm;
mod lstm;
mod matmul;
mod meta;
mod pad;
mod per_axis;
mod pool;
mod random;
mod reduce;
mod rows;
mod scalar;
mod shape;
mod storage;
mod strided;
pub mod threads;

pub use array::{Array, copies};
pub use conv::{ConvAxis, ConvGeometry, Convolution};
pub use dtype::{Category, DType, result_type};
pub use element::Element;
pub use error::FormatError;
pub use format::SafeTensors;
#[cfg(not(target_family = "wasm"))]
pub use format::{load_safetensors, save_safetensors, write_atomically};
pub use lstm::LstmCell;
pub use matmul::{Finish, matmul_shape};
pub use meta::Meta;
pub use pad::{PadError, PadMode, Padded};
pub use per_axis::PerAxis;
pub use pool::{AdaptiveSize, Divisor, Pool, PoolError};
pub use random::{
    DEFAULT_SEED, Generator, GeneratorRng, manual_seed, rng_state, set_rng_state,
    with_default_generator,
};
pub use scalar::Scalar;
pub use shape::{Axes, Shape};
pub use storage::{
    MemoryStats, cached_bytes, empty_cache, live_bytes, memory_stats, peak_bytes, reset_peak,
};

pub use half::{bf16, f16};
