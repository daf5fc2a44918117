//! More entries, or fewer, at both ends of the last axes.

use crate::element::dispatch;
use crate::kernels::real::Float;
use crate::rows::{lane, row_lane};
use crate::{Array, Axes, Element, Scalar, Shape, threads};
use std::ops::Range;

/// Elements of the planes of one task, at least.
const CHUNK: usize = 16 << 10;
/// Serial nanoseconds for each element.
const NS_PER_ELEMENT: f64 = 0.3;

/// What stands where there was nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum PadMode {
    /// 0.
    #[default]
    Zeros,
    /// This number.
    Constant(Scalar),
    /// The entries mirrored at the first and the last one, which are not repeated.
    Reflect,
    /// The first or the last entry.
    Replicate,
    /// The entries of the other end.
    Circular,
}

/// A padding does not fit an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PadError {
    /// What must hold.
    pub rule: &'static str,
    /// What does not.
    pub hint: String,
}

fn refuse<T>(rule: &'static str, hint: String) -> Result<T, PadError> {
    Err(PadError { rule, hint })
}

/// One axis: every new entry is an old one, or nothing.
#[derive(Clone, Debug)]
struct AxisMap {
    /// Old entries.
    size: usize,
    /// For every new entry, the old one; [`NOTHING`] if there is none.
    from: Vec<usize>,
    /// New entries that are old ones in their order.
    inside: Range<usize>,
}

const NOTHING: usize = usize::MAX;

impl AxisMap {
    /// `None` if the axis would have a negative size, or entries would be needed that are not there.
    fn new(size: usize, [before, after]: [isize; 2], mode: PadMode) -> Result<AxisMap, PadError> {
        let n = size as isize;
        let Some(count) = n.checked_add(before).and_then(|n| n.checked_add(after)) else {
            return refuse("sizes are small", format!("padding {before}, {after} of {size}"));
        };
        let hint = || format!("padding {before}, {after} of an axis of {size}");
        if before.min(0) + after.min(0) + n < 0 || count < 0 {
            return refuse("an axis loses no more entries than it has", hint());
        }
        let most = before.max(after);
        match mode {
            _ if count == 0 => {}
            PadMode::Reflect if most >= n => return refuse("padding < size of the axis", hint()),
            PadMode::Circular if most > n || n + before.min(0) + after.min(0) == 0 => {
                return refuse("padding <= size of the axis", hint());
            }
            PadMode::Replicate if size == 0 => return refuse("the axis has entries", hint()),
            _ => {}
        }
        // Entries that are cut off do not come back at the other end.
        let (first, kept) = (-before.min(0), (n + before.min(0) + after.min(0)).max(1));
        let from = |i: isize| {
            let at = i - before;
            let at = match mode {
                _ if (0..n).contains(&at) && mode != PadMode::Circular => at,
                PadMode::Zeros | PadMode::Constant(_) => return NOTHING,
                PadMode::Reflect => {
                    if at < 0 {
                        -at
                    } else {
                        2 * (n - 1) - at
                    }
                }
                PadMode::Replicate => at.clamp(0, n - 1),
                PadMode::Circular => first + (at - first).rem_euclid(kept),
            };
            at as usize
        };
        let from: Vec<usize> = (0..count).map(from).collect();
        let inside = before.max(0)..(before + n).min(count).max(before.max(0));
        Ok(AxisMap { size, from, inside: inside.start as usize..inside.end as usize })
    }
}

/// An input of known shape with other ends.
#[derive(Clone, Debug)]
pub struct Padded {
    /// Of the last axes, the outermost first.
    axes: Vec<AxisMap>,
    value: Scalar,
}

impl Padded {
    /// `pad` is `[before, after]` of the last axis, then of the one before it, and so on; negative numbers
    /// cut entries off.
    ///
    /// # Errors
    /// If the padding does not fit.
    pub fn new(shape: &[usize], pad: &[isize], mode: PadMode) -> Result<Padded, PadError> {
        let (pairs, rest) = pad.as_chunks::<2>();
        if !rest.is_empty() || pairs.len() > shape.len() {
            let hint = format!("{} numbers, rank {}", pad.len(), shape.len());
            return refuse("two numbers for each padded axis", hint);
        }
        let (axes, rank) = (pairs.len(), shape.len());
        let plain = matches!(mode, PadMode::Zeros | PadMode::Constant(_)) || axes == 0;
        if !plain && (axes > 3 || !(axes + 1..=axes + 2).contains(&rank)) {
            let hint = format!("{axes} padded axes, rank {rank}; constant padding takes any rank");
            return refuse("x: [N, C, *] or [C, *], with * the padded axes, at most 3", hint);
        }
        let value = if let PadMode::Constant(value) = mode { value } else { Scalar::Int(0) };
        let sizes = &shape[rank - axes..];
        let maps = sizes.iter().zip(pairs.iter().rev()).map(|(&n, &p)| AxisMap::new(n, p, mode));
        Ok(Padded { axes: maps.collect::<Result<_, _>>()?, value })
    }
    /// The same padding with zeros for its constant.
    #[must_use]
    pub fn with_zeros(&self) -> Padded {
        Padded { value: Scalar::Int(0), ..self.clone() }
    }
    /// The shape of the result for an input of this shape.
    ///
    /// # Panics
    /// If it has fewer axes than are padded.
    pub fn shape(&self, input: &Shape) -> Shape {
        let kept = input.rank() - self.axes.len();
        let new = self.axes.iter().map(|a| a.from.len());
        Shape::new(&input[..kept].iter().copied().chain(new).collect::<Axes<usize>>())
    }
    fn input_plane(&self) -> usize {
        self.axes.iter().map(|a| a.size).product()
    }
    fn output_plane(&self) -> usize {
        self.axes.iter().map(|a| a.from.len()).product()
    }
    /// For each row of a plane of the result in order, where its row of the input begins.
    fn rows(&self) -> Vec<usize> {
        let Some((last, outer)) = self.axes.split_last() else { return vec![0] };
        let mut rows = vec![0];
        for axis in outer {
            let entry = |&row: &usize| {
                axis.from.iter().map(move |&at| match (row, at) {
                    (NOTHING, _) | (_, NOTHING) => NOTHING,
                    (row, at) => row * axis.size + at,
                })
            };
            rows = rows.iter().flat_map(entry).collect();
        }
        let start = |row| if row == NOTHING { NOTHING } else { row * last.size };
        rows.into_iter().map(start).collect()
    }
}

