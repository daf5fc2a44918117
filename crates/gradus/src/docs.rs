//! The pages beside the source: every Rust block of the README, of CONTRIBUTING and of the book is
//! compiled and run by `cargo test`, so that none of them goes stale.

/// Only the README needs the digits.
#[cfg(feature = "digits")]
#[doc = include_str!("../../../README.md")]
mod readme {}

#[doc = include_str!("../../../CONTRIBUTING.md")]
mod contributing {}

#[doc = include_str!("../../../docs/quick-start.md")]
mod quick_start {}

#[doc = include_str!("../../../docs/coming-from-pytorch.md")]
mod coming_from_pytorch {}

#[doc = include_str!("../../../docs/the-tape.md")]
mod the_tape {}

#[doc = include_str!("../../../docs/differences.md")]
mod differences {}
