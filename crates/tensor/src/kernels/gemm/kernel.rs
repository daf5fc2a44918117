//! Element types, and the tables of inner loops for each instruction level.

use half::{bf16, f16};
use std::sync::OnceLock;

use super::factor::Job;
use super::portable;
use super::tile::{Last, Tile};
use crate::kernels::Level;
use crate::kernels::convert::Convert;
use crate::kernels::level::detected;
use crate::storage::Plain;

/// Two bf16 that are neighbours along the depth, the first in the low half: what one lane of
/// `vdpbf16ps` multiplies and sums.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(transparent)]
pub(super) struct Pair(pub(super) u32);

// SAFETY: any two elements are a pair.
unsafe impl Plain for Pair {}

impl Pair {
    #[inline(always)]
    pub(super) fn new(first: bf16, second: bf16) -> Self {
        Self(u32::from(first.to_bits()) | u32::from(second.to_bits()) << 16)
    }
}

/// What tiles are multiplied from: an element, or a pair of them.
pub trait Summand: Plain {
    /// Type of the sums.
    type Sum: Sum;
    /// Filler of panels.
    const NOTHING: Self;
}

/// A type that sums are kept in: f32 or f64.
pub trait Sum: GemmElement<Sum = Self> + Summand<Sum = Self> {
    /// `self · factor + add`, rounded once or twice.
    #[doc(hidden)]
    fn times_plus(self, factor: Self, add: Self) -> Self;

    /// The loops of a level.
    #[doc(hidden)]
    fn gemm_kernels(level: Level) -> &'static Kernels<Self>;
}

/// An element type that products are compiled for: f32, f64, and f16 and bf16, which are summed in
/// f32.
pub trait GemmElement: Plain + PartialEq + PartialOrd {
    /// 0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;
    /// Type of the sums.
    type Sum: Sum;

    /// As a sum, exactly.
    #[doc(hidden)]
    fn widen(self) -> Self::Sum;

    /// The nearest to a sum, ties to even.
    #[doc(hidden)]
    fn narrow(sum: Self::Sum) -> Self;

    /// Elements as sums, if they are.
    #[doc(hidden)]
    fn sums(elements: &[Self]) -> Option<&[Self::Sum]>;

    /// [`Self::sums`], for writing.
    #[doc(hidden)]
    fn sums_mut(elements: &mut [Self]) -> Option<&mut [Self::Sum]>;

    /// The loops between memory and sums.
    #[doc(hidden)]
    fn access(level: Level) -> &'static Access<Self>;

    /// Floating-point operations per ns to expect of a thread, for the choice of threads.
    #[doc(hidden)]
    fn flops_per_ns(cpu: Cpu) -> f64;

    /// A product that is no empty one.
    #[doc(hidden)]
    fn product<O: GemmElement<Sum = Self::Sum>>(job: Job<'_, Self, O>);
}

/// The instructions to use.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Cpu {
    level: Level,
    bf16: Bf16,
}

/// How bf16 is multiplied. Each contains what it takes to do it as the ones before.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bf16 {
    /// As f32.
    Widened,
    /// In pairs, by `vdpbf16ps`.
    Pairs,
    /// In tiles of pairs, by AMX.
    Tiles,
}

impl Cpu {
    /// Those of a level, and of so much for bf16; never more than this CPU has.
    pub fn new(level: Level, bf16: Bf16) -> Self {
        let level = level.min(detected());
        let most = if level == Level::Avx512 { most_for_bf16() } else { Bf16::Widened };
        Self { level, bf16: bf16.min(most) }
    }

    /// The level.
    pub fn level(self) -> Level {
        self.level
    }

    /// How products of bf16 are computed.
    pub fn bf16(self) -> Bf16 {
        self.bf16
    }
}

impl From<Level> for Cpu {
    fn from(level: Level) -> Self {
        Self::new(level, best_for_bf16())
    }
}

fn most_for_bf16() -> Bf16 {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx512bf16") {
        return if super::x86::permitted() { Bf16::Tiles } else { Bf16::Pairs };
    }
    Bf16::Widened
}

