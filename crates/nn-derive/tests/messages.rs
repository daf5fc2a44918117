//! What the compiler prints for a module that is not one.
//!
//! The snapshots `messages/*.stderr` are Rust 1.95's; `TRYBUILD=overwrite` writes them anew for another.

#[test]
fn messages_point_at_the_field_and_say_what_to_write() {
    trybuild::TestCases::new().compile_fail("tests/messages/*.rs");
}
