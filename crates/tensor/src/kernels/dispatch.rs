//! One body of code, compiled for each instruction level.

use super::level::Level;

/// A computation that the compiler sees once for each instruction level.
///
/// A struct holds the arguments; `run` is the body. It and all it calls must be
/// `#[inline(always)]`: only then are they compiled with the instructions of the level.
pub trait Kernel {
    /// What it returns.
    type Output;
    /// The body; `FMA` says whether the level has fused multiply-add.
    fn run<const FMA: bool>(self) -> Self::Output;
}

/// Runs `kernel` with the instructions of `level`.
///
/// # Panics
///
/// If this CPU has less than `level`.
#[inline]
pub fn run_at<K: Kernel>(level: Level, kernel: K) -> K::Output {
    match level {
        Level::Baseline => baseline(kernel),
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 | Level::Avx512 => {
            check(level);
            if level == Level::Avx2 {
                // SAFETY: the CPU has these instructions, as just asserted.
                unsafe { avx2(kernel) }
            } else {
                // SAFETY: as above.
                unsafe { avx512(kernel) }
            }
        }
        #[cfg(not(target_arch = "x86_64"))]
        Level::Avx2 | Level::Avx512 => panic!("{level:?} is a level of x86-64"),
    }
}

/// [`run_at`], with nothing wider than [`Level::Avx2`]: for f64, in which gradients are checked. A third level would be
/// a sixth of all code of these kernels, and of the time to compile it; products and convolutions have theirs.
#[inline]
pub fn run_narrow_at<K: Kernel>(level: Level, kernel: K) -> K::Output {
    match level {
        Level::Baseline => baseline(kernel),
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 | Level::Avx512 => {
            check(Level::Avx2);
            // SAFETY: the CPU has these instructions, as just asserted.
            unsafe { avx2(kernel) }
        }
        #[cfg(not(target_arch = "x86_64"))]
        Level::Avx2 | Level::Avx512 => panic!("{level:?} is a level of x86-64"),
    }
}

#[cfg(target_arch = "x86_64")]
#[inline]
fn check(level: Level) {
    assert!(level <= super::level::level() || level <= super::level::detected());
}

#[inline(never)]
fn baseline<K: Kernel>(kernel: K) -> K::Output {
    kernel.run::<false>()
}

/// # Safety
///
/// The CPU must have [`Level::Avx2`].
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,f16c")]
unsafe fn avx2<K: Kernel>(kernel: K) -> K::Output {
    kernel.run::<true>()
}

/// # Safety
///
/// The CPU must have [`Level::Avx512`].
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c")]
unsafe fn avx512<K: Kernel>(kernel: K) -> K::Output {
    kernel.run::<true>()
}
