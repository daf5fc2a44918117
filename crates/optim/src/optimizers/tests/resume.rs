//! Every optimizer under every schedule, from the two catalogs: saved, loaded into fresh objects, it goes on bit for
//! bit.

use super::*;
use crate::lr_scheduler::{
    LrScheduler, SCHEDULES, Schedule, Scheduler, for_each_case, tests as schedules,
};
use crate::{ReduceLrOnPlateau, ReduceLrOnPlateauOptions};
use std::collections::BTreeSet;
use std::ops::Range;

const STEPS: usize = 9;
/// Within the warm-ups and after them, before and after a restart.
const SAVED_AT: [usize; 3] = [1, 4, 7];

/// A schedule of either kind.
enum Kind {
    Plain(Box<dyn LrScheduler>),
    Plateau(ReduceLrOnPlateau),
}
use Kind::{Plain, Plateau};

impl Kind {
    fn step(&mut self, loss: f64, opt: &mut dyn Optimizer) {
        match self {
            Plain(sched) => sched.step(opt),
            Plateau(sched) => sched.step(loss, opt),
        }
    }
    fn state_dict(&self) -> StateDict {
        match self {
            Plain(sched) => sched.state_dict(),
            Plateau(sched) => sched.state_dict(),
        }
    }
    fn load(&mut self, state: &StateDict) {
        match self {
            Plain(sched) => sched.load_state_dict(state).unwrap(),
            Plateau(sched) => sched.load_state_dict(state).unwrap(),
        }
    }
}

type Start<'s> = &'s dyn Fn(&mut dyn Optimizer) -> Result<Kind, OptimError>;

/// An option set of an optimizer: how it is made, and what it is told before each step.
struct Subject<'s, O> {
    name: &'s str,
    make: &'s dyn Fn() -> O,
    before: &'s dyn Fn(&mut O, usize),
    /// The schedules it has run under.
    met: BTreeSet<String>,
}

impl<O: Optimizer> Subject<'_, O> {
    /// All numbers after each of these steps.
    fn advance(&self, opt: &mut O, sched: &mut Kind, steps: Range<usize>) -> Vec<Vec<u64>> {
        let parameters = opt.named_parameters();
        let one = |step| {
            (self.before)(opt, step);
            // The logarithm keeps all in bounds, also what climbs, and under the largest rates.
            let report = opt.step_with(&mut || curved_loss(&parameters).log1p()).unwrap();
            assert!(report.loss.is_finite(), "{}", self.name);
            sched.step(report.loss, opt);
            values(&parameters).concat().into_iter().map(f64::to_bits).collect()
        };
        steps.map(one).collect()
    }
    fn check(&mut self, schedule: &str, start: Start<'_>) {
        let mut opt = (self.make)();
        let mut sched = match start(&mut opt) {
            Ok(sched) => sched,
            // This option set is for several groups, or moves a momentum that is not there.
            Err(_) => return,
        };
        let straight = self.advance(&mut opt, &mut sched, 0..STEPS);
        assert_ne!(straight[0], straight[STEPS - 1], "{}, {schedule}: it moves", self.name);
        for at in SAVED_AT {
            let [mut first, mut second] = [(self.make)(), (self.make)()];
            let mut sched = start(&mut first).unwrap();
            self.advance(&mut first, &mut sched, 0..at);
            let bytes = [first.state_dict(), sched.state_dict()];
            let bytes = bytes.map(|state| state.to_bytes().unwrap());
            let mut sched = start(&mut second).unwrap();
            let pairs = first.named_parameters().into_iter().zip(second.named_parameters());
            pairs.for_each(|((_, old), (_, new))| new.set(old.array()).unwrap());
            let [of_opt, of_sched] = bytes.map(|bytes| StateDict::from_bytes(&bytes).unwrap());
            second.load_state_dict(&of_opt).unwrap();
            sched.load(&of_sched);
            let rest = self.advance(&mut second, &mut sched, at..STEPS);
            assert!(rest == straight[at..], "{}, {schedule}, saved after {at} steps", self.name);
        }
        self.met.insert(schedule.to_owned());
    }
    fn check_all(mut self) {
        for_each_case(&mut self);
        // Not in the catalog of schedules: it needs a metric.
        self.check("reduce_lr_on_plateau", &|opt| {
            // Any change of the loss is too small, so that it acts.
            let never =
                ReduceLrOnPlateauOptions { patience: 1, threshold: 0.9, ..Default::default() };
            ReduceLrOnPlateau::new(opt, never).map(Plateau)
        });
        let all = SCHEDULES.iter().copied().chain(["reduce_lr_on_plateau"]);
        let all: BTreeSet<String> = all.map(str::to_owned).collect();
        assert_eq!(self.met, all, "{}: every schedule of the catalog", self.name);
    }
}

impl<O: Optimizer> schedules::Visit for Subject<'_, O> {
    fn case<S: Schedule>(&mut self, name: &str, options: S) {
        self.check(name, &|opt| Ok(Plain(Box::new(Scheduler::new(opt, options.clone())?))));
    }
}

fn check<O: Optimizer>(name: &str, make: &dyn Fn() -> O, before: &dyn Fn(&mut O, usize)) {
    Subject { name, make, before, met: BTreeSet::new() }.check_all();
}

over_catalog! { b18_every_rule_under_every_schedule_resumes_bit_for_bit(name, options) {
    let make = || Optim::new(parameters(&options, &[3, 2], DType::F32), options.clone()).unwrap();
    // Other rows in each step.
    check(name, &make, &|opt, step| {
        for m in opt.members_mut().filter(|_| R::BY_ROWS) {
            let index = (step % 2..m.parameter.shape()[0]).step_by(2).collect();
            m.rows = Some(Rows { index, values: None });
        }
    });
} }

#[test]
fn b18_every_whole_model_optimizer_under_every_schedule_resumes_bit_for_bit() {
    for_each_whole(&mut |name, build| {
        check(name, &|| build(whole_parameters(DType::F32)), &|_, _| {});
    });
}
