//! From numbers of entries back to the plane: the adjoint of picking the maxima, and picking itself.

use super::windows::Windows;
use super::{Tap, check};
use crate::kernels::dispatch::Kernel;
use crate::kernels::level::{Level, level};
use crate::kernels::real::Float;

/// For every window of a plane the position of its entry 0, before distances are added.
fn origins(windows: &Windows) -> Vec<isize> {
    let [deep, down, across] = &windows.axes;
    let mut origins = Vec::with_capacity(windows.output_plane());
    for d in 0..deep.spans.len() {
        for h in 0..down.spans.len() {
            let line = deep.origin(d) * down.input as isize + down.origin(h);
            let start = line * across.input as isize;
            origins.extend((0..across.spans.len()).map(|w| start + across.origin(w)));
        }
    }
    origins
}

/// The position in its plane of every entry `taps`; −1 for that of a window of nothing.
///
/// # Panics
/// If the lengths do not fit.
pub fn positions<C: Tap>(taps: &[C], windows: &Windows, out: &mut [i64]) {
    let plane = windows.output_plane();
    assert!(taps.len() == out.len() && (plane == 0 || taps.len().is_multiple_of(plane)));
    let (origins, distances) = (origins(windows), windows.distances());
    let end = windows.input_plane() as isize;
    for (i, (out, tap)) in out.iter_mut().zip(taps).enumerate() {
        let at = origins[i % plane] + distances[tap.at()];
        *out = if at < end { at as i64 } else { -1 };
    }
}

/// Every number of `g` added to zeros where the entry of its window lies.
///
/// # Panics
/// If the lengths do not fit.
pub fn place<T: Float, C: Tap>(g: &[T], taps: &[C], windows: &Windows, gx: &mut [T]) {
    place_at(level(), g, taps, windows, gx);
}

/// [`place`] with the instructions of `level`.
#[doc(hidden)]
pub fn place_at<T: Float, C: Tap>(
    level: Level,
    g: &[T],
    taps: &[C],
    windows: &Windows,
    gx: &mut [T],
) {
    check(gx.len(), g.len(), windows);
    assert!(g.len() == taps.len());
    let (origins, distances) = (origins(windows), windows.distances());
    T::run_at(level, Place { g, taps, windows, gx, origins, distances });
}

struct Place<'a, T, C> {
    g: &'a [T],
    taps: &'a [C],
    windows: &'a Windows,
    gx: &'a mut [T],
    origins: Vec<isize>,
    distances: Vec<isize>,
}

impl<T: Float, C: Tap> Kernel for Place<'_, T, C> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let (input, output) = (self.windows.input_plane(), self.windows.output_plane());
        self.gx.fill(T::default());
        if output == 0 || input == 0 {
            return;
        }
        let planes = self.gx.chunks_exact_mut(input);
        let given = self.g.chunks_exact(output).zip(self.taps.chunks_exact(output));
        for (gx, (g, taps)) in planes.zip(given) {
            for ((g, tap), origin) in g.iter().zip(taps).zip(&self.origins) {
                let at = (origin + self.distances[tap.at()]) as usize;
                if let Some(gx) = gx.get_mut(at) {
                    *gx = T::unwrap::<FMA>(gx.wrap::<FMA>() + g.wrap::<FMA>());
                }
            }
        }
    }
}

/// The entry `taps` of every window of `x`: the adjoint of [`place`]; 0 of a window of nothing.
///
/// # Panics
/// If the lengths do not fit.
pub fn pick<T: Float, C: Tap>(x: &[T], taps: &[C], windows: &Windows, y: &mut [T]) {
    let (input, output) = (windows.input_plane(), windows.output_plane());
    check(x.len(), y.len(), windows);
    assert!(y.len() == taps.len());
    if output == 0 || input == 0 {
        return;
    }
    let (origins, distances) = (origins(windows), windows.distances());
    let given = x.chunks_exact(input).zip(taps.chunks_exact(output));
    for (y, (x, taps)) in y.chunks_exact_mut(output).zip(given) {
        for ((y, tap), origin) in y.iter_mut().zip(taps).zip(&origins) {
            let at = (origin + distances[tap.at()]) as usize;
            *y = x.get(at).copied().unwrap_or_default();
        }
    }
}
