//! A number for all groups, or one for each.

use crate::OptimError;
use crate::error::in_range;
use serde::{Deserialize, Serialize};

/// An option of a schedule that may differ from group to group.
///
/// ```
/// use gradus_optim::PerGroup;
/// let (all, each) = (PerGroup::from(0.1), PerGroup::from([0.1, 0.3]));
/// assert_eq!((all.get(1), each.get(1)), (0.1, 0.3));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum PerGroup {
    /// The same for all groups, those that join later too.
    All(f64),
    /// One for each group.
    Each(Vec<f64>),
}

impl PerGroup {
    /// That of a group.
    ///
    /// # Panics
    /// If it has one for each group, and this one has joined since.
    #[track_caller]
    pub fn get(&self, group: usize) -> f64 {
        match self {
            PerGroup::All(v) => *v,
            PerGroup::Each(all) => *all.get(group).unwrap_or_else(|| {
                panic!("{} values for group {group} break the rule: one for each group", all.len())
            }),
        }
    }
    /// Are there as many as groups, and is each in range?
    pub(super) fn check(
        &self,
        of: &'static str,
        option: &'static str,
        groups: usize,
        ok: impl Fn(f64) -> bool,
        allowed: &'static str,
    ) -> Result<(), OptimError> {
        let all = self.values(of, option, groups)?;
        all.iter().try_for_each(|&v| in_range(of, option, v, ok(v), allowed))
    }
    /// The one number or all, if there are as many as groups.
    pub(crate) fn values(
        &self,
        of: &'static str,
        option: &'static str,
        groups: usize,
    ) -> Result<&[f64], OptimError> {
        match self {
            PerGroup::All(v) => Ok(std::slice::from_ref(v)),
            PerGroup::Each(all) if all.len() == groups => Ok(all),
            PerGroup::Each(all) => {
                let (value, allowed) = (all.len() as f64, "one number, or one for each group");
                Err(OptimError::Option { of, option, value, allowed })
            }
        }
    }
}

impl From<f64> for PerGroup {
    fn from(v: f64) -> Self {
        PerGroup::All(v)
    }
}
impl From<Vec<f64>> for PerGroup {
    fn from(all: Vec<f64>) -> Self {
        PerGroup::Each(all)
    }
}
impl<const N: usize> From<[f64; N]> for PerGroup {
    fn from(all: [f64; N]) -> Self {
        PerGroup::Each(all.to_vec())
    }
}
