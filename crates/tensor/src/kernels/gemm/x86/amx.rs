//! Products of bf16 by AMX: tiles of 16 x 16 sums that the CPU multiplies as a whole.
//!
//! Its eight registers hold a square of 32 x 32 sums in four tiles, and two tiles of each factor. The
//! compiler does not know them, so they are named in assembly, and nothing else in this library uses
//! them.

use std::arch::asm;
use std::arch::x86_64::*;
use std::sync::OnceLock;

use super::super::kernel::{Kernels, Pair};
use super::super::tile::{Lanes, Tile, finish};
use super::AVX512_PAIRS;

/// Rows of a tile, and pairs or sums of its row: 64 bytes.
const SIDE: usize = 16;

/// Rows and columns of the sums.
const SUMS: usize = 2 * SIDE;

/// Pairs of depth that are summed before the output is touched: sums of a half type are kept in f32
/// between blocks, which costs more than rows of the left factor that do not fit L1.
const DEPTH_BLOCK: usize = 1024;

/// Half of the second-level cache of every CPU that has AMX: the more columns a task has, the fewer times
/// the left factor is read again.
const RIGHT_BYTES: usize = 1 << 20;

/// Whether the CPU has AMX for bf16, and the system lets this process use it: its state is large, so
/// Linux wants to be asked first.
pub(in super::super) fn permitted() -> bool {
    static PERMITTED: OnceLock<bool> = OnceLock::new();
    *PERMITTED.get_or_init(|| has_amx() && ask())
}

/// Whether the CPU has it, whatever the system says.
pub(in super::super) fn has_amx() -> bool {
    const BF16: u32 = 1 << 22;
    const TILE: u32 = 1 << 24;
    const SYSTEM_SAVES: u32 = 1 << 27;
    if __cpuid(0).eax < 7 || __cpuid(1).ecx & SYSTEM_SAVES == 0 {
        return false;
    }
    __cpuid_count(7, 0).edx & (BF16 | TILE) == BF16 | TILE
}

#[cfg(all(target_os = "linux", not(miri)))]
fn ask() -> bool {
    const REQUEST_STATE: libc::c_long = 0x1023;
    const TILE_DATA: libc::c_long = 18;
    // SAFETY: the call changes nothing but what the process may use; an older system refuses it.
    unsafe { libc::syscall(libc::SYS_arch_prctl, REQUEST_STATE, TILE_DATA) == 0 }
}

#[cfg(not(all(target_os = "linux", not(miri))))]
fn ask() -> bool {
    false
}

/// What `ldtilecfg` reads: bytes of a row, and rows, of each register.
#[repr(C, align(64))]
struct Sizes {
    palette: u8,
    start: u8,
    unused: [u8; 14],
    row_bytes: [u16; 16],
    rows: [u8; 16],
}

impl Sizes {
    /// Registers 0 to 3 for sums, 4 and 5 for the left factor, above and below; 6 and 7 for the right.
    const fn new(rows: usize) -> Self {
        let above = if rows < SIDE { rows } else { SIDE } as u8;
        let below = if rows > SIDE { (rows - SIDE) as u8 } else { 0 };
        let side = SIDE as u8;
        let rows = [above, above, below, below, above, below, side, side, 0, 0, 0, 0, 0, 0, 0, 0];
        // A register without rows must not have columns.
        let (mut row_bytes, mut i) = ([0; 16], 0);
        while i < 16 {
            row_bytes[i] = if rows[i] == 0 { 0 } else { 64 };
            i += 1;
        }
        Self { palette: 1, start: 0, unused: [0; 14], row_bytes, rows }
    }

    /// # Safety
    /// AMX is permitted.
    #[inline(always)]
    unsafe fn load(&self) {
        // SAFETY: the caller's promise; the sizes are valid.
        unsafe {
            asm!("ldtilecfg [{0}]", in(reg) self, options(nostack, readonly, preserves_flags));
        }
    }
}

static WHOLE: Sizes = Sizes::new(SUMS);

unsafe fn enter() {
    // SAFETY: the caller's promise.
    unsafe { WHOLE.load() }
}

unsafe fn leave() {
    // SAFETY: the caller's promise. It gives the registers back, so that the system need not save them.
    unsafe { asm!("tilerelease", options(nostack, nomem, preserves_flags)) }
}

