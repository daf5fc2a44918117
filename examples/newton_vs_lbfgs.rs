//! Newton's method, Newton with conjugate gradients, L-BFGS and gradient descent on one convex problem.
//!
//! `cargo run --release --example newton_vs_lbfgs` fits a logistic regression of two digits and tells
//! loss, gradient, evaluations and time of each iteration. `-- --help` lists the options.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

use gradus::optim::Plot;
use gradus::prelude::*;
use std::process::ExitCode;
use std::time::{Duration, Instant};

const HELP: &str = "\
Logistic regression of two digits in f64, by methods of second and of first order.

usage: newton_vs_lbfgs [options]

  --digits A,B    the two classes (default 4,9)
  --samples N     images of them (default 1,000)
  --most N        iterations of a method, at most (default 1,000)
  --svg FILE      write the gradient norm over the iterations as a picture
  --quick         300 samples of 14 by 14 pixels, 300 iterations: a smoke test
  --help          this text

The last line is `gradient norm below 1e-8: newton N, newton-cg N, lbfgs N, gradient descent N iterations`,
with `-` for a method that does not get there.";

/// Half the factor of the squared weights in the loss: the least curvature.
const L2: f64 = 1e-3;
/// Where a method has arrived. L-BFGS compares losses, and below this they differ by rounding errors only.
const ENOUGH: f64 = 1e-8;

struct Options {
    digits: [i64; 2],
    samples: usize,
    most: usize,
    /// Pixels are averaged over squares of this edge.
    pool: usize,
    svg: Option<std::path::PathBuf>,
}

fn parse() -> Result<Option<Options>, lexopt::Error> {
    use lexopt::prelude::*;
    let mut options = Options { digits: [4, 9], samples: 1_000, most: 1_000, pool: 1, svg: None };
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("digits") => options.digits = parser.value()?.parse_with(two_digits)?,
            Long("samples") => options.samples = parser.value()?.parse()?,
            Long("most") => options.most = parser.value()?.parse()?,
            Long("svg") => options.svg = Some(parser.value()?.into()),
            Long("quick") => (options.samples, options.most, options.pool) = (300, 300, 2),
            Long("help") | Short('h') => return Ok(None),
            other => return Err(other.unexpected()),
        }
    }
    if options.samples == 0 || options.most == 0 {
        return Err("--samples and --most: at least 1".into());
    }
    Ok(Some(options))
}

fn two_digits(text: &str) -> Result<[i64; 2], String> {
    let digits: Vec<i64> = text.split(',').filter_map(|d| d.parse().ok()).collect();
    match digits[..] {
        [a, b] if a != b && (0..10).contains(&a) && (0..10).contains(&b) => Ok([a, b]),
        _ => Err("--digits takes two digits, like 4,9".to_owned()),
    }
}

/// `mean(softplus(z) − y·z) + L2/2·(‖w‖² + b²)`,  `z = x·w + b`
struct Problem {
    /// `[N, F]`
    x: Tensor,
    /// `[N]`: 0 or 1.
    y: Tensor,
}

impl Problem {
    fn new(options: &Options) -> gradus::Result<Self> {
        let all = Mnist::embedded()?;
        let [zero, one] = options.digits;
        let labels = all.labels().to_vec::<i64>();
        let rows = (0_i64..).zip(&labels).filter(|(_, l)| **l == zero || **l == one);
        let rows: Vec<i64> = rows.map(|(i, _)| i).take(options.samples).collect();
        if rows.len() < options.samples {
            return Err(format!("--samples {}: there are {}", options.samples, rows.len()).into());
        }
        let rows = Array::from(rows);
        let x = Tensor::new(all.images().index_select(0, &rows).cast(DType::F64));
        let y = Tensor::new(all.labels().index_select(0, &rows)).eq(Tensor::from([one]));
        Ok(Problem { x: x.avg_pool2d(options.pool).flatten(1, -1), y: y.to_dtype(DType::F64) })
    }
    fn start(&self) -> [Parameter; 2] {
        [self.x.size(1), 1].map(|n| Parameter::new(Array::zeros([n], DType::F64)))
    }
    fn loss(&self, [w, b]: &[Parameter; 2]) -> Tensor {
        let z = self.x.mv(w) + b.tensor();
        // ln(e⁰ + eᶻ) without overflow, and smooth: max(z, 0) + ln(1 + e⁻|ᶻ|) has a kink where all begins.
        let softplus = Tensor::stack(&[&z.zeros_like(), &z], 1).logsumexp(&[1], false);
        let squares = w.square().sum() + b.square().sum();
        (softplus - &self.y * &z).mean() + squares * (L2 / 2.0)
    }
    /// The loss and the norm of its gradient.
    fn measure(&self, at: &[Parameter; 2]) -> [f64; 2] {
        let loss = self.loss(at);
        let grads = grad(&[&loss], &[at[0].tensor(), at[1].tensor()], Sweep::default());
        let square: f64 = grads.iter().map(|g| g.square().sum().item()).sum();
        [loss.item(), square.sqrt()]
    }
    /// The largest curvature, from above: `¼·λ(XᵀX/N) + L2`, X with a column of ones, by power iteration.
    fn largest_curvature(&self) -> f64 {
        let (n, features) = (self.x.size(0) as f64, self.x.size(1));
        let mut v = Tensor::new(Array::ones([features], DType::F64));
        let (mut c, mut eigenvalue) = (1.0, 0.0);
        for _ in 0..50 {
            let image = self.x.mv(&v) + c;
            (v, c) = (self.x.t().mv(&image) / n, image.sum().item() / n);
            eigenvalue = (v.square().sum().item() + c * c).sqrt();
            (v, c) = (v / eigenvalue, c / eigenvalue);
        }
        eigenvalue / 4.0 + L2
    }
}

