//! Sums, products, largest and smallest values.

use super::super::dispatch::Kernel;
use super::super::level::{Level, level};
use super::super::stream::{self, LINE};
use super::{Number, check_shape};
use std::marker::PhantomData;
use std::mem::MaybeUninit;

/// How two partial results become one; associative up to rounding.
pub trait Fold: Copy + Send + Sync + 'static {
    /// The result of nothing.
    fn start<T: Number>() -> T;
    /// The result of both.
    fn fold<T: Number>(a: T, b: T) -> T;
}

/// `a + b`.
#[derive(Clone, Copy, Debug)]
pub struct Sum;

/// `a·b`.
#[derive(Clone, Copy, Debug)]
pub struct Product;

/// The larger one; NaN if either is NaN.
#[derive(Clone, Copy, Debug)]
pub struct Maximum;

/// The smaller one; NaN if either is NaN.
#[derive(Clone, Copy, Debug)]
pub struct Minimum;

macro_rules! fold {
    ($($F:ident, $start:ident, ($a:ident, $b:ident) => $result:expr;)*) => {$(
        impl Fold for $F {
            #[inline(always)]
            fn start<T: Number>() -> T {
                T::$start
            }
            #[inline(always)]
            fn fold<T: Number>($a: T, $b: T) -> T {
                $result
            }
        }
    )*};
}
fold! {
    Sum, ZERO, (a, b) => a.add(b);
    Product, ONE, (a, b) => a.mul(b);
    // `a + b` is NaN with a NaN. Where `a` itself is chosen, LLVM stores under a mask, which is slow: the largest of 32
    // rows of 1024, 1024 x 1024 elements by AVX2 on Zen 3, took 590 us; so 124.
    Maximum, LOWEST, (a, b) => {
        let most = if a > b { a } else { b };
        if a.is_nan() { a.add(b) } else { most }
    };
    Minimum, HIGHEST, (a, b) => {
        let least = if a < b { a } else { b };
        if a.is_nan() { a.add(b) } else { least }
    };
}

/// All elements folded into one.
pub fn fold<F: Fold, T: Number>(f: F, x: &[T]) -> T {
    fold_at(level(), f, x)
}

/// [`fold`] with the instructions of `level`.
#[doc(hidden)]
pub fn fold_at<F: Fold, T: Number>(level: Level, f: F, x: &[T]) -> T {
    let mut out = MaybeUninit::uninit();
    fold_rows_at(level, f, x, [1, x.len(), 1], std::slice::from_mut(&mut out));
    // SAFETY: `fold_rows_at` has written all of the output, which is this one element.
    unsafe { out.assume_init() }
}

/// `out[o, i] = fold over k of x[o, k, i]` for `x: [outer, n, inner]`, `out: [outer, inner]`.
///
/// # Panics
///
/// If a length does not fit the shape.
pub fn fold_rows<F: Fold, T: Number>(f: F, x: &[T], shape: [usize; 3], out: &mut [MaybeUninit<T>]) {
    fold_rows_at(level(), f, x, shape, out);
}

/// [`fold_rows`] with the instructions of `level`.
#[doc(hidden)]
pub fn fold_rows_at<F: Fold, T: Number>(
    level: Level,
    _: F,
    x: &[T],
    shape: [usize; 3],
    out: &mut [MaybeUninit<T>],
) {
    check_shape(x.len(), shape, out.len());
    let [_, n, inner] = shape;
    if n == 0 || inner == 0 {
        out.fill(MaybeUninit::new(F::start()));
    } else if inner == 1 && n < LANES {
        // Wide registers only get in the way of a short row; the bits are the same.
        for (row, out) in x.chunks_exact(n).zip(out) {
            out.write(short::<F, T>(row));
        }
    } else if inner == 1 {
        T::run_at(level, Rows::<F, T> { x, n, out, fold: PhantomData });
    } else {
        T::run_at(level, Columns::<F, T> { x, n, inner, out, fold: PhantomData });
    }
}

/// Lanes of a contiguous fold: four AVX-512 registers of f32, one addition a cycle in each.
const LANES: usize = 64;

/// Columns folded in one go; their partial results stay in the L1 cache.
const WIDTH: usize = 256;

/// Rows, and partial results of a level, that are folded one after the other.
const RUN: usize = 64;

/// Rows of at least `LANES` elements.
struct Rows<'a, F, T> {
    x: &'a [T],
    n: usize,
    out: &'a mut [MaybeUninit<T>],
    fold: PhantomData<F>,
}

impl<F: Fold, T: Number> Kernel for Rows<'_, F, T> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        for (row, out) in self.x.chunks_exact(self.n).zip(self.out) {
            out.write(long::<F, T>(row));
        }
    }
}

/// A row of less than `LANES` elements, in four lanes.
#[inline(always)]
fn short<F: Fold, T: Number>(x: &[T]) -> T {
    let mut lanes = [F::start::<T>(); 4];
    let (quads, rest) = x.as_chunks::<4>();
    for quad in quads {
        for (lane, &v) in lanes.iter_mut().zip(quad) {
            *lane = F::fold(*lane, v);
        }
    }
    for (lane, &v) in lanes.iter_mut().zip(rest) {
        *lane = F::fold(*lane, v);
    }
    let [a, b, c, d] = lanes;
    F::fold(F::fold(a, c), F::fold(b, d))
}

