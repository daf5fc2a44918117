//! What a `p`-norm adds up.

use super::super::dispatch::Kernel;
use super::super::level::{Level, level};
use super::super::real::{Float, Real};
use super::super::stream::{LINE, fetch};

/// `Σ |x|ᵖ` in f64; for `p = inf` and `-inf` the largest and smallest `|x|`, for `p = 0` the number
/// of elements that are not 0. Results of parts add up (or are compared), then comes the root.
///
/// f32 elements cannot overflow it; the squares of f64 elements above 1e154 do, as in PyTorch. NaN
/// propagates, except for `p = 0`, which counts it.
///
/// # Example
///
/// ```
/// use gradus_tensor::kernels::reduce::norm_acc;
///
/// assert_eq!(norm_acc(&[3.0f32, -4.0], 2.0).sqrt(), 5.0);
/// assert_eq!(norm_acc(&[3.0f32, -4.0], f64::INFINITY), 4.0);
/// ```
pub fn norm_acc<T: Normed>(x: &[T], p: f64) -> f64 {
    norm_acc_at(level(), x, p)
}

/// [`norm_acc`] with the instructions of `level`.
#[doc(hidden)]
pub fn norm_acc_at<T: Normed>(level: Level, x: &[T], p: f64) -> f64 {
    T::norm_acc_at(level, x, p)
}

/// `x = factor·x`, and [`norm_acc`] of it, of order 2 in one pass over memory; the bits are those of two passes.
///
/// # Example
///
/// ```
/// use gradus_tensor::kernels::reduce::scaled_norm_acc;
///
/// let mut x = [3.0f32, -4.0];
/// assert_eq!(scaled_norm_acc(&mut x, 2.0, 2.0).sqrt(), 10.0);
/// assert_eq!(x, [6.0, -8.0]);
/// ```
pub fn scaled_norm_acc<T: Normed>(x: &mut [T], factor: f64, p: f64) -> f64 {
    scaled_norm_acc_at(level(), x, factor, p)
}

/// [`scaled_norm_acc`] with the instructions of `level`.
#[doc(hidden)]
pub fn scaled_norm_acc_at<T: Normed>(level: Level, x: &mut [T], factor: f64, p: f64) -> f64 {
    if p == 2.0 {
        return T::scaled_squares_at(level, x, factor);
    }
    scale::<T, false>(x, factor);
    T::norm_acc_at(level, x, p)
}

/// `f32` and `f64`: the loops over them are compiled here, not where they are called.
pub trait Normed: Float {
    /// [`norm_acc_at`] of this type.
    #[doc(hidden)]
    fn norm_acc_at(level: Level, x: &[Self], p: f64) -> f64;
    /// [`scaled_norm_acc_at`] of this type and order 2.
    #[doc(hidden)]
    fn scaled_squares_at(level: Level, x: &mut [Self], factor: f64) -> f64;
}

impl Normed for f32 {
    fn norm_acc_at(level: Level, x: &[f32], p: f64) -> f64 {
        accumulated(level, x, p)
    }
    fn scaled_squares_at(level: Level, x: &mut [f32], factor: f64) -> f64 {
        scaled_squares(level, Scaled { x, factor })
    }
}

impl Normed for f64 {
    fn norm_acc_at(level: Level, x: &[f64], p: f64) -> f64 {
        accumulated(level, x, p)
    }
    fn scaled_squares_at(level: Level, x: &mut [f64], factor: f64) -> f64 {
        scaled_squares(level, Scaled { x, factor })
    }
}

/// The rare orders have no loops of their own for the levels; the bits are those of any level.
fn accumulated<T: Float>(level: Level, x: &[T], p: f64) -> f64 {
    if p == 2.0 {
        T::run_at(level, Fold { x, start: 0.0, term: |v| v * v, fold: add })
    } else if p == 1.0 {
        T::run_at(level, Fold { x, start: 0.0, term: f64::abs, fold: add })
    } else if p == 0.0 {
        Fold { x, start: 0.0, term: |v| f64::from(v != 0.0), fold: add }.run::<false>()
    } else if p == f64::INFINITY {
        T::run_at(level, Fold { x, start: 0.0, term: f64::abs, fold: maximum })
    } else if p == f64::NEG_INFINITY {
        Fold { x, start: f64::INFINITY, term: f64::abs, fold: minimum }.run::<false>()
    } else {
        Fold { x, start: 0.0, term: |v: f64| v.abs().powf(p), fold: add }.run::<false>()
    }
}

fn scaled_squares<T: Float>(level: Level, x: Scaled<'_, T>) -> f64 {
    T::run_at(level, Fold { x, start: 0.0, term: |v| v * v, fold: add })
}