impl Array {
    /// Other ends of the last axes (`torch.nn.functional.pad`).
    ///
    /// # Panics
    /// If the shape is another one than `padded` was made for.
    #[track_caller]
    pub fn pad(&self, padded: &Padded) -> Array {
        let x = self.clone().contiguous();
        let shape = padded.shape(x.shape());
        let (rows, input, output) = (padded.rows(), padded.input_plane(), padded.output_plane());
        assert!(x.numel() * output == shape.numel() * input, "pad: another shape, {}", x.shape());
        dispatch!(x.dtype(), T => {
            let (x, value) = (x.elements::<T>(), T::of(padded.value));
            Array::build::<T>(shape, |y| by_planes(y, output, &|first, y| {
                for (i, y) in y.chunks_exact_mut(output).enumerate() {
                    fill_plane(&x[(first + i) * input..][..input], &rows, padded.axes.last(), value, y);
                }
            }))
        })
    }
    /// Every element added to where [`Array::pad`] took it from: its adjoint, onto `shape`.
    ///
    /// # Panics
    /// If the shape is another one than that of the result of `padded`.
    #[track_caller]
    pub fn pad_backward(&self, padded: &Padded, shape: &Shape) -> Array {
        assert!(*self.shape() == padded.shape(shape), "pad_backward: another shape");
        let g = self.clone().cast(row_lane(self.dtype())).contiguous();
        let (rows, input, output) = (padded.rows(), padded.input_plane(), padded.output_plane());
        lane!(g.dtype(), T => {
            let g = g.elements::<T>();
            Array::build::<T>(shape, |gx| by_planes(gx, input, &|first, gx| {
                for (i, gx) in gx.chunks_exact_mut(input).enumerate() {
                    add_plane(&g[(first + i) * output..][..output], &rows, padded.axes.last(), gx);
                }
            }))
        })
        .cast(self.dtype())
    }
}

/// `part(first plane, planes)` in tasks of whole planes of `plane` elements.
fn by_planes<T: Element>(out: &mut [T], plane: usize, part: &(dyn Fn(usize, &mut [T]) + Sync)) {
    let group = (CHUNK / plane.max(1)).max(1);
    let cost = out.len() as f64 * NS_PER_ELEMENT;
    threads::run_chunks(out, (group * plane).max(1), cost, &|i, out| part(i * group, out));
}

fn fill_plane<T: Element>(
    x: &[T],
    rows: &[usize],
    across: Option<&AxisMap>,
    value: T,
    y: &mut [T],
) {
    let Some(across) = across else { return y.copy_from_slice(x) };
    let AxisMap { size, from, inside } = across;
    for (y, &row) in y.chunks_exact_mut(from.len().max(1)).zip(rows) {
        if row == NOTHING {
            y.fill(value);
            continue;
        }
        let x = &x[row..][..*size];
        let at = |i: usize| x.get(from[i]).copied().unwrap_or(value);
        for i in (0..inside.start).chain(inside.end..from.len()) {
            y[i] = at(i);
        }
        if !inside.is_empty() {
            let start = from[inside.start];
            y[inside.clone()].copy_from_slice(&x[start..][..inside.len()]);
        }
    }
}

fn add_plane<T: Float>(g: &[T], rows: &[usize], across: Option<&AxisMap>, gx: &mut [T]) {
    let Some(across) = across else { return gx.copy_from_slice(g) };
    let AxisMap { size, from, inside } = across;
    gx.fill(T::default());
    let add = |gx: &mut T, g: &T| {
        *gx = T::unwrap::<false>(gx.wrap::<false>() + g.wrap::<false>());
    };
    for (g, &row) in g.chunks_exact(from.len().max(1)).zip(rows) {
        if row == NOTHING {
            continue;
        }
        let gx = &mut gx[row..][..*size];
        for i in (0..inside.start).chain(inside.end..from.len()) {
            if let Some(gx) = gx.get_mut(from[i]) {
                add(gx, &g[i]);
            }
        }
        if !inside.is_empty() {
            let to = &mut gx[from[inside.start]..][..inside.len()];
            to.iter_mut().zip(&g[inside.clone()]).for_each(|(gx, g)| add(gx, g));
        }
    }
}
