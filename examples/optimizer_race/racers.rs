//! Who races: every optimizer of gradus, with its defaults; only the learning rate is searched for.

use crate::stepper::{Named, Stepper, plain, row_by_row, schedule_free, split, whole};
use gradus::optim::OptimError;
use gradus::prelude::*;

/// A starter of the race.
pub(crate) struct Racer {
    /// In file names, in the page's data and in its table: the word of its file in gradus.
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) family: Family,
    /// What else is set, or how it is used here; may be empty.
    pub(crate) note: &'static str,
    pub(crate) build: fn(Named, f64) -> Result<Stepper, OptimError>,
}

/// A family has one colour in the page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Family {
    Descent,
    Scaled,
    Adam,
    Cousins,
    Signs,
    Wrappers,
    Curvature,
}

impl Family {
    pub(crate) const ALL: [Family; 7] = [
        Family::Descent,
        Family::Scaled,
        Family::Adam,
        Family::Cousins,
        Family::Signs,
        Family::Wrappers,
        Family::Curvature,
    ];
    pub(crate) fn id(self) -> &'static str {
        match self {
            Family::Descent => "descent",
            Family::Scaled => "scaled",
            Family::Adam => "adam-family",
            Family::Cousins => "cousins",
            Family::Signs => "signs",
            Family::Wrappers => "wrappers",
            Family::Curvature => "curvature",
        }
    }
    pub(crate) fn title(self) -> &'static str {
        match self {
            Family::Descent => "Gradient descent",
            Family::Scaled => "Scaled by past gradients",
            Family::Adam => "Adam",
            Family::Cousins => "Cousins of Adam",
            Family::Signs => "Signs and directions",
            Family::Wrappers => "Around another optimizer",
            Family::Curvature => "Second order",
        }
    }
}

impl Racer {
    /// Does a step evaluate the loss at several places, so that its length needs no search?
    pub(crate) fn finds_its_step(&self) -> bool {
        self.family == Family::Curvature
    }
    /// Does it need a loss without noise, that is, all digits at once?
    pub(crate) fn wants_all_data(&self) -> bool {
        self.finds_its_step() || self.id == "rprop"
    }
    /// Why it cannot move a point of the plane; `None` if it can.
    pub(crate) fn refuses_points(&self) -> Option<&'static str> {
        (self.id == "muon").then_some(
            "Muon moves matrices only: it makes all singular values of a step alike. A point is a vector; as a \
             matrix of one row it would have one singular value, and only the direction of a step would be left.",
        )
    }
}

