//! What the losses over classes share: reductions, the layout of classes, checked class indices.

use super::prelude::*;
use gradus_tensor::Axes;

/// What becomes of the losses of the items.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reduction {
    /// Each stays.
    None,
    /// Their mean, weighted with the weights of the items if there are any.
    #[default]
    Mean,
    /// Their sum.
    Sum,
}

impl Reduction {
    /// Shape of the result, from that of the losses.
    pub(super) fn shape(self, losses: usize) -> Shape {
        if self == Reduction::None { [losses].into() } else { Shape::scalar() }
    }
    /// The losses `[m]` reduced, where a mean divides by `total`.
    pub(super) fn of(self, losses: Array, total: f64) -> Array {
        let sum = |by: f64| {
            let sum = losses.sum_all();
            Array::scalar(sum.item() / by, sum.dtype())
        };
        match self {
            Reduction::None => losses,
            Reduction::Mean => sum(total),
            Reduction::Sum => sum(1.0),
        }
    }
}

/// `[C]`, `[N, C]` or `[N, C, d…]` with the classes as rows `[m, C]`.
pub(super) struct Rows {
    pub(super) x: Tensor,
    /// Shape of the items: `[]`, `[N]`, `[N, d…]`.
    pub(super) items: Shape,
}

impl Rows {
    /// # Errors
    /// If there is no axis for the classes, or none of them.
    #[track_caller]
    pub(super) fn new(x: &Tensor) -> Result<Rows, OpError> {
        let (shape, rank) = (x.shape(), x.rank());
        if rank == 0 {
            return Err(OpError::rule("x: [C], [N, C] or [N, C, d..]"));
        }
        let axis = usize::from(rank > 1);
        if shape[axis] == 0 {
            return Err(OpError::rule("at least one class"));
        }
        let items = shape.without(axis);
        let turned = match rank {
            1 | 2 => x.clone(),
            _ => {
                let mut order: Axes<isize> = (0..rank as isize).filter(|&a| a != 1).collect();
                order.push(1);
                x.permute(&order)
            }
        };
        let x = turned.reshape_to(&[items.numel(), shape[axis]].into());
        Ok(Rows { x, items })
    }
    pub(super) fn classes(&self) -> usize {
        self.x.shape()[1]
    }
}

/// Class indices that have been checked, with the weights of their classes.
#[derive(Clone)]
pub(super) struct Classes {
    /// `[m]`, i64; −1 where the index is to be ignored.
    pub(super) at: Array,
    /// `[m]`: the weight of the class, 0 where it is to be ignored.
    pub(super) coef: Vec<f64>,
    /// The sum of the weights.
    pub(super) total: f64,
}

impl Classes {
    /// # Errors
    /// If shape or dtype of target or weight do not fit, if the weight is tracked, or if an index is out
    /// of range.
    pub(super) fn new(
        rows: &Rows,
        target: &Tensor,
        weight: Option<&Tensor>,
        ignore_index: i64,
    ) -> Result<Classes, OpError> {
        let classes = rows.classes();
        if !matches!(target.dtype(), DType::I64 | DType::U8) {
            return Err(OpError::rule("class indices are int64 or uint8"));
        }
        if *target.shape() != rows.items {
            let hint = format!("for this input the target is {}", rows.items);
            return Err(OpError::rule("x: [N, C, d..], target: [N, d..]").hint(hint));
        }
        let weight = weight.map(|w| class_weight(w, classes)).transpose()?;
        let mut at = target.to_vec::<i64>();
        let mut coef = vec![1.0; at.len()];
        for (at, coef) in at.iter_mut().zip(&mut coef) {
            if *at == ignore_index {
                (*at, *coef) = (-1, 0.0);
                continue;
            }
            match usize::try_from(*at).ok().filter(|&i| i < classes) {
                Some(i) => *coef = weight.as_ref().map_or(1.0, |w| w[i]),
                None => {
                    let hint = format!("index {at}, and there are {classes} classes");
                    return Err(OpError::rule("0 <= class index < C, or ignore_index").hint(hint));
                }
            }
        }
        let total = coef.iter().sum();
        Ok(Classes { at: Array::new(at.len(), &at), coef, total })
    }
    /// What the loss of each item is multiplied with, `[m]`, in `dtype`.
    pub(super) fn coef(&self, dtype: DType) -> Array {
        Array::from_f64(self.coef.len(), dtype, &self.coef)
    }
    /// The derivative of the reduced loss by the loss of each item, times its weight.
    pub(super) fn scale(&self, reduction: Reduction, dtype: DType) -> Array {
        if reduction != Reduction::Mean {
            return self.coef(dtype);
        }
        let share = |(c, &at): (&f64, &i64)| if at < 0 { 0.0 } else { c / self.total };
        let scale: Vec<f64> = self.coef.iter().zip(self.at.elements()).map(share).collect();
        Array::from_f64(scale.len(), dtype, &scale)
    }
}

/// The weights of the classes as numbers.
///
/// # Errors
/// If there is not one for each class, or if a gradient is wanted.
pub(super) fn class_weight(weight: &Tensor, classes: usize) -> Result<Vec<f64>, OpError> {
    if *weight.shape() != [classes] {
        let hint = format!("the weight is {}, and there are {classes} classes", weight.meta());
        return Err(OpError::rule("weight: [C]").hint(hint));
    }
    if weight.requires_grad() {
        return Err(OpError::rule("the weight has no derivative").hint("detach it"));
    }
    Ok(weight.to_vec())
}

/// The type that losses of inputs of this dtype are computed in.
pub(super) fn loss_lane(dtype: DType) -> DType {
    if dtype == DType::F64 { DType::F64 } else { DType::F32 }
}