/// A contiguous row: the columns of a matrix `LANES` wide, then the lanes by halves.
#[inline(always)]
fn long<F: Fold, T: Number>(x: &[T]) -> T {
    let whole = x.len() / LANES;
    let mut lanes = columns::<F, T, LANES>(x, LANES, whole, LANES);
    for (lane, &v) in lanes.iter_mut().zip(&x[whole * LANES..]) {
        *lane = F::fold(*lane, v);
    }
    let mut half = LANES / 2;
    while half > 0 {
        for j in 0..half {
            lanes[j] = F::fold(lanes[j], lanes[j + half]);
        }
        half /= 2;
    }
    lanes[0]
}

/// The first `width` columns of a matrix of `rows` rows, `stride` apart, each folded into one.
///
/// After `RUN` rows the partial result goes into the next of three levels, and so on: an element
/// passes at most `4·RUN` additions up to 64⁴ rows, so that the rounding error does not grow.
#[inline(always)]
fn columns<F: Fold, T: Number, const W: usize>(
    x: &[T],
    stride: usize,
    rows: usize,
    width: usize,
) -> [T; W] {
    let mut levels = None;
    let mut block = 0;
    loop {
        let left = rows - block * RUN;
        let result = run::<F, T, W>(&x[block * RUN * stride..], stride, left.min(RUN), width);
        block += 1;
        if left <= RUN && block == 1 {
            return result;
        }
        carry::<F, T, W>(&mut levels, &result, block);
        if let Some([first, second, third]) = &mut levels
            && left <= RUN
        {
            add::<F, T>(first, second);
            add::<F, T>(first, third);
            return *first;
        }
    }
}

/// [`columns`] for at most `RUN` rows, one after the other.
#[inline(always)]
fn run<F: Fold, T: Number, const W: usize>(
    x: &[T],
    stride: usize,
    rows: usize,
    width: usize,
) -> [T; W] {
    let mut result = [F::start::<T>(); W];
    for row in 0..rows {
        let row = &x[row * stride..][..width];
        // Between two rows of a layer norm go passes over the cached row, behind which the CPU's own prefetch begins anew:
        // 8192x1024 forward and backward 12.4 and 10.7 ms. Long sums of anything else are as fast without.
        if stride == W {
            for line in row.chunks(LINE / size_of::<T>()) {
                stream::fetch_ahead(line.as_ptr());
            }
        }
        for j in 0..width {
            result[j] = F::fold(result[j], row[j]);
        }
    }
    result
}

/// Adds the result of run number `block` to the first level, and full levels to the next. Once in `RUN` rows, so one copy
/// for all instructions will do.
#[inline(never)]
fn carry<F: Fold, T: Number, const W: usize>(
    levels: &mut Option<[[T; W]; 3]>,
    run: &[T; W],
    block: usize,
) {
    let Some([first, second, third]) = levels else {
        *levels = Some([*run, [F::start(); W], [F::start(); W]]);
        return;
    };
    add::<F, T>(first, run);
    if block.is_multiple_of(RUN) {
        add::<F, T>(second, first);
        first.fill(F::start());
    }
    if block.is_multiple_of(RUN * RUN) {
        add::<F, T>(third, second);
        second.fill(F::start());
    }
}

/// `a[j] = fold(a[j], b[j])`
#[inline(never)]
fn add<F: Fold, T: Number>(a: &mut [T], b: &[T]) {
    for (a, &b) in a.iter_mut().zip(b) {
        *a = F::fold(*a, b);
    }
}

struct Columns<'a, F, T> {
    x: &'a [T],
    n: usize,
    inner: usize,
    out: &'a mut [MaybeUninit<T>],
    fold: PhantomData<F>,
}

impl<F: Fold, T: Number> Kernel for Columns<'_, F, T> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let Self { x, n, inner, out, .. } = self;
        // Narrow rows are taken several at once, as one row that fills the registers.
        let together = (LANES / inner).clamp(1, n);
        let stride = together * inner;
        let rows = n / together;
        for (x, out) in x.chunks_exact(n * inner).zip(out.chunks_exact_mut(inner)) {
            let mut column = 0;
            while column < stride {
                let width = (stride - column).min(WIDTH);
                let mut sums = columns::<F, T, WIDTH>(&x[column..], stride, rows, width);
                // With several rows together `width` is all of them, else this runs once.
                let keep = width.min(inner);
                for part in 1..together {
                    for j in 0..inner {
                        sums[j] = F::fold(sums[j], sums[part * inner + j]);
                    }
                }
                for row in x[rows * stride..].chunks_exact(inner) {
                    for j in 0..keep {
                        sums[j] = F::fold(sums[j], row[column + j]);
                    }
                }
                for j in 0..keep {
                    out[column + j].write(sums[j]);
                }
                column += width;
            }
        }
    }
}
