//! Which instructions this CPU has; asked once, so that a plain `cargo build` uses all of them.

use std::sync::atomic::{AtomicU8, Ordering::Relaxed};
use std::sync::{Once, OnceLock};

/// A set of instructions that the kernels are compiled for. Each level contains the ones before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Level {
    /// What every CPU of the target has (x86-64: SSE2).
    Baseline = 1,
    /// AVX2, FMA and F16C: 8 lanes of f32.
    Avx2 = 2,
    /// AVX-512 F, BW, DQ and VL: 16 lanes of f32.
    Avx512 = 3,
}

static LEVEL: AtomicU8 = AtomicU8::new(0);

/// The level in use: the best this CPU has, or less if `GRADUS_CPU` is `avx2` or `baseline`.
///
/// Read once for the process, because results of different levels may differ in the last bit.
#[inline]
pub fn level() -> Level {
    match LEVEL.load(Relaxed) {
        3 => Level::Avx512,
        2 => Level::Avx2,
        1 => Level::Baseline,
        _ => first(),
    }
}

#[cold]
fn first() -> Level {
    warn_if_slow();
    let most = match std::env::var("GRADUS_CPU").as_deref() {
        Ok("baseline") => Level::Baseline,
        Ok("avx2") => Level::Avx2,
        _ => Level::Avx512,
    };
    let level = most.min(detected());
    LEVEL.store(level as u8, Relaxed);
    level
}

/// A program without optimisation is 50 times slower than one with it, and its user may not know.
fn warn_if_slow() {
    static ONCE: Once = Once::new();
    let quiet = std::env::var_os("GRADUS_QUIET").is_some();
    if env!("GRADUS_OPT_LEVEL") == "0" && !quiet {
        ONCE.call_once(|| {
            eprintln!(
                "gradus is compiled without optimisation and will be very slow: use --release, or set \
                 opt-level = 3 in [profile.dev.package.\"*\"] (GRADUS_QUIET=1 silences this)"
            );
        });
    }
}

/// The best level of this CPU, whatever `GRADUS_CPU` says.
pub fn detected() -> Level {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::is_x86_feature_detected as has;
        if has!("avx2") && has!("fma") && has!("f16c") {
            let avx512 =
                has!("avx512f") && has!("avx512bw") && has!("avx512dq") && has!("avx512vl");
            return if avx512 { Level::Avx512 } else { Level::Avx2 };
        }
    }
    Level::Baseline
}

/// Does this CPU compute AVX-512 in two halves, as a Zen 4 does? It then has twice the time to load what it
/// multiplies. Asked for once, because `cpuid` is for the hypervisor of a virtual machine to answer.
pub(in crate::kernels) fn in_halves() -> bool {
    static IN_HALVES: OnceLock<bool> = OnceLock::new();
    *IN_HALVES.get_or_init(|| detected() == Level::Avx512 && units_of_half_width())
}

/// By AMD's page of what is fast, which others do not have.
#[cfg(target_arch = "x86_64")]
fn units_of_half_width() -> bool {
    use std::arch::x86_64::__cpuid;
    const PAGES: u32 = 0x8000_0000;
    const FAST: u32 = 0x8000_001a;
    const WIDTH_256: u32 = 1 << 2;
    const WIDTH_512: u32 = 1 << 3;
    __cpuid(PAGES).eax >= FAST && __cpuid(FAST).eax & (WIDTH_256 | WIDTH_512) == WIDTH_256
}

#[cfg(not(target_arch = "x86_64"))]
fn units_of_half_width() -> bool {
    false
}
