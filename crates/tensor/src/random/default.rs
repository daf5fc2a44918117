//! The generator that functions without a generator use.

use super::Generator;
use std::cell::RefCell;

/// The seed of a thread that nobody has seeded: PyTorch's constant `default_rng_seed_val`.
pub const DEFAULT_SEED: u64 = 67_280_421_310_721;

thread_local! {
    static DEFAULT: RefCell<Generator> = const { RefCell::new(Generator::new(DEFAULT_SEED)) };
}

/// Restart the default generator of this thread from `seed` (`torch.manual_seed`).
///
/// Every thread has its own, and starts from [`DEFAULT_SEED`]: a program without a seed is
/// reproducible too, and no thread changes the numbers of another.
///
/// ```
/// use gradus_tensor::{Array, manual_seed};
/// manual_seed(1);
/// let first = Array::rand(3);
/// manual_seed(1);
/// assert_eq!(first, Array::rand(3));
/// ```
/// # Panics
/// Inside [`with_default_generator`].
#[track_caller]
pub fn manual_seed(seed: u64) {
    set_rng_state(Generator::new(seed));
}

/// The default generator of this thread, to be saved (`torch.get_rng_state`).
///
/// # Panics
/// Inside [`with_default_generator`].
#[track_caller]
pub fn rng_state() -> Generator {
    with_default_generator(|g| g.clone())
}

/// Continue from a saved generator (`torch.set_rng_state`).
///
/// # Panics
/// Inside [`with_default_generator`].
#[track_caller]
pub fn set_rng_state(state: Generator) {
    with_default_generator(|g| *g = state);
}

/// Draw from the default generator of this thread (`torch.default_generator`).
///
/// ```
/// use gradus_tensor::{Array, DType, with_default_generator};
/// let x = with_default_generator(|g| Array::uniform_with(-1.0, 1.0, 4, DType::F64, g));
/// assert!(x.to_vec::<f64>().iter().all(|v| v.abs() <= 1.0));
/// ```
/// # Panics
/// If `draw` uses the default generator again: it would meet the same numbers twice.
#[track_caller]
pub fn with_default_generator<R>(draw: impl FnOnce(&mut Generator) -> R) -> R {
    let drawn = DEFAULT.with(|cell| cell.try_borrow_mut().ok().map(|mut g| draw(&mut g)));
    match drawn {
        Some(drawn) => drawn,
        None => panic!(
            "the default generator is lent out; draw from the one that the closure was given"
        ),
    }
}