/// # Safety
/// AMX is permitted, the register has a size; as many rows are readable at `from`, `row` bytes apart.
#[inline(always)]
unsafe fn load<const REGISTER: u8>(from: *const u8, row: isize) {
    // SAFETY: the caller's promise.
    unsafe {
        asm!("tileloadd tmm{0}, [{1} + {2}*1]", const REGISTER, in(reg) from, in(reg) row,
            options(nostack, readonly, preserves_flags));
    }
}

/// # Safety
/// As [`load`], for writing.
#[inline(always)]
unsafe fn store<const REGISTER: u8>(to: *mut f32, row: isize) {
    // SAFETY: the caller's promise.
    unsafe {
        asm!("tilestored [{1} + {2}*1], tmm{0}", const REGISTER, in(reg) to, in(reg) row,
            options(nostack, preserves_flags));
    }
}

/// # Safety
/// AMX is permitted, and the register has a size.
#[inline(always)]
unsafe fn zero<const REGISTER: u8>() {
    // SAFETY: the caller's promise.
    unsafe { asm!("tilezero tmm{0}", const REGISTER, options(nostack, nomem, preserves_flags)) }
}

/// # Safety
/// AMX is permitted, and the registers have sizes that fit.
#[inline(always)]
unsafe fn multiply<const SUMS: u8, const LEFT: u8, const RIGHT: u8>() {
    // SAFETY: the caller's promise.
    unsafe {
        asm!("tdpbf16ps tmm{0}, tmm{1}, tmm{2}", const SUMS, const LEFT, const RIGHT,
            options(nostack, nomem, preserves_flags));
    }
}

/// Fetches 16 rows of the right factor, one step ahead: the CPU does not do so for tiles. 1024x1024x1024 on two cores of a
/// Granite Rapids 2070 and 2250 GF/s, with one the same; to fetch the left factor too, whose rows meet in few sets of the
/// L1 cache, costs a tenth.
#[inline(always)]
fn fetch<const RIGHT: bool>(b: *const u8, b_row: isize) {
    for row in 0..SIDE as isize {
        let row = b.wrapping_offset(row * b_row);
        __m512::prefetch(row.cast());
        if RIGHT {
            __m512::prefetch(row.wrapping_add(64).cast());
        }
    }
}

/// Adds the products of 16 pairs of depth.
///
/// # Safety
/// The registers have their sizes; as much of both factors is readable.
#[inline(always)]
unsafe fn step<const BELOW: bool, const RIGHT: bool>(
    (a, a_row): (*const u8, isize),
    (b, b_row): (*const u8, isize),
) {
    // SAFETY: the caller's promise.
    unsafe {
        load::<4>(a, a_row);
        load::<6>(b, b_row);
        multiply::<0, 4, 6>();
        if BELOW {
            load::<5>(a.wrapping_offset(SIDE as isize * a_row), a_row);
            multiply::<2, 5, 6>();
        }
        if RIGHT {
            load::<7>(b.wrapping_add(64), b_row);
            multiply::<1, 4, 7>();
            if BELOW {
                multiply::<3, 5, 7>();
            }
        }
    }
}

/// The sums of a tile, written to `to` in rows `to_row` bytes apart.
///
/// # Safety
/// As the tile of the table; whole vectors of all its rows are writable.
#[inline(always)]
unsafe fn sums<const BELOW: bool, const RIGHT: bool>(
    tile: &Tile<Pair, f32>,
    to: *mut f32,
    to_row: isize,
) {
    let (mut a, mut b) = (tile.a.cast::<u8>(), tile.b.cast::<u8>());
    // SAFETY: the caller's promise; the last pairs of depth are copied to where 16 can be read.
    unsafe {
        zero::<0>();
        if RIGHT {
            zero::<1>();
        }
        if BELOW {
            zero::<2>();
            if RIGHT {
                zero::<3>();
            }
        }
        for _ in 0..tile.depth / SIDE {
            fetch::<RIGHT>(b.wrapping_offset(SIDE as isize * tile.b_step), tile.b_step);
            step::<BELOW, RIGHT>((a, tile.a_row), (b, tile.b_step));
            a = a.wrapping_add(64);
            b = b.wrapping_offset(SIDE as isize * tile.b_step);
        }
        if !tile.depth.is_multiple_of(SIDE) {
            let (a, b) = rest(tile, (a.cast(), b.cast()));
            step::<BELOW, RIGHT>((a.as_ptr().cast(), 64), (b.as_ptr().cast(), 128));
        }
        store::<0>(to, to_row);
        if RIGHT {
            store::<1>(to.wrapping_add(SIDE), to_row);
        }
        if BELOW {
            let to = to.wrapping_byte_offset(SIDE as isize * to_row);
            store::<2>(to, to_row);
            if RIGHT {
                store::<3>(to.wrapping_add(SIDE), to_row);
            }
        }
    }
}

