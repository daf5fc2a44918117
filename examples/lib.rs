//! The examples of gradus: `cargo run --release --example NAME`, one folder or file each.
//!
//! | example | what it shows |
//! |---|---|
//! | `mnist` | a network that learns handwritten digits, from options to a saved model |
#![forbid(unsafe_code)]
