//! Loops over the rows of a matrix in memory: sums along it or across it for one vector, and its
//! elements as sums.

#![allow(
    clippy::needless_range_loop,
    reason = "counted loops over registers, which the compiler unrolls"
)]

use super::tile::Stored;

/// `out[i] = Σ_p from[i·lane + p] · x[p]`, four lanes at a time for more sums under way.
///
/// # Safety
/// The CPU has the instructions of `V`; `lanes` lanes of `depth` contiguous elements are readable, as
/// is `x`; `out` is writable.
#[inline(always)]
pub(super) unsafe fn dot<V: Stored<T>, T>(
    from: *const T,
    lane: isize,
    lanes: usize,
    depth: usize,
    x: *const V::T,
    out: *mut V::T,
) {
    // SAFETY: the caller's promise.
    unsafe {
        let mut i = 0;
        while i < lanes {
            let here = from.wrapping_offset(i as isize * lane);
            if lanes - i >= 4 {
                dot_lanes::<V, T, 4, 2>(here, lane, depth, x, out.add(i));
                i += 4;
            } else {
                dot_lanes::<V, T, 1, 8>(here, lane, depth, x, out.add(i));
                i += 1;
            }
        }
    }
}

/// `R` lanes, each in `U` partial sums.
///
/// # Safety
/// As [`dot`], for `R` lanes.
#[inline(always)]
unsafe fn dot_lanes<V: Stored<T>, T, const R: usize, const U: usize>(
    from: *const T,
    lane: isize,
    depth: usize,
    x: *const V::T,
    out: *mut V::T,
) {
    // SAFETY: the caller's promise; the last step is masked to `depth`.
    unsafe {
        let mut acc = [[V::zero(); U]; R];
        let all = V::mask(V::LANES);
        let mut p = 0;
        while p + U * V::LANES <= depth {
            for u in 0..U {
                let at = p + u * V::LANES;
                let xs = V::load(x.add(at));
                for i in 0..R {
                    let ys = V::read(from.wrapping_offset(i as isize * lane).add(at), all);
                    acc[i][u] = ys.mul_add(xs, acc[i][u]);
                }
            }
            p += U * V::LANES;
        }
        while p < depth {
            let mask = V::mask((depth - p).min(V::LANES));
            let xs = V::load_masked(x.add(p), mask);
            for i in 0..R {
                let ys = V::read(from.wrapping_offset(i as isize * lane).add(p), mask);
                acc[i][0] = ys.mul_add(xs, acc[i][0]);
            }
            p += V::LANES;
        }
        for i in 0..R {
            let mut sum = acc[i][0];
            for u in 1..U {
                sum = sum.add(acc[i][u]);
            }
            *out.add(i) = sum.sum();
        }
    }
}

/// `out[i] = Σ_p from[p·step + i] · x[p]`, as many lanes at a time as the registers hold.
///
/// # Safety
/// The CPU has the instructions of `V`; `depth` steps of `lanes` contiguous elements are readable, as
/// is `x`; `out` is writable.
#[inline(always)]
pub(super) unsafe fn axpy<V: Stored<T>, T, const WIDE: usize>(
    from: *const T,
    step: isize,
    lanes: usize,
    depth: usize,
    x: *const V::T,
    out: *mut V::T,
) {
    // SAFETY: the caller's promise.
    unsafe {
        let mut i = 0;
        while lanes - i >= WIDE * V::LANES {
            axpy_lanes::<V, T, WIDE, 1>((from.add(i), step), WIDE * V::LANES, depth, x, out.add(i));
            i += WIDE * V::LANES;
        }
        while lanes - i >= 4 * V::LANES {
            axpy_lanes::<V, T, 4, 2>((from.add(i), step), 4 * V::LANES, depth, x, out.add(i));
            i += 4 * V::LANES;
        }
        while i < lanes {
            let count = (lanes - i).min(V::LANES);
            axpy_lanes::<V, T, 1, 8>((from.add(i), step), count, depth, x, out.add(i));
            i += count;
        }
    }
}

/// At most `N` vectors of lanes, more than `N - 1`, each in `U` partial sums.
///
/// # Safety
/// As [`axpy`], for as many lanes.
#[inline(always)]
unsafe fn axpy_lanes<V: Stored<T>, T, const N: usize, const U: usize>(
    (from, step): (*const T, isize),
    lanes: usize,
    depth: usize,
    x: *const V::T,
    out: *mut V::T,
) {
    // SAFETY: the caller's promise; the last vector is masked to `lanes`.
    unsafe {
        let (all, end) = (V::mask(V::LANES), V::mask(lanes - (N - 1) * V::LANES));
        let mut acc = [[V::zero(); N]; U];
        let (mut from, mut x) = (from, x);
        let mut rest = depth;
        while rest >= U {
            for u in 0..U {
                add::<V, T, N>(&mut acc[u], from, *x, (all, end));
                (from, x) = (from.wrapping_offset(step), x.wrapping_add(1));
            }
            rest -= U;
        }
        for _ in 0..rest {
            add::<V, T, N>(&mut acc[0], from, *x, (all, end));
            (from, x) = (from.wrapping_offset(step), x.wrapping_add(1));
        }
        for j in 0..N {
            let mut sum = acc[0][j];
            for u in 1..U {
                sum = sum.add(acc[u][j]);
            }
            sum.store_masked(out.add(j * V::LANES), if j == N - 1 { end } else { all });
        }
    }
}

/// `sums += x · from`, where the last vector has a mask of its own.
///
/// # Safety
/// As [`axpy_lanes`], for one step.
#[inline(always)]
unsafe fn add<V: Stored<T>, T, const N: usize>(
    sums: &mut [V; N],
    from: *const T,
    x: V::T,
    (all, end): (V::Mask, V::Mask),
) {
    // SAFETY: the caller's promise.
    unsafe {
        let x = V::splat(x);
        for j in 0..N {
            let ys = V::read(from.add(j * V::LANES), if j == N - 1 { end } else { all });
            sums[j] = ys.mul_add(x, sums[j]);
        }
    }
}

/// `out[i·width + j] = from[i·row + j]` for `i < rows`, `j < cols`, widened.
///
/// # Safety
/// The CPU has the instructions of `V`; the elements are readable, and `out` is writable.
#[inline(always)]
pub(super) unsafe fn widen<V: Stored<T>, T>(
    (from, row): (*const T, isize),
    (rows, cols): (usize, usize),
    out: *mut V::T,
    width: usize,
) {
    // SAFETY: the caller's promise; the last vector of a row is masked to `cols`.
    unsafe {
        let all = V::mask(V::LANES);
        for i in 0..rows {
            let (from, to) = (from.wrapping_offset(i as isize * row), out.wrapping_add(i * width));
            let mut j = 0;
            while j + V::LANES <= cols {
                V::read(from.add(j), all).store(to.add(j));
                j += V::LANES;
            }
            if j < cols {
                let mask = V::mask(cols - j);
                V::read(from.add(j), mask).store_masked(to.add(j), mask);
            }
        }
    }
}
