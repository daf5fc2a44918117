//! Every schedule of the catalog, with each of its option sets.

use super::{LrScheduler, Schedule, Scheduler, for_each_case};
use crate::{Optimizer, Sgd, SgdOptions, SkipReason, StateDict};
use gradus_autodiff::Parameter;

/// What the common tests do with one option set.
pub(crate) trait Visit {
    fn case<S: Schedule>(&mut self, name: &str, options: S);
}

/// A test of the catalog is a struct with nothing in it.
macro_rules! over_catalog {
    ($test:ident($name:ident, $options:ident) $body:block) => {
        #[test]
        fn $test() {
            struct Each;
            impl Visit for Each {
                fn case<S: Schedule>(&mut self, $name: &str, $options: S) $body
            }
            for_each_case(&mut Each);
        }
    };
}

/// Two groups, as the rates of one must not leak into the other.
fn optimizer() -> Sgd {
    let mut opt =
        Sgd::from_parameters([Parameter::new([1.0])], SgdOptions { lr: 0.1, ..Default::default() })
            .unwrap();
    let group = [("b".to_owned(), Parameter::new([1.0]))];
    opt.add_group(group, SgdOptions { lr: 0.03, ..Default::default() }).unwrap();
    opt
}

/// The rates and momenta after each step.
fn advance<S: Schedule>(opt: &mut Sgd, sched: &mut Scheduler<S>, steps: usize) -> Vec<Vec<f64>> {
    let step = |_| {
        opt.step().unwrap();
        sched.step(opt);
        assert_eq!(sched.get_last_lr(), opt.lrs());
        opt.lrs().into_iter().chain(opt.momentums().into_iter().flatten()).collect()
    };
    (0..steps).map(step).collect()
}

over_catalog! { the_recursion_follows_the_closed_form(name, options) {
    let mut opt = optimizer();
    let mut sched = Scheduler::new(&mut opt, options.clone()).unwrap();
    assert_eq!(sched.last_epoch(), 0);
    for (epoch, lrs) in (1_u32..).zip(advance(&mut opt, &mut sched, 100)) {
        for (&lr, &base) in lrs.iter().zip(sched.base_lrs()) {
            if let Some(want) = options.closed_form(epoch.into(), base) {
                let d = (lr - want).abs();
                assert!(d <= 1e-12 * want.abs().max(base), "{name} {epoch}: {lr} {want}");
            }
        }
    }
} }

over_catalog! { resuming_is_equal_bit_for_bit(name, options) {
    for at in [0, 1, 2, 7, 20] {
        let mut opt = optimizer();
        let mut sched = Scheduler::new(&mut opt, options.clone()).unwrap();
        advance(&mut opt, &mut sched, at);
        let bytes = [opt.state_dict(), sched.state_dict()].map(|s| s.to_bytes().unwrap());
        let straight = advance(&mut opt, &mut sched, 25);
        let mut opt = optimizer();
        let mut sched = Scheduler::new(&mut opt, options.clone()).unwrap();
        let [of_opt, of_sched] = bytes.map(|b| StateDict::from_bytes(&b).unwrap());
        opt.load_state_dict(&of_opt).unwrap();
        sched.load_state_dict(&of_sched).unwrap();
        assert_eq!(sched.state_dict(), of_sched, "{name} {at}");
        assert_eq!(advance(&mut opt, &mut sched, 25), straight, "{name} {at}");
    }
} }

over_catalog! { only_skipped_steps_do_not_count(name, options) {
    let mut opt = optimizer();
    let mut sched = Scheduler::new(&mut opt, options.clone()).unwrap();
    let skip = |opt: &mut Sgd| drop(opt.skip(SkipReason::NonFinite(vec![])));
    advance(&mut opt, &mut sched, 3);
    let before = opt.lrs();
    skip(&mut opt);
    sched.step(&mut opt);
    assert_eq!((opt.lrs(), sched.last_epoch()), (before, 3), "{name}");
    skip(&mut opt);
    opt.step().unwrap();
    sched.step(&mut opt);
    assert_eq!(sched.last_epoch(), 4, "{name}: one of two was applied");
    sched.step(&mut opt);
    assert_eq!(sched.last_epoch(), 5, "{name}: PyTorch's tests step the schedule alone");
} }

over_catalog! { the_state_of_another_schedule_is_refused(name, options) {
    let mut opt = optimizer();
    let mut sched = Scheduler::new(&mut opt, options.clone()).unwrap();
    let before = sched.state_dict();
    let mut state = before.clone();
    state.insert("scheduler", crate::Value::from("Other"));
    let text = sched.load_state_dict(&state).unwrap_err().to_string();
    assert!(text.contains(&format!("Other, not {}", S::NAME)), "{name}: {text}");
    assert!(sched.load_state_dict(&opt.state_dict()).is_err());
    assert_eq!(sched.state_dict(), before);
} }
