//! Replays recorded PyTorch runs; see [`gradus_tests::parity`].

use gradus_tensor::DType;
use gradus_tests::parity::{GROUPS, Selection, Tally, Verdict, list, replay};
use lexopt::prelude::*;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

const USAGE: &str = "\
usage: parity [--group NAME]... [--dtype f64|f32] [--id ID]... [--list] FOLDER...

Replays the cases of every FOLDER (see tests/parity/generate.py) and prints a line for each that does
not pass, a line for each group, and the sum. Exit status 1 if anything failed or nothing ran.
  --group NAME   only this group: ops optim sched amp clip nn training
  --dtype NAME   only this dtype; without it a case must pass in both
  --id ID        only this case: id or group/id
  --list         print group/id of every case and run nothing
";

struct Arguments {
    selection: Selection,
    only_list: bool,
    folders: Vec<PathBuf>,
}

fn main() -> ExitCode {
    let mut out = io::stdout().lock();
    let arguments = match arguments() {
        Ok(Some(arguments)) => arguments,
        Ok(None) => return status(out.write_all(USAGE.as_bytes()).map(|()| true)),
        Err(e) => return usage(&e.to_string()),
    };
    if let Some(missing) = arguments.folders.iter().find(|f| !f.is_dir()) {
        return usage(&format!("{} is no folder", missing.display()));
    }
    if arguments.only_list {
        return status(print_list(&arguments, &mut out));
    }
    status(run(&arguments, &mut out))
}

/// A reader that stopped reading (`parity … | head`) is no error.
fn status(result: io::Result<bool>) -> ExitCode {
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(e) => {
            eprintln!("parity: {e}");
            ExitCode::FAILURE
        }
    }
}

fn usage(why: &str) -> ExitCode {
    eprint!("parity: {why}\n\n{USAGE}");
    ExitCode::from(2)
}

fn arguments() -> Result<Option<Arguments>, lexopt::Error> {
    let (mut selection, mut only_list, mut folders) = (Selection::default(), false, Vec::new());
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("group") => {
                let group = parser.value()?.string()?;
                if !GROUPS.contains(&group.as_str()) {
                    return Err(format!("no group \"{group}\"").into());
                }
                selection.groups.push(group);
            }
            Long("dtype") => {
                selection.dtype = Some(match parser.value()?.string()?.as_str() {
                    "f64" => DType::F64,
                    "f32" => DType::F32,
                    other => return Err(format!("no dtype \"{other}\"").into()),
                });
            }
            Long("id") => selection.ids.push(parser.value()?.string()?),
            Long("list") => only_list = true,
            Long("help") | Short('h') => return Ok(None),
            Value(folder) => folders.push(folder.into()),
            other => return Err(other.unexpected()),
        }
    }
    if folders.is_empty() {
        return Err("no folder is named".into());
    }
    Ok(Some(Arguments { selection, only_list, folders }))
}

fn print_list(arguments: &Arguments, out: &mut impl Write) -> io::Result<bool> {
    for folder in &arguments.folders {
        for name in list(folder, &arguments.selection).map_err(io::Error::other)? {
            writeln!(out, "{name}")?;
        }
    }
    Ok(true)
}

fn run(arguments: &Arguments, out: &mut impl Write) -> io::Result<bool> {
    let mut tallies = [Tally::default(); GROUPS.len()];
    let mut sum = Tally::default();
    let mut written = Ok(());
    for folder in &arguments.folders {
        replay(folder, &arguments.selection, &mut |outcome| {
            sum.count(&outcome.verdict);
            if let Some(i) = GROUPS.iter().position(|g| *g == outcome.group) {
                tallies[i].count(&outcome.verdict);
            }
            if outcome.verdict != Verdict::Passed && written.is_ok() {
                written = writeln!(out, "{outcome}");
            }
        });
    }
    written?;
    for (group, tally) in GROUPS.iter().zip(&tallies).filter(|(_, t)| t.total() > 0) {
        writeln!(out, "{group}: {tally}")?;
    }
    writeln!(out, "parity: {sum}")?;
    out.flush()?;
    Ok(sum.failed == 0 && sum.total() > 0)
}
