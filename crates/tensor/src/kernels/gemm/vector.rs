//! A matrix times a vector, where one direction of the matrix is contiguous: dot products along it,
//! or sums across it. The matrix is read once, where it lies.

use super::epilogue::{Finish, Shift, write};
use super::factor::Job;
use super::kernel::GemmElement;
use super::matrix::View;
use super::pack::Factor;
use crate::storage::Scratch;
use crate::threads;

/// Results of one task that are dot products.
const DOTS: usize = 64;

/// Results of one task that are sums of contiguous lanes: 16 vectors of f32.
const SUMS: usize = 256;

/// Computes the product if the factor with many lanes is contiguous along a direction; else says no.
pub(super) fn product<T: GemmElement, O: GemmElement<Sum = T::Sum>>(
    job: &mut Job<'_, T, O>,
) -> bool {
    let (Factor::Matrix(a), Factor::Matrix(b)) = (job.a, job.b) else { return false };
    let (a, b) = (a.by_rows(), b.by_cols());
    // Bias goes by columns: one for all results if the vector is on the right.
    let (many, one) = if b.lanes == 1 { (a, b) } else { (b, a) };
    let dots = many.step == 1;
    if !dots && many.lane != 1 {
        return false;
    }
    let mut copy = Scratch::new(one.depth);
    widen(one, &mut copy);
    let single = b.lanes == 1;
    let access = T::access(job.cpu.level());
    let bytes = (many.lanes * many.depth * size_of::<T>()) as f64;
    let (x, finish): (&[T::Sum], _) = (&copy, job.finish);
    threads::run_chunks(
        job.c,
        if dots { DOTS } else { SUMS },
        bytes / threads::BYTES_PER_NS,
        &|chunk, c| {
            let mut sums = [T::Sum::ZERO; SUMS];
            let (first, x) = (chunk * if dots { DOTS } else { SUMS }, x.as_ptr());
            let (from, to) = (many.at(first, 0), sums.as_mut_ptr());
            // SAFETY: lanes `first .. first + c.len()`, contiguous in the direction asked for, lie in
            // the slice of `many`, `x` has as many elements as they have steps, and `sums` has room.
            unsafe {
                if dots {
                    (access.dot)(from, many.lane, c.len(), many.depth, x, to);
                } else {
                    (access.axpy)(from, many.step, c.len(), many.depth, x, to);
                }
            }
            let shift = shift(&finish, single, first, c.len());
            write(c, &mut sums[..c.len()], finish.keep(), shift, finish.epilogue.relu());
        },
    );
    true
}

/// The only lane of a factor, as sums.
fn widen<T: GemmElement>(one: View<'_, T>, out: &mut [T::Sum]) {
    if one.step == 1 {
        for (x, y) in one.run(0, 0, one.depth).iter().zip(out) {
            *y = x.widen();
        }
    } else {
        for (p, y) in out.iter_mut().enumerate() {
            *y = one.get(0, p).widen();
        }
    }
}

/// The bias of some results: one for each, or one for all if they are a column.
fn shift<'a, S: GemmElement>(
    finish: &Finish<'a, S>,
    column: bool,
    first: usize,
    len: usize,
) -> Shift<'a, S> {
    match finish.epilogue.bias() {
        None => Shift::None,
        Some(bias) if column => Shift::All(bias[0]),
        Some(bias) => Shift::Each(&bias[first..first + len]),
    }
}