/// A CPU with AMX has no hurry with `vdpbf16ps` (Granite Rapids: 100 GF/s, half of what it does in f32):
/// it is better off without where the system does not permit AMX. Asked for once, because `cpuid` is for the
/// hypervisor of a virtual machine to answer: three questions of 5 µs each for every product.
fn best_for_bf16() -> Bf16 {
    static BEST: OnceLock<Bf16> = OnceLock::new();
    *BEST.get_or_init(|| match most_for_bf16() {
        #[cfg(target_arch = "x86_64")]
        Bf16::Pairs if super::x86::has_amx() => Bf16::Widened,
        most => most,
    })
}

/// The micro-kernel and the sizes it is made for.
///
/// All functions may only be called on a CPU that has the instructions of their level.
pub struct Kernels<P: Summand> {
    /// Rows of a full tile.
    pub(super) rows: usize,
    /// Vectors across a full tile.
    pub(super) vectors: usize,
    /// Elements of a vector.
    pub(super) lanes: usize,
    /// Steps of depth that are summed in registers before the output is touched.
    pub(super) depth: usize,
    /// Bytes of the right factor that a task uses at a time, from L2.
    pub(super) right_bytes: usize,
    /// Multiplications of an element: 2 in a pair.
    pub(super) summands: usize,
    /// Whether a tile reads no further than its last column, so that the right factor need not be
    /// packed to be padded.
    pub(super) masked: bool,
    /// Whether a tile has any number of rows, and wants the steps of each to be neighbours.
    pub(super) by_rows: bool,
    /// Speed to expect of a thread (floating-point operations per ns), for the choice of threads.
    pub(super) flops_per_ns: f64,
    /// One tile of the product, of any size up to the full one.
    pub(super) tile: unsafe fn(&Tile<P, P::Sum>),
    /// `(from, lane, step, lanes, depth, width, out)`, strides in bytes:
    /// `out[p·width + i] = from[i·lane + p·step]` for `i < lanes`, `p < depth`.
    pub(in crate::kernels) pack: unsafe fn(*const P, isize, isize, usize, usize, usize, *mut P),
    /// `(from, step, (groups, lanes, depth), pitch, out)`, the step in bytes:
    /// `out[g·pitch + p·lanes + i] = from[p·step + g·lanes + i]` for `g < groups`, `i < lanes`, `p < depth`.
    pub(super) split: Split<P>,
    /// To be called on a thread before its tiles, and after them.
    pub(super) session: Option<[unsafe fn(); 2]>,
}

/// See [`Kernels`].
type Split<P> = unsafe fn(*const P, isize, (usize, usize, usize), usize, *mut P);

/// `(from, row, rows, cols, out, width)`: `out[i·width + j] = from[i·row + j]` for `i < rows`,
/// `j < cols`, as sums.
type Widen<T> = unsafe fn(*const T, isize, usize, usize, *mut <T as GemmElement>::Sum, usize);

/// The loops that read or write elements of one type next to sums of another.
///
/// All functions may only be called on a CPU that has the instructions of their level.
pub struct Access<T: GemmElement> {
    /// `(last, sums, pitch)`: writes a tile.
    pub(super) store: unsafe fn(&Last<T::Sum, T>, *const T::Sum, usize),
    /// `(last, sums, pitch)`: writes a tile whose rows are columns of the output.
    pub(in crate::kernels) turn: unsafe fn(&Last<T::Sum, T>, *const T::Sum, usize),
    /// A block of a matrix as sums.
    pub(super) widen: Widen<T>,
    /// `(from, lane, lanes, depth, x, out)`: `out[i] = Σ_p from[i·lane + p] · x[p]`.
    pub(super) dot: unsafe fn(*const T, isize, usize, usize, *const T::Sum, *mut T::Sum),
    /// `(from, step, lanes, depth, x, out)`: `out[i] = Σ_p from[p·step + i] · x[p]`.
    pub(super) axpy: unsafe fn(*const T, isize, usize, usize, *const T::Sum, *mut T::Sum),
}

/// The table of a level among those given.
macro_rules! by_level {
    ($level:expr, $avx512:ident, $avx2:ident, $portable:ident) => {
        match $level {
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => &super::x86::$avx512,
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => &super::x86::$avx2,
            _ => &portable::$portable,
        }
    };
}

