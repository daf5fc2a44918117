//! `−log softmax(x)ₜ` of the target class: one pass over the logits each way.

use super::prelude::*;
use super::targets::{Classes, Rows, class_weight, loss_lane};
use crate::Reduction;

/// `[m, C] -> [m]` or `[]`, for class indices.
struct CrossEntropy {
    classes: Classes,
    reduction: Reduction,
}

impl Op for CrossEntropy {
    const NAME: &'static str = "cross_entropy";
    const AUTOCAST: Autocast = Autocast::F32;
    type In<T> = T;
    type Out<T> = T;

    fn infer(&self, x: &Meta) -> Result<Meta, OpError> {
        let x = super::softmax::floating(x)?;
        Ok(x.with_shape(self.reduction.shape(x.shape[0])))
    }
    fn forward(&self, x: Array, save: &mut Save<'_>) -> Array {
        let coef = self.classes.coef(loss_lane(x.dtype()));
        let (losses, sums) = x.cross_entropy_rows(&self.classes.at, &coef);
        save.input(0, &x);
        save.cache(0, &sums);
        self.reduction.of(losses, self.classes.total).cast(x.dtype())
    }
    /// `x̄ᵢ = ȳ·wᵢ·(softmax(xᵢ) − onehot(tᵢ))` (over `Σ w` for a mean), in one pass.
    fn vjp(&self, saved: &Saved<'_>, g: Tensor) -> Tensor {
        let scale = self.classes.scale(self.reduction, loss_lane(saved.dtype(0)));
        let scale = g * Tensor::new(scale);
        let (at, sums) = (self.classes.at.clone(), saved.cache(0).clone());
        Tensor::apply(CrossEntropyBackward { at, sums }, [saved.input(0), scale])
    }
}

/// `(x, s) -> sᵢ·(softmax(xᵢ) − onehot(tᵢ))`, for `x: [m, C]`, `s: [m]`; −1 is the last class, and
/// stands where `s` is 0 because the index is to be ignored.
struct CrossEntropyBackward {
    at: Array,
    /// Maxima and sums of the rows of `x`, which forward left behind.
    sums: Array,
}

impl Op for CrossEntropyBackward {
    const NAME: &'static str = "cross_entropy_backward";
    const AUTOCAST: Autocast = Autocast::F32;
    const PROMOTION: Promotion = Promotion::Keep;
    type In<T> = [T; 2];
    type Out<T> = T;

    fn infer(&self, [x, _]: [&Meta; 2]) -> Result<Meta, OpError> {
        Ok(x.clone())
    }
    fn forward(&self, [x, s]: [Array; 2], save: &mut Save<'_>) -> Array {
        save.input(0, &x);
        save.input(1, &s);
        x.cross_entropy_rows_backward(&self.at, &self.sums, &s)
    }
    /// With `u` the gradient of the result, `p = softmax(x)` and `⟨a, b⟩ = Σ a·b` over the classes:
    ///
    /// ```text
    /// x̄ᵢ = sᵢ·pᵢ·(uᵢ − ⟨uᵢ, pᵢ⟩)        s̄ᵢ = ⟨uᵢ, pᵢ⟩ − u[i, tᵢ]
    /// ```
    fn vjp(&self, saved: &Saved<'_>, u: Tensor) -> [Option<Tensor>; 2] {
        let p = saved.input(0).softmax(-1);
        let dot = (&u * &p).sum_dims(&[-1], true);
        let left = saved.need(0).then(|| (&u - &dot) * &p * saved.input(1).unsqueeze(-1));
        let right = saved.need(1).then(|| {
            let at = self.at.reshape(&[u.size(0), 1].into());
            (dot - u.gather(-1, &Tensor::new(at))).squeeze(-1)
        });
        [left, right]
    }
}

/// `(q, l) -> −q·l`, where a `q` of 0 gives 0 even if `l` is −∞.
#[derive(Clone, Copy)]
struct Surprise;

impl Zip for Surprise {
    #[inline(always)]
    fn f<R: Real>(self, q: R, l: R) -> R {
        R::select(q == R::of(0.0), R::of(0.0), -(q * l))
    }
}

impl Op for Surprise {
    const NAME: &'static str = "cross_entropy";
    const AUTOCAST: Autocast = Autocast::F32;
    type In<T> = [T; 2];
    type Out<T> = T;

    fn infer(&self, [q, l]: [&Meta; 2]) -> Result<Meta, OpError> {
        broadcast(q, l)
    }
    fn forward(&self, [q, l]: [Array; 2], save: &mut Save<'_>) -> Array {
        save.input(0, &q);
        if save.need(0) {
            save.input(1, &l);
        }
        q.zip(l, Surprise)
    }
    /// `q̄ = −ȳ·l`, `l̄ = −ȳ·q`
    fn vjp(&self, saved: &Saved<'_>, g: Tensor) -> [Option<Tensor>; 2] {
        let g = -g;
        let left = saved.need(0).then(|| &g * saved.input(1));
        [left, saved.need(1).then(|| g * saved.input(0))]
    }
}

