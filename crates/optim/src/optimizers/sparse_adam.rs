//! Adam on the rows that a gradient has, and only on those.

use crate::error::in_range;
use crate::group::{Member, Rows};
use crate::{Jobs, Optim, OptimError, Progress, Rule, TensorRule, TensorStep};
use gradus_tensor::kernels::real::Real;
use gradus_tensor::kernels::update::{Gradient, Piece, Stored, Update, update};
use gradus_tensor::{Array, DType, Element, Meta};
use serde::{Deserialize, Serialize};

/// Adam for embeddings: rows that a batch did not touch keep value and moments.
///
/// ```text
/// for the rows of g:
/// g ← −g                      if maximize
/// m ← m + (1 − β₁)·(g − m)
/// v ← v + (1 − β₂)·(g² − v)
/// θ ← θ − lr·√(1 − β₂ᵗ)/(1 − β₁ᵗ) · m/(√v + ε)
/// ```
/// `t` counts the steps of the parameter, not of the row. ε is not divided by the bias correction, unlike
/// Adam's. A step must know the rows: [`SparseAdam::set_rows`] or [`SparseAdam::set_sparse_grad`] before it.
///
/// # Shape      parameters with at least one axis, the first of which are the rows
/// # Units      `lr` per step
/// # Errors     `lr`, `eps` ≤ 0; a beta outside `[0, 1)`; a gradient whose rows were not named
/// # PyTorch    `torch.optim.SparseAdam`, where the layout of the gradient names the rows; differences:
/// infinite and NaN options are refused
/// # Example
/// ```
/// use gradus_autodiff::Parameter;
/// use gradus_optim::{Optimizer, SparseAdam, SparseAdamOptions};
/// let p = Parameter::new([[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]]);
/// let options = SparseAdamOptions { lr: 0.5, ..Default::default() };
/// let mut opt = SparseAdam::new([("embedding".to_owned(), p.clone())], options)?;
/// opt.set_sparse_grad("embedding", &[2_i64, 0, 2].into(), [[1.0, 1.0], [-9.0, 9.0], [1.0, 1.0]].into())?;
/// opt.step()?;
/// let want = [1.5, 0.5, 2.0, 2.0, 2.5, 2.5];
/// assert!(p.to_vec::<f64>().iter().zip(want).all(|(got, want)| (got - want).abs() < 1e-6));
/// # Ok::<(), gradus_optim::OptimError>(())
/// ```
pub type SparseAdam = Optim<SparseAdamOptions>;

/// The options of [`SparseAdam`]; the defaults are PyTorch's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SparseAdamOptions {
    /// Learning rate.
    pub lr: f64,
    /// `β₁`, `β₂`: how much of the mean of gradients and of squares is left after a step.
    pub betas: (f64, f64),
    /// `ε`: keeps the denominator off 0.
    pub eps: f64,
    /// Climb instead of descend.
    pub maximize: bool,
}

impl Default for SparseAdamOptions {
    fn default() -> Self {
        SparseAdamOptions { lr: 1e-3, betas: (0.9, 0.999), eps: 1e-8, maximize: false }
    }
}

impl Optim<SparseAdamOptions> {
    /// The next step of this parameter takes the rows `index` (any order, repeated ones once) of its
    /// gradient. The rows are forgotten after the step, and by `zero_grad`; those of a step with a closure
    /// are named before it, and serve both evaluations of [`crate::Sam`].
    ///
    /// # Errors
    /// If there is no such parameter.
    ///
    /// # Panics
    /// If an index is not that of a row.
    #[track_caller]
    pub fn set_rows(&mut self, name: &str, index: &Array) -> Result<(), OptimError> {
        let member = self.member(name)?;
        let mut index = positions(member, index);
        index.sort_unstable();
        index.dedup();
        member.rows = Some(Rows { index, values: None });
        Ok(())
    }
    /// The next step of this parameter takes these rows, whatever its gradient: row `index[i]` has the
    /// gradient `values[i]`; rows that stand there twice are summed.
    ///
    /// # Errors
    /// If there is no such parameter.
    ///
    /// # Panics
    /// If an index is not that of a row, or the values are not as many rows of the parameter.
    #[track_caller]
    pub fn set_sparse_grad(
        &mut self,
        name: &str,
        index: &Array,
        values: Array,
    ) -> Result<(), OptimError> {
        let member = self.member(name)?;
        let places = positions(member, index);
        let shape = member.parameter.shape().with(0, places.len());
        assert!(
            *values.shape() == shape,
            "set_sparse_grad: values {} for {} rows of {}; rule: {shape}",
            values.meta(),
            places.len(),
            member.parameter.meta()
        );
        let mut index = places.clone();
        index.sort_unstable();
        index.dedup();
        let slot = |p: &usize| index.binary_search(p).expect("it is one of them");
        let slots: Vec<usize> = places.iter().map(slot).collect();
        let values = Some(values.index_add_zeros(0, &slots, index.len()));
        member.rows = Some(Rows { index, values });
        Ok(())
    }
    fn member(&mut self, name: &str) -> Result<&mut Member, OptimError> {
        let found = self.members_mut().find(|m| m.name == name);
        found.ok_or_else(|| OptimError::UnknownParameter(name.to_owned()))
    }
}

