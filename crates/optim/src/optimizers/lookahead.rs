//! Lookahead: slow weights that follow the fast ones of any optimizer every few steps.

use crate::arithmetic::toward;
use crate::error::{Mismatch, in_range};
use crate::in_place::change;
use crate::optimizer::{LrPolicy, Optimizer, ParamGroup};
use crate::whole::forward_to;
use crate::{Entry, OptimError, SkipReason, StateDict, StepOutcome, StepReport, load};
use gradus_autodiff::{Parameter, Tensor};
use gradus_tensor::{Array, DType};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Lookahead around an optimizer: k steps forward, one step back.
///
/// ```text
/// θ ← a step of the base optimizer        k times
/// φ ← φ + α·(θ − φ)                        φ starts at θ
/// θ ← φ
/// ```
/// The state of the base optimizer goes on as if nothing had happened. A skipped step is not counted.
///
/// # Units      `k` in steps
/// # Errors     `k` = 0; `alpha` outside `[0, 1]`
/// # PyTorch    has none; the defaults are the paper's
/// # Source     Zhang et al. 2019, Algorithm 1, <https://arxiv.org/abs/1907.08610>
/// # Example
/// ```
/// use gradus_autodiff::Parameter;
/// use gradus_optim::{Lookahead, LookaheadOptions, Optimizer, Sgd, SgdOptions};
/// let p = Parameter::new([0.0]);
/// let sgd = Sgd::from_parameters([p.clone()], SgdOptions { lr: 1.0, ..Default::default() })?;
/// let mut opt = Lookahead::new(sgd, LookaheadOptions { k: 3, alpha: 0.5 })?;
/// for want in [-1.0, -2.0, -1.5, -2.5, -3.5, -3.0] {
///     p.set_grad(Some([1.0].into()));
///     opt.step()?;
///     assert_eq!(p.item(), want);
/// }
/// # Ok::<(), gradus_optim::OptimError>(())
/// ```
pub struct Lookahead<O> {
    base: O,
    options: LookaheadOptions,
    /// Steps since the slow weights moved.
    count: usize,
    /// By the names of the parameters, f32 for half types.
    slow: BTreeMap<String, Array>,
}

/// The options of [`Lookahead`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LookaheadOptions {
    /// Steps of the base optimizer for each of the slow weights.
    pub k: usize,
    /// `α`: how far the slow weights follow.
    pub alpha: f64,
}

impl Default for LookaheadOptions {
    fn default() -> Self {
        LookaheadOptions { k: 5, alpha: 0.5 }
    }
}

fn wide(x: Array) -> Array {
    let dtype = if x.dtype() == DType::F64 { DType::F64 } else { DType::F32 };
    x.cast(dtype)
}

impl<O: Optimizer> Lookahead<O> {
    /// Around an optimizer. The slow weights are the present values; a parameter that joins the base
    /// later joins them at the first step after.
    ///
    /// # Errors
    /// If an option is out of range.
    pub fn new(base: O, options: LookaheadOptions) -> Result<Self, OptimError> {
        in_range("Lookahead", "k", options.k as f64, options.k > 0, "k ≥ 1")?;
        let alpha = options.alpha;
        in_range("Lookahead", "alpha", alpha, (0.0..=1.0).contains(&alpha), "0 ≤ alpha ≤ 1")?;
        let mut new = Lookahead { base, options, count: 0, slow: BTreeMap::new() };
        new.join();
        Ok(new)
    }
    /// The optimizer that takes the fast steps.
    pub fn base(&self) -> &O {
        &self.base
    }
    /// The optimizer that takes the fast steps, to be changed.
    pub fn base_mut(&mut self) -> &mut O {
        &mut self.base
    }
    /// The options.
    pub fn options(&self) -> &LookaheadOptions {
        &self.options
    }
    /// The slow weights of a parameter.
    pub fn slow(&self, name: &str) -> Option<&Array> {
        self.slow.get(name)
    }
    fn join(&mut self) {
        for (name, p) in self.base.named_parameters() {
            self.slow.entry(name).or_insert_with(|| wide(p.array()));
        }
    }
    fn after(&mut self, outcome: StepOutcome) -> StepOutcome {
        if outcome.is_applied() {
            self.count += 1;
        }
        if self.count == self.options.k {
            self.count = 0;
            for (name, p) in self.base.named_parameters() {
                let slow = self.slow.get_mut(&name).expect("all have joined");
                let fast = wide(p.array());
                let alpha = self.options.alpha;
                change(slow, |slow| toward(slow.cast(fast.dtype()), fast, alpha));
                let value = slow.clone().cast(p.dtype());
                p.update(|x| *x = value);
            }
        }
        outcome
    }
    /// The slow weights of a state dict, in the types of the parameters.
    fn load_slow(&self, dict: &mut StateDict) -> Result<BTreeMap<String, Array>, OptimError> {
        let mut mismatch = Mismatch::default();
        let mut slow = BTreeMap::new();
        for (name, p) in self.base.named_parameters() {
            let key = format!("slow.{name}");
            match dict.remove(&key) {
                Some(Entry::Array(a)) if a.shape() == p.shape() => {
                    let a = a.cast(wide(p.array()).dtype());
                    slow.insert(name, a);
                }
                Some(Entry::Array(a)) => {
                    mismatch.different.push(format!("{key} is {}, not {}", a.shape(), p.shape()));
                }
                Some(Entry::Value(_)) => mismatch.different.push(format!("{key} is no array")),
                None => mismatch.missing.push(key),
            }
        }
        mismatch.check()?;
        Ok(slow)
    }
}