/// The last pairs of depth, fewer than 16, with zeros behind them.
///
/// # Safety
/// As the tile of the table, whose last pairs begin at `a` and `b`.
#[inline(never)]
unsafe fn rest(
    tile: &Tile<Pair, f32>,
    (a, b): (*const Pair, *const Pair),
) -> ([[Pair; SIDE]; SUMS], [[Pair; SUMS]; SIDE]) {
    let mut left = [[Pair(0); SIDE]; SUMS];
    let mut right = [[Pair(0); SUMS]; SIDE];
    let (pairs, cols) = (tile.depth % SIDE, tile.last.cols.next_multiple_of(SIDE));
    // SAFETY: the caller's promise: so many rows and pairs of the left factor are readable, and so many
    // rows of whole vectors of the right one.
    unsafe {
        for (i, row) in left.iter_mut().enumerate().take(tile.last.rows) {
            let from = a.wrapping_byte_offset(i as isize * tile.a_row);
            for (p, x) in row.iter_mut().enumerate().take(pairs) {
                *x = from.add(p).read_unaligned();
            }
        }
        for (p, row) in right.iter_mut().enumerate().take(pairs) {
            let from = b.wrapping_byte_offset(p as isize * tile.b_step);
            from.copy_to_nonoverlapping(row.as_mut_ptr(), cols);
        }
    }
    (left, right)
}

/// Room for the sums of a tile, on cache lines.
#[repr(align(64))]
struct Square(#[expect(dead_code, reason = "it is reached by its address")] [f32; SUMS * SUMS]);

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
unsafe fn tile(tile: &Tile<Pair, f32>) {
    let last = &tile.last;
    let (rows, width) = (last.rows, last.cols.next_multiple_of(SIDE));
    debug_assert!(tile.a_step == 4, "the pairs of a row are neighbours");
    let mut square = std::mem::MaybeUninit::<Square>::uninit();
    let plain = last.bias.is_null() && !last.relu && last.keep.is_none() && last.cols == width;
    let (to, pitch) =
        if plain { (last.to, last.to_row) } else { (square.as_mut_ptr().cast(), width) };
    let row = (pitch * size_of::<f32>()) as isize;
    // SAFETY: the caller's promise; the sizes of the registers go by the rows.
    unsafe {
        if rows < SUMS {
            Sizes::new(rows).load();
        }
        match (rows > SIDE, width > SIDE) {
            (true, true) => sums::<true, true>(tile, to, row),
            (true, false) => sums::<true, false>(tile, to, row),
            (false, true) => sums::<false, true>(tile, to, row),
            (false, false) => sums::<false, false>(tile, to, row),
        }
        if rows < SUMS {
            WHOLE.load();
        }
        if !plain {
            finish::<__m512, f32>(last, to, pitch);
        }
    }
}

/// Multiplies tiles in registers, four products in a round; returns the floating-point operations.
///
/// # Safety
/// AMX is permitted.
pub(in super::super) unsafe fn peak(rounds: usize) -> f64 {
    // SAFETY: the caller's promise; all registers have a size between the first call and the last.
    unsafe {
        enter();
        for _ in 0..rounds {
            multiply::<0, 4, 6>();
            multiply::<1, 4, 7>();
            multiply::<2, 5, 6>();
            multiply::<3, 5, 7>();
        }
        leave();
    }
    (rounds * 4 * 4 * SIDE * SIDE * SIDE) as f64
}

/// 1024x1024x1024 reaches a third of what a Granite Rapids core can do: both factors come from its second-level cache.
pub(in super::super) static AMX: Kernels<Pair> = Kernels {
    rows: SUMS,
    vectors: 2,
    lanes: SIDE,
    depth: DEPTH_BLOCK,
    right_bytes: RIGHT_BYTES,
    summands: 2,
    masked: false,
    by_rows: true,
    flops_per_ns: 1500.0,
    tile,
    pack: AVX512_PAIRS.pack,
    split: AVX512_PAIRS.split,
    session: Some([enter, leave]),
};