#[track_caller]
fn positions(member: &Member, index: &Array) -> Vec<usize> {
    let rows = member.parameter.shape()[0];
    match index.positions(rows) {
        Ok(at) => at,
        Err(i) => panic!("row {i} of {}; rule: -{rows} ≤ index < {rows}", member.name),
    }
}

/// The constants of one step.
#[derive(Clone, Copy)]
struct SparseAdamStep {
    sign: f64,
    betas: (f64, f64),
    step_size: f64,
    eps: f64,
}

impl Update for SparseAdamStep {
    type State<R: Real> = [R; 2];
    #[inline(always)]
    fn f<R: Real>(self, x: R, g: R, [m, v]: &mut [R; 2]) -> R {
        let (b1, b2) = self.betas;
        let g = R::of(self.sign) * g;
        *m = R::of(1.0 - b1).mul_add(g - *m, *m);
        *v = R::of(1.0 - b2).mul_add(g * g - *v, *v);
        x - R::of(self.step_size) * (*m / (v.sqrt() + R::of(self.eps)))
    }
}

impl Rule for SparseAdamOptions {
    const NAME: &'static str = "SparseAdam";
    const SLOTS: &'static [&'static str] = &["exp_avg", "exp_avg_sq"];
    const BY_ROWS: bool = true;

    fn check(&self) -> Result<(), OptimError> {
        let check = |option, value, ok, allowed| in_range("SparseAdam", option, value, ok, allowed);
        let (b1, b2) = self.betas;
        check("lr", self.lr, self.lr > 0.0, "lr > 0")?;
        check("eps", self.eps, self.eps > 0.0, "eps > 0")?;
        check("betas.0", b1, (0.0..1.0).contains(&b1), "0 ≤ betas.0 < 1")?;
        check("betas.1", b2, (0.0..1.0).contains(&b2), "0 ≤ betas.1 < 1")
    }
    fn accepts(&self, parameter: &Meta) -> Result<(), &'static str> {
        if parameter.shape.rank() > 0 { Ok(()) } else { Err("it must have rows") }
    }
    fn lr(&self) -> f64 {
        self.lr
    }
    fn set_lr(&mut self, lr: f64) {
        self.lr = lr;
    }
    fn momentum(&mut self) -> Option<&mut f64> {
        Some(&mut self.betas.0)
    }
    fn advance(jobs: Jobs<'_, Self>) {
        jobs.by_tensor();
    }
}

impl TensorRule for SparseAdamOptions {
    fn step(&self, at: Progress<'_>, tensor: TensorStep<'_>) {
        let (b1, b2) = self.betas;
        let t = at.t as f64;
        let step = SparseAdamStep {
            sign: if self.maximize { -1.0 } else { 1.0 },
            betas: self.betas,
            step_size: self.lr * (1.0 - b2.powf(t)).sqrt() / (1.0 - b1.powf(t)),
            eps: self.eps,
        };
        match tensor.x.dtype() {
            DType::F64 => each_row::<f64>(step, tensor),
            _ => each_row::<f32>(step, tensor),
        }
    }
}

fn each_row<T: Element + Stored<Full = T>>(step: SparseAdamStep, tensor: TensorStep<'_>) {
    let TensorStep { mut x, grad, state, rows } = tensor;
    let width: usize = x.shape()[1..].iter().product();
    let [Some(m), Some(v)] = state else { unreachable!("made before the step") };
    let (x, m, v) = (x.elements_mut::<T>(), m.elements_mut::<T>(), v.elements_mut::<T>());
    for (&row, g) in rows.iter().zip(grad.elements::<T>().chunks(width.max(1))) {
        let at = row * width..(row + 1) * width;
        let piece = Piece {
            value: &mut x[at.clone()],
            stored: None::<&mut [T]>,
            grad: Gradient::Wide(g),
            states: [Some(&mut m[at.clone()]), Some(&mut v[at]), None],
        };
        update(&step, 1.0, piece);
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<SparseAdamOptions> {
    let plain = SparseAdamOptions { lr: 0.01, ..Default::default() };
    vec![SparseAdamOptions { betas: (0.3, 0.5), eps: 0.01, maximize: true, ..plain.clone() }, plain]
}
