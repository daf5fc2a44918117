//! The common tests: every op of the catalog, every case.

use super::all_cases;
use crate::testing::{self, Case};

/// Run `check` on every case; report all failures at once.
fn every_case(check: impl Fn(&Case) -> Result<(), String>) {
    let mut failures = Vec::new();
    for (op, cases) in all_cases() {
        assert!(!cases.is_empty(), "{op} has no cases");
        for (i, case) in cases.iter().enumerate() {
            let run = std::panic::AssertUnwindSafe(|| check(case));
            let result = std::panic::catch_unwind(run).unwrap_or_else(|_| Err("panicked".into()));
            if let Err(e) = result {
                failures.push(format!("{op} case {i}: {e}"));
            }
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

#[test]
fn every_op_has_right_first_derivatives() {
    every_case(|c| testing::gradcheck(c.f, &c.inputs()).map_err(|e| e.to_string()));
}

#[test]
fn every_op_has_right_second_derivatives() {
    every_case(|c| testing::gradgradcheck(c.f, &c.inputs()).map_err(|e| e.to_string()));
}

#[test]
fn every_op_reads_views_as_it_reads_contiguous_inputs() {
    every_case(testing::same_on_views);
}

#[test]
fn every_op_computes_in_every_floating_dtype() {
    every_case(testing::same_in_every_dtype);
}
