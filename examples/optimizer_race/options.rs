//! The options of the command line.

use std::path::PathBuf;

pub(crate) const HELP: &str = "\
Let every optimizer run down five surfaces and learn the digits; write a page that shows it.

usage: optimizer_race [options]

  --out FILE      the page (default optimizer_race.html)
  --plots FOLDER  instead of the page: one picture an optimizer, NAME.svg
  --steps N       steps of each run on a surface, 1 to 5000 (default 500)
  --seed N        of the network's first weights and of the batches (default 1)
  --quick         60 steps and few learning rates: a smoke test
  --help          this text

The last line names the winner of each surface, and of the digits.";

pub(crate) struct Options {
    pub(crate) out: PathBuf,
    pub(crate) plots: Option<PathBuf>,
    pub(crate) steps: usize,
    pub(crate) seed: u64,
    pub(crate) quick: bool,
}

/// `None`: help is asked for.
pub(crate) fn parse() -> Result<Option<Options>, lexopt::Error> {
    use lexopt::prelude::*;
    let mut options = Options {
        out: "optimizer_race.html".into(),
        plots: None,
        steps: 500,
        seed: 1,
        quick: false,
    };
    let mut steps = None;
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("out") => options.out = parser.value()?.into(),
            Long("plots") => options.plots = Some(parser.value()?.into()),
            Long("steps") => {
                let n: usize = parser.value()?.parse()?;
                if !(1..=5000).contains(&n) {
                    return Err(format!("--steps {n}: 1 to 5000").into());
                }
                steps = Some(n);
            }
            Long("seed") => options.seed = parser.value()?.parse()?,
            Long("quick") => options.quick = true,
            Long("help") | Short('h') => return Ok(None),
            other => return Err(other.unexpected()),
        }
    }
    options.steps = steps.unwrap_or(if options.quick { 60 } else { 500 });
    Ok(Some(options))
}
