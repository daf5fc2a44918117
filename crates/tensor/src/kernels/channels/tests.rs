//! The channel kernels against plain loops, at every level.

use super::super::samples::{levels, noise};
use super::*;

/// `[n, channels, inner]`
const SHAPES: [[usize; 3]; 7] =
    [[5, 1, 1], [7, 3, 1], [4, 70, 1], [3, 2, 5], [2, 3, 33], [2, 2, 130], [1, 4, 64]];

fn narrow(x: &[f64]) -> Vec<f32> {
    x.iter().map(|&v| v as f32).collect()
}

#[test]
fn pair_sums_equal_plain_sums() {
    for [n, channels, inner] in SHAPES {
        let (x, g) = (noise(n * channels * inner, 1), noise(n * channels * inner, 2));
        let (x, g) = (narrow(&x), narrow(&g));
        for first in (0..channels).step_by(LANES) {
            let count = LANES.min(channels - first);
            let shift = &noise(channels, 3)[first..][..count];
            let mut want = vec![0.0; 2 * count];
            for (i, (x, g)) in x.iter().zip(&g).enumerate() {
                let channel = i / inner % channels;
                if (first..first + count).contains(&channel) {
                    let j = channel - first;
                    want[2 * j] += f64::from(*g);
                    want[2 * j + 1] += f64::from(*g) * (f64::from(*x) - shift[j]);
                }
            }
            for level in levels() {
                let mut out = vec![f64::NAN; 2 * count];
                let terms = |x, g, s| [g, g * (x - s)];
                let (x, g, out) = (&x[..], &g[..], &mut out[..]);
                let kernel = PairSums { x, g, channels, inner, first, shift, out, terms };
                pair_sums_at(level, kernel);
                for (got, want) in out.iter().zip(&want) {
                    assert!((got - want).abs() < 1e-12, "got {got}, want {want}");
                }
            }
        }
    }
}

#[test]
fn channel_map_equals_its_formula() {
    for [n, channels, inner] in SHAPES {
        let len = n * channels * inner;
        let (x, g) = (noise(len, 1), noise(len, 2));
        let c: Vec<Vec<f64>> = (3..7).map(|seed| noise(channels, seed)).collect();
        let by = ChannelMap { shift: &c[0], x: &c[1], g: &c[2], add: &c[3] };
        for level in levels() {
            for g in [None, Some(&g[..])] {
                let mut y = vec![f64::NAN; len];
                channel_map_at(level, &x, g, inner, by, &mut y);
                for (i, y) in y.iter().enumerate() {
                    let k = i / inner % channels;
                    let g = g.map_or(0.0, |g| g[i] * c[2][k]);
                    let want = (x[i] - c[0][k]) * c[1][k] + g + c[3][k];
                    assert!((y - want).abs() < 1e-14, "got {y}, want {want}");
                }
            }
        }
    }
}
