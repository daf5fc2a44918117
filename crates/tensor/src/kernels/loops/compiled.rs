//! Loops behind `dyn`: whatever takes operands apart, cuts ranges or fills tiles is compiled once for each
//! lane, and of a formula nothing but its loops.

use super::super::element::{Compare, Lane, Map, Rare, Zip, Zip3};
use super::super::level::Level;
use super::super::stream::Write;
use super::blocks::{Source, run};
use super::rows::Lines;

/// Inputs of a formula, at most.
pub(super) const MOST: usize = 3;

/// What a formula gives: [`Numbers`] or [`Answers`].
pub trait Kind: Copy {
    /// For elements of this lane.
    type Of<T: Lane>: Copy + Default + Send;
}

/// A number of the lane.
#[derive(Clone, Copy, Debug)]
pub enum Numbers {}

impl Kind for Numbers {
    type Of<T: Lane> = T;
}

/// A yes or no.
#[derive(Clone, Copy, Debug)]
pub enum Answers {}

impl Kind for Answers {
    type Of<T: Lane> = bool;
}

/// A formula of `N` elements of one lane.
pub(crate) trait Formula<const N: usize>: Copy + Sync {
    type Kind: Kind;
    fn f<T: Lane, const FMA: bool>(self, x: [T; N]) -> <Self::Kind as Kind>::Of<T>;
    /// Whether there are elements for which `rare` takes the place of `f`, see [`Rare`]. Nothing is compiled
    /// for those of a formula that has none.
    const HAS_RARE: bool = false;
    #[inline(always)]
    fn is_rare<T: Lane>(self, x: [T; N]) -> bool {
        let _ = x;
        false
    }
    #[inline(always)]
    fn rare<T: Lane, const FMA: bool>(self, x: [T; N]) -> <Self::Kind as Kind>::Of<T> {
        self.f::<T, FMA>(x)
    }
}

/// One run of a loop.
#[derive(Clone, Copy)]
pub struct Call<T: Lane, K: Kind> {
    pub(super) level: Level,
    /// Those after the formula's are not read.
    pub(super) inputs: [Source<T>; MOST],
    pub(super) out: *mut K::Of<T>,
    /// Of a row, whole ones.
    pub(super) blocks: usize,
    pub(super) write: Write,
    /// Whether inputs are fetched ahead.
    pub(super) fetch: bool,
    /// Null if there is but one row.
    pub(super) lines: *const Lines<T>,
}

/// The loops of a formula.
pub trait Loops<K: Kind>: Sync {
    /// How many inputs it has.
    fn inputs(&self) -> usize;
    /// # Safety
    ///
    /// Each input has `blocks` readable blocks (step 1) or one (step 0), `out` has `blocks` writable ones. `out`
    /// is the same memory as an input of step 1, or does not overlap it. To be streamed it is aligned, and within
    /// a fence. With `lines` this holds for each row, as they say.
    unsafe fn f32s(&self, call: &Call<f32, K>);
    /// # Safety
    /// As [`Loops::f32s`].
    unsafe fn f64s(&self, call: &Call<f64, K>);
    /// # Safety
    /// As [`Loops::f32s`].
    unsafe fn i64s(&self, call: &Call<i64, K>);
}

/// A formula of `N` inputs with its loops.
#[derive(Clone, Copy)]
pub(crate) struct Compiled<F, const N: usize>(F);

impl<F: Formula<N>, const N: usize> Loops<F::Kind> for Compiled<F, N> {
    fn inputs(&self) -> usize {
        N
    }
    unsafe fn f32s(&self, call: &Call<f32, F::Kind>) {
        // SAFETY: the caller's.
        unsafe { run(self.0, call) }
    }
    unsafe fn f64s(&self, call: &Call<f64, F::Kind>) {
        // SAFETY: the caller's.
        unsafe { run(self.0, call) }
    }
    unsafe fn i64s(&self, call: &Call<i64, F::Kind>) {
        // SAFETY: the caller's.
        unsafe { run(self.0, call) }
    }
}

/// The loops of a formula of one number.
pub(crate) fn mapped<O: Map>(op: O) -> Compiled<Mapped<O>, 1> {
    Compiled(Mapped(op))
}

/// The loops of a formula of one number with another for rare ones.
pub(crate) fn mapped_rare<O: Rare>(op: O) -> Compiled<MappedRare<O>, 1> {
    Compiled(MappedRare(op))
}

/// The loops of a formula of two numbers.
pub(crate) fn zipped<O: Zip>(op: O) -> Compiled<Zipped<O>, 2> {
    Compiled(Zipped(op))
}

/// The loops of a formula of three numbers.
pub(crate) fn zipped3<O: Zip3>(op: O) -> Compiled<Zipped3<O>, 3> {
    Compiled(Zipped3(op))
}

/// The loops of a question about two numbers.
pub(crate) fn compared<O: Compare>(op: O) -> Compiled<Compared<O>, 2> {
    Compiled(Compared(op))
}

#[derive(Clone, Copy)]
pub(crate) struct Mapped<O>(O);
#[derive(Clone, Copy)]
pub(crate) struct MappedRare<O>(O);
#[derive(Clone, Copy)]
pub(crate) struct Zipped<O>(O);
#[derive(Clone, Copy)]
pub(crate) struct Zipped3<O>(O);
#[derive(Clone, Copy)]
pub(crate) struct Compared<O>(O);

impl<O: Map> Formula<1> for Mapped<O> {
    type Kind = Numbers;
    #[inline(always)]
    fn f<T: Lane, const FMA: bool>(self, [x]: [T; 1]) -> T {
        T::map::<O, FMA>(self.0, x)
    }
}

impl<O: Rare> Formula<1> for MappedRare<O> {
    type Kind = Numbers;
    const HAS_RARE: bool = true;
    #[inline(always)]
    fn f<T: Lane, const FMA: bool>(self, [x]: [T; 1]) -> T {
        T::map::<O, FMA>(self.0, x)
    }
    #[inline(always)]
    fn is_rare<T: Lane>(self, [x]: [T; 1]) -> bool {
        T::is_rare(self.0, x)
    }
    #[inline(always)]
    fn rare<T: Lane, const FMA: bool>(self, [x]: [T; 1]) -> T {
        T::map_rare::<O, FMA>(self.0, x)
    }
}

impl<O: Zip> Formula<2> for Zipped<O> {
    type Kind = Numbers;
    #[inline(always)]
    fn f<T: Lane, const FMA: bool>(self, [a, b]: [T; 2]) -> T {
        T::zip::<O, FMA>(self.0, a, b)
    }
}

impl<O: Zip3> Formula<3> for Zipped3<O> {
    type Kind = Numbers;
    #[inline(always)]
    fn f<T: Lane, const FMA: bool>(self, [a, b, c]: [T; 3]) -> T {
        T::zip3::<O, FMA>(self.0, a, b, c)
    }
}

impl<O: Compare> Formula<2> for Compared<O> {
    type Kind = Answers;
    #[inline(always)]
    fn f<T: Lane, const FMA: bool>(self, [a, b]: [T; 2]) -> bool {
        T::compare::<O, FMA>(self.0, a, b)
    }
}