const fn racer(
    family: Family,
    [id, name, note]: [&'static str; 3],
    build: fn(Named, f64) -> Result<Stepper, OptimError>,
) -> Racer {
    Racer { id, name, family, note, build }
}

/// In the order of the legend.
pub(crate) const RACERS: &[Racer] = &[
    racer(Family::Descent, ["sgd", "SGD", "no momentum"], |p, lr| {
        plain(p, SgdOptions { lr, ..Default::default() })
    }),
    racer(Family::Descent, ["sgd_momentum", "Momentum", "SGD with momentum 0.9"], |p, lr| {
        plain(p, SgdOptions { lr, momentum: 0.9, ..Default::default() })
    }),
    racer(
        Family::Descent,
        ["sgd_nesterov", "Nesterov", "SGD with Nesterov momentum 0.9"],
        |p, lr| plain(p, SgdOptions { lr, momentum: 0.9, nesterov: true, ..Default::default() }),
    ),
    racer(
        Family::Descent,
        ["asgd", "ASGD", "the averaging begins at t0 = 1e6: not here"],
        |p, lr| plain(p, AsgdOptions { lr, ..Default::default() }),
    ),
    racer(Family::Scaled, ["adagrad", "Adagrad", ""], |p, lr| {
        plain(p, AdagradOptions { lr, ..Default::default() })
    }),
    racer(Family::Scaled, ["rmsprop", "RMSprop", ""], |p, lr| {
        plain(p, RmsPropOptions { lr, ..Default::default() })
    }),
    racer(Family::Scaled, ["adadelta", "Adadelta", ""], |p, lr| {
        plain(p, AdadeltaOptions { lr, ..Default::default() })
    }),
    racer(
        Family::Scaled,
        ["adafactor", "Adafactor", "steps relative to the size of the parameter"],
        |p, lr| plain(p, AdafactorOptions { lr, ..Default::default() }),
    ),
    racer(Family::Adam, ["adam", "Adam", ""], |p, lr| {
        plain(p, AdamOptions { lr, ..Default::default() })
    }),
    racer(Family::Adam, ["adamw", "AdamW", "weight decay 0.01"], |p, lr| {
        plain(p, AdamWOptions { lr, ..Default::default() })
    }),
    racer(Family::Adam, ["nadam", "NAdam", ""], |p, lr| {
        plain(p, NAdamOptions { lr, ..Default::default() })
    }),
    racer(Family::Adam, ["radam", "RAdam", ""], |p, lr| {
        plain(p, RAdamOptions { lr, ..Default::default() })
    }),
    racer(Family::Cousins, ["adamax", "Adamax", ""], |p, lr| {
        plain(p, AdamaxOptions { lr, ..Default::default() })
    }),
    racer(
        Family::Cousins,
        ["sparse_adam", "SparseAdam", "every row is named: then it is Adam"],
        |p, lr| row_by_row(p, SparseAdamOptions { lr, ..Default::default() }),
    ),
    racer(
        Family::Cousins,
        ["lamb", "LAMB", "steps relative to the size of the parameter"],
        |p, lr| plain(p, LambOptions { lr, ..Default::default() }),
    ),
    racer(
        Family::Cousins,
        ["adamw_schedule_free", "Schedule-free AdamW", "drawn and measured: the average"],
        |p, lr| schedule_free(p, AdamWScheduleFreeOptions { lr, ..Default::default() }),
    ),
    racer(Family::Signs, ["rprop", "Rprop", ""], |p, lr| {
        plain(p, RpropOptions { lr, ..Default::default() })
    }),
    racer(Family::Signs, ["lion", "Lion", ""], |p, lr| {
        plain(p, LionOptions { lr, ..Default::default() })
    }),
    racer(
        Family::Signs,
        ["muon", "Muon", "matrices only; biases go to AdamW with the same rate"],
        split,
    ),
    racer(Family::Wrappers, ["lookahead", "Lookahead", "around Adam, k 5, alpha 0.5"], |p, lr| {
        let base = Adam::new(p, AdamOptions { lr, ..Default::default() })?;
        Ok(whole(Lookahead::new(base, LookaheadOptions::default())?))
    }),
    racer(Family::Wrappers, ["sam", "SAM", "around SGD with momentum 0.9, rho 0.05"], |p, lr| {
        let base = Sgd::new(p, SgdOptions { lr, momentum: 0.9, ..Default::default() })?;
        Ok(whole(Sam::new(base, SamOptions::default())?))
    }),
    racer(Family::Curvature, ["lbfgs", "L-BFGS", "one iteration a step, strong Wolfe"], |p, lr| {
        let line_search_fn = Some(LineSearch::StrongWolfe);
        // What it may spend along the line is what `max_eval` leaves; of one iteration, that is nothing.
        let max_eval = Some(25);
        let options =
            LbfgsOptions { lr, max_iter: 1, max_eval, line_search_fn, ..Default::default() };
        Ok(whole(Lbfgs::new(p, options)?))
    }),
    racer(
        Family::Curvature,
        ["newton", "Newton", "line search; conjugate gradients above 1000 elements"],
        |p, lr| {
            let options = NewtonOptions { lr, max_cg_iter: Some(10), ..Default::default() };
            Ok(whole(Newton::new(p, options)?))
        },
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use gradus::optim::optimizers::OPTIMIZERS;

    #[test]
    fn every_optimizer_of_the_catalog_races() {
        for name in OPTIMIZERS {
            assert!(RACERS.iter().any(|r| r.id == *name), "{name} does not race");
        }
    }

    #[test]
    fn muon_says_itself_that_it_takes_matrices_only() {
        let muon = MuonOptions::default();
        let refused = Muon::from_parameters([Parameter::new([1.0, 2.0])], muon).err().unwrap();
        assert!(refused.to_string().contains("two axes"), "{refused}");
    }
}