type Build = fn(&Problem, [Parameter; 2]) -> gradus::Result<Box<dyn Optimizer>>;

fn newton(method: NewtonMethod, at: [Parameter; 2]) -> gradus::Result<Box<dyn Optimizer>> {
    let options = NewtonOptions { method, ..Default::default() };
    Ok(Box::new(Newton::from_parameters(at, options)?))
}

/// A call of the step is one iteration, with room for its line search, and ends for no tolerance.
fn lbfgs(at: [Parameter; 2]) -> gradus::Result<Box<dyn Optimizer>> {
    let options = LbfgsOptions {
        max_iter: 1,
        max_eval: Some(25),
        tolerance_grad: 0.0,
        tolerance_change: 0.0,
        line_search_fn: Some(LineSearch::StrongWolfe),
        ..Default::default()
    };
    Ok(Box::new(Lbfgs::from_parameters(at, options)?))
}

/// With the longest step that is sure to descend everywhere.
fn descent(problem: &Problem, at: [Parameter; 2]) -> gradus::Result<Box<dyn Optimizer>> {
    let options = SgdOptions { lr: 1.0 / problem.largest_curvature(), ..Default::default() };
    Ok(Box::new(Sgd::from_parameters(at, options)?))
}

const METHODS: [(&str, Build); 4] = [
    ("newton", |_, at| newton(NewtonMethod::Exact, at)),
    ("newton-cg", |_, at| newton(NewtonMethod::ConjugateGradient, at)),
    ("lbfgs", |_, at| lbfgs(at)),
    ("gradient descent", descent),
];

/// After an iteration, from the first one on.
struct Row {
    loss: f64,
    gradient: f64,
    evaluations: usize,
    time: Duration,
}

fn minimize(problem: &Problem, build: Build, most: usize) -> gradus::Result<Vec<Row>> {
    let at = problem.start();
    let mut opt = build(problem, at.clone())?;
    let [loss, gradient] = problem.measure(&at);
    let mut rows = vec![Row { loss, gradient, evaluations: 0, time: Duration::ZERO }];
    while rows.len() <= most && rows[rows.len() - 1].gradient >= ENOUGH {
        let (clock, last) = (Instant::now(), &rows[rows.len() - 1]);
        let report = opt.step_with(&mut || problem.loss(&at))?;
        let time = last.time + clock.elapsed();
        let evaluations = last.evaluations + report.evaluations;
        let [loss, gradient] = problem.measure(&at);
        rows.push(Row { loss, gradient, evaluations, time });
    }
    Ok(rows)
}

/// The first dozen iterations, then the powers of two, and the last.
fn table(name: &str, rows: &[Row], least: f64) {
    println!("{name}");
    println!("  iteration   loss above the minimum   gradient norm   evaluations   time [ms]");
    let last = rows.len() - 1;
    for (i, row) in rows.iter().enumerate() {
        if i <= 12 || i.is_power_of_two() || i == last {
            let (above, time) = (row.loss - least, 1e3 * row.time.as_secs_f64());
            let Row { gradient, evaluations, .. } = row;
            println!(
                "  {i:>9}   {above:>22.3e}   {gradient:>13.3e}   {evaluations:>11}   {time:>9.1}"
            );
        }
    }
}

fn run(options: &Options) -> gradus::Result<()> {
    let problem = Problem::new(options)?;
    let (n, f) = (problem.x.size(0), problem.x.size(1) + 1);
    let [zero, one] = options.digits;
    println!("{n} images of {zero} and {one}, {f} weights, L2 {L2}\n");
    let mut plot = Plot::new("gradient norm", "iteration + 1", "log10 of the norm").log_x();
    let mut paths = Vec::new();
    for (name, build) in METHODS {
        let rows = minimize(&problem, build, options.most)?;
        let points = rows.iter().enumerate();
        plot = plot.line(name, points.map(|(i, r)| (i as f64 + 1.0, r.gradient.log10())));
        paths.push((name, rows));
    }
    let losses = paths.iter().flat_map(|(_, rows)| rows.iter().map(|r| r.loss));
    let least = losses.fold(f64::INFINITY, f64::min);
    for (name, rows) in &paths {
        table(name, rows, least);
    }
    println!(
        "\nEvaluations are calls of the loss; each step of newton also sweeps {f} times for the Hessian,"
    );
    println!("newton-cg once for each product with it.\n\n{plot}");
    if let Some(file) = &options.svg {
        std::fs::write(file, plot.svg()).map_err(gradus::Error::Io)?;
        println!("the picture is in {}", file.display());
    }
    let arrived = |(name, rows): &(&str, Vec<Row>)| match &rows[rows.len() - 1] {
        last if last.gradient < ENOUGH => format!("{name} {}", rows.len() - 1),
        _ => format!("{name} -"),
    };
    let all: Vec<String> = paths.iter().map(arrived).collect();
    println!("gradient norm below {ENOUGH:e}: {} iterations", all.join(", "));
    Ok(())
}

fn main() -> ExitCode {
    gradus_examples::start("newton_vs_lbfgs", HELP, parse(), run)
}
