//! Picking and placing elements by position: index_select, gather, their adjoints, cat.

use crate::element::dispatch;
use crate::shape::Axes;
use crate::{Array, DType, Element, Shape};

impl Array {
    /// Indices as positions on an axis of this size; a negative one counts from the end.
    ///
    /// # Errors
    /// The first index that is out of range.
    pub fn positions(&self, size: usize) -> Result<Vec<usize>, i64> {
        let position = |i: i64| {
            let at = if i < 0 { i + size as i64 } else { i };
            usize::try_from(at).ok().filter(|&p| p < size).ok_or(i)
        };
        self.to_vec::<i64>().into_iter().map(position).collect()
    }
    /// The entries of axis `dim` at the positions of the 1-dim array `index` (`torch.index_select`).
    ///
    /// # Panics
    /// If the axis does not exist or an index leaves it.
    #[track_caller]
    pub fn index_select(&self, dim: isize, index: &Array) -> Array {
        let axis = self.axis("index_select", dim);
        let source = if self.rank() == 0 { self.reshape(&Shape::new(&[1])) } else { self.clone() };
        let source = source.contiguous();
        let (outer, n, inner) = source.shape().around(axis);
        let at = match index.positions(n) {
            Ok(at) => at,
            Err(i) => panic!("index_select: index {i} leaves axis {axis} of {}", self.shape()),
        };
        let shape = source.shape().with(axis, at.len());
        let y = dispatch!(self.dtype(), T => {
            let x = source.elements::<T>();
            Array::build::<T>(&shape, |out| {
                let rows = (0..outer).flat_map(|o| at.iter().map(move |&p| (o * n + p) * inner));
                let chunks = out.chunks_mut(inner.max(1));
                chunks.zip(rows).for_each(|(out, p)| out.copy_from_slice(&x[p..p + inner]));
            })
        });
        if self.rank() == 0 { y.into_shape(self.shape()) } else { y }
    }
    /// `out[.., index[j], ..] += self[.., j, ..]` on zeros with `size` entries along `axis`: the adjoint
    /// of [`Array::index_select`]. Indices are in range and not negative.
    pub fn index_add_zeros(&self, axis: usize, index: &[usize], size: usize) -> Array {
        let x = self.clone().cast(self.dtype().accumulator()).contiguous();
        let (outer, n, inner) = x.shape().around(axis);
        let shape = x.shape().with(axis, size);
        dispatch!(x.dtype(), T => add_rows::<T>(&x, &shape, |out, x, add| {
            for o in 0..outer {
                for (j, &p) in index.iter().enumerate() {
                    let (to, from) = ((o * size + p) * inner, (o * n + j) * inner);
                    let rows = out[to..to + inner].iter_mut().zip(&x[from..from + inner]);
                    rows.for_each(|(o, &v)| add(o, v));
                }
            }
        }))
        .cast(self.dtype())
    }
    /// `out[i][j] = self[index[i][j]][j]` along axis `axis` (`torch.gather`); `index` has been checked.
    pub fn gather(&self, axis: usize, index: &Array) -> Array {
        let (x, at) = (self.clone().contiguous(), self.sources(axis, index));
        dispatch!(self.dtype(), T => {
            let x = x.elements::<T>();
            Array::build::<T>(index.shape(), |out| {
                out.iter_mut().zip(&at).for_each(|(o, &p)| *o = x[p]);
            })
        })
    }
    /// Add every element to where [`Array::gather`] took it from, on zeros of shape `shape`.
    pub fn scatter_add_zeros(&self, axis: usize, index: &Array, shape: &Shape) -> Array {
        let zeros = Array::zeros(shape, DType::Bool);
        let at = zeros.sources(axis, index);
        let x = self.clone().cast(self.dtype().accumulator()).contiguous();
        dispatch!(x.dtype(), T => add_rows::<T>(&x, shape, |out, x, add| {
            at.iter().zip(x).for_each(|(&p, &v)| add(&mut out[p], v));
        }))
        .cast(self.dtype())
    }
    /// For every element of `index`, the row-major position in `self` that it picks along `axis`.
    fn sources(&self, axis: usize, index: &Array) -> Vec<usize> {
        let (strides, sizes) = (self.shape().strides(), index.shape());
        let picked = index.positions(self.shape()[axis]).expect("checked by the caller");
        let mut place: Axes<usize> = smallvec::smallvec![0; sizes.rank()];
        picked
            .into_iter()
            .map(|p| {
                let at = |i: usize| if i == axis { p } else { place[i] };
                let flat = (0..place.len()).map(|i| at(i) * strides[i] as usize).sum();
                for i in (0..place.len()).rev() {
                    place[i] += 1;
                    if place[i] < sizes[i] {
                        break;
                    }
                    place[i] = 0;
                }
                flat
            })
            .collect()
    }
    /// This array as entries `start, start + step, …` of an axis of `size`, zeros elsewhere: the adjoint
    /// of [`Array::slice`].
    ///
    /// # Panics
    /// If an entry leaves the axis.
    #[track_caller]
    pub fn place(&self, axis: usize, start: usize, step: usize, size: usize) -> Array {
        let (outer, n, inner) = self.shape().around(axis);
        let last = n.checked_sub(1).map_or(0, |n| start + n * step + 1);
        assert!(last <= size, "place: {n} entries from {start} by {step} leave an axis of {size}");
        dispatch!(self.dtype(), T => Array::build::<T>(self.shape().with(axis, size), |out| {
            out.fill(T::default());
            let x = self.read::<T>();
            for o in 0..outer {
                for j in 0..n {
                    let (to, from) = ((o * size + start + j * step) * inner, (o * n + j) * inner);
                    out[to..to + inner].copy_from_slice(&x[from..from + inner]);
                }
            }
        }))
    }
    /// Arrays of one dtype joined along `axis`; all other sizes are equal.
    ///
    /// # Panics
    /// If there are none, or they do not fit.
    #[track_caller]
    pub fn cat(xs: &[Array], axis: usize) -> Array {
        let first = xs.first().expect("cat: at least one array");
        let fits = |x: &Array| {
            x.dtype() == first.dtype() && x.shape().with(axis, 0) == first.shape().with(axis, 0)
        };
        assert!(
            xs.iter().all(fits),
            "cat: dtypes and all sizes but those of axis {axis} are equal"
        );
        let total = xs.iter().map(|x| x.shape()[axis]).sum();
        let shape = first.shape().with(axis, total);
        let (outer, _, inner) = first.shape().around(axis);
        dispatch!(first.dtype(), T => Array::build::<T>(&shape, |out| {
            let mut at = 0;
            for x in xs {
                let width = x.shape()[axis] * inner;
                let x = x.read::<T>();
                for o in 0..outer {
                    let to = o * total * inner + at;
                    out[to..to + width].copy_from_slice(&x[o * width..(o + 1) * width]);
                }
                at += width;
            }
        }))
    }
}

/// Zeros of `shape`, into which `f(out, x, add)` adds elements of `x`.
fn add_rows<T: Element>(
    x: &Array,
    shape: &Shape,
    f: impl FnOnce(&mut [T], &[T], fn(&mut T, T)),
) -> Array {
    let add: fn(&mut T, T) = |o, v| *o = T::of(sum(o.scalar(), v.scalar()));
    Array::build::<T>(shape, |out| {
        out.fill(T::default());
        f(out, x.elements::<T>(), add);
    })
}

/// The sum of two numbers of one accumulator type.
fn sum(a: crate::Scalar, b: crate::Scalar) -> crate::Scalar {
    use crate::Scalar::{Float, Int};
    match (a, b) {
        (Int(a), Int(b)) => Int(a.wrapping_add(b)),
        (a, b) => Float(a.to_f64() + b.to_f64()),
    }
}
