//! How far each optimizer is between two updates.

use gradus_autodiff::Parameter;

/// What was found in the gradients of an optimizer.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Checked {
    /// How many parameters have one.
    pub(super) gradients: usize,
    /// The parameters whose gradients hold an infinity or NaN.
    pub(super) non_finite: Vec<String>,
}

impl Checked {
    /// What was found in the first sweep of a step and in the second, which leaves the gradients.
    pub(super) fn and(&self, second: Checked) -> Checked {
        let mut non_finite = self.non_finite.clone();
        non_finite.extend(second.non_finite.into_iter().filter(|n| !self.non_finite.contains(n)));
        Checked { gradients: second.gradients, non_finite }
    }
}

/// How far an optimizer is since the last update.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Stage {
    Ready,
    /// [`crate::Sam`] is at the worst place nearby; what its first sweep had.
    Climbed(Checked),
    Unscaled(Checked),
    Stepped(Checked),
}

/// The optimizers that are not [`Stage::Ready`]. An optimizer is known by its first parameter: it may
/// move, and two that share it cannot both unscale it.
#[derive(Debug, Default)]
pub(super) struct Stages(Vec<(usize, Stage)>);

fn key(parameters: &[(String, Parameter)]) -> usize {
    parameters.first().map_or(0, |(_, p)| p.id())
}

impl Stages {
    pub(super) fn get(&self, parameters: &[(String, Parameter)]) -> &Stage {
        let key = key(parameters);
        self.0.iter().find(|(k, _)| *k == key).map_or(&Stage::Ready, |(_, stage)| stage)
    }
    pub(super) fn set(&mut self, parameters: &[(String, Parameter)], stage: Stage) {
        let key = key(parameters);
        self.0.retain(|(k, _)| *k != key);
        self.0.push((key, stage));
    }
    /// What was found in all of them; `None` if there was no gradient to look at.
    pub(super) fn checked(&self) -> Option<Checked> {
        let mut all = Checked::default();
        for (_, stage) in &self.0 {
            if let Stage::Unscaled(checked) | Stage::Stepped(checked) = stage {
                all.gradients += checked.gradients;
                all.non_finite.extend_from_slice(&checked.non_finite);
            }
        }
        (all.gradients > 0).then_some(all)
    }
    pub(super) fn any_climbed(&self) -> bool {
        self.0.iter().any(|(_, stage)| matches!(stage, Stage::Climbed(_)))
    }
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}