macro_rules! sums {
    ($T:ident, $kernels:ident, [$($tables:ident)*], [$($access:ident)*]) => {
        impl Summand for $T {
            type Sum = $T;
            const NOTHING: $T = 0.0;
        }

        impl Sum for $T {
            #[inline(always)]
            fn times_plus(self, factor: Self, add: Self) -> Self {
                self * factor + add
            }

            #[inline]
            fn gemm_kernels(level: Level) -> &'static Kernels<Self> {
                $kernels(level)
            }
        }

        impl GemmElement for $T {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            type Sum = $T;

            #[inline(always)]
            fn widen(self) -> $T {
                self
            }

            #[inline(always)]
            fn narrow(sum: $T) -> $T {
                sum
            }

            #[inline]
            fn sums(elements: &[$T]) -> Option<&[$T]> {
                Some(elements)
            }

            #[inline]
            fn sums_mut(elements: &mut [$T]) -> Option<&mut [$T]> {
                Some(elements)
            }

            #[inline]
            fn access(level: Level) -> &'static Access<$T> {
                by_level!(level, $($access),*)
            }

            #[inline]
            fn flops_per_ns(cpu: Cpu) -> f64 {
                $kernels(cpu.level).flops_per_ns
            }

            #[inline]
            fn product<O: GemmElement<Sum = $T>>(job: Job<'_, $T, O>) {
                let kernels = $kernels(job.cpu.level);
                job.plain(kernels);
            }
        }

        #[inline]
        fn $kernels(level: Level) -> &'static Kernels<$T> {
            by_level!(level, $($tables),*)
        }
    };
}

sums!(f32, f32_kernels, [AVX512_F32 AVX2_F32 F32], [AVX512_F32_ACCESS AVX2_F32_ACCESS F32_ACCESS]);
sums!(f64, f64_kernels, [AVX512_F64 AVX2_F64 F64], [AVX512_F64_ACCESS AVX2_F64_ACCESS F64_ACCESS]);

impl Summand for Pair {
    type Sum = f32;
    const NOTHING: Self = Self(0);
}

macro_rules! halves {
    ($T:ident, [$($access:ident)*], $job:ident, $cpu:ident, $paired:expr, $rate:expr) => {
        impl GemmElement for $T {
            const ZERO: Self = $T::ZERO;
            const ONE: Self = $T::ONE;
            type Sum = f32;

            #[inline(always)]
            fn widen(self) -> f32 {
                self.convert()
            }

            #[inline(always)]
            fn narrow(sum: f32) -> Self {
                sum.convert()
            }

            #[inline]
            fn sums(_: &[Self]) -> Option<&[f32]> {
                None
            }

            #[inline]
            fn sums_mut(_: &mut [Self]) -> Option<&mut [f32]> {
                None
            }

            #[inline]
            fn access(level: Level) -> &'static Access<Self> {
                by_level!(level, $($access),*)
            }

            #[inline]
            fn flops_per_ns($cpu: Cpu) -> f64 {
                $rate
            }

            #[inline]
            fn product<O: GemmElement<Sum = f32>>($job: Job<'_, Self, O>) {
                $paired
                let kernels = f32_kernels($job.cpu.level);
                $job.widened(kernels);
            }
        }
    };
}

halves!(f16, [AVX512_F16_ACCESS AVX2_F16_ACCESS F16_ACCESS], job, cpu, {}, {
    f32::flops_per_ns(cpu)
});
halves!(
    bf16,
    [AVX512_BF16_ACCESS AVX2_BF16_ACCESS BF16_ACCESS],
    job,
    cpu,
    {
        #[cfg(target_arch = "x86_64")]
        match job.cpu.bf16 {
            Bf16::Tiles => return job.paired(&super::x86::AMX, super::x86::join),
            Bf16::Pairs => return job.paired(&super::x86::AVX512_PAIRS, super::x86::join),
            Bf16::Widened => {}
        }
    },
    match cpu.bf16 {
        Bf16::Widened => f32::flops_per_ns(cpu),
        Bf16::Pairs => 2.0 * f32::flops_per_ns(cpu),
        Bf16::Tiles => 7.5 * f32::flops_per_ns(cpu),
    }
);
