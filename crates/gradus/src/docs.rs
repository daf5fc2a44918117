//! The pages beside the source: every Rust block of the README and of the book is compiled and run by
//! `cargo test`, so that none of them goes stale.

#[cfg(feature = "digits")]
#[doc = include_str!("../../../README.md")]
mod readme {}
