//! A step length that satisfies the strong Wolfe conditions, decision for decision as PyTorch's.

use crate::OptimError;
use gradus_tensor::Array;

/// The loss must fall by this share of what its first slope promises.
const C1: f64 = 1e-4;
/// The slope must flatten to this share of the first one.
const C2: f64 = 0.9;

/// Loss and gradient at distance `t` along the direction, and the slope there.
#[derive(Clone)]
pub(super) struct Trial {
    pub(super) t: f64,
    pub(super) loss: f64,
    pub(super) grad: Array,
    pub(super) slope: f64,
}

/// When to give up.
pub(super) struct Limits {
    pub(super) evaluations: usize,
    /// The bracket is small enough if no element of the parameters moves more inside it.
    pub(super) change: f64,
    /// The largest element of the direction.
    pub(super) longest: f64,
}

type Along<'a> = &'a mut dyn FnMut(f64) -> Result<Trial, OptimError>;

/// The best trial found, beginning with distance `t`.
pub(super) fn strong_wolfe(
    start: Trial,
    t: f64,
    limits: Limits,
    at: Along<'_>,
) -> Result<Trial, OptimError> {
    let (mut before, mut now) = (start.clone(), at(t)?);
    for iteration in 0..limits.evaluations {
        // The second trial is not held against the first one: PyTorch's `ls_iter > 1`.
        let rises = iteration > 1 && now.loss >= before.loss;
        if too_high(&now, &start) || rises {
            return zoom(start, [before, now], iteration, limits, at);
        }
        if flat(&now, &start) {
            return Ok(now);
        }
        if now.slope >= 0.0 {
            return zoom(start, [before, now], iteration, limits, at);
        }
        let bounds = (now.t + 0.01 * (now.t - before.t), now.t * 10.0);
        let t = cubic(&before, &now, bounds);
        (before, now) = (now, at(t)?);
    }
    Ok(if start.loss <= now.loss { start } else { now })
}

/// Narrows a bracket around a good step length.
fn zoom(
    start: Trial,
    mut bracket: [Trial; 2],
    iteration: usize,
    limits: Limits,
    at: Along<'_>,
) -> Result<Trial, OptimError> {
    let lower = |b: &[Trial; 2]| if b[0].loss <= b[1].loss { 0 } else { 1 };
    let mut low = lower(&bracket);
    let mut stuck = false;
    for _ in iteration..limits.evaluations {
        let ends = (bracket[0].t.min(bracket[1].t), bracket[0].t.max(bracket[1].t));
        if (ends.1 - ends.0) * limits.longest < limits.change {
            break;
        }
        let t = cubic(&bracket[0], &bracket[1], ends);
        let t = inside(t, ends, &mut stuck);
        let new = at(t)?;
        if too_high(&new, &start) || new.loss >= bracket[low].loss {
            bracket[1 - low] = new;
            low = lower(&bracket);
            continue;
        }
        let done = flat(&new, &start);
        if !done && new.slope * (bracket[1 - low].t - bracket[low].t) >= 0.0 {
            bracket[1 - low] = bracket[low].clone();
        }
        bracket[low] = new;
        if done {
            break;
        }
    }
    let [first, second] = bracket;
    Ok(if low == 0 { first } else { second })
}

/// Keeps a trial off the ends of the bracket by a tenth of its length, if the last one came near an end
/// too or this one is beyond it.
fn inside(t: f64, (least, most): (f64, f64), stuck: &mut bool) -> f64 {
    let margin = 0.1 * (most - least);
    let near = (most - t).min(t - least) < margin;
    let push = near && (*stuck || t >= most || t <= least);
    *stuck = near && !push;
    match push {
        true if (t - most).abs() < (t - least).abs() => most - margin,
        true => least + margin,
        false => t,
    }
}

/// Is the loss above the line that the first slope allows?
fn too_high(trial: &Trial, start: &Trial) -> bool {
    trial.loss > start.loss + C1 * trial.t * start.slope
}

fn flat(trial: &Trial, start: &Trial) -> bool {
    trial.slope.abs() <= -C2 * start.slope
}

/// The minimum of the cubic through both losses and slopes, within the bounds; the middle of them if
/// there is none.
fn cubic(a: &Trial, b: &Trial, (least, most): (f64, f64)) -> f64 {
    let d1 = a.slope + b.slope - 3.0 * (a.loss - b.loss) / (a.t - b.t);
    let square = d1 * d1 - a.slope * b.slope;
    if square.is_nan() || square < 0.0 {
        return (least + most) / 2.0;
    }
    let (d2, (a, b)) = (square.sqrt(), if a.t <= b.t { (a, b) } else { (b, a) });
    let t = b.t - (b.t - a.t) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2.0 * d2));
    // Not `clamp`: a NaN must come out.
    let t = if least > t { least } else { t };
    if most < t { most } else { t }
}