impl<O: Optimizer> Optimizer for Lookahead<O> {
    fn step(&mut self) -> Result<StepOutcome, OptimError> {
        self.join();
        let outcome = self.base.step()?;
        Ok(self.after(outcome))
    }
    fn step_scaled(&mut self, inverse_scale: f64) -> Result<StepOutcome, OptimError> {
        self.join();
        let outcome = self.base.step_scaled(inverse_scale)?;
        Ok(self.after(outcome))
    }
    fn step_with(&mut self, loss: &mut dyn FnMut() -> Tensor) -> Result<StepReport, OptimError> {
        self.join();
        let StepReport { loss, evaluations, outcome } = self.base.step_with(loss)?;
        Ok(StepReport { loss, evaluations, outcome: self.after(outcome) })
    }
    fn skip(&mut self, reason: SkipReason) -> StepOutcome {
        self.base.skip(reason)
    }
    fn refuses_scaler(&self) -> Option<&'static str> {
        self.base.refuses_scaler()
    }
    forward_to!(self => self.base);
    /// That of the base optimizer, with the slow weights.
    fn state_dict(&self) -> StateDict {
        let mut dict = self.base.state_dict();
        dict.insert("lookahead", load::to_json(&self.options));
        dict.insert("lookahead_count", serde_json::json!(self.count));
        for (name, slow) in &self.slow {
            dict.insert(format!("slow.{name}"), slow.clone());
        }
        dict
    }
    fn load_state_dict_with(
        &mut self,
        state: &StateDict,
        policy: LrPolicy,
    ) -> Result<(), OptimError> {
        let mut rest = state.clone();
        let options: LookaheadOptions = load::take(&mut rest, "lookahead")?;
        let count = load::take(&mut rest, "lookahead_count")?;
        let slow = self.load_slow(&mut rest)?;
        self.base.load_state_dict_with(&rest, policy)?;
        (self.options, self.count, self.slow) = (options, count, slow);
        Ok(())
    }
    /// That of the base optimizer, with `slow`.
    fn parameter_state(&self, name: &str) -> Option<StateDict> {
        let mut state = self.base.parameter_state(name)?;
        state.insert("slow", self.slow.get(name)?.clone());
        Some(state)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<super::tests::Build> {
    use crate::{Sgd, SgdOptions};
    let build = |k: usize| -> super::tests::Build {
        Box::new(move |named| {
            let sgd = SgdOptions { lr: 0.05, momentum: 0.9, ..Default::default() };
            let base = Sgd::new(named, sgd).expect("it is valid");
            Box::new(Lookahead::new(base, LookaheadOptions { k, alpha: 0.4 }).expect("it is valid"))
        })
    };
    vec![build(2), build(3)]
}
