//! A matrix times a vector, where the matrix lies so that each result is a dot product.
//!
//! The other case, a sum of contiguous lanes, is a tile of one row.

use super::epilogue::{Finish, Shift, write};
use super::kernel::{GemmElement, Kernels};
use super::pack::Factor;
use super::plan;
use super::scratch::Scratch;
use crate::threads;

/// Results of one task.
const CHUNK: usize = 64;

/// Computes the product if the factor with many lanes is contiguous along its depth; else says no.
pub(super) fn product<T: GemmElement>(
    kernels: &Kernels<T>,
    a: &Factor<'_, T>,
    b: &Factor<'_, T>,
    c: &mut [T],
    finish: Finish<'_, T>,
) -> bool {
    let (Factor::Matrix(a), Factor::Matrix(b)) = (a, b) else { return false };
    let (a, b) = (a.by_rows(), b.by_cols());
    // Bias goes by columns: one for all results if the vector is on the right.
    let (many, one) = if b.lanes == 1 { (a, b) } else { (b, a) };
    if many.step != 1 {
        return false;
    }
    let single = (b.lanes == 1).then(|| finish.epilogue.bias().map(|bias| bias[0])).flatten();
    let copy = (one.step != 1).then(|| {
        let mut copy = Scratch::new(one.depth);
        for (p, x) in copy.iter_mut().enumerate() {
            // SAFETY: step `p < depth` of the only lane lies in its slice.
            *x = unsafe { *one.at(0, p) };
        }
        copy
    });
    let x: &[T] = match &copy {
        Some(copy) => copy,
        // SAFETY: the only lane has `depth` elements with step 1 in its slice.
        None => unsafe { std::slice::from_raw_parts(one.at(0, 0), one.depth) },
    };
    let cost_ns = (many.lanes * many.depth * size_of::<T>()) as f64 / plan::BYTES_PER_NS;
    threads::run_chunks(c, CHUNK, cost_ns, &|chunk, c| {
        let mut sums = [T::ZERO; CHUNK];
        let first = chunk * CHUNK;
        // SAFETY: lanes `first .. first + c.len()` with contiguous depth lie in the slice of `many`,
        // `x` has as many elements, and `sums` has room.
        unsafe {
            let from = many.at(first, 0);
            (kernels.dot)(from, many.lane, c.len(), many.depth, x.as_ptr(), sums.as_mut_ptr());
        }
        let shift = match (single, finish.epilogue.bias()) {
            (Some(bias), _) => Shift::All(bias),
            (None, Some(bias)) => Shift::Each(&bias[first..first + c.len()]),
            (None, None) => Shift::None,
        };
        write(c, &sums[..c.len()], finish.keep(true), shift, finish.epilogue.relu());
    });
    true
}
