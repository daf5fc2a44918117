//! Functions that are options of a schedule.

use crate::OptimError;
use crate::error::in_range;
use std::fmt;
use std::sync::Arc;

/// A function of the epoch.
type Factor = Arc<dyn Fn(u64) -> f64 + Send + Sync>;

/// A factor for each epoch: one function for all groups, or one for each.
///
/// It cannot be saved: a state dict leaves it out, and loading one keeps it.
#[derive(Clone)]
pub(super) struct Factors(Vec<Factor>);

impl Factors {
    pub(super) fn one(f: impl Fn(u64) -> f64 + Send + Sync + 'static) -> Self {
        Factors(vec![Arc::new(f)])
    }
    pub(super) fn each(all: Vec<Box<dyn Fn(u64) -> f64 + Send + Sync>>) -> Self {
        Factors(all.into_iter().map(Arc::from).collect())
    }
    pub(super) fn at(&self, group: usize, epoch: u64) -> f64 {
        let f = if self.0.len() == 1 { self.0.first() } else { self.0.get(group) };
        let count = self.0.len();
        f.unwrap_or_else(|| {
            panic!("{count} functions for group {group} break the rule: one for each group")
        })(epoch)
    }
    pub(super) fn check(&self, of: &'static str, groups: usize) -> Result<(), OptimError> {
        let count = self.0.len();
        let ok = count == 1 || count == groups;
        in_range(of, "lr_lambda", count as f64, ok, "one function, or one for each group")
    }
}

impl fmt::Debug for Factors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} functions", self.0.len())
    }
}