#[inline(always)]
fn scale<T: Float, const FMA: bool>(x: &mut [T], factor: f64) {
    let factor = T::Real::<FMA>::of(factor);
    for v in x {
        *v = T::unwrap::<FMA>(v.wrap::<FMA>() * factor);
    }
}

#[inline(always)]
fn add(a: f64, b: f64) -> f64 {
    a + b
}

#[inline(always)]
fn maximum(a: f64, b: f64) -> f64 {
    if (a > b) | a.is_nan() { a } else { b }
}

#[inline(always)]
fn minimum(a: f64, b: f64) -> f64 {
    if (a < b) | a.is_nan() { a } else { b }
}

/// Eight AVX-512 registers of f64. With 32 the inner loop is unrolled before it could become vector
/// code: 0.29 ns an element instead of 0.055. No levels as in f32: n additions err below n·10⁻¹⁶.
const LANES: usize = 64;

struct Fold<X, Term, F> {
    x: X,
    start: f64,
    term: Term,
    fold: F,
}

/// Elements that are multiplied before they are folded.
struct Scaled<'a, T> {
    x: &'a mut [T],
    factor: f64,
}

/// Blocks that one half of the lanes takes before the other: 8 KiB of f64 stay in L1. The next so many are fetched in
/// advance: converting to f64 is work enough that memory would wait for it (10 M f32 on a Zen 1: 0.43 ns an element
/// instead of 0.55, multiplied too 0.55 instead of 0.93).
const TOGETHER: usize = 16;

impl<X, Term: Fn(f64) -> f64, F: Fn(f64, f64) -> f64> Fold<X, Term, F> {
    /// A group of blocks; if another one follows, it is fetched meanwhile.
    #[inline(always)]
    fn group<T: Float>(&self, blocks: &[[T; LANES]], follows: bool, lanes: &mut [f64; LANES]) {
        let ahead = if follows { TOGETHER * LANES } else { 0 };
        let (left, right) = lanes.split_at_mut(LANES / 2);
        self.half(blocks, 0, ahead, left);
        self.half(blocks, LANES / 2, ahead, right);
    }

    /// Half of the lanes, as many as AVX2 has registers for.
    #[inline(always)]
    fn half<T: Float>(&self, blocks: &[[T; LANES]], first: usize, ahead: usize, lanes: &mut [f64]) {
        let mut sums = [0.0; LANES / 2];
        sums.copy_from_slice(lanes);
        for block in blocks {
            let part = &block[first..first + LANES / 2];
            for line in part.chunks_exact(LINE / size_of::<T>()) {
                fetch(line.as_ptr().wrapping_add(ahead));
            }
            for j in 0..LANES / 2 {
                sums[j] = (self.fold)(sums[j], (self.term)(part[j].wide()));
            }
        }
        lanes.copy_from_slice(&sums);
    }

    /// All lanes, and what is left behind the last block.
    #[inline(always)]
    fn finish<T: Float>(&self, mut lanes: [f64; LANES], rest: &[T]) -> f64 {
        for (lane, &v) in lanes.iter_mut().zip(rest) {
            *lane = (self.fold)(*lane, (self.term)(v.wide()));
        }
        let mut half = LANES / 2;
        while half > 0 {
            for j in 0..half {
                lanes[j] = (self.fold)(lanes[j], lanes[j + half]);
            }
            half /= 2;
        }
        lanes[0]
    }
}

impl<T: Float, Term: Fn(f64) -> f64, F: Fn(f64, f64) -> f64> Kernel for Fold<&[T], Term, F> {
    type Output = f64;

    #[inline(always)]
    fn run<const FMA: bool>(self) -> f64 {
        let mut lanes = [self.start; LANES];
        let (blocks, rest) = self.x.as_chunks::<LANES>();
        let mut left = blocks.len();
        for blocks in blocks.chunks(TOGETHER) {
            left -= blocks.len();
            self.group(blocks, left > 0, &mut lanes);
        }
        self.finish(lanes, rest)
    }
}

impl<T: Float, Term: Fn(f64) -> f64, F: Fn(f64, f64) -> f64> Kernel
    for Fold<Scaled<'_, T>, Term, F>
{
    type Output = f64;

    #[inline(always)]
    fn run<const FMA: bool>(mut self) -> f64 {
        let mut lanes = [self.start; LANES];
        let Scaled { x, factor } = &mut self.x;
        let x = std::mem::take(x);
        let factor = *factor;
        let (blocks, rest) = x.as_chunks_mut::<LANES>();
        let mut left = blocks.len();
        for blocks in blocks.chunks_mut(TOGETHER) {
            left -= blocks.len();
            scale::<T, FMA>(blocks.as_flattened_mut(), factor);
            self.group(blocks, left > 0, &mut lanes);
        }
        scale::<T, FMA>(rest, factor);
        self.finish(lanes, rest)
    }
}
