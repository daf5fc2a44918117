//! What holds across the crates, and the programs that check it.
//!
//! | question | file |
//! |---|---|
//! | does gradus give PyTorch's numbers? | [`parity`], `bin/parity.rs`, `tests/parity.rs` |
//! | where do PyTorch's numbers come from? | `parity/generate.py`, `parity/fixtures/` |
#![forbid(unsafe_code)]

pub mod parity;
