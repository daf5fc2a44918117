//! Sums over channels and maps by channel, for `[n, channels, inner]` in row-major order, serial: the
//! caller cuts for threads.
//!
//! With `inner` 1, neighbours in memory are channels, and vectors run across them; else a channel is
//! contiguous in each of the `n`, and vectors run along it.

use super::dispatch::Kernel;
use super::level::{Level, level};
use super::real::{Float, Real};

#[cfg(test)]
mod tests;

/// Channels summed side by side where vectors run across them, and lanes where they run along one.
pub const LANES: usize = 32;

/// For each channel `first..first + shift.len()` the two sums of `terms(x, g, shift)`, in f64:
/// `out[2j]` and `out[2j + 1]` for the channel `first + j`. At most [`LANES`] channels if `inner` is 1.
///
/// The order of the additions depends on the shape alone.
///
/// # Panics
///
/// If the lengths do not fit.
pub fn pair_sums<T: Float>(
    [x, g]: [&[T]; 2],
    [channels, inner]: [usize; 2],
    first: usize,
    shift: &[f64],
    out: &mut [f64],
    terms: impl Fn(f64, f64, f64) -> [f64; 2],
) {
    let kernel = PairSums { x, g, channels, inner, first, shift, out, terms };
    pair_sums_at(level(), kernel);
}

/// [`pair_sums`] with the instructions of `level`.
fn pair_sums_at<T: Float, F: Fn(f64, f64, f64) -> [f64; 2]>(
    level: Level,
    kernel: PairSums<'_, T, F>,
) {
    let PairSums { x, g, channels, inner, first, shift, out, .. } = &kernel;
    let (row, count) = (channels * inner, shift.len());
    assert!(x.len() == g.len() && (row == 0 || x.len().is_multiple_of(row)));
    assert!(first + count <= *channels && out.len() == 2 * count);
    assert!(*inner != 1 || count <= LANES);
    if row > 0 {
        T::run_at(level, kernel);
    }
}

struct PairSums<'a, T, F> {
    x: &'a [T],
    g: &'a [T],
    channels: usize,
    inner: usize,
    first: usize,
    shift: &'a [f64],
    out: &'a mut [f64],
    terms: F,
}

impl<T: Float, F: Fn(f64, f64, f64) -> [f64; 2]> Kernel for PairSums<'_, T, F> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        if self.inner == 1 {
            self.across();
        } else {
            self.along();
        }
    }
}

impl<T: Float, F: Fn(f64, f64, f64) -> [f64; 2]> PairSums<'_, T, F> {
    #[inline(always)]
    fn across(self) {
        let (mut one, mut two) = ([0.0; LANES], [0.0; LANES]);
        let mut shift = [0.0; LANES];
        let count = self.shift.len();
        shift[..count].copy_from_slice(self.shift);
        let rows = self.x.chunks_exact(self.channels).zip(self.g.chunks_exact(self.channels));
        for (x, g) in rows {
            let (x, g) = (&x[self.first..][..count], &g[self.first..][..count]);
            if let (Some(x), Some(g)) = (x.first_chunk::<LANES>(), g.first_chunk::<LANES>()) {
                for j in 0..LANES {
                    let [a, b] = (self.terms)(x[j].wide(), g[j].wide(), shift[j]);
                    one[j] += a;
                    two[j] += b;
                }
                continue;
            }
            for (j, (x, g)) in x.iter().zip(g).enumerate() {
                let [a, b] = (self.terms)(x.wide(), g.wide(), shift[j]);
                one[j] += a;
                two[j] += b;
            }
        }
        for (out, (one, two)) in self.out.chunks_exact_mut(2).zip(one.iter().zip(&two)) {
            out.copy_from_slice(&[*one, *two]);
        }
    }

    #[inline(always)]
    fn along(self) {
        let row = self.channels * self.inner;
        for (j, (out, &shift)) in self.out.chunks_exact_mut(2).zip(self.shift).enumerate() {
            let (mut one, mut two) = ([0.0; LANES], [0.0; LANES]);
            let start = (self.first + j) * self.inner;
            for (x, g) in self.x.chunks_exact(row).zip(self.g.chunks_exact(row)) {
                let (x, rest_x) = x[start..start + self.inner].as_chunks::<LANES>();
                let (g, rest_g) = g[start..start + self.inner].as_chunks::<LANES>();
                for (x, g) in x.iter().zip(g) {
                    for j in 0..LANES {
                        let [a, b] = (self.terms)(x[j].wide(), g[j].wide(), shift);
                        one[j] += a;
                        two[j] += b;
                    }
                }
                for (j, (x, g)) in rest_x.iter().zip(rest_g).enumerate() {
                    let [a, b] = (self.terms)(x.wide(), g.wide(), shift);
                    one[j] += a;
                    two[j] += b;
                }
            }
            out.copy_from_slice(&[one.iter().sum(), two.iter().sum()]);
        }
    }
}

