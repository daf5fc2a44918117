//! The pools against plain loops, at every level, with odd sizes, strides and offsets.

use super::super::level::Level;
use super::super::samples::{levels, noise};
use super::largest::TOGETHER;
use super::*;

/// A window of one axis as positions, `None` in the padding, and what it counts.
type Window = (Vec<Option<usize>>, usize);

/// A pool and its plain twin: the windows of each axis.
struct Twin {
    windows: Windows,
    plain: Vec<Vec<Window>>,
    input: Vec<usize>,
    divisor: Option<f64>,
}

fn plain(n: usize, s: Slide) -> Vec<Window> {
    let window = |i: usize| {
        let entry = |k: usize| {
            let at = i * s.stride + k * s.dilation;
            at.checked_sub(s.padding).filter(|&at| at < n)
        };
        let entries: Vec<Option<usize>> = (0..s.kernel).map(entry).collect();
        let padded = n + 2 * s.padding;
        let counted = if s.count_padding {
            (0..s.kernel).filter(|k| i * s.stride + k < padded).count()
        } else {
            entries.iter().flatten().count()
        };
        (entries, counted)
    };
    (0..s.windows(n)).map(window).collect()
}

fn sliding(input: &[usize], slides: &[Slide], divisor: Option<f64>) -> Twin {
    let plain = input.iter().zip(slides).map(|(&n, &s)| plain(n, s)).collect();
    Twin {
        windows: Windows::sliding(input, slides, divisor),
        plain,
        input: input.to_vec(),
        divisor,
    }
}

fn slide(kernel: usize, stride: usize, padding: usize, dilation: usize) -> Slide {
    Slide { kernel, stride, padding, dilation, ceil_mode: false, count_padding: true }
}

/// Every kind of window, on planes of many widths.
fn twins() -> Vec<Twin> {
    let mut twins = Vec::new();
    for width in [2, 3, 5, 8, 9, 17, 24, 33, 41] {
        for (kernel, stride, padding, dilation) in [
            (2, 2, 0, 1),
            (2, 2, 1, 1),
            (3, 2, 1, 1),
            (3, 2, 0, 1),
            (3, 1, 1, 1),
            (2, 1, 0, 1),
            (4, 3, 2, 1),
            (2, 1, 1, 2),
            (3, 2, 1, 3),
            (5, 5, 0, 1),
            (2, 5, 1, 1),
        ] {
            for (ceil_mode, count_padding) in [(false, true), (true, false), (true, true)] {
                let across =
                    Slide { ceil_mode, count_padding, ..slide(kernel, stride, padding, dilation) };
                let down = Slide { ceil_mode, count_padding, ..slide(2, 1, 1, dilation) };
                let deep = Slide { ceil_mode, count_padding, ..slide(1, 2, 0, dilation) };
                if across.windows(width) == 0 {
                    continue;
                }
                let divisor = (width == 9).then_some(-3.0);
                twins.push(sliding(&[width], &[across], divisor));
                twins.push(sliding(&[5, width], &[down, across], divisor));
                twins.push(sliding(&[3, 4, width], &[deep, down, across], divisor));
            }
        }
        for output in [1, 2, 3, 7] {
            let (input, sizes) = ([4, width], [3, output]);
            let window = |n: usize, m: usize| {
                let range = |i: usize| i * n / m..((i + 1) * n).div_ceil(m);
                (0..m).map(|i| (range(i).map(Some).collect(), range(i).len())).collect()
            };
            let plain = vec![window(4, 3), window(width, output)];
            let windows = Windows::adaptive(&input, &sizes);
            twins.push(Twin { windows, plain, input: input.to_vec(), divisor: None });
        }
    }
    twins
}

