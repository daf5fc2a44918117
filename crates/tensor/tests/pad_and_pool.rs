//! Padding against its definition, pools on views and in half types, and the same bits for any number
//! of threads.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use gradus_tensor::threads::set_num_threads;
use gradus_tensor::{AdaptiveSize, Array, DType, Divisor, PadMode, Padded, Pool};

fn counted(shape: [usize; 4]) -> Array {
    let n: usize = shape.iter().product();
    let values: Vec<f64> = (0..n).map(|i| ((i * 37 + 11) % 101) as f64 - 50.0).collect();
    Array::from_f64(shape, DType::F64, &values)
}

/// What stands at `i` of the padded axis.
fn entry(i: isize, n: isize, [before, after]: [isize; 2], mode: PadMode) -> Option<isize> {
    let at = i - before;
    match mode {
        PadMode::Zeros | PadMode::Constant(_) => (0..n).contains(&at).then_some(at),
        PadMode::Reflect if at < 0 => Some(-at),
        PadMode::Reflect if at >= n => Some(2 * (n - 1) - at),
        PadMode::Reflect => Some(at),
        PadMode::Replicate => Some(at.max(0).min(n - 1)),
        PadMode::Circular => {
            // What is left when both ends are cut, again and again.
            let kept: Vec<isize> = (-before.min(0)..n + after.min(0)).collect();
            Some(kept[(i - before.max(0)).rem_euclid(kept.len() as isize) as usize])
        }
    }
}

#[test]
fn padding_equals_its_definition_and_its_adjoint() {
    let modes = [
        PadMode::Zeros,
        PadMode::Constant(7.0.into()),
        PadMode::Reflect,
        PadMode::Replicate,
        PadMode::Circular,
    ];
    let x = counted([2, 3, 5, 4]);
    for mode in modes {
        for left in -2..=3 {
            for (right, up, down) in [(0, 0, 0), (1, 2, -1), (-1, 0, 3), (3, -1, 1)] {
                let padded = Padded::new(x.shape(), &[left, right, up, down], mode).unwrap();
                let y = x.pad(&padded);
                let (h, w) = (5 + up + down, 4 + left + right);
                assert_eq!(y.shape().dims(), [2, 3, h as usize, w as usize]);
                let (old, new) = (x.to_vec::<f64>(), y.to_vec::<f64>());
                let g: Vec<f64> = (0..new.len()).map(|i| (i as f64).sin()).collect();
                let mut want = vec![0.0; old.len()];
                for (i, (got, g)) in new.iter().zip(&g).enumerate() {
                    let i = i as isize;
                    let row = entry(i / w % h, 5, [up, down], mode);
                    let column = entry(i % w, 4, [left, right], mode);
                    let source = row.zip(column).map(|(r, c)| (i / (h * w) * 5 + r) * 4 + c);
                    let nothing = if mode == PadMode::Zeros { 0.0 } else { 7.0 };
                    let value = source.map_or(nothing, |s| old[s as usize]);
                    assert_eq!(*got, value, "{mode:?} {left} {right} {up} {down} at {i}");
                    if let Some(s) = source {
                        want[s as usize] += g;
                    }
                }
                let back = Array::new(y.shape(), &g).pad_backward(&padded, x.shape());
                for (got, want) in back.to_vec::<f64>().iter().zip(&want) {
                    assert!((got - want).abs() < 1e-14, "{mode:?} {left} {right} {up} {down}");
                }
            }
        }
    }
}

#[test]
fn padding_keeps_every_dtype() {
    for dtype in [DType::Bool, DType::U8, DType::I64, DType::F16, DType::Bf16, DType::F32] {
        let x = Array::ones([2, 2], dtype);
        let padded = Padded::new(x.shape(), &[1, 0], PadMode::Constant(0.into())).unwrap();
        assert_eq!(x.pad(&padded), Array::from([[0_i64, 1, 1], [0, 1, 1]]).cast(dtype));
    }
}

