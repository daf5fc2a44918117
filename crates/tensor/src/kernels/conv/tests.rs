//! The convolutions against their definition, pair by pair, at every level.

use super::super::level::Level;
use super::super::samples::{levels, noise};
use super::levels::Element;
use super::{forward_at, input_gradient_at, plain, weight_gradient_at};
use crate::{Axes, ConvAxis, ConvGeometry};
use proptest::prelude::*;

fn axis(input: usize, [kernel, stride, padding, dilation]: [usize; 4]) -> ConvAxis {
    let room = (input + 2 * padding).saturating_sub(dilation * (kernel - 1) + 1);
    ConvAxis { input, kernel, output: room / stride + 1, stride, padding, dilation }
}

/// Sizes that fit: an input that holds the kernel at least once.
fn axes(most: usize) -> impl Strategy<Value = ConvAxis> {
    (0..most, 1..5_usize, 1..4_usize, 0..4_usize, 1..4_usize).prop_map(|(more, k, s, p, d)| {
        axis((d * (k - 1) + 1).saturating_sub(2 * p).max(1) + more, [k, s, p, d])
    })
}

fn geometries() -> impl Strategy<Value = ConvGeometry> {
    let axes = prop_oneof![
        axes(40).prop_map(|a| vec![a]),
        (axes(9), axes(20)).prop_map(|(a, b)| vec![a, b]),
        (axes(4), axes(5), axes(6)).prop_map(|(a, b, c)| vec![a, b, c]),
    ];
    let channels = (1..4_usize, 0..6_usize, prop_oneof![1..4_usize, 15..35_usize, 60..70_usize]);
    (0..4_usize, channels, axes).prop_map(|(batch, (groups, ins, outs), axes)| ConvGeometry {
        batch,
        in_channels: groups * ins,
        out_channels: groups * outs,
        groups,
        axes: Axes::from_vec(axes),
    })
}

/// Numbers with few bits, so that sums are exact whatever their order.
fn whole<T: Element>(n: usize, seed: u64, from: fn(f64) -> T) -> Vec<T> {
    noise(n, seed).into_iter().map(|x: f64| from((x * 4.0).round())).collect()
}

fn agree<T: Element + std::fmt::Debug>(by: &ConvGeometry, level: Level, from: fn(f64) -> T) {
    let (xs, ws) = (by.input_shape().numel(), by.weight_shape().numel());
    let ys = by.output_shape().numel();
    let (x, w, g) = (whole(xs, 1, from), whole(ws, 2, from), whole(ys, 3, from));
    let (b, c) = (whole(by.out_channels, 4, from), whole(by.in_channels, 5, from));
    for bias in [false, true] {
        let mut want = vec![T::ZERO; ys];
        plain::forward(by, &x, &w, bias.then_some(&b), &mut want);
        let mut got = vec![from(f64::NAN); ys];
        forward_at(level, by, &x, &w, bias.then_some(&b), &mut got);
        assert_eq!(got, want, "forward of {by:?} at {level:?}");
        let mut want = vec![T::ZERO; xs];
        plain::input_gradient(by, &g, &w, bias.then_some(&c), &mut want);
        let mut got = vec![from(f64::NAN); xs];
        input_gradient_at(level, by, &g, &w, bias.then_some(&c), &mut got);
        assert_eq!(got, want, "input gradient of {by:?} at {level:?}");
    }
    let mut want = vec![T::ZERO; ws];
    plain::weight_gradient(by, &x, &g, &mut want);
    let mut sums = vec![T::ZERO; by.out_channels];
    plain::bias_gradient(by, &g, &mut sums);
    for bias in [false, true] {
        let (mut w, mut b) = (vec![from(f64::NAN); ws], vec![from(f64::NAN); by.out_channels]);
        weight_gradient_at(level, by, &x, &g, &mut w, bias.then_some(&mut b));
        assert_eq!(w, want, "weight gradient of {by:?} at {level:?}");
        assert!(!bias || b == sums, "bias gradient of {by:?} at {level:?}: {b:?} {sums:?}");
    }
}

fn agree_everywhere(by: &ConvGeometry) {
    for level in levels() {
        agree::<f32>(by, level, |x| x as f32);
        agree::<f64>(by, level, |x| x);
    }
}

proptest! {
    #[test]
    fn any_convolution_equals_its_definition(by in geometries()) {
        agree_everywhere(&by);
    }
}

#[test]
fn layers_people_use_equal_their_definition() {
    // Batch, channels in and out, groups, size; kernel, stride, padding, dilation.
    for (batch, ins, outs, groups, size, window) in [
        (9, 1, 32, 1, 28, [3, 1, 0, 1]),
        (2, 32, 64, 1, 26, [3, 1, 0, 1]),
        (10, 3, 32, 1, 32, [3, 1, 1, 1]),
        (9, 16, 40, 1, 8, [3, 1, 1, 1]),
        (1, 3, 64, 1, 40, [7, 2, 3, 1]),
        (1, 8, 16, 1, 70, [3, 1, 1, 1]),
        (2, 2, 9, 1, 40, [3, 2, 1, 1]),
        (3, 20, 20, 20, 14, [3, 1, 1, 1]),
        (1, 12, 24, 12, 15, [5, 2, 2, 1]),
        (2, 33, 17, 1, 7, [1, 1, 0, 1]),
        (3, 8, 3, 1, 9, [3, 1, 2, 2]),
        (20, 6, 50, 2, 2, [2, 2, 0, 1]),
    ] {
        let axes = Axes::from_vec(vec![axis(size, window), axis(size + 1, window)]);
        let by = ConvGeometry { batch, in_channels: ins, out_channels: outs, groups, axes };
        agree_everywhere(&by);
    }
}
