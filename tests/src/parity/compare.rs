//! When two tensors are equal.

use gradus_tensor::{Array, DType, Shape};

/// How far apart numbers may be: `atol + rtol·max|finite reference|`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tolerance {
    pub(super) rtol: f64,
    pub(super) atol: f64,
}

/// What of a result is compared.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum Extent {
    /// All.
    #[default]
    All,
    /// Not where the reference is infinite or NaN.
    WhereFinite,
    /// Not these rows.
    Without(usize, usize),
}

/// How `got` differs from `want`, or `None`.
pub(super) fn difference(
    got: &Array,
    want: &Array,
    tolerance: Tolerance,
    extent: Extent,
) -> Option<String> {
    if !same_kind(got.dtype(), want.dtype()) {
        return Some(format!("got the dtype {}, want {}", got.dtype(), want.dtype()));
    }
    if got.shape() != want.shape() {
        return Some(format!("got the shape {}, want {}", got.shape(), want.shape()));
    }
    let (got, reference) = (got.to_vec::<f64>(), want.to_vec::<f64>());
    let finite = reference.iter().filter(|w| w.is_finite());
    let most = finite.fold(0.0_f64, |m, w| m.max(w.abs()));
    let allowed = tolerance.atol + tolerance.rtol * most;
    let row = want.shape().iter().skip(1).product::<usize>().max(1);
    let compared = |i: usize| match extent {
        Extent::All => true,
        Extent::WhereFinite => reference[i].is_finite(),
        Extent::Without(a, b) => !(a..b).contains(&(i / row)),
    };
    let worse = |i: &usize| compared(*i) && !close(got[*i], reference[*i], allowed);
    // The largest error says most; a NaN is larger than any.
    let error = |i: &usize| {
        let d = (got[*i] - reference[*i]).abs();
        if d.is_nan() { f64::INFINITY } else { d }
    };
    let worst = (0..got.len()).filter(worse).max_by(|a, b| error(a).total_cmp(&error(b)))?;
    let at = position(worst, want.shape());
    Some(format!("got {}{at}, want {}, tolerance {allowed:.2e}", got[worst], reference[worst]))
}

/// The rule for one number.
pub(super) fn close(got: f64, want: f64, allowed: f64) -> bool {
    if want.is_nan() {
        return got.is_nan();
    }
    got == want || (want.is_finite() && (got - want).abs() <= allowed)
}

/// Fixtures have bools as `U8`.
fn same_kind(got: DType, want: DType) -> bool {
    got == want || (got == DType::Bool && want == DType::U8)
}

/// `" at [1, 2]"`
fn position(mut i: usize, shape: &Shape) -> String {
    if shape.rank() == 0 {
        return String::new();
    }
    let mut at = vec![0; shape.rank()];
    for (k, &n) in shape.iter().enumerate().rev() {
        (at[k], i) = (i % n, i / n);
    }
    format!(" at {at:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXACT: Tolerance = Tolerance { rtol: 0.0, atol: 0.0 };

    fn differs(got: &[f64], want: &[f64], tolerance: Tolerance, extent: Extent) -> Option<String> {
        difference(&Array::new(got.len(), got), &Array::new(want.len(), want), tolerance, extent)
    }

    #[test]
    fn the_tolerance_is_relative_to_the_largest_finite_number() {
        let tolerance = Tolerance { rtol: 0.1, atol: 0.0 };
        let want = [0.0, -10.0, f64::INFINITY];
        assert_eq!(differs(&[1.0, -10.0, f64::INFINITY], &want, tolerance, Extent::All), None);
        let text = differs(&[1.1, -10.0, f64::INFINITY], &want, tolerance, Extent::All);
        assert_eq!(text.unwrap(), "got 1.1 at [0], want 0, tolerance 1.00e0");
    }

    #[test]
    fn nan_equals_nan_and_infinity_its_sign_and_zero_any_zero() {
        let (inf, nan) = (f64::INFINITY, f64::NAN);
        let all = |got, want| differs(&[got], &[want], EXACT, Extent::All);
        assert_eq!(all(nan, nan), None);
        assert_eq!(all(-inf, -inf), None);
        assert_eq!(all(-0.0, 0.0), None);
        for (got, want) in [(nan, 1.0), (1.0, nan), (inf, -inf), (inf, 1.0), (1.0, inf), (nan, inf)]
        {
            assert!(all(got, want).is_some(), "{got} {want}");
        }
    }

    #[test]
    fn a_degenerate_gradient_is_compared_where_the_reference_is_finite() {
        let want = [f64::NAN, 1.0];
        assert_eq!(differs(&[0.0, 1.0], &want, EXACT, Extent::WhereFinite), None);
        assert!(differs(&[0.0, 2.0], &want, EXACT, Extent::WhereFinite).is_some());
    }

    #[test]
    fn rows_left_out_are_rows() {
        let got = Array::from([[1.0, 2.0], [9.0, 9.0], [5.0, 6.0]]);
        let want = Array::from([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]);
        assert_eq!(difference(&got, &want, EXACT, Extent::Without(1, 2)), None);
        assert!(difference(&got, &want, EXACT, Extent::Without(0, 1)).is_some());
    }

    #[test]
    fn shapes_and_dtypes_count() {
        let x = Array::from([1.0, 2.0]);
        assert!(difference(&x, &Array::from([[1.0, 2.0]]), EXACT, Extent::All).is_some());
        assert!(difference(&x, &Array::from([1.0_f32, 2.0]), EXACT, Extent::All).is_some());
        let bools = Array::from([true, false]);
        assert_eq!(difference(&bools, &bools.clone().cast(DType::U8), EXACT, Extent::All), None);
    }
}
