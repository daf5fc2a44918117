//! Products of arrays of any rank, on the packed product of `kernels/gemm`.

use crate::kernels::gemm::{Epilogue, GemmElement, MatRef, gemm, gemm_batched};
use crate::shape::Axes;
use crate::{Array, DType, Element, Shape};
use half::{bf16, f16};

/// What becomes of an element of a product before it is stored.
#[derive(Clone, Default)]
pub enum Finish {
    /// Nothing.
    #[default]
    None,
    /// Add a bias `[n]` to every row.
    Bias(Array),
    /// Add a bias `[n]` to every row, then take the positive part.
    BiasRelu(Array),
}

/// Shape of `a·b` by PyTorch's rules for all ranks; `None` if they do not fit.
pub fn matmul_shape(a: &[usize], b: &[usize]) -> Option<Shape> {
    let (left, (m, k)) = split(a, true)?;
    let (right, (k2, n)) = split(b, false)?;
    if k != k2 {
        return None;
    }
    let mut sizes = Axes::from(Shape::broadcast(&Shape::new(left), &Shape::new(right))?.dims());
    sizes.extend((a.len() > 1).then_some(m));
    sizes.extend((b.len() > 1).then_some(n));
    Some(Shape::new(&sizes))
}

/// Batch axes and matrix sizes; a vector is a row on the left, a column on the right.
fn split(sizes: &[usize], left: bool) -> Option<(&[usize], (usize, usize))> {
    match sizes {
        [] => None,
        &[k] => Some((&[], if left { (1, k) } else { (k, 1) })),
        [batch @ .., m, n] => Some((batch, (*m, *n))),
    }
}

impl Array {
    /// `a·b` for vectors, matrices and batches of matrices that broadcast (`torch.matmul`).
    ///
    /// f16 and bf16 are summed in f32 and rounded once; integers are summed in i64.
    ///
    /// # Panics
    /// If shapes or dtypes do not fit.
    #[track_caller]
    pub fn matmul(&self, rhs: &Array) -> Array {
        self.matmul_with(rhs, Finish::None)
    }
    /// As [`Array::matmul`], with a last step on every element.
    ///
    /// # Panics
    /// If shapes or dtypes do not fit.
    #[track_caller]
    pub fn matmul_with(&self, rhs: &Array, finish: Finish) -> Array {
        let (a, b) = (self.meta(), rhs.meta());
        assert!(a.dtype == b.dtype, "matmul: {a} · {b}: one dtype is needed");
        let Some(shape) = matmul_shape(&a.shape, &b.shape) else {
            panic!("matmul: {a} · {b} do not fit [.., m, k] · [.., k, n]");
        };
        match self.dtype() {
            DType::F32 => product::<f32>(self, rhs, shape, finish),
            DType::F64 => product::<f64>(self, rhs, shape, finish),
            DType::F16 => product::<f16>(self, rhs, shape, finish),
            DType::Bf16 => product::<bf16>(self, rhs, shape, finish),
            DType::I64 | DType::U8 | DType::Bool => integer_product(self, rhs, shape, &finish),
        }
    }
}

/// One matrix of a batch: where it starts, its sizes and strides.
struct Matrices {
    batch: Array,
    size: (usize, usize),
    strides: (isize, isize),
}

