//! Parameters of half types, which are computed by their master weights in f32.

use super::{Full, Gradient, Pass, Piece, whole};
use crate::kernels::convert::{Convert, convert_at};
use crate::kernels::dispatch::{Kernel, run_at};
use crate::kernels::level::{Level, level};
use crate::storage::as_uninit;
use half::{bf16, f16};

/// A type that parameters have.
pub trait Stored: Sized {
    /// The type that their updates are computed in.
    type Full: Full;
    /// Updates a piece.
    #[doc(hidden)]
    fn update(pass: Pass<'_>, piece: Piece<'_, Self::Full, Self>);
}

macro_rules! stored {
    ($($update:ident { $($S:ident as $T:ident)* })*) => {$($(
        impl Stored for $S {
            type Full = $T;
            fn update(pass: Pass<'_>, piece: Piece<'_, $T, $S>) {
                piece.check(pass.rule.states());
                $update(pass, piece);
            }
        }
    )*)*};
}
stored! {
    full { f32 as f32 f64 as f64 }
    halves { f16 as f32 bf16 as f32 }
}

fn full<T: Full>(pass: Pass<'_>, piece: Piece<'_, T, T>) {
    assert!(piece.stored.is_none(), "only half types have master weights");
    let (Gradient::Wide(grad) | Gradient::Stored(grad)) = piece.grad;
    whole::update(pass, piece.value, grad, piece.states);
}

/// Elements that are converted before the next ones: 2 KiB of f32 stay in L1.
const TOGETHER: usize = 512;

fn halves<S: Half + Convert<f32>>(pass: Pass<'_>, mut piece: Piece<'_, f32, S>)
where
    f32: Convert<S>,
{
    let mut room = [0.0; TOGETHER];
    while !piece.value.is_empty() {
        let n = piece.value.len().min(TOGETHER);
        let Piece { value, stored, grad, states } = piece.split_off(n);
        if let Some(stored) = &stored {
            S::refresh_at(pass.level, value, stored);
        }
        let grad = match grad {
            Gradient::Wide(grad) => grad,
            Gradient::Stored(grad) => {
                convert_at(pass.level, grad, as_uninit(&mut room[..n]));
                &room[..n]
            }
        };
        whole::update(pass, value, grad, states);
        if let Some(stored) = stored {
            convert_at(pass.level, value, as_uninit(stored));
        }
    }
}

/// A type of parameters that have master weights.
pub trait Half: Sized {
    /// Master weights that do not round to the parameter start anew from it.
    ///
    /// # Panics
    ///
    /// If the lengths differ.
    fn refresh(master: &mut [f32], stored: &[Self]) {
        assert_eq!(master.len(), stored.len(), "master weights and parameter differ in length");
        Self::refresh_at(level(), master, stored);
    }
    /// [`Half::refresh`] with the instructions of `level`.
    #[doc(hidden)]
    fn refresh_at(level: Level, master: &mut [f32], stored: &[Self]);
}

impl Half for f16 {
    fn refresh_at(level: Level, master: &mut [f32], stored: &[f16]) {
        run_at(level, Refresh { master, stored });
    }
}

impl Half for bf16 {
    fn refresh_at(level: Level, master: &mut [f32], stored: &[bf16]) {
        run_at(level, Refresh { master, stored });
    }
}

struct Refresh<'a, S> {
    master: &'a mut [f32],
    stored: &'a [S],
}

impl<S: Convert<f32> + PartialEq> Kernel for Refresh<'_, S>
where
    f32: Convert<S>,
{
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        for (x, &s) in self.master.iter_mut().zip(self.stored) {
            *x = if x.convert() == s { *x } else { s.convert() };
        }
    }
}
