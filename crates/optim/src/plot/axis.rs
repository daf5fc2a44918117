//! An axis: from numbers to 0..1, and the numbers that are written beside it.

/// The range of an axis.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis {
    low: f64,
    high: f64,
    log: bool,
}

impl Axis {
    /// Around all values; a single one is in the middle.
    pub(super) fn around(values: impl Iterator<Item = f64>, log: bool) -> Self {
        let of = |v: f64| if log { v.log10() } else { v };
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for v in values.map(of) {
            (low, high) = (low.min(v), high.max(v));
        }
        if low > high {
            (low, high) = (0.0, 1.0);
        }
        // A range that the numbers cannot resolve would divide by 0.
        if high - low <= low.abs().max(high.abs()) * 1e-12 {
            let by = if low == 0.0 { 1.0 } else { low.abs() / 2.0 };
            (low, high) = (low - by, high + by);
        }
        Axis { low, high, log }
    }
    /// 0 at the lower end, 1 at the upper.
    pub(super) fn part(&self, v: f64) -> f64 {
        let v = if self.log { v.log10() } else { v };
        (v - self.low) / (self.high - self.low)
    }
    /// The ends.
    pub(super) fn ends(&self) -> [f64; 2] {
        [self.low, self.high].map(|v| if self.log { 10.0_f64.powf(v) } else { v })
    }
    /// Round numbers in the range, about `count`.
    pub(super) fn ticks(&self, count: usize) -> Vec<f64> {
        if self.log {
            let (first, last) = (self.low.ceil() as i32, self.high.floor() as i32);
            let every = ((last - first).max(0) as usize / count.max(1) + 1) as i32;
            let decades = (first..=last).filter(|d| (d - first) % every == 0);
            return decades.map(|d| 10.0_f64.powi(d)).collect();
        }
        let step = round_step((self.high - self.low) / count.max(1) as f64);
        let first = (self.low / step - 1e-9).ceil() as i64;
        let last = (self.high / step + 1e-9).floor() as i64;
        (first..=last).map(|i| i as f64 * step).collect()
    }
}

/// 1, 2 or 5 times a power of ten, at least `least`.
fn round_step(least: f64) -> f64 {
    let power = 10.0_f64.powf(least.log10().floor());
    let step = [1.0, 2.0, 5.0].into_iter().map(|m| m * power).find(|s| *s >= least * (1.0 - 1e-9));
    step.unwrap_or(10.0 * power)
}

/// A number as short as it can be read: 0.05, 1e-7, 300.
pub(super) fn label(v: f64) -> String {
    let v = if v.abs() < 1e-300 { 0.0 } else { v };
    let short = |text: String| match text.split_once('.') {
        Some(_) => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        None => text,
    };
    if v == 0.0 || (1e-3..1e5).contains(&v.abs()) {
        let digits = (3 - v.abs().max(1e-3).log10().floor() as i32).clamp(0, 6) as usize;
        return short(format!("{v:.digits$}"));
    }
    let text = format!("{v:.3e}");
    match text.split_once('e') {
        Some((mantissa, exponent)) => format!("{}e{exponent}", short(mantissa.to_owned())),
        None => text,
    }
}
