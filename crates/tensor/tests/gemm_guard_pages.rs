//! No product reads or writes a byte outside of its slices: each lies against a page that must not be
//! touched, before or after it.

#![cfg(target_os = "linux")]

use std::ffi::c_void;

use gradus_tensor::kernels::Level;
use gradus_tensor::kernels::gemm::{Epilogue, GemmElement, MatRef, gemm_at};
use gradus_tensor::kernels::level::detected;
use half::{bf16, f16};

const PAGE: usize = 65536;
const READ_WRITE: i32 = 3;
const NONE: i32 = 0;
const PRIVATE_ANONYMOUS: i32 = 0x22;

unsafe extern "C" {
    fn mmap(
        at: *mut c_void,
        len: usize,
        prot: i32,
        flags: i32,
        fd: i32,
        offset: i64,
    ) -> *mut c_void;
    fn mprotect(at: *mut c_void, len: usize, prot: i32) -> i32;
    fn munmap(at: *mut c_void, len: usize) -> i32;
}

/// Memory between two pages that must not be touched.
struct Guarded {
    map: *mut c_void,
    len: usize,
}

impl Guarded {
    fn new(bytes: usize) -> Self {
        let len = bytes.next_multiple_of(PAGE) + 2 * PAGE;
        // SAFETY: a new anonymous mapping, whose first and last page lose all rights.
        unsafe {
            let map = mmap(std::ptr::null_mut(), len, READ_WRITE, PRIVATE_ANONYMOUS, -1, 0);
            assert!(map as isize != -1, "no memory");
            assert_eq!(mprotect(map, PAGE, NONE), 0);
            assert_eq!(mprotect(map.byte_add(len - PAGE), PAGE, NONE), 0);
            Self { map, len }
        }
    }

    /// The first or the last `len` elements.
    fn slice<T: GemmElement>(&mut self, len: usize, last: bool) -> &mut [T] {
        let bytes = len * size_of::<T>();
        let at = if last { self.len - PAGE - bytes } else { PAGE };
        assert!(bytes <= self.len - 2 * PAGE);
        // SAFETY: inside the readable part, which is zeroed and borrowed with `self`; aligned, since
        // pages are and `bytes` is a multiple of the size.
        unsafe { std::slice::from_raw_parts_mut(self.map.byte_add(at).cast(), len) }
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        // SAFETY: the mapping made in `new`.
        unsafe { munmap(self.map, self.len) };
    }
}

fn products<T: GemmElement>(level: Level) {
    let (mut a, mut b, mut c, mut d) = (
        Guarded::new(1 << 20),
        Guarded::new(1 << 20),
        Guarded::new(1 << 20),
        Guarded::new(1 << 20),
    );
    let sizes = [
        (1, 1),
        (1, 70),
        (70, 1),
        (7, 15),
        (8, 48),
        (13, 65),
        (30, 30),
        (33, 200),
        (200, 9),
        (263, 70),
    ];
    for (m, n) in sizes {
        for k in [1, 3, 16, 37] {
            for case in 0..64 {
                let flag = |bit: usize| case >> bit & 1 == 1;
                let left = view(a.slice::<T>(m * k, flag(0)), (m, k), flag(1));
                let right = view(b.slice::<T>(k * n, flag(2)), (k, n), flag(3));
                let bias = &*d.slice::<T>(n, flag(4));
                let finish = if flag(5) { Epilogue::BiasRelu(bias) } else { Epilogue::None };
                let beta = if flag(4) { T::ONE } else { T::ZERO };
                gemm_at(level, left.into(), right.into(), beta, c.slice(m * n, flag(0)), finish);
            }
        }
    }
}

/// A matrix that lies row after row, or column after column.
fn view<T>(data: &[T], (rows, cols): (usize, usize), by_columns: bool) -> MatRef<'_, T> {
    if by_columns {
        MatRef::row_major(data, cols, rows).transpose()
    } else {
        MatRef::row_major(data, rows, cols)
    }
}

#[test]
fn products_stay_within_their_slices() {
    for level in [Level::Baseline, Level::Avx2, Level::Avx512] {
        if level <= detected() {
            products::<f32>(level);
            products::<f64>(level);
            products::<f16>(level);
            products::<bf16>(level);
        }
    }
}