/// The loss for any targets `q: [m, C]`, in which the weights are; a mean divides by `total`.
#[track_caller]
fn soft(x: &Tensor, q: &Tensor, total: f64, reduction: Reduction) -> Tensor {
    let all = Tensor::apply(Surprise, [q, &x.log_softmax(-1)]);
    match reduction {
        Reduction::None => all.sum_dims(&[-1], false),
        Reduction::Mean => all.sum() / total,
        Reduction::Sum => all.sum(),
    }
}

/// Indices as targets that are spread by `ε` over all classes, and weighted.
fn smoothed(
    rows: &Rows,
    classes: &Classes,
    weight: Option<&Tensor>,
    smoothing: f64,
) -> Result<Tensor, OpError> {
    let c = rows.classes();
    let weight = match weight {
        Some(weight) => class_weight(weight, c)?,
        None => vec![1.0; c],
    };
    let spread: Vec<f64> = weight.iter().map(|w| w * smoothing / c as f64).collect();
    let mut q = vec![0.0; rows.x.numel()];
    for ((q, &at), coef) in q.chunks_mut(c).zip(classes.at.elements::<i64>()).zip(&classes.coef) {
        if let Ok(at) = usize::try_from(at) {
            q.copy_from_slice(&spread);
            q[at] += coef * (1.0 - smoothing);
        }
    }
    Ok(Tensor::new(Array::from_f64(rows.x.shape(), loss_lane(rows.x.dtype()), &q)))
}

/// Probabilities as targets that are spread by `ε`, and weighted.
fn probabilities(
    target: &Rows,
    weight: Option<&Tensor>,
    smoothing: f64,
) -> Result<Tensor, OpError> {
    let mut q = target.x.clone();
    if smoothing > 0.0 {
        q = q * (1.0 - smoothing) + smoothing / target.classes() as f64;
    }
    match weight {
        None => Ok(q),
        Some(weight) if *weight.shape() == [target.classes()] => Ok(q * weight),
        Some(weight) => {
            let hint = format!("the weight is {}", weight.meta());
            Err(OpError::rule("weight: [C]").hint(hint))
        }
    }
}

/// Options of [`cross_entropy_with`].
#[derive(Clone, Debug)]
pub struct CrossEntropyOptions {
    /// One weight for each class.
    pub weight: Option<Tensor>,
    /// Items of this class do not count; with probabilities as targets it has no meaning.
    pub ignore_index: i64,
    /// What becomes of the losses of the items.
    pub reduction: Reduction,
    /// This share of the target, in 0..=1, is spread over all classes.
    pub label_smoothing: f64,
}

impl Default for CrossEntropyOptions {
    fn default() -> Self {
        CrossEntropyOptions {
            weight: None,
            ignore_index: -100,
            reduction: Reduction::Mean,
            label_smoothing: 0.0,
        }
    }
}

/// The mean of `−log softmax(logits)ₜ` over the items; see [`cross_entropy_with`].
///
/// # Panics
/// If shapes, dtypes or an index do not fit.
#[track_caller]
pub fn cross_entropy(logits: &Tensor, target: &Tensor) -> Tensor {
    cross_entropy_with(logits, target, CrossEntropyOptions::default())
}

/// Cross-entropy of a softmax with class indices, or with probabilities of the classes.
///
/// ```text
/// lossᵢ = −Σ_c w_c·q[i, c]·log softmax(xᵢ)_c,   q = (1 − ε)·target + ε/C
/// ```
/// where an index is the target that has all in one class, and counts as `w[tᵢ]` itself: a mean
/// divides by `Σ w[tᵢ]` over the items that count. With probabilities it divides by their number.
///
/// # Shape
/// `logits: [N, C]`, `[N, C, d…]` or `[C]`; `target: [N]`, `[N, d…]` or `[]` for indices (int64,
/// uint8), the shape of `logits` for probabilities  →  `[]`, or the shape of the items if nothing is
/// reduced
///
/// # Gradient   to `logits`, and to probabilities
///
/// # Numerics
/// No overflow; a probability of 0 adds 0 even where the logit is −∞; a mean over nothing is NaN; f16
/// and bf16 are computed in f32.
///
/// # Panics     if shapes, dtypes or an index do not fit
///
/// # PyTorch
/// `torch.nn.functional.cross_entropy`; it gives NaN for a probability of 0 with a logit of −∞.
///
/// # Example
/// ```
/// use gradus_autodiff::{Tensor, cross_entropy};
/// let logits = Tensor::from([[0.0, 0.0], [0.0, 0.0]]);
/// let loss = cross_entropy(&logits, &Tensor::from([0_i64, 1]));
/// assert_eq!(loss.item(), 2f64.ln());
/// ```
#[track_caller]
pub fn cross_entropy_with(
    logits: &Tensor,
    target: &Tensor,
    options: CrossEntropyOptions,
) -> Tensor {
    must(try_cross_entropy(logits, target, options))
}

