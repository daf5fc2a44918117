//! Matrix products: `C = finish(A·B + beta·C)`, packed, for any strides.
//!
//! ```text
//! mod.rs        the door: checks, then the product, a batch of them, a matrix and a vector
//! matrix.rs     a matrix in a slice, with any strides
//! pack.rs       factors that fill packed panels from anything; widen.rs, pairs.rs: from half types
//! factor.rs     from elements to what the micro-kernel multiplies
//! plan.rs       what is packed, and which factor lies along vectors: by shape and strides alone
//! product.rs    the loops around the micro-kernel, and the tasks
//! left.rs       rows of the left factor: where they lie, or packed
//! output.rs     where tiles go: straight, transposed, or rounded to a half type
//! tile.rs       the micro-kernel, once for all vectors; x86.rs, portable.rs: the vectors;
//!               x86/amx.rs: tiles of pairs that the CPU multiplies as a whole
//! vector.rs     a matrix and a vector; lines.rs: its loops
//! peak.rs       what a CPU can do at best
//! ```
//!
//! f16 and bf16 are summed in f32, and rounded once. f16 is widened to f32 on its way into a panel;
//! bf16 is multiplied in pairs by AMX or `vdpbf16ps` where the CPU has one (both take subnormals for 0),
//! and widened elsewhere.
//!
//! An element of the product is the sum over blocks of depth, each summed in order: its bits depend
//! on the depth, the strides and the instruction level, not on threads.
//!
//! # Source
//! Goto & van de Geijn 2008, *Anatomy of High-Performance Matrix Multiplication*,
//! <https://doi.org/10.1145/1356052.1356053>

mod epilogue;
mod factor;
pub(in crate::kernels) mod kernel;
mod left;
mod lines;
mod matrix;
mod output;
pub(in crate::kernels) mod pack;
mod pairs;
pub(in crate::kernels) mod panels;
mod parking;
#[doc(hidden)]
pub mod peak;
pub(in crate::kernels) mod plan;
pub(in crate::kernels) mod portable;
mod product;
pub(in crate::kernels) mod tile;
mod transpose;
mod vector;
mod widen;
#[cfg(target_arch = "x86_64")]
mod x86;

pub use epilogue::Epilogue;
#[doc(hidden)]
pub use kernel::{Bf16, Cpu};
pub use kernel::{GemmElement, Sum};
pub use matrix::MatRef;
pub use pack::{Factor, Pack};

use self::epilogue::{Finish, Shift, write};
use self::factor::Job;
use super::level::level;
use crate::storage::Scratch;
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
    gemm_at(level(), a.into(), b.into(), beta, c, epilogue);
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
    gemm_at(level(), a, b, beta, c, epilogue);
}

/// [`gemm_factors`] whose result keeps the type of the sums: f32 for f16 and bf16.
///
/// # Panics
/// If the sizes do not fit each other.
///
/// # Example
/// ```
/// use gradus_tensor::kernels::gemm::{Epilogue, MatRef, gemm_wide};
/// use half::bf16;
/// let a = [1.0, 1.0 / 256.0].map(bf16::from_f32);
/// let mut c = [0.0_f32];
/// let (row, column) = (MatRef::row_major(&a, 1, 2), MatRef::row_major(&a, 2, 1));
/// gemm_wide(row.into(), column.into(), 0.0, &mut c, Epilogue::None);
/// assert_eq!(c, [1.0 + 1.0 / 65536.0]); // bf16 would have 1
/// ```
#[track_caller]
pub fn gemm_wide<T: GemmElement>(
    a: Factor<'_, T>,
    b: Factor<'_, T>,
    beta: T::Sum,
    c: &mut [T::Sum],
    epilogue: Epilogue<'_, T::Sum>,
) {
    checked(level().into(), a, b, c, Finish { beta, epilogue });
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
    let cpu = Cpu::from(level());
    let flops = 2.0 * batch as f64 * m as f64 * n as f64 * k as f64;
    let cost_ns = flops / T::flops_per_ns(cpu);
    let mut room = None;
    let finish = Finish { beta: beta.widen(), epilogue: epilogue.widen(&mut room) };
    threads::run_chunks(c, (m * n).max(1), cost_ns, &|i, c| {
        checked(cpu, a(i).into(), b(i).into(), c, finish);
    });
}

/// [`gemm_factors`] with the instructions of a level, or of the best one this CPU has if that is less.
#[doc(hidden)]
#[track_caller]
pub fn gemm_at<T: GemmElement>(
    cpu: impl Into<Cpu>,
    a: Factor<'_, T>,
    b: Factor<'_, T>,
    beta: T,
    c: &mut [T],
    epilogue: Epilogue<'_, T>,
) {
    let mut room = None;
    let finish = Finish { beta: beta.widen(), epilogue: epilogue.widen(&mut room) };
    checked(cpu.into(), a, b, c, finish);
}

/// The product with the instructions of a CPU, which is this one or less.
#[track_caller]
fn checked<T: GemmElement, O: GemmElement<Sum = T::Sum>>(
    cpu: Cpu,
    a: Factor<'_, T>,
    b: Factor<'_, T>,
    c: &mut [O],
    finish: Finish<'_, O::Sum>,
) {
    let ((m, k), (depth, n)) = (a.size(false), b.size(true));
    assert!(k == depth, "gemm: [{m}, {k}] x [{depth}, {n}]: {k} columns and {depth} rows differ");
    assert!(c.len() == m * n, "gemm: [{m}, {n}] does not fit an output of {} elements", c.len());
    if let Some(bias) = finish.epilogue.bias() {
        assert!(bias.len() == n, "gemm: a bias of {} elements for {n} columns", bias.len());
    }
    if m == 0 || n == 0 {
        return;
    }
    if k == 0 {
        return empty(c, n, finish);
    }
    let mut job = Job { cpu, a, b, size: (m, n, k), c, finish };
    if (m == 1 || n == 1) && vector::product(&mut job) {
        return;
    }
    T::product(job);
}

/// The product of factors without depth: a sum of nothing.
fn empty<O: GemmElement>(c: &mut [O], n: usize, finish: Finish<'_, O::Sum>) {
    let mut sums = Scratch::new(n);
    let shift = finish.epilogue.bias().map_or(Shift::None, Shift::Each);
    for row in c.chunks_exact_mut(n) {
        sums.fill(O::Sum::ZERO);
        write(row, &mut sums, finish.keep(), shift, finish.epilogue.relu());
    }
}

impl<T> Factor<'_, T> {
    /// Rows and columns, of the right or the left factor.
    fn size(&self, right: bool) -> (usize, usize) {
        match self {
            Self::Matrix(matrix) => (matrix.rows(), matrix.cols()),
            Self::Packed(pack) if right => (pack.depth(), pack.lanes()),
            Self::Packed(pack) => (pack.lanes(), pack.depth()),
        }
    }
}
