//! `gradus-bench [--threads N] [--budget S] [--check] ID…`: one JSON line for each workload.
//!
//! An id never changes its meaning. `scripts/bench.sh` runs the same ids here and in PyTorch.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "JSON lines are what this program is for")]

mod convolutions;
mod elementwise;
mod machine;
mod measure;
mod optimizers;
mod overhead;
mod products;
mod roofline;
mod rows;
mod training;

use measure::Protocol;
use std::process::ExitCode;

const HELP: &str = "\
usage: gradus-bench [--threads N] [--budget S] [--check | --roofline] ID…
       gradus-bench --list

  --threads N  threads of gradus (default: GRADUS_NUM_THREADS, else all cores)
  --budget S   seconds of measured time for each workload (default 3)
  --check      train 30 steps and print the losses instead of timing
  --roofline   a table: what each workload reaches of the measured limits of this machine
  --list       print all ids";

/// What the command line asks for.
struct Arguments {
    protocol: Protocol,
    roofline: bool,
    list: bool,
    ids: Vec<String>,
}

fn arguments() -> Result<Option<Arguments>, lexopt::Error> {
    use lexopt::prelude::*;
    let (mut protocol, mut ids) = (Protocol::default(), Vec::new());
    let (mut roofline, mut list) = (false, false);
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("threads") => {
                let n: usize = parser.value()?.parse()?;
                if n == 0 {
                    return Err("--threads: at least 1".into());
                }
                gradus_tensor::threads::set_num_threads(n);
            }
            Long("budget") => protocol.budget = parser.value()?.parse()?,
            Long("check") => protocol.check = true,
            Long("roofline") => roofline = true,
            Long("list") => list = true,
            Long("help") | Short('h') => return Ok(None),
            Value(id) => ids.push(id.string()?),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Some(Arguments { protocol, roofline, list, ids }))
}

type Workload = (&'static str, fn(&'static str, &Protocol));

/// Every id with its program.
fn workloads() -> Vec<Workload> {
    let mut all = overhead::WORKLOADS.to_vec();
    all.extend_from_slice(elementwise::WORKLOADS);
    all.extend_from_slice(machine::WORKLOADS);
    all.extend_from_slice(optimizers::WORKLOADS);
    all.extend_from_slice(products::WORKLOADS);
    all.extend_from_slice(convolutions::WORKLOADS);
    all.extend_from_slice(rows::WORKLOADS);
    all.extend_from_slice(training::WORKLOADS);
    all
}

fn main() -> ExitCode {
    let Arguments { protocol, roofline, list, ids } = match arguments() {
        Ok(Some(arguments)) if arguments.list || !arguments.ids.is_empty() => arguments,
        Ok(_) => {
            println!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(e) => {
            eprintln!("gradus-bench: {e}\n{HELP}");
            return ExitCode::FAILURE;
        }
    };
    if list {
        workloads().iter().for_each(|w| println!("{}", w.0));
        return ExitCode::SUCCESS;
    }
    if roofline {
        return match roofline::print(&ids, gradus_tensor::threads::num_threads(), protocol.budget) {
            Ok(()) => ExitCode::SUCCESS,
            Err(e) => {
                eprintln!("gradus-bench: {e}");
                ExitCode::FAILURE
            }
        };
    }
    let all = workloads();
    for id in &ids {
        match all.iter().find(|w| w.0 == id) {
            Some((id, run)) => run(id, &protocol),
            None => {
                eprintln!("gradus-bench: no workload {id}; --list shows them");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}