/// Coefficients of [`channel_map`], one of each for every channel.
#[derive(Clone, Copy)]
pub struct ChannelMap<'a, T> {
    /// What is taken off `x`.
    pub shift: &'a [T],
    /// Factor of `x − shift`.
    pub x: &'a [T],
    /// Factor of `g`.
    pub g: &'a [T],
    /// What is added.
    pub add: &'a [T],
}

/// `y = (x − shift)·a + g·b + c`, with `a`, `b`, `c` and `shift` by channel. Without `g`, `b` has
/// no meaning.
///
/// # Panics
///
/// If the lengths do not fit.
pub fn channel_map<T: Float>(
    x: &[T],
    g: Option<&[T]>,
    inner: usize,
    by: ChannelMap<'_, T>,
    y: &mut [T],
) {
    channel_map_at(level(), x, g, inner, by, y);
}

/// [`channel_map`] with the instructions of `level`.
#[doc(hidden)]
pub fn channel_map_at<T: Float>(
    level: Level,
    x: &[T],
    g: Option<&[T]>,
    inner: usize,
    by: ChannelMap<'_, T>,
    y: &mut [T],
) {
    let row = by.shift.len() * inner;
    assert!(x.len() == y.len() && g.is_none_or(|g| g.len() == x.len()));
    assert!(row == 0 || x.len().is_multiple_of(row));
    if row > 0 {
        T::run_at(level, MapKernel { x, g, inner, by, y });
    }
}

struct MapKernel<'a, T> {
    x: &'a [T],
    g: Option<&'a [T]>,
    inner: usize,
    by: ChannelMap<'a, T>,
    y: &'a mut [T],
}

impl<T: Float> Kernel for MapKernel<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let MapKernel { x, g, inner, by, y } = self;
        let channels = by.shift.len();
        let forward = |x: T, shift: T, a: T, c: T| {
            let x = x.wrap::<FMA>() - shift.wrap::<FMA>();
            x.mul_add(a.wrap::<FMA>(), c.wrap::<FMA>())
        };
        let plus = |g: T, b: T, sum: T| g.wrap::<FMA>().mul_add(b.wrap::<FMA>(), sum.wrap::<FMA>());
        // Elements of a piece, and the channel it belongs to; with `inner` 1 the piece is a whole row.
        let piece = if inner == 1 { channels } else { inner };
        for (i, (x, y)) in x.chunks_exact(piece).zip(y.chunks_exact_mut(piece)).enumerate() {
            let g = g.map(|g| &g[i * piece..][..piece]);
            if inner == 1 {
                let (shift, a) = (&by.shift[..piece], &by.x[..piece]);
                let (b, c) = (&by.g[..piece], &by.add[..piece]);
                for j in 0..piece {
                    y[j] = T::unwrap::<FMA>(forward(x[j], shift[j], a[j], c[j]));
                }
                // A loop over all seven slices would not become vector code.
                if let Some(g) = g {
                    for j in 0..piece {
                        y[j] = T::unwrap::<FMA>(plus(g[j], b[j], y[j]));
                    }
                }
                continue;
            }
            let k = i % channels;
            let (shift, a, b, c) = (by.shift[k], by.x[k], by.g[k], by.add[k]);
            match g {
                None => x.iter().zip(y).for_each(|(&x, y)| {
                    *y = T::unwrap::<FMA>(forward(x, shift, a, c));
                }),
                Some(g) => x.iter().zip(g).zip(y).for_each(|((&x, &g), y)| {
                    *y = T::unwrap::<FMA>(plus(g, b, T::unwrap::<FMA>(forward(x, shift, a, c))));
                }),
            }
        }
    }
}
