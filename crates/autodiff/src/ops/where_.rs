//! `y = a` where a condition holds, else `b`, broadcasting.

use super::prelude::*;
use gradus_tensor::result_type;

#[derive(Clone, Copy)]
struct Where;

impl Zip3 for Where {
    #[inline(always)]
    fn f<R: Real>(self, condition: R, a: R, b: R) -> R {
        R::select(condition != R::of(0.0), a, b)
    }
    #[inline(always)]
    fn int(self, condition: i64, a: i64, b: i64) -> i64 {
        if condition != 0 { a } else { b }
    }
}

impl Op for Where {
    const NAME: &'static str = "where_";
    const AUTOCAST: Autocast = Autocast::Input;
    const PROMOTION: Promotion = Promotion::CommonFrom(1);
    type In<T> = [T; 3];
    type Out<T> = T;

    fn infer(&self, [condition, a, b]: [&Meta; 3]) -> Result<Meta, OpError> {
        if condition.dtype != DType::Bool {
            return Err(OpError::rule("the condition is bool").hint("compare it: condition.ne(0)"));
        }
        let y = broadcast(a, b)?;
        broadcast(&condition.with_dtype(y.dtype), &y)
    }
    fn forward(&self, [condition, a, b]: [Array; 3], save: &mut Save<'_>) -> Array {
        save.cache(0, &condition);
        condition.cast(a.dtype()).zip3(a, b, Where)
    }
    /// `ā = ȳ` where the condition holds, else 0; `b̄` the other way round.
    fn vjp(&self, saved: &Saved<'_>, g: Tensor) -> [Option<Tensor>; 3] {
        let condition = Tensor::new(saved.cache(0).clone());
        let left = saved.need(1).then(|| Tensor::where_(&condition, &g, 0));
        let right = saved.need(2).then(|| Tensor::where_(&condition, 0, g));
        [None, left, right]
    }
}

impl Tensor {
    /// `a` where the condition (bool) holds, else `b`, broadcasting (`torch.where`); either may be a
    /// number.
    ///
    /// The gradient of the side that is not taken is 0, so an infinite derivative behind it becomes
    /// NaN, as in PyTorch: guard the argument, not the result.
    ///
    /// ```
    /// use gradus_autodiff::Tensor;
    /// let x = Tensor::from([-1.0, 2.0]);
    /// assert_eq!(Tensor::where_(&x.gt(0), &x, 0.5).to_vec::<f64>(), [0.5, 2.0]);
    /// ```
    /// # Panics
    /// If the condition is not bool, or the shapes do not broadcast.
    #[track_caller]
    pub fn where_(condition: &Tensor, a: impl Operand, b: impl Operand) -> Tensor {
        must(Tensor::try_where_(condition, a, b))
    }
    /// As [`Tensor::where_`].
    ///
    /// # Errors
    /// If the condition is not bool, or the shapes do not broadcast.
    #[track_caller]
    pub fn try_where_(
        condition: &Tensor,
        a: impl Operand,
        b: impl Operand,
    ) -> Result<Tensor, OpError> {
        let (a, b) = match (a.number(), b.number()) {
            (Some(a), Some(b)) => {
                let dtype = result_type([(a.dtype(), None), (b.dtype(), None)]);
                (Tensor::scalar(a, dtype), Tensor::scalar(b, dtype))
            }
            (Some(_), None) => {
                let b = b.operand(condition);
                (a.operand(&b), b)
            }
            (None, _) => {
                let a = a.operand(condition);
                let b = b.operand(&a);
                (a, b)
            }
        };
        Tensor::try_apply(Where, [condition.clone(), a, b])
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(&[&[2, 3], &[2, 3]], |x| Tensor::where_(&x[0].gt(&x[1]), &x[0], &x[1])),
        Case::new(&[&[2, 1], &[3]], |x| Tensor::where_(&x[0].gt(0), &x[0], &x[1]) * &x[1]),
        Case::new(&[&[3]], |x| Tensor::where_(&Tensor::from([[true], [false]]), &x[0], 2.0)),
        Case::new(&[&[2, 3]], |x| Tensor::where_(&x[0].lt(0), 1, &x[0] * &x[0])),
        Case::new(&[&[], &[0]], |x| Tensor::where_(&Tensor::from(true), &x[0], &x[1])),
        Case::new(&[&[3]], |x| Tensor::where_(&x[0].lt(0.5), &x[0], &x[0])),
    ]
}
