//! Pools over the last axes of an array: from PyTorch's arguments to windows, and the kernels in
//! parallel over planes.

use crate::kernels::pool::{self as kernels, Slide, Tap, Windows};
use crate::kernels::real::Float;
use crate::rows::{lane, row_lane};
use crate::{Array, Axes, DType, Element, PerAxis, Shape, threads};
use std::fmt;

/// Entries of the planes of one task, at least.
const CHUNK: usize = 16 << 10;
/// Serial nanoseconds for each entry and window of a plane: the dearest is 3×3 with stride 1, where
/// entries are read nine times.
const NS_PER_ENTRY: f64 = 0.5;
/// Entries of a window whose numbers fit into a byte, one of which stands for none.
const BYTE: usize = u8::MAX as usize;

/// The windows of a pool that slides, in PyTorch's words.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pool {
    /// Entries of a window.
    pub kernel: PerAxis,
    /// Steps from one window to the next; `None` is `kernel`.
    pub stride: Option<PerAxis>,
    /// Entries of nothing before and behind each axis.
    pub padding: PerAxis,
    /// Steps from one entry of a window to the next.
    pub dilation: PerAxis,
    /// Is there a last window that leaves the axis at its end?
    pub ceil_mode: bool,
    /// What an average divides by.
    pub divisor: Divisor,
}

/// What an average divides by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Divisor {
    /// The entries of the window, padding among them.
    #[default]
    WithPadding,
    /// The entries of the window inside the input.
    Inside,
    /// This number.
    Fixed(i64),
}

/// How many windows an adaptive pool has on each axis; `None` is as many as there are entries.
///
/// ```
/// use gradus_tensor::AdaptiveSize;
/// assert_eq!(AdaptiveSize::from(3).to_string(), "3");
/// assert_eq!(AdaptiveSize::from([None, Some(2)]).to_string(), "(None, 2)");
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct AdaptiveSize {
    sizes: [Option<usize>; 3],
    /// 1: the first for all axes.
    count: usize,
}

impl AdaptiveSize {
    fn on(&self, input: &[usize]) -> Option<Axes<usize>> {
        let one = self.count == 1;
        (one || self.count == input.len()).then(|| {
            let size = |(i, &n): (usize, &usize)| self.sizes[if one { 0 } else { i }].unwrap_or(n);
            input.iter().enumerate().map(size).collect()
        })
    }
}

impl From<usize> for AdaptiveSize {
    fn from(size: usize) -> Self {
        [size].into()
    }
}
impl<const N: usize> From<[usize; N]> for AdaptiveSize {
    fn from(sizes: [usize; N]) -> Self {
        sizes.map(Some).into()
    }
}
/// # Panics
/// If there are no sizes, or more than three.
impl<const N: usize> From<[Option<usize>; N]> for AdaptiveSize {
    #[track_caller]
    fn from(given: [Option<usize>; N]) -> Self {
        assert!((1..=3).contains(&N), "AdaptiveSize: one to three sizes, got {N}");
        let mut sizes = [None; 3];
        sizes[..N].copy_from_slice(&given);
        AdaptiveSize { sizes, count: N }
    }
}

/// As PyTorch prints it: `3` or `(None, 2)`.
impl fmt::Display for AdaptiveSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |s: &Option<usize>| s.map_or_else(|| "None".to_owned(), |s| s.to_string());
        match &self.sizes[..self.count] {
            [one] => f.write_str(&text(one)),
            several => {
                let texts: Vec<String> = several.iter().map(text).collect();
                write!(f, "({})", texts.join(", "))
            }
        }
    }
}
impl fmt::Debug for AdaptiveSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A pool does not fit an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolError {
    /// What must hold.
    pub rule: &'static str,
    /// What does not.
    pub hint: String,
}

fn refuse<T>(rule: &'static str, hint: String) -> Result<T, PoolError> {
    Err(PoolError { rule, hint })
}

