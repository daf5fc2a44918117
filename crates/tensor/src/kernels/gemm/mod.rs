//! Matrix products: `C = finish(A·B + beta·C)`, packed, for any strides.
//!
//! ```text
//! mod.rs        the door: checks, then the product, a batch of them, a matrix and a vector
//! matrix.rs     a matrix in a slice, with any strides
//! pack.rs       factors that fill packed panels from anything
//! plan.rs       what is packed, and which factor lies along vectors: by shape and strides alone
//! product.rs    the loops around the micro-kernel, and the tasks
//! tile.rs       the micro-kernel, once for all vectors; x86.rs, portable.rs: the vectors
//! ```
//!
//! An element of the product is the sum over blocks of depth, each summed in order: its bits depend
//! on the depth, the strides and the instruction level, not on threads.
//!
//! # Source
//! Goto & van de Geijn 2008, *Anatomy of High-Performance Matrix Multiplication*,
//! <https://doi.org/10.1145/1356052.1356053>

mod epilogue;
mod kernel;
mod matrix;
mod pack;
mod panels;
mod plan;
mod portable;
mod product;
mod scratch;
mod tile;
mod transpose;
mod vector;
#[cfg(target_arch = "x86_64")]
mod x86;

pub use epilogue::Epilogue;
pub use kernel::GemmElement;
pub use matrix::MatRef;
pub use pack::{Factor, Pack};

use self::epilogue::{Finish, Shift, write};
use self::kernel::Kernels;
use self::pack::Strided;
use self::product::{Output, Product, Side};
use super::level::{Level, detected, level};
use crate::threads;

/// Matrix product of two strided matrices into a contiguous one.
///
/// ```text
/// C = finish(A·B + beta·C)
/// ```
/// # Shape      `a: [m, k]`, `b: [k, n]`, `c: [m, n]` row-major
/// # Numerics   sums in the type of the elements; `beta = 0` does not read `c`; `k = 0` is a sum of 0
/// # Panics     if the sizes do not fit each other
/// # PyTorch    `torch.addmm(c, a, b, beta=beta, out=c)`
/// # Example
/// ```
/// use gradus_tensor::kernels::gemm::{Epilogue, MatRef, gemm};
/// let (a, b) = ([1.0_f32, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]);
/// let mut c = [f32::NAN; 4];
/// gemm(
///     MatRef::row_major(&a, 2, 2),
///     MatRef::row_major(&b, 2, 2).transpose(),
///     0.0,
///     &mut c,
///     Epilogue::Bias(&[100.0, 200.0]),
/// );
/// assert_eq!(c, [117.0, 223.0, 139.0, 253.0]);
/// ```
#[track_caller]
pub fn gemm<T: GemmElement>(
    a: MatRef<'_, T>,
    b: MatRef<'_, T>,
    beta: T,
    c: &mut [T],
    epilogue: Epilogue<'_, T>,
) {
    checked(T::kernels(level()), a.into(), b.into(), beta, c, epilogue);
}

/// [`gemm`] of factors of any kind.
///
/// # Panics
/// If the sizes do not fit each other.
#[track_caller]
pub fn gemm_factors<T: GemmElement>(
    a: Factor<'_, T>,
    b: Factor<'_, T>,
    beta: T,
    c: &mut [T],
    epilogue: Epilogue<'_, T>,
) {
    checked(T::kernels(level()), a, b, beta, c, epilogue);
}

/// `batch` products of one size, `c[i] = finish(a(i)·b(i) + beta·c[i])`, spread over the threads.
///
/// Factors that are equal for the whole batch are better folded into one product by the caller.
///
/// # Shape
/// `a(i): [m, k]`, `b(i): [k, n]`, `c: [batch, m, n]` contiguous
///
/// # Panics
/// If the sizes do not fit each other.
///
/// # PyTorch
/// `torch.baddbmm`
#[track_caller]
pub fn gemm_batched<'a, T: GemmElement>(
    batch: usize,
    a: impl Fn(usize) -> MatRef<'a, T> + Sync,
    b: impl Fn(usize) -> MatRef<'a, T> + Sync,
    beta: T,
    c: &mut [T],
    epilogue: Epilogue<'_, T>,
) {
    if batch == 0 {
        return assert!(c.is_empty(), "gemm_batched: no matrices, but an output of {}", c.len());
    }
    let (m, k, n) = (a(0).rows(), a(0).cols(), b(0).cols());
    assert!(
        c.len() == batch * m * n,
        "gemm_batched: {batch} matrices {m} x {n} do not fit an output of {} elements",
        c.len()
    );
    let kernels = T::kernels(level());
    let flops = 2.0 * batch as f64 * m as f64 * n as f64 * k as f64;
    let cost_ns = flops / kernels.flops_per_ns;
    threads::run_chunks(c, (m * n).max(1), cost_ns, &|i, c| {
        checked(kernels, a(i).into(), b(i).into(), beta, c, epilogue);
    });
}

