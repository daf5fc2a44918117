//! The optimizer race: every optimizer of gradus on five surfaces and on the digits, as one HTML page.
//!
//! `cargo run --release --example optimizer_race` writes `optimizer_race.html`, to be opened in a browser.
//! `-- --help` lists the options.
//!
//! | question | file |
//! |---|---|
//! | who races, with which options? | `racers.rs` |
//! | where? | `surfaces.rs`, `digits.rs` |
//! | how is the learning rate chosen, who wins? | `race.rs` |
//! | what is drawn? | `contour.rs`, `path.rs`, `plots.rs`, `page.rs` |
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

mod contour;
mod digits;
mod options;
mod page;
mod path;
mod plots;
mod race;
mod racers;
mod stepper;
mod surfaces;
mod tables;

use digits::{Digits, DigitsRun};
use options::{HELP, Options, parse};
use race::{Entry, Run, rates};
use racers::RACERS;
use std::process::ExitCode;
use surfaces::{SURFACES, Surface};

/// How far, and with which rates.
struct Plan {
    steps: usize,
    rates: Vec<f64>,
    digits_steps: usize,
    digits_rates: Vec<f64>,
    seed: u64,
    /// The side of the grid that contours are computed on.
    grid: usize,
}

impl Plan {
    fn new(options: &Options) -> Self {
        let &Options { steps, seed, quick, .. } = options;
        if quick {
            let (rates, digits_rates) = (rates(&[1], -3..=0), rates(&[1], -2..=-1));
            return Plan { steps, rates, digits_steps: 20, digits_rates, seed, grid: 41 };
        }
        let (rates, digits_rates) = (rates(&[1, 2, 5], -4..=1), rates(&[1, 3], -4..=0));
        Plan { steps, rates, digits_steps: 200, digits_rates, seed, grid: 161 }
    }
}

/// Every optimizer's best run, everywhere.
struct Results {
    surfaces: Vec<(&'static Surface, Vec<Entry<Run>>)>,
    digits: Vec<Entry<DigitsRun>>,
}

fn run(options: &Options) -> gradus::Result<()> {
    let plan = Plan::new(options);
    if let Some(folder) = &options.plots {
        let written = plots::write(folder, &["rosenbrock", "bowl"], plan.steps, &plan.rates)?;
        println!("{written} pictures are in {}", folder.display());
        return Ok(());
    }
    let mut results = Results { surfaces: vec![], digits: vec![] };
    for surface in SURFACES {
        let race = |racer| race::race(racer, surface, plan.steps, &plan.rates);
        results.surfaces.push((surface, RACERS.iter().map(race).collect::<gradus::Result<_>>()?));
        println!("{}: {} optimizers have run", surface.name, RACERS.len());
    }
    let digits = Digits::new(plan.seed, plan.digits_steps)?;
    for racer in RACERS {
        results.digits.push(digits.race(racer, &plan.digits_rates)?);
    }
    println!("Digits: {} optimizers have run", RACERS.len());
    std::fs::write(&options.out, page::page(&results, &plan)).map_err(gradus::Error::Io)?;
    println!("the page is {}", options.out.display());
    println!("{}", winners(&results));
    Ok(())
}

/// `fewest steps: rosenbrock newton 12, …; smallest loss: digits muon 0.0312`
fn winners(results: &Results) -> String {
    let surfaces = results.surfaces.iter().filter_map(|(surface, entries)| {
        let (racer, run) = tables::winner(entries)?;
        let steps = run.arrived().map_or("not yet there".to_owned(), |n| n.to_string());
        Some(format!("{} {} {steps}", surface.id, racer.id))
    });
    let surfaces: Vec<String> = surfaces.collect();
    let digits = tables::winner(&results.digits)
        .map(|(racer, run)| format!("digits {} {:.4}", racer.id, run.final_loss()));
    format!("fewest steps: {}; smallest loss: {}", surfaces.join(", "), digits.unwrap_or_default())
}

fn main() -> ExitCode {
    gradus_examples::start("optimizer_race", HELP, parse(), run)
}