/// As [`cross_entropy_with`].
///
/// # Errors
/// If shapes, dtypes or an index do not fit.
#[track_caller]
pub fn try_cross_entropy(
    logits: &Tensor,
    target: &Tensor,
    options: CrossEntropyOptions,
) -> Result<Tensor, OpError> {
    let CrossEntropyOptions { weight, ignore_index, reduction, label_smoothing } = options;
    let at = |e: OpError| e.of("cross_entropy", vec![logits.meta(), target.meta()]);
    if !(0.0..=1.0).contains(&label_smoothing) {
        let hint = format!("label_smoothing is {label_smoothing}");
        return Err(at(OpError::rule("0 <= label_smoothing <= 1").hint(hint)));
    }
    let weight = weight.as_ref();
    let rows = Rows::new(logits).map_err(at)?;
    let loss = if target.dtype().is_float() {
        if ignore_index >= 0 {
            let rule = "ignore_index is for class indices, not for probabilities";
            return Err(at(OpError::rule(rule)));
        }
        if target.shape() != logits.shape() {
            return Err(at(OpError::rule("probabilities have the shape of the logits")));
        }
        let q = probabilities(&Rows::new(target).map_err(at)?, weight, label_smoothing);
        soft(&rows.x, &q.map_err(at)?, rows.items.numel() as f64, reduction)
    } else {
        let classes = Classes::new(&rows, target, weight, ignore_index).map_err(at)?;
        if label_smoothing == 0.0 {
            Tensor::try_apply(CrossEntropy { classes, reduction }, &rows.x)?
        } else {
            let q = smoothed(&rows, &classes, weight, label_smoothing).map_err(at)?;
            soft(&rows.x, &q, classes.total, reduction)
        }
    };
    Ok(if reduction == Reduction::None { loss.reshape_to(&rows.items) } else { loss })
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    let mut cases = vec![
        Case::new(&[&[4, 3]], |x| cross_entropy(&x[0], &Tensor::from([2_i64, 0, -100, 1]))),
        Case::new(&[&[3]], |x| cross_entropy(&x[0], &Tensor::from(2_i64)) * &x[0].select(0, 2)),
        Case::new(&[&[0, 3]], |x| {
            let none = Tensor::new(Array::zeros(0, DType::I64));
            cross_entropy_with(&x[0], &none, options(0.0, Reduction::Sum))
        }),
        Case::new(&[&[3, 4], &[3]], |x| {
            let at = Array::from([2_i64, 0, -1]);
            let sums = x[0].array().cross_entropy_rows(&at, &x[1].array()).1;
            Tensor::apply(CrossEntropyBackward { at, sums }, [&x[0], &x[1]])
        }),
        Case::new(&[&[2, 3], &[2, 3]], |x| Tensor::apply(Surprise, [&x[0], &x[1]])),
        Case::new(&[&[3], &[3]], |x| cross_entropy(&x[0], &x[1])),
    ];
    cases.extend(indices_cases());
    cases.extend(probabilities_cases());
    cases
}

#[cfg(test)]
fn options(label_smoothing: f64, reduction: Reduction) -> CrossEntropyOptions {
    let weight = Some(Tensor::from([0.5, 2.0, 1.5]));
    CrossEntropyOptions { weight, ignore_index: 1, reduction, label_smoothing }
}

/// Every reduction, with and without smoothing, for `[N, C]` and `[N, C, d…]`.
#[cfg(test)]
fn indices_cases() -> Vec<Case> {
    macro_rules! grid {
        ($($smoothing:literal, $Reduction:ident;)*) => {vec![$(
            Case::new(&[&[4, 3]], |x| {
                let target = Tensor::from([2_i64, 0, 1, 2]);
                cross_entropy_with(&x[0], &target, options($smoothing, Reduction::$Reduction))
            }),
            Case::new(&[&[2, 3, 1, 2]], |x| {
                let target = Tensor::from([[[2_i64, 0]], [[1, 2]]]);
                cross_entropy_with(&x[0], &target, options($smoothing, Reduction::$Reduction))
            }),
        )*]};
    }
    grid![0.0, None; 0.0, Mean; 0.0, Sum; 0.3, None; 0.3, Mean; 0.3, Sum;]
}

#[cfg(test)]
fn probabilities_cases() -> Vec<Case> {
    macro_rules! grid {
        ($($smoothing:literal, $Reduction:ident;)*) => {vec![$(
            Case::new(&[&[2, 3, 2], &[2, 3, 2]], |x| {
                let options =
                    CrossEntropyOptions { ignore_index: -100, ..options($smoothing, Reduction::$Reduction) };
                cross_entropy_with(&x[0], &x[1], options)
            }),
        )*]};
    }
    grid![0.0, None; 0.3, Mean; 0.3, Sum;]
}