impl Pool {
    /// Of these windows, side by side: PyTorch's defaults.
    pub fn new(kernel: impl Into<PerAxis>) -> Self {
        let (kernel, divisor) = (kernel.into(), Divisor::default());
        let (padding, dilation) = (0.into(), 1.into());
        Pool { kernel, stride: None, padding, dilation, ceil_mode: false, divisor }
    }
    /// On an input with these spatial sizes.
    ///
    /// # Errors
    /// If the pool does not fit.
    pub fn windows(&self, input: &[usize]) -> Result<Windows, PoolError> {
        let stride = self.stride.unwrap_or(self.kernel);
        let parts = [self.kernel, stride, self.padding, self.dilation];
        let Some(parts) = parts.iter().map(|p| p.on(input.len())).collect::<Option<Vec<_>>>()
        else {
            let hint = format!("{self:?} on {} axes", input.len());
            return refuse("one size for all axes, or one for each", hint);
        };
        let (ceil_mode, count_padding) = (self.ceil_mode, self.divisor != Divisor::Inside);
        let mut slides = Axes::new();
        for (axis, &n) in input.iter().enumerate() {
            let [kernel, stride, padding, dilation] = [0, 1, 2, 3].map(|i| parts[i][axis]);
            if kernel == 0 || stride == 0 || dilation == 0 {
                let hint = format!("kernel {kernel}, stride {stride}, dilation {dilation}");
                return refuse("kernel, stride and dilation are positive", hint);
            }
            if padding > kernel / 2 {
                let hint = format!("padding {padding}, kernel {kernel}");
                return refuse("padding <= kernel/2", hint);
            }
            let slide = Slide { kernel, stride, padding, dilation, ceil_mode, count_padding };
            if slide.windows(n) == 0 {
                let hint =
                    format!("kernel {kernel}, dilation {dilation}, padding {padding} on {n}");
                return refuse("a window fits into the padded input", hint);
            }
            slides.push(slide);
        }
        let divisor = match self.divisor {
            Divisor::Fixed(0) => return refuse("the divisor is not 0", String::new()),
            Divisor::Fixed(n) => Some(n as f64),
            _ => None,
        };
        Ok(Windows::sliding(input, &slides, divisor))
    }
}

impl AdaptiveSize {
    /// On an input with these spatial sizes.
    ///
    /// # Errors
    /// If there are other axes.
    pub fn windows(&self, input: &[usize]) -> Result<Windows, PoolError> {
        match self.on(input) {
            Some(output) => Ok(Windows::adaptive(input, &output)),
            None => {
                let hint = format!("output size {self} on {} axes", input.len());
                refuse("one output size for all axes, or one for each", hint)
            }
        }
    }
}

/// The shape of `x` with other sizes on the axes of a pool.
fn shape(x: &Array, from: &[usize], to: &[usize]) -> Shape {
    let kept = x.rank().checked_sub(from.len()).expect("as many axes as the pool has");
    assert!(x.shape()[kept..] == *from, "pool: windows over {from:?}, input {}", x.shape());
    Shape::new(&[&x.shape()[..kept], to].concat())
}

/// Planes of one task, and what they cost together.
fn tasks(planes: usize, windows: &Windows) -> (usize, f64) {
    let entries = windows.input_plane() + windows.output_plane();
    ((CHUNK / entries.max(1)).max(1), (planes * entries) as f64 * NS_PER_ENTRY)
}

/// `(first plane, x, y)` of a task.
type PlaneKernel<'k, T> = dyn Fn(usize, &[T], &mut [T]) + Sync + 'k;

/// An array filled plane by plane: `part` for the planes of a task, of `from` and `to` elements.
fn by_planes<T: Element>(
    x: &Array,
    [from, to]: [(usize, &[usize]); 2],
    windows: &Windows,
    part: &PlaneKernel<'_, T>,
) -> Array {
    let x_elements = x.elements::<T>();
    let shape = shape(x, from.1, to.1);
    let (from, to) = (from.0, to.0);
    Array::build::<T>(shape, |y| {
        let planes = y.len() / to.max(1);
        let (group, cost) = tasks(planes, windows);
        threads::run_chunks(y, (group * to).max(1), cost, &|i, y| {
            let first = i * group;
            let count = y.len() / to.max(1);
            part(first, &x_elements[first * from..][..count * from], y);
        });
    })
}

