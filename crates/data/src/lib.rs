//! Datasets, loaders and readers: from files to batches of untracked tensors.
//!
//! | question | file |
//! |---|---|
//! | what is a data set? | [`Dataset`], `dataset.rs` |
//! | how are batches cut and shuffled? | [`DataLoader`], `loader.rs` |
//! | how is an IDX file read? | [`Idx`], `idx.rs` |
//! | where are the digits? | [`Mnist`], `mnist.rs` |
#![forbid(unsafe_code)]

mod dataset;
mod error;
mod idx;
mod loader;
mod mnist;

pub use dataset::{Dataset, TensorDataset};
pub use error::DataError;
pub use idx::Idx;
pub use loader::{Batches, DataLoader};
pub use mnist::Mnist;