#[test]
fn paddings_that_do_not_fit_are_refused_as_pytorch_refuses_them() {
    let refused = |shape: &[usize], pad: &[isize], mode: PadMode| {
        Padded::new(shape, pad, mode).expect_err("it should be refused").rule
    };
    let pairs = "two numbers for each padded axis";
    assert_eq!(refused(&[2, 3], &[1], PadMode::Zeros), pairs);
    assert_eq!(refused(&[2], &[1, 1, 1, 1], PadMode::Zeros), pairs);
    let lost = "an axis loses no more entries than it has";
    assert_eq!(refused(&[2, 3], &[-2, -2], PadMode::Zeros), lost);
    assert_eq!(refused(&[2, 3], &[-5, 3], PadMode::Zeros), lost);
    assert_eq!(refused(&[2, 3], &[3, 0], PadMode::Reflect), "padding < size of the axis");
    assert_eq!(refused(&[2, 3], &[4, 0], PadMode::Circular), "padding <= size of the axis");
    assert_eq!(refused(&[2, 0], &[1, 0], PadMode::Replicate), "the axis has entries");
    let rank = "x: [N, C, *] or [C, *], with * the padded axes, at most 3";
    assert_eq!(refused(&[3], &[1, 1], PadMode::Reflect), rank);
    assert_eq!(refused(&[2, 2, 2, 3], &[1, 1], PadMode::Replicate), rank);
}

#[test]
fn pools_that_do_not_fit_are_refused_as_pytorch_refuses_them() {
    let refused = |pool: Pool, input: &[usize]| pool.windows(input).expect_err("refused").rule;
    let pool = Pool::new(2);
    let (half, fits) = ("padding <= kernel/2", "a window fits into the padded input");
    assert_eq!(refused(Pool { padding: 2.into(), ..pool }, &[4, 4]), half);
    assert_eq!(refused(Pool { padding: 2.into(), dilation: 3.into(), ..pool }, &[9, 9]), half);
    assert_eq!(refused(pool, &[1, 4]), fits);
    assert_eq!(refused(Pool { dilation: 9.into(), ..pool }, &[4]), fits);
    let positive = "kernel, stride and dilation are positive";
    assert_eq!(refused(Pool { stride: Some(0.into()), ..pool }, &[4]), positive);
    assert_eq!(refused(Pool::new(0), &[4]), positive);
    assert_eq!(refused(Pool { divisor: Divisor::Fixed(0), ..pool }, &[4]), "the divisor is not 0");
    let one = "one size for all axes, or one for each";
    assert_eq!(refused(Pool::new([2, 2]), &[4]), one);
    assert!(AdaptiveSize::from([1, 2]).windows(&[4]).is_err());
}

/// All four pools, forward and backward, over this array.
fn all_results(x: &Array) -> Vec<Array> {
    let pool = Pool { stride: Some(2.into()), padding: 1.into(), ..Pool::new(3) };
    let mut results = Vec::new();
    for windows in [
        pool.windows(&x.shape()[2..]).unwrap(),
        Pool::new(2).windows(&x.shape()[2..]).unwrap(),
        AdaptiveSize::from([3, 5]).windows(&x.shape()[2..]).unwrap(),
    ] {
        let (y, taps) = x.pool_max(&windows, true);
        let taps = taps.unwrap();
        let mean = x.pool_average(&windows);
        results.extend([y.pool_place(&taps, &windows), mean.pool_spread(&windows)]);
        results.extend([taps.pool_positions(&windows), x.pool_pick(&taps, &windows), y, mean]);
    }
    results
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let x = counted([4, 33, 23, 17]).cast(DType::F32);
    let padded = Padded::new(x.shape(), &[3, 2, 1, 1], PadMode::Reflect).unwrap();
    let on = |threads: usize| {
        set_num_threads(threads);
        let y = x.pad(&padded);
        let back = y.pad_backward(&padded, x.shape());
        let mut results = all_results(&x);
        results.extend([y, back]);
        results
    };
    let want = on(1);
    assert!(on(2) == want && on(4) == want);
    set_num_threads(1);
}

#[test]
fn half_types_pool_in_f32_and_views_as_copies() {
    let x = counted([2, 3, 9, 8]);
    for dtype in [DType::F16, DType::Bf16, DType::F32] {
        let narrow = x.clone().cast(dtype);
        let wide = all_results(&narrow.clone().cast(DType::F64));
        let tolerance = if dtype == DType::F32 { 1e-5 } else { 1.0 };
        for (got, want) in all_results(&narrow).iter().zip(&wide) {
            assert!(got.dtype() == dtype || got.dtype() == DType::I64);
            let pairs = got.to_vec::<f64>().into_iter().zip(want.to_vec::<f64>());
            pairs.for_each(|(g, w)| assert!((g - w).abs() <= tolerance, "{dtype}: {g} {w}"));
        }
    }
    let turned = x.permute(&[0, 1, 3, 2]);
    assert!(all_results(&turned) == all_results(&turned.copy()));
}