impl Array {
    /// The maximum of every window over the last axes, and the numbers of the entries it was found at,
    /// for [`Array::pool_place`]: `U8` where they fit into a byte, else `I64`.
    ///
    /// # Panics
    /// If the shape does not fit.
    #[track_caller]
    pub fn pool_max(&self, windows: &Windows, with_taps: bool) -> (Array, Option<Array>) {
        let x = self.clone().cast(row_lane(self.dtype())).contiguous();
        let to = shape(&x, &windows.input(), &windows.output());
        let (y, taps) = lane!(x.dtype(), T => match with_taps {
            false => (largest::<T, ()>(&x, windows, &to, &mut vec![(); to.numel()]), None),
            true if windows.taps() < BYTE => found::<T, u8>(&x, windows, &to),
            true => found::<T, i64>(&x, windows, &to),
        });
        (y.cast(self.dtype()), taps)
    }
    /// As `(d·H + h)·W + w`, what [`Array::pool_max`] found: PyTorch's indices, `I64`; −1 for a window of
    /// nothing.
    ///
    /// # Panics
    /// If `self` does not belong to `windows`.
    #[track_caller]
    pub fn pool_positions(&self, windows: &Windows) -> Array {
        Array::build::<i64>(self.shape(), |out| match self.dtype() {
            DType::U8 => kernels::positions(self.elements::<u8>(), windows, out),
            _ => kernels::positions(self.elements::<i64>(), windows, out),
        })
    }
    /// Every number added to zeros where the maximum was found: the adjoint of [`Array::pool_pick`].
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[track_caller]
    pub fn pool_place(&self, taps: &Array, windows: &Windows) -> Array {
        assert!(self.shape() == taps.shape(), "pool_place: {} and {}", self.meta(), taps.meta());
        match taps.dtype() {
            DType::U8 => moved::<u8>(self, taps, windows, Move::Place),
            _ => moved::<i64>(self, taps, windows, Move::Place),
        }
    }
    /// The entries where the maximum of another array was found.
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[track_caller]
    pub fn pool_pick(&self, taps: &Array, windows: &Windows) -> Array {
        match taps.dtype() {
            DType::U8 => moved::<u8>(self, taps, windows, Move::Pick),
            _ => moved::<i64>(self, taps, windows, Move::Pick),
        }
    }
    /// The mean of every window over the last axes.
    ///
    /// # Panics
    /// If the shape does not fit.
    #[track_caller]
    pub fn pool_average(&self, windows: &Windows) -> Array {
        let x = self.clone().cast(row_lane(self.dtype())).contiguous();
        let (input, output) = (windows.input(), windows.output());
        let sizes = [(windows.input_plane(), &input[..]), (windows.output_plane(), &output[..])];
        lane!(x.dtype(), T => by_planes::<T>(&x, sizes, windows, &|_, x, y| {
            kernels::average(x, windows, y);
        }))
        .cast(self.dtype())
    }
    /// The adjoint of [`Array::pool_average`].
    ///
    /// # Panics
    /// If the shape does not fit.
    #[track_caller]
    pub fn pool_spread(&self, windows: &Windows) -> Array {
        let g = self.clone().cast(row_lane(self.dtype())).contiguous();
        let (input, output) = (windows.input(), windows.output());
        let sizes = [(windows.output_plane(), &output[..]), (windows.input_plane(), &input[..])];
        lane!(g.dtype(), T => by_planes::<T>(&g, sizes, windows, &|_, g, gx| {
            kernels::spread(g, windows, gx);
        }))
        .cast(self.dtype())
    }
}

/// The maxima with their taps.
fn found<T: Float + Element, C: Tap + Element>(
    x: &Array,
    windows: &Windows,
    to: &Shape,
) -> (Array, Option<Array>) {
    let mut y = None;
    let taps = Array::build::<C>(to, |taps| y = Some(largest::<T, C>(x, windows, to, taps)));
    (y.expect("set by build"), Some(taps))
}

fn largest<T: Float + Element, C: Tap>(
    x: &Array,
    windows: &Windows,
    to: &Shape,
    taps: &mut [C],
) -> Array {
    let (from, plane) = (windows.input_plane(), windows.output_plane());
    let x = x.elements::<T>();
    Array::build::<T>(to, |y| {
        let (group, cost) = tasks(y.len() / plane.max(1), windows);
        let chunk = (group * plane).max(1);
        let mut both: Vec<_> = y.chunks_mut(chunk).zip(taps.chunks_mut(chunk)).collect();
        threads::run_chunks(&mut both, 1, cost, &|i, both| {
            for (y, taps) in both {
                let x = &x[i * group * from..][..y.len() / plane * from];
                kernels::largest(x, windows, y, taps);
            }
        });
    })
}

#[derive(Clone, Copy, PartialEq)]
enum Move {
    Place,
    Pick,
}

fn moved<C: Tap + Element>(x: &Array, taps: &Array, windows: &Windows, what: Move) -> Array {
    let dtype = x.dtype();
    let x = x.clone().cast(row_lane(dtype)).contiguous();
    let (input, output) = (windows.input(), windows.output());
    let mut sizes = [(windows.input_plane(), &input[..]), (windows.output_plane(), &output[..])];
    if what == Move::Place {
        sizes.reverse();
    }
    let (taps, plane) = (taps.elements::<C>(), windows.output_plane());
    lane!(x.dtype(), T => by_planes::<T>(&x, sizes, windows, &|first, x, y| {
        let count = if what == Move::Place { x.len() } else { y.len() };
        let taps = &taps[first * plane..][..count];
        match what {
            Move::Place => kernels::place(x, taps, windows, y),
            Move::Pick => kernels::pick(x, taps, windows, y),
        }
    }))
    .cast(dtype)
}
