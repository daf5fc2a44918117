//! One optimizer on one surface, with the rate that suits it best.

use crate::racers::Racer;
use crate::surfaces::Surface;
use gradus::prelude::*;

/// A loss below it has arrived.
pub(crate) const GOAL: f64 = 1e-3;
/// A loss above the first one times this has run away for good.
const FAR: f64 = 1e6;

/// A run: where the point was before and after each step, as long as it did not run away.
pub(crate) struct Run {
    pub(crate) lr: f64,
    pub(crate) points: Vec<[f64; 2]>,
    pub(crate) losses: Vec<f64>,
    /// Of the loss with its gradient, and in a line search without it: so many until after each step.
    pub(crate) evaluations: Vec<usize>,
    pub(crate) diverged: bool,
    /// Was it ever outside of what is drawn?
    pub(crate) left: bool,
}

impl Run {
    /// The step after which the loss stays below [`GOAL`] to the end.
    pub(crate) fn arrived(&self) -> Option<usize> {
        let last_above = self.losses.iter().rposition(|&loss| loss >= GOAL);
        let step = last_above.map_or(0, |above| above + 1);
        (!self.diverged && step < self.losses.len()).then_some(step)
    }
    pub(crate) fn final_loss(&self) -> f64 {
        if self.diverged { f64::INFINITY } else { self.losses[self.losses.len() - 1] }
    }
    pub(crate) fn last_point(&self) -> [f64; 2] {
        self.points[self.points.len() - 1]
    }
}

/// A run that can be better or worse than another.
pub(crate) trait Ranked {
    fn diverged(&self) -> bool;
    /// Smaller is better: the step at which the goal is reached, then the loss.
    fn rank(&self) -> (usize, f64);
    /// Has it left the map? Then every rate that has not is better.
    fn left(&self) -> bool {
        false
    }
    fn beats(&self, other: &Self) -> bool {
        let ((step, loss), (other_step, other_loss)) = (self.rank(), other.rank());
        let order = self.left().cmp(&other.left()).then(step.cmp(&other_step));
        order.then(loss.total_cmp(&other_loss)).is_lt()
    }
}

impl Ranked for Run {
    fn diverged(&self) -> bool {
        self.diverged
    }
    fn rank(&self) -> (usize, f64) {
        (self.arrived().unwrap_or(usize::MAX), self.final_loss())
    }
    fn left(&self) -> bool {
        self.left || self.diverged
    }
}

/// The best run of the search, and what the search has seen.
pub(crate) struct Entry<R> {
    pub(crate) racer: &'static Racer,
    /// `None`: it cannot run here.
    pub(crate) best: Option<R>,
    /// The smallest rate that ran away.
    pub(crate) diverges_at: Option<f64>,
}

/// The rates of a search: these factors times each power of ten from the first to the last.
pub(crate) fn rates(factors: &[i32], decades: std::ops::RangeInclusive<i32>) -> Vec<f64> {
    decades.flat_map(|decade| factors.iter().map(move |f| rate(*f, decade))).collect()
}

/// `factor·10^decade` as it is written: 0.002, not 0.002 and some rounding.
fn rate(factor: i32, decade: i32) -> f64 {
    if decade < 0 {
        f64::from(factor) / 10f64.powi(-decade)
    } else {
        f64::from(factor) * 10f64.powi(decade)
    }
}

/// The best rate on a surface; no run if the optimizer takes no points.
pub(crate) fn race(
    racer: &'static Racer,
    surface: &Surface,
    steps: usize,
    rates: &[f64],
) -> gradus::Result<Entry<Run>> {
    if racer.refuses_points().is_some() {
        return Ok(Entry { racer, best: None, diverges_at: None });
    }
    search(racer, rates, |lr| run(racer, surface, Parameter::new(surface.start), lr, steps))
}

