//! Arrays in files: `.safetensors`, `serde`, and writing a file all at once or not at all.

#[cfg(not(target_family = "wasm"))]
mod atomic;
mod bytes;
mod header;
mod safetensors;
mod serde;

#[cfg(not(target_family = "wasm"))]
pub use atomic::write_atomically;
pub use safetensors::SafeTensors;
#[cfg(not(target_family = "wasm"))]
pub use safetensors::{load_safetensors, save_safetensors};
