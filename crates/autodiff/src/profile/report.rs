//! What a profile has found, and its table.

use crate::Work;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Did an operation run in a forward pass or in a sweep?
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pass {
    /// Outside of all sweeps.
    Forward,
    /// In a sweep: by a rule, or adding gradients.
    Backward,
}

/// All calls of one operation in one pass.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// [`crate::Op::NAME`]; `accumulate` is the sum of gradients that meet.
    pub op: &'static str,
    /// Forward or backward.
    pub pass: Pass,
    /// How often it ran.
    pub calls: u64,
    /// Time in the kernels.
    pub time: Duration,
    /// What the kernels had to do.
    pub work: Work,
}

/// All operations of one layer; those of its children are theirs.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerRow {
    /// Its path, such as `encoder.layers.0`; empty for operations outside of layers.
    pub layer: Arc<str>,
    /// Operations that it ran.
    pub calls: u64,
    /// Time in the kernels of its forward.
    pub forward: Duration,
    /// Time in the kernels of its rules.
    pub backward: Duration,
}

/// Calls, time and work of an operation in a layer.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    calls: u64,
    time: Duration,
    work: Work,
}

type Key = (Pass, &'static str, Option<Arc<str>>);

/// What [`crate::profile`] has found. Its `Display` is a table; `{:#}` adds one of layers.
///
/// Shares are of [`Profile::wall`]. The rate of an operation is its arithmetic or its traffic
/// ([`Work`]) by its time, GF/s if it says how much arithmetic it has.
#[must_use]
#[derive(Clone, Debug, Default)]
pub struct Profile {
    sums: BTreeMap<Key, Sum>,
    pub(super) bookkeeping: [Duration; 2],
    pub(super) wall: Duration,
}

impl Profile {
    /// Every operation, forward before backward, the longest first.
    pub fn rows(&self) -> Vec<Row> {
        let mut rows: BTreeMap<(Pass, &'static str), Row> = BTreeMap::new();
        for (&(pass, op, _), sum) in &self.sums {
            let (time, work) = (Duration::ZERO, Work::NONE);
            let row = rows.entry((pass, op)).or_insert(Row { op, pass, calls: 0, time, work });
            row.calls += sum.calls;
            row.time += sum.time;
            row.work += sum.work;
        }
        let mut rows: Vec<Row> = rows.into_values().collect();
        rows.sort_by(|a, b| (a.pass, b.time).cmp(&(b.pass, a.time)));
        rows
    }
    /// The row of one operation.
    pub fn row(&self, op: &str, pass: Pass) -> Option<Row> {
        self.rows().into_iter().find(|row| row.op == op && row.pass == pass)
    }
    /// Every layer, the longest first.
    pub fn layers(&self) -> Vec<LayerRow> {
        let mut layers: BTreeMap<Arc<str>, LayerRow> = BTreeMap::new();
        for ((pass, _, layer), sum) in &self.sums {
            let layer = layer.clone().unwrap_or_default();
            let zero = Duration::ZERO;
            let row = layers.entry(layer.clone());
            let row = row.or_insert(LayerRow { layer, calls: 0, forward: zero, backward: zero });
            row.calls += sum.calls;
            match pass {
                Pass::Forward => row.forward += sum.time,
                Pass::Backward => row.backward += sum.time,
            }
        }
        let mut layers: Vec<LayerRow> = layers.into_values().collect();
        layers.sort_by_key(|row| std::cmp::Reverse(row.forward + row.backward));
        layers
    }
    /// Time that passed, without what the profiler itself took.
    pub fn wall(&self) -> Duration {
        self.wall
    }
    /// Time in kernels.
    pub fn kernels(&self, pass: Pass) -> Duration {
        self.sums.iter().filter(|(key, _)| key.0 == pass).map(|(_, sum)| sum.time).sum()
    }
    /// Time of operations outside of their kernels: checking shapes and recording; in a sweep also
    /// finding the next rule, and the rules themselves.
    pub fn bookkeeping(&self, pass: Pass) -> Duration {
        self.bookkeeping[pass as usize]
    }
    /// The rest: data, optimizer, and whatever else the program does.
    pub fn outside(&self) -> Duration {
        let inside = [Pass::Forward, Pass::Backward].map(|p| self.kernels(p) + self.bookkeeping(p));
        self.wall.saturating_sub(inside.iter().sum())
    }
    /// One more call.
    pub(super) fn note(
        &mut self,
        op: &'static str,
        pass: Pass,
        layer: Option<Arc<str>>,
        time: Duration,
        work: Work,
    ) {
        self.sums.entry((pass, op, layer)).or_default().add(Sum { calls: 1, time, work });
    }
    /// All of a profile that ran inside this one.
    pub(super) fn add(&mut self, inner: &Profile) {
        for (key, &sum) in &inner.sums {
            self.sums.entry(key.clone()).or_default().add(sum);
        }
        for (mine, theirs) in self.bookkeeping.iter_mut().zip(inner.bookkeeping) {
            *mine += theirs;
        }
    }
    fn share(&self, time: Duration) -> f64 {
        100.0 * time.as_secs_f64() / self.wall.as_secs_f64().max(f64::MIN_POSITIVE)
    }
    fn line(&self, f: &mut fmt::Formatter<'_>, what: &str, time: Duration) -> fmt::Result {
        writeln!(f, "{what:<32} {:>8.3} {:>5.1} %", milliseconds(time), self.share(time))
    }
}

impl Sum {
    fn add(&mut self, other: Sum) {
        self.calls += other.calls;
        self.time += other.time;
        self.work += other.work;
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// Arithmetic by time if there is any, else traffic by time.
fn rate(row: &Row) -> String {
    let seconds = row.time.as_secs_f64();
    let of = |amount: f64, unit| format!("{:.1} {unit}", amount / seconds / 1e9);
    match row.work {
        _ if seconds == 0.0 => "-".to_owned(),
        Work { flops, .. } if flops > 0.0 => of(flops, "GF/s"),
        Work { bytes, .. } if bytes > 0.0 => of(bytes, "GB/s"),
        _ => "-".to_owned(),
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<24} {:>7} {:>8}   share {:>12} {:>9}", "op", "calls", "ms", "rate", "MB")?;
        let rows = self.rows();
        for pass in [Pass::Forward, Pass::Backward] {
            let mut title = Some(if pass == Pass::Forward { "forward" } else { "backward" });
            for row in rows.iter().filter(|row| row.pass == pass) {
                title.take().map_or(Ok(()), |title| writeln!(f, "{title}"))?;
                let (ms, share) = (milliseconds(row.time), self.share(row.time));
                let (rate, megabytes) = (rate(row), row.work.bytes / 1e6);
                let Row { op, calls, .. } = row;
                writeln!(
                    f,
                    "  {op:<22} {calls:>7} {ms:>8.3} {share:>5.1} % {rate:>12} {megabytes:>9.1}"
                )?;
            }
        }
        self.line(f, "kernels, forward", self.kernels(Pass::Forward))?;
        self.line(f, "kernels, backward", self.kernels(Pass::Backward))?;
        self.line(f, "bookkeeping, forward", self.bookkeeping(Pass::Forward))?;
        self.line(f, "bookkeeping, backward", self.bookkeeping(Pass::Backward))?;
        self.line(f, "outside of operations", self.outside())?;
        self.line(f, "all", self.wall)?;
        if !f.alternate() {
            return Ok(());
        }
        writeln!(f, "{:<24} {:>7} {:>12} {:>12}", "layer", "ops", "forward, ms", "backward, ms")?;
        for LayerRow { layer, calls, forward, backward } in self.layers() {
            let layer = if layer.is_empty() { "(none)" } else { &*layer };
            let [forward, backward] = [forward, backward].map(milliseconds);
            writeln!(f, "{layer:<24} {calls:>7} {forward:>12.3} {backward:>12.3}")?;
        }
        Ok(())
    }
}
