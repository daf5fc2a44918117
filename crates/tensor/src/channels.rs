//! Statistics and maps of the channels of `[N, C, *]`: what batch normalisation is made of.

use crate::kernels::channels::{ChannelMap, LANES, channel_map, pair_sums};
use crate::kernels::real::Float;
use crate::rows::{lane, row_lane};
use crate::storage::{Plain, Scratch};
use crate::{Array, Element, Scalar, threads};

/// Elements of one task of a map, at least.
const CHUNK: usize = 16 << 10;
/// Serial nanoseconds for each element of a map, or of a sum.
const NS_PER_ELEMENT: f64 = 0.3;

/// Axis 1 and what lies behind it.
fn layout(x: &Array) -> [usize; 2] {
    [x.shape()[1], x.shape()[2..].iter().product()]
}

impl Array {
    /// Mean and biased variance of every channel of `[N, C, *]`, over all other axes together, in f64;
    /// 0 of nothing.
    ///
    /// # Panics
    /// If there are fewer than two axes.
    #[track_caller]
    pub fn channel_moments(&self) -> (Vec<f64>, Vec<f64>) {
        let x = self.clone().cast(row_lane(self.dtype())).contiguous();
        let [channels, inner] = layout(&x);
        let count = (x.numel() / channels.max(1)).max(1) as f64;
        // Any element is near enough to the mean: its distance is at most √n standard deviations.
        let shift: Vec<f64> = lane!(x.dtype(), T => {
            let first = |c: usize| x.elements::<T>().get(c * inner).map_or(0.0, |v| v.wide());
            (0..channels).map(first).collect()
        });
        let sums = lane!(x.dtype(), T => {
            sums::<T>(&x, &x, &shift, |x, _, s| [x - s, (x - s) * (x - s)])
        });
        let moments = |([one, two], shift): (&[f64; 2], f64)| {
            let off = one / count;
            let variance = two / count - off * off;
            // Rounding may leave less than 0, which has no root; NaN stays.
            (shift + off, if variance < 0.0 { 0.0 } else { variance })
        };
        sums.iter().zip(shift).map(moments).unzip()
    }
    /// For every channel of `[N, C, *]`, `Σ g` and `Σ g·(x − mean)` for `x` = `self` and `g` of the same
    /// shape and dtype, in f64.
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[track_caller]
    pub fn channel_sums(&self, grad: &Array, mean: &[f64]) -> (Vec<f64>, Vec<f64>) {
        assert!(self.meta() == grad.meta(), "channel_sums: shapes or dtypes differ");
        let [x, g] = [self, grad].map(|a| a.clone().cast(row_lane(self.dtype())).contiguous());
        let sums = lane!(x.dtype(), T => {
            sums::<T>(&x, &g, mean, |x, g, mean| [g, g * (x - mean)])
        });
        sums.iter().copied().map(Into::into).unzip()
    }
    /// `(x − shift)·a + g·b + c` for `x` = `self: [N, C, *]` and numbers `[shift, a, b, c]` of every
    /// channel; without `g` its term is left out.
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[track_caller]
    pub fn channel_map(&self, grad: Option<&Array>, by: &[[f64; 4]]) -> Array {
        let wide = |a: &Array| a.clone().cast(row_lane(self.dtype())).contiguous();
        let (x, g) = (wide(self), grad.map(wide));
        assert!(by.len() == x.shape()[1], "channel_map: one set of numbers for each channel");
        lane!(x.dtype(), T => mapped::<T>(&x, g.as_ref(), by)).cast(self.dtype())
    }
}

/// The two sums of every channel, side by side in tasks of a few channels.
fn sums<T: Float + Element>(
    x: &Array,
    g: &Array,
    shift: &[f64],
    terms: impl Fn(f64, f64, f64) -> [f64; 2] + Copy + Sync,
) -> Scratch<[f64; 2]> {
    let layout @ [channels, inner] = layout(x);
    let data = [x.elements::<T>(), g.elements::<T>()];
    let mut out = Scratch::filled(channels, [0.0; 2]);
    let group = if inner == 1 { LANES } else { 1 };
    let cost = x.numel() as f64 * NS_PER_ELEMENT;
    threads::run_chunks(&mut out, group, cost, &|i, out| {
        let shift = &shift[i * group..][..out.len()];
        pair_sums(data, layout, i * group, shift, out.as_flattened_mut(), terms);
    });
    out
}

fn mapped<T: Float + Element + Plain>(x: &Array, g: Option<&Array>, by: &[[f64; 4]]) -> Array {
    let [channels, inner] = layout(x);
    let [shift, a, b, c] = [0, 1, 2, 3].map(|i| {
        let mut one = Scratch::<T>::new(by.len());
        one.iter_mut().zip(by).for_each(|(one, by)| *one = T::of(Scalar::Float(by[i])));
        one
    });
    let by = ChannelMap { shift: &shift, x: &a, g: &b, add: &c };
    let (x, g, shape) = (x.elements::<T>(), g.map(|g| g.elements::<T>()), x.shape());
    let item = (channels * inner).max(1);
    let chunk = (CHUNK / item).max(1) * item;
    Array::build::<T>(shape, |out| {
        threads::run_chunks(out, chunk, x.len() as f64 * NS_PER_ELEMENT, &|i, out| {
            let part = i * chunk..i * chunk + out.len();
            channel_map(&x[part.clone()], g.map(|g| &g[part]), inner, by, out);
        });
    })
}