impl Twin {
    /// For every window of a plane, in order: the positions of its entries by number, and its divisor.
    fn all(&self) -> Vec<(Vec<Option<usize>>, f64)> {
        let mut all: Vec<Window> = vec![(vec![Some(0)], 1)];
        for (axis, &n) in self.plain.iter().zip(&self.input) {
            let widest = axis.iter().map(|w| w.0.len()).max().unwrap_or(0);
            all = all
                .iter()
                .flat_map(|(entries, counted)| {
                    axis.iter().map(move |(more, count)| {
                        let more = (0..widest).map(|k| more.get(k).copied().flatten());
                        let both = entries.iter().flat_map(|&e| {
                            more.clone().map(move |m| e.zip(m).map(|(e, m)| e * n + m))
                        });
                        (both.collect(), counted * count)
                    })
                })
                .collect();
        }
        let divisor = |count: usize| self.divisor.unwrap_or(count as f64);
        all.into_iter().map(|(entries, counted)| (entries, divisor(counted))).collect()
    }
    fn on_every_level(&self, check: impl Fn(Level, &[f64], &[(Vec<Option<usize>>, f64)])) {
        let (plane, all) = (self.windows.input_plane(), self.all());
        assert_eq!(all.len(), self.windows.output_plane());
        let x = noise(3 * plane, plane as u64);
        levels().for_each(|level| check(level, &x, &all));
    }
}

/// The maximum as PyTorch finds it, and the number of its entry.
fn plain_largest(x: &[f64], entries: &[Option<usize>]) -> (f64, usize) {
    let (mut best, mut tap) = (f64::NEG_INFINITY, None);
    for (k, at) in entries.iter().enumerate() {
        if let Some(at) = at
            && (tap.is_none() || x[*at] > best || x[*at].is_nan())
        {
            (best, tap) = (x[*at], Some(k));
        }
    }
    (best, tap.unwrap_or(entries.len()))
}

#[test]
fn maxima_and_their_positions_equal_plain_ones() {
    for twin in twins() {
        let windows = &twin.windows;
        twin.on_every_level(|level, x, all| {
            // Ties, infinities, NaN.
            let rough: Vec<f64> = x.iter().map(|v| (v * 2.0).round()).collect();
            let odd: Vec<f64> = (0..x.len())
                .map(|i| match i * 7 % 5 {
                    0 => f64::NAN,
                    1 => x[i],
                    _ => f64::NEG_INFINITY,
                })
                .collect();
            let plane = windows.input_plane();
            for x in [x, &rough, &odd] {
                let want: Vec<(f64, usize)> = x
                    .chunks(plane)
                    .flat_map(|x| all.iter().map(|(entries, _)| plain_largest(x, entries)))
                    .collect();
                let narrow: Vec<f32> = x.iter().map(|&v| v as f32).collect();
                let (mut y, mut taps) = (vec![0.0; want.len()], vec![0_i64; want.len()]);
                largest_at(level, x, windows, &mut y, &mut taps);
                let (mut y32, mut bytes) = (vec![0.0; want.len()], vec![0_u8; want.len()]);
                largest_at(level, &narrow, windows, &mut y32, &mut bytes);
                let mut at = vec![0; want.len()];
                positions(&taps, windows, &mut at);
                let mut bare = vec![0.0; want.len()];
                largest_at(level, x, windows, &mut bare, &mut vec![(); want.len()]);
                for (i, &(best, tap)) in want.iter().enumerate() {
                    assert!(y[i] == best || (y[i].is_nan() && best.is_nan()), "{windows:?}");
                    assert!(y[i].to_bits() == bare[i].to_bits());
                    assert_eq!(y32[i].to_bits(), (best as f32).to_bits(), "{windows:?}");
                    assert_eq!((taps[i], bytes[i]), (tap as i64, tap as u8), "{windows:?} {i}");
                    let position = all[i % all.len()].0.get(tap).copied().flatten();
                    assert_eq!(at[i], position.map_or(-1, |p| p as i64), "{windows:?} {i}");
                }
            }
        });
    }
}

/// The numbers of entries are converted piece by piece, and the last rows of all planes have no room for blocks.
#[test]
fn maxima_of_many_planes_are_those_of_each() {
    for (side, slide) in [(9, slide(2, 2, 0, 1)), (20, slide(3, 1, 1, 1)), (70, slide(3, 2, 1, 2))]
    {
        let windows = Windows::sliding(&[side, side], &[slide, slide], None);
        let (from, to) = (windows.input_plane(), windows.output_plane());
        let planes = 3 * TOGETHER / to + 2;
        let x = noise(planes * from, 7);
        for level in levels() {
            let (mut y, mut taps) = (vec![0.0; planes * to], vec![0_u8; planes * to]);
            largest_at(level, &x, &windows, &mut y, &mut taps);
            for (i, x) in x.chunks_exact(from).enumerate() {
                let (mut y_one, mut taps_one) = (vec![0.0; to], vec![0_i64; to]);
                largest_at(level, x, &windows, &mut y_one, &mut taps_one);
                assert_eq!(y[i * to..][..to], y_one, "{level:?} {side} {i}");
                let taps = taps[i * to..][..to].iter().map(|&tap| i64::from(tap));
                assert!(taps.eq(taps_one), "{level:?} {side} {i}");
            }
        }
    }
}