impl Matrices {
    /// Expanded to the batch axes of the result.
    fn new(x: &Array, left: bool, batch: &Shape) -> Self {
        let x = match (x.rank(), left) {
            (1, true) => x.unsqueeze(0),
            (1, false) => x.unsqueeze(1),
            _ => x.clone(),
        };
        let r = x.rank();
        let (size, s) = ((x.shape()[r - 2], x.shape()[r - 1]), x.strides());
        let strides = (s[r - 2], s[r - 1]);
        let mut sizes = Axes::from(batch.dims());
        sizes.extend([size.0, size.1]);
        Matrices { batch: x.expand(&Shape::new(&sizes)), size, strides }
    }
    fn count(&self) -> usize {
        self.batch.shape()[..self.batch.rank() - 2].iter().product()
    }
    /// Matrix `i` of the batch.
    fn at<T: Element>(&self, i: usize) -> MatRef<'_, T> {
        let (mut rest, mut offset) = (i, self.batch.offset() as isize);
        let (shape, strides) = (self.batch.shape(), self.batch.strides());
        for axis in (0..self.batch.rank() - 2).rev() {
            offset += (rest % shape[axis]) as isize * strides[axis];
            rest /= shape[axis];
        }
        MatRef::new(self.batch.stored::<T>(), offset as usize, self.size, self.strides)
    }
    /// May all matrices of the batch be read as one tall matrix?
    fn as_one<T: Element>(&self) -> Option<MatRef<'_, T>> {
        let r = self.batch.rank();
        let rows: usize = self.batch.shape()[..r - 1].iter().product();
        let (sizes, strides) = (self.batch.shape(), self.batch.strides());
        let mut expected = self.strides.0 * self.size.0 as isize;
        for axis in (0..r - 2).rev() {
            if sizes[axis] != 1 && strides[axis] != expected {
                return None;
            }
            expected *= sizes[axis] as isize;
        }
        let start = self.batch.offset();
        Some(MatRef::new(self.batch.stored::<T>(), start, (rows, self.size.1), self.strides))
    }
}

fn product<T: GemmElement + Element>(a: &Array, b: &Array, shape: Shape, finish: Finish) -> Array {
    let vectors = usize::from(a.rank() > 1) + usize::from(b.rank() > 1);
    let batch = Shape::new(&shape[..shape.rank() - vectors]);
    let shared = b.rank() <= 2; // one right factor for the whole batch: one tall product
    let (a, b) = (Matrices::new(a, true, &batch), Matrices::new(b, false, &batch));
    let bias = match &finish {
        Finish::None => None,
        Finish::Bias(x) | Finish::BiasRelu(x) => Some(x.clone().cast(a.batch.dtype()).contiguous()),
    };
    let epilogue = match (&finish, &bias) {
        (Finish::Bias(_), Some(x)) => Epilogue::Bias(x.elements::<T>()),
        (Finish::BiasRelu(_), Some(x)) => Epilogue::BiasRelu(x.elements::<T>()),
        _ => Epilogue::None,
    };
    Array::build::<T>(shape, |out| {
        if out.is_empty() {
            return;
        }
        let zero = <T as GemmElement>::ZERO;
        if a.count() == 1 {
            return gemm(a.at::<T>(0), b.at::<T>(0), zero, out, epilogue);
        }
        match a.as_one::<T>() {
            Some(tall) if shared => gemm(tall, b.at::<T>(0), zero, out, epilogue),
            _ => gemm_batched(a.count(), |i| a.at::<T>(i), |i| b.at::<T>(i), zero, out, epilogue),
        }
    })
}

/// Integer products are rare (masks, counts): a plain triple loop in i64.
fn integer_product(a: &Array, b: &Array, shape: Shape, finish: &Finish) -> Array {
    let vectors = usize::from(a.rank() > 1) + usize::from(b.rank() > 1);
    let batch = Shape::new(&shape[..shape.rank() - vectors]);
    let wide = |x: &Array| x.clone().cast(DType::I64);
    let dtype = a.dtype();
    let (a, b) = (Matrices::new(&wide(a), true, &batch), Matrices::new(&wide(b), false, &batch));
    let (m, k, n) = (a.size.0, a.size.1, b.size.1);
    let (x, y) = (a.batch.read::<i64>(), b.batch.read::<i64>());
    let bias = match finish {
        Finish::None => None,
        Finish::Bias(x) | Finish::BiasRelu(x) => Some(wide(x).to_vec::<i64>()),
    };
    let element = |i: usize| {
        let (matrix, row, col) = (i / (m * n), i / n % m, i % n);
        let sum = (0..k).fold(0_i64, |s, p| {
            let left = x[(matrix * m + row) * k + p];
            s.wrapping_add(left.wrapping_mul(y[(matrix * k + p) * n + col]))
        });
        match (finish, &bias) {
            (Finish::Bias(_), Some(bias)) => sum.wrapping_add(bias[col]),
            (Finish::BiasRelu(_), Some(bias)) => sum.wrapping_add(bias[col]).max(0),
            _ => sum,
        }
    };
    Array::build::<i64>(shape, |out| {
        out.iter_mut().enumerate().for_each(|(i, o)| *o = element(i));
    })
    .cast(dtype)
}