/// Every rate is tried over the whole distance; the best run counts.
pub(crate) fn search<R: Ranked>(
    racer: &'static Racer,
    rates: &[f64],
    mut run: impl FnMut(f64) -> gradus::Result<R>,
) -> gradus::Result<Entry<R>> {
    let mut entry = Entry { racer, best: None, diverges_at: None };
    let rates = if racer.finds_its_step() { &[1.0][..] } else { rates };
    for &lr in rates {
        let run = run(lr)?;
        if run.diverged() && entry.diverges_at.is_none() {
            entry.diverges_at = Some(lr);
        }
        if entry.best.as_ref().is_none_or(|best| run.beats(best)) {
            entry.best = Some(run);
        }
    }
    Ok(entry)
}

/// The steps of one rate. The parameter holds the start, in a shape that the optimizer takes.
pub(crate) fn run(
    racer: &Racer,
    surface: &Surface,
    point: Parameter,
    lr: f64,
    steps: usize,
) -> gradus::Result<Run> {
    let mut stepper = (racer.build)(vec![("point".to_owned(), point.clone())], lr)?;
    let first = no_grad(|| surface.at(&point)).item();
    let mut run = Run {
        lr,
        points: vec![surface.start],
        losses: vec![first],
        evaluations: vec![0],
        diverged: false,
        left: false,
    };
    for _ in 0..steps {
        let evaluations = stepper.step(&mut || surface.at(&point))?;
        let (at, loss) = stepper.measured(|| (point.to_vec::<f64>(), surface.at(&point).item()));
        if loss.is_nan() || loss > FAR * first {
            run.diverged = true;
            break;
        }
        let at = [at[0], at[1]];
        run.left |= !surface.shows(at);
        run.points.push(at);
        run.evaluations.push(run.evaluations[run.evaluations.len() - 1] + evaluations);
        run.losses.push(loss);
    }
    Ok(run)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::racers::RACERS;
    use crate::surfaces::SURFACES;

    fn run_of(racer: &str, surface: &str, lr: f64) -> Run {
        let racer = RACERS.iter().find(|r| r.id == racer).expect("it races");
        let surface = SURFACES.iter().find(|s| s.id == surface).expect("it is there");
        run(racer, surface, Parameter::new(surface.start), lr, 100).expect("the rate is valid")
    }

    #[test]
    fn a_run_that_runs_away_ends_there_and_loses() {
        let (away, slow) = (run_of("sgd", "bowl", 0.05), run_of("sgd", "bowl", 1e-4));
        assert!(away.diverged && away.left && away.points.len() < 20);
        assert_eq!((away.arrived(), away.final_loss()), (None, f64::INFINITY));
        assert!(away.losses.iter().all(|loss| loss.is_finite()));
        assert!(slow.beats(&away) && !away.beats(&slow));
    }

    #[test]
    fn a_run_that_leaves_the_map_loses_to_one_that_does_not() {
        // The first step of RMSprop is ten times its rate long.
        let far = run_of("rmsprop", "rosenbrock", 0.5);
        let near = run_of("rmsprop", "rosenbrock", 1e-4);
        assert!(far.left && !far.diverged && !near.left);
        assert!(near.beats(&far) && !far.beats(&near));
    }

    #[test]
    fn to_arrive_is_to_stay() {
        let losses = vec![1.0, 1e-4, 1.0, 1e-4, 1e-5];
        let points = vec![[0.0; 2]; 5];
        let run = |losses: Vec<f64>| Run {
            lr: 1.0,
            points: points.clone(),
            losses,
            evaluations: vec![0, 1, 2, 3, 4],
            diverged: false,
            left: false,
        };
        assert_eq!(run(losses).arrived(), Some(3));
        assert_eq!(run(vec![1e-4, 1.0, 1.0, 1.0, 1.0]).arrived(), None);
        assert_eq!(run(vec![1e-4; 5]).arrived(), Some(0));
    }

    #[test]
    fn rates_are_the_numbers_they_look_like() {
        let texts: Vec<String> = rates(&[1, 2, 5], -4..=1).iter().map(f64::to_string).collect();
        assert_eq!(texts[..4], ["0.0001", "0.0002", "0.0005", "0.001"]);
        assert_eq!(texts[14..], ["5", "10", "20", "50"]);
    }
}
