//! `Y = A·B` for vectors, matrices and batches of matrices.

use super::prelude::*;
use gradus_tensor::matmul_shape;

struct Matmul;

impl Op for Matmul {
    const NAME: &'static str = "matmul";
    const AUTOCAST: Autocast = Autocast::Low;
    type In<T> = [T; 2];
    type Out<T> = T;

    fn infer(&self, [a, b]: [&Meta; 2]) -> Result<Meta, OpError> {
        match matmul_shape(&a.shape, &b.shape) {
            Some(shape) => Ok(Meta { shape, dtype: a.dtype }),
            None => Err(OpError::rule("[.., m, k] · [.., k, n] -> [.., m, n]").hint(hint(a, b))),
        }
    }
    fn forward(&self, [a, b]: [Array; 2], save: &mut Save<'_>) -> Array {
        if save.need(1) {
            save.input(0, &a);
        }
        if save.need(0) {
            save.input(1, &b);
        }
        a.matmul(&b)
    }
    /// `Ā = Ȳ·Bᵀ`, `B̄ = Aᵀ·Ȳ`; a vector is a row on the left and a column on the right.
    fn vjp(&self, saved: &Saved<'_>, g: Tensor) -> [Option<Tensor>; 2] {
        let (ra, rb) = (saved.shape(0).rank(), saved.shape(1).rank());
        // Put back the axes that vectors do not have.
        let g = if rb == 1 { g.unsqueeze(-1) } else { g };
        let g = if ra == 1 { g.unsqueeze(-2) } else { g };
        let left = saved.need(0).then(|| {
            let b = saved.input(1);
            let b = if rb == 1 { b.unsqueeze(-1) } else { b };
            let grad = g.matmul(&b.transpose(-1, -2));
            if ra == 1 { row_sum(grad) } else { grad }
        });
        let right = saved.need(1).then(|| {
            let a = saved.input(0);
            let a = if ra == 1 { a.unsqueeze(0) } else { a };
            tall_product(&a, &g, rb)
        });
        [left, right]
    }
    fn work(&self, [a, b]: [&Meta; 2], y: &Meta) -> Work {
        Work::of([a, b, y]).of_product(y, a.shape.last().copied().unwrap_or(1))
    }
}

/// The gradient of a left vector: the batch is summed, the row axis goes.
fn row_sum(grad: Tensor) -> Tensor {
    let k = grad.size(-1);
    grad.sum_to(&[1, k].into()).reshape(&[k as isize])
}

/// `Aᵀ·Ȳ`. If the right factor was one matrix for a whole batch, its gradient is one product of the
/// batch as a tall matrix, which sums over the batch on the way.
fn tall_product(a: &Tensor, g: &Tensor, rb: usize) -> Tensor {
    let (k, n) = (a.size(-1) as isize, g.size(-1) as isize);
    if rb > 2 {
        return a.transpose(-1, -2).matmul(g);
    }
    let grad = if a.rank() == 2 && g.rank() == 2 {
        a.transpose(0, 1).matmul(g)
    } else if a.shape()[..a.rank() - 1] == g.shape()[..g.rank() - 1] {
        let rows = a.shape()[..a.rank() - 1].iter().product::<usize>() as isize;
        a.reshape(&[rows, k]).transpose(0, 1).matmul(&g.reshape(&[rows, n]))
    } else {
        a.transpose(-1, -2).matmul(g).sum_to(&[k as usize, n as usize].into())
    };
    if rb == 1 { grad.reshape(&[k]) } else { grad }
}

#[cold]
fn hint(a: &Meta, b: &Meta) -> String {
    match (&*a.shape, &*b.shape) {
        ([], _) | (_, []) => "a scalar multiplies with *".to_owned(),
        ([.., k], [.., k2, _]) | ([.., k], [k2]) if k != k2 => {
            format!("the last axis of the left has {k}, the rows of the right {k2}")
        }
        _ => "the axes before the last two broadcast".to_owned(),
    }
}

impl Tensor {
    /// Matrix product, `[.., m, k] · [.., k, n] -> [.., m, n]`; a vector is a row on the left and a
    /// column on the right; leading axes broadcast (`torch.matmul`).
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[track_caller]
    pub fn matmul(&self, rhs: &Tensor) -> Tensor {
        must(self.try_matmul(rhs))
    }
    /// As [`Tensor::matmul`].
    ///
    /// # Errors
    /// If the shapes do not fit.
    #[track_caller]
    pub fn try_matmul(&self, rhs: &Tensor) -> Result<Tensor, OpError> {
        Tensor::try_apply(Matmul, [self, rhs])
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    let shapes: [&'static [&'static [usize]]; 11] = [
        &[&[2, 3], &[3, 4]],
        &[&[3], &[3]],
        &[&[3], &[3, 2]],
        &[&[2, 3], &[3]],
        &[&[2, 2, 3], &[3, 2]],
        &[&[2, 2, 3], &[2, 3, 2]],
        &[&[2, 1, 2, 3], &[2, 3, 2]],
        &[&[2, 3], &[2, 3, 2]],
        &[&[3], &[2, 3, 2]],
        &[&[2, 2, 3], &[3]],
        &[&[2, 0], &[0, 3]],
    ];
    let mut cases: Vec<Case> =
        shapes.into_iter().map(|s| Case::new(s, |x| x[0].matmul(&x[1]))).collect();
    cases.push(Case::new(&[&[3, 3]], |x| x[0].matmul(&x[0])));
    cases
}
