//! How fast this CPU multiplies from registers: what products are measured against.

use super::kernel::{Bf16, Cpu};
use super::portable::Plain;
use super::tile::Lanes;
use crate::kernels::{Level, level};
use crate::threads;
#[cfg(target_arch = "x86_64")]
use {super::tile::Factors, super::x86::Bf16Pairs, std::arch::x86_64::*};

/// Sums under way: more than two units with a latency of 4 or 5 cycles need.
const CHAINS: usize = 12;

/// Long enough (ns) that nothing but arithmetic counts.
const LONG_NS: f64 = 1e9;

/// Multiplies and adds f32 in registers, `rounds` times on every thread, with the instructions of
/// [`level()`]; returns the floating-point operations of all threads.
pub fn fma_f32(rounds: usize) -> f64 {
    on_all_threads(|| match level() {
        // SAFETY: the CPU has the instructions of the level, here and below.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => unsafe { avx512(rounds) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: as above.
        Level::Avx2 => unsafe { avx2(rounds) },
        // SAFETY: these are vectors of any CPU.
        _ => unsafe { chains::<Plain<f32, 4>>(rounds) },
    })
}

/// [`fma_f32`] of the instruction that multiplies pairs of bf16; `None` if it is not there.
pub fn dpbf16(rounds: usize) -> Option<f64> {
    if Cpu::new(level(), Bf16::Pairs).bf16() != Bf16::Pairs {
        return None;
    }
    #[cfg(target_arch = "x86_64")]
    // SAFETY: the CPU has the instruction, as just seen.
    return Some(on_all_threads(|| unsafe { pairs(rounds) }));
    #[cfg(not(target_arch = "x86_64"))]
    None
}

/// [`fma_f32`] of tiles of bf16, four products in a round; `None` without AMX.
pub fn amx_bf16(rounds: usize) -> Option<f64> {
    if Cpu::new(level(), Bf16::Tiles).bf16() != Bf16::Tiles {
        return None;
    }
    #[cfg(target_arch = "x86_64")]
    // SAFETY: AMX is permitted, as just seen.
    return Some(on_all_threads(|| unsafe { super::x86::peak(rounds) }));
    #[cfg(not(target_arch = "x86_64"))]
    None
}

fn on_all_threads(work: impl Fn() -> f64 + Sync) -> f64 {
    let mut operations = vec![0.0; threads::num_threads()];
    threads::run_chunks(&mut operations, 1, LONG_NS, &|_, own| own[0] = work());
    operations.iter().sum()
}

/// Sums of `sum · x + y`, which no compiler can take out of the loop.
///
/// # Safety
/// The CPU has the instructions of `V`.
#[inline(always)]
unsafe fn chains<V: Lanes<T = f32>>(rounds: usize) -> f64 {
    // SAFETY: the caller's promise.
    unsafe {
        let (x, y) = (V::splat(std::hint::black_box(1.000_000_1)), V::splat(1e-9));
        let mut sums = [V::zero(); CHAINS];
        for _ in 0..rounds {
            for sum in &mut sums {
                *sum = sum.mul_add(x, y);
            }
        }
        std::hint::black_box(sums.map(|sum| sum.sum()));
    }
    (2 * V::LANES * CHAINS * rounds) as f64
}

/// # Safety
/// The CPU has AVX-512.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,fma")]
unsafe fn avx512(rounds: usize) -> f64 {
    // SAFETY: the caller's promise.
    unsafe { chains::<__m512>(rounds) }
}

/// # Safety
/// The CPU has AVX2 and FMA.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn avx2(rounds: usize) -> f64 {
    // SAFETY: the caller's promise.
    unsafe { chains::<__m256>(rounds) }
}

/// # Safety
/// The CPU has AVX512-BF16.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bf16")]
unsafe fn pairs(rounds: usize) -> f64 {
    use super::kernel::Pair;
    // SAFETY: the caller's promise.
    unsafe {
        let one = half::bf16::ONE;
        let x = <Bf16Pairs as Factors>::splat(std::hint::black_box(Pair::new(one, one)));
        let mut sums = [<__m512 as Lanes>::zero(); CHAINS];
        for _ in 0..rounds {
            for sum in &mut sums {
                *sum = Factors::multiply(x, x, *sum);
            }
        }
        std::hint::black_box(sums.map(|sum| sum.sum()));
    }
    (4 * <__m512 as Lanes>::LANES * CHAINS * rounds) as f64
}