/// [`gemm_factors`] with the loops of a level, or of the best one this CPU has if that is less.
#[doc(hidden)]
#[track_caller]
pub fn gemm_at<T: GemmElement>(
    level: Level,
    a: Factor<'_, T>,
    b: Factor<'_, T>,
    beta: T,
    c: &mut [T],
    epilogue: Epilogue<'_, T>,
) {
    // No level without its instructions: the loops rely on it.
    checked(T::kernels(level.min(detected())), a, b, beta, c, epilogue);
}

/// The product with some loops, which this CPU has the instructions for.
#[track_caller]
fn checked<T: GemmElement>(
    kernels: &'static Kernels<T>,
    a: Factor<'_, T>,
    b: Factor<'_, T>,
    beta: T,
    c: &mut [T],
    epilogue: Epilogue<'_, T>,
) {
    let ((m, k), (depth, n)) = (a.size(false), b.size(true));
    assert!(k == depth, "gemm: [{m}, {k}] x [{depth}, {n}]: {k} columns and {depth} rows differ");
    assert!(c.len() == m * n, "gemm: [{m}, {n}] does not fit an output of {} elements", c.len());
    if let Some(bias) = epilogue.bias() {
        assert!(bias.len() == n, "gemm: a bias of {} elements for {n} columns", bias.len());
    }
    if m == 0 || n == 0 {
        return;
    }
    let finish = Finish { beta, epilogue };
    if k == 0 {
        return empty(c, n, finish);
    }
    if (m == 1 || n == 1) && vector::product(kernels, &a, &b, c, finish) {
        return;
    }
    product(kernels, a, b, (m, n, k), c, finish);
}

/// The product of factors without depth: a sum of nothing.
fn empty<T: GemmElement>(c: &mut [T], n: usize, finish: Finish<'_, T>) {
    let zeros = vec![T::ZERO; n];
    let shift = finish.epilogue.bias().map_or(Shift::None, Shift::Each);
    for row in c.chunks_exact_mut(n) {
        write(row, &zeros, finish.keep(true), shift, finish.epilogue.relu());
    }
}

fn product<T: GemmElement>(
    kernels: &'static Kernels<T>,
    a: Factor<'_, T>,
    b: Factor<'_, T>,
    (m, n, depth): (usize, usize, usize),
    c: &mut [T],
    finish: Finish<'_, T>,
) {
    let turned = plan::swaps(kernels, &a, &b, (m, n, depth));
    // The transposed product is the product of the transposed factors, in the other order.
    let (left, right, rows, cols) =
        if turned { (b.transposed(), a.transposed(), n, m) } else { (a, b, m, n) };
    let left_strided = left.strided(false, kernels);
    let right_strided = right.strided(true, kernels);
    let left = match &left_strided {
        // One broadcast after the other is as fast from any strides as from a packed panel.
        Ok(strided) => Side::Direct(strided.view),
        Err(packed) => Side::Packed(*packed),
    };
    let right = match &right_strided {
        Ok(strided) if plan::right_is_direct(kernels, rows, &right) => Side::Direct(strided.view),
        Ok(strided) => Side::Packed(strided),
        Err(packed) => Side::Packed(*packed),
    };
    let out = Output { to: c.as_mut_ptr(), row: n, turned, finish };
    Product { kernels, left, right, rows, cols, depth, out }.run();
}

impl<'a, T: GemmElement> Factor<'a, T> {
    /// Rows and columns, of the right or the left factor.
    fn size(&self, right: bool) -> (usize, usize) {
        match self {
            Self::Matrix(matrix) => (matrix.rows(), matrix.cols()),
            Self::Packed(pack) if right => (pack.depth(), pack.lanes()),
            Self::Packed(pack) => (pack.lanes(), pack.depth()),
        }
    }

    /// As the other factor: lanes are lanes on either side.
    fn transposed(self) -> Self {
        match self {
            Self::Matrix(matrix) => Self::Matrix(matrix.transpose()),
            Self::Packed(pack) => Self::Packed(pack),
        }
    }

    /// The pack of a strided matrix, or its own.
    fn strided(
        &self,
        right: bool,
        kernels: &'static Kernels<T>,
    ) -> Result<Strided<'a, T>, &'a dyn Pack<T>> {
        match self {
            Self::Matrix(matrix) if right => Ok(Strided { view: matrix.by_cols(), kernels }),
            Self::Matrix(matrix) => Ok(Strided { view: matrix.by_rows(), kernels }),
            Self::Packed(pack) => Err(*pack),
        }
    }
}