#[test]
fn placing_and_picking_are_adjoint_and_hit_the_maxima() {
    for twin in twins() {
        let windows = &twin.windows;
        twin.on_every_level(|level, x, all| {
            let plane = windows.input_plane();
            let count = x.len() / plane * all.len();
            let (mut y, mut taps) = (vec![0.0; count], vec![0_u8; count]);
            largest_at(level, x, windows, &mut y, &mut taps);
            let g = noise(count, 5);
            let mut want = vec![0.0; x.len()];
            for (i, (g, &tap)) in g.iter().zip(&taps).enumerate() {
                let entry = all[i % all.len()].0.get(usize::from(tap)).copied().flatten();
                if let Some(at) = entry {
                    want[i / all.len() * plane + at] += g;
                }
            }
            let mut gx = vec![f64::NAN; x.len()];
            place_at(level, &g, &taps, windows, &mut gx);
            assert_eq!(gx, want, "{windows:?}");
            let mut picked = vec![f64::NAN; count];
            pick(x, &taps, windows, &mut picked);
            let inside = |v: f64| if v == f64::NEG_INFINITY { 0.0 } else { v };
            assert_eq!(picked, y.iter().map(|&v| inside(v)).collect::<Vec<_>>(), "{windows:?}");
        });
    }
}

/// Averages have no dilation.
fn undilated() -> impl Iterator<Item = Twin> {
    twins().into_iter().filter(|t| t.windows.axes.iter().all(|a| a.dilation == 1))
}

#[test]
fn averages_equal_plain_ones() {
    for twin in undilated() {
        let windows = &twin.windows;
        twin.on_every_level(|level, x, all| {
            let plane = windows.input_plane();
            let mut y = vec![f64::NAN; x.len() / plane * all.len()];
            average_at(level, x, windows, &mut y);
            for (i, y) in y.iter().enumerate() {
                let x = &x[i / all.len() * plane..][..plane];
                let (entries, divisor) = &all[i % all.len()];
                let want = entries.iter().flatten().map(|&at| x[at]).sum::<f64>() / divisor;
                assert!((y - want).abs() < 1e-14, "{windows:?} {i}: got {y}, want {want}");
            }
        });
    }
}

#[test]
fn spreading_equals_the_plain_adjoint() {
    for twin in undilated() {
        let windows = &twin.windows;
        twin.on_every_level(|level, x, all| {
            let plane = windows.input_plane();
            let g = noise(x.len() / plane * all.len(), 9);
            let mut want = vec![0.0; x.len()];
            for (i, g) in g.iter().enumerate() {
                let (entries, divisor) = &all[i % all.len()];
                for at in entries.iter().flatten() {
                    want[i / all.len() * plane + at] += g / divisor;
                }
            }
            let mut gx = vec![f64::NAN; x.len()];
            spread_at(level, &g, windows, &mut gx);
            for (i, (got, want)) in gx.iter().zip(&want).enumerate() {
                assert!((got - want).abs() < 1e-14, "{windows:?} {i}: got {got}, want {want}");
            }
        });
    }
}

#[test]
fn large_windows_have_wide_sums() {
    let windows = Windows::adaptive(&[15, 33], &[1, 2]);
    let x = noise(2 * 15 * 33, 4);
    for level in levels() {
        let mut y = [0.0; 4];
        average_at(level, &x, &windows, &mut y);
        for (i, y) in y.iter().enumerate() {
            let columns = if i % 2 == 0 { 0..17 } else { 16..33 };
            let plane = &x[i / 2 * 15 * 33..][..15 * 33];
            let sum: f64 = plane.chunks(33).flat_map(|row| &row[columns.clone()]).sum();
            assert!((y - sum / 255.0).abs() < 1e-14);
        }
        average_at(level, &x, &Windows::adaptive(&[15, 33], &[1, 1]), &mut y[..2]);
        let mean = x[..15 * 33].iter().sum::<f64>() / (15.0 * 33.0);
        assert!((y[0] - mean).abs() < 1e-14);
    }
}
