//! The tables of the page; they need no script.

use crate::Results;
use crate::digits::DigitsRun;
use crate::race::{Entry, Ranked, Run};
use crate::racers::{RACERS, Racer};
use crate::surfaces::Surface;

/// In the order of their ranks; those that did not run come last.
fn ranked<R: Ranked>(entries: &[Entry<R>]) -> Vec<&Entry<R>> {
    let mut sorted: Vec<_> = entries.iter().collect();
    sorted.sort_by(|a, b| {
        let rank = |e: &Entry<R>| e.best.as_ref().map_or((usize::MAX, f64::INFINITY), R::rank);
        let ((step, loss), (other_step, other_loss)) = (rank(a), rank(b));
        let absent = a.best.is_none().cmp(&b.best.is_none());
        absent.then(step.cmp(&other_step)).then(loss.total_cmp(&other_loss))
    });
    sorted
}

/// The best of all.
pub(crate) fn winner<R: Ranked>(entries: &[Entry<R>]) -> Option<(&'static Racer, &R)> {
    let first = ranked(entries).into_iter().next()?;
    Some((first.racer, first.best.as_ref()?))
}

fn table(caption: &str, heads: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let heads: String = heads.iter().map(|h| format!("<th scope=\"col\">{h}</th>")).collect();
    let rows: String = rows
        .map(|cells| {
            let rest: String = cells[1..].iter().map(|c| format!("<td>{c}</td>")).collect();
            format!("<tr><th scope=\"row\">{}</th>{rest}</tr>\n", cells[0])
        })
        .collect();
    format!(
        "<div class=\"scroll\" role=\"region\" aria-label=\"{caption}\" tabindex=\"0\"><table>\
         <caption>{caption}</caption>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}</tbody></table></div>\n"
    )
}

/// A loss or a distance in few characters.
pub(crate) fn number(x: f64) -> String {
    match x {
        _ if x.is_infinite() => "∞".to_owned(),
        _ if x == 0.0 => "0".to_owned(),
        _ if (0.01..1000.0).contains(&x) => format!("{x:.3}"),
        _ => format!("{x:.1e}"),
    }
}

fn name(racer: &Racer) -> String {
    let Racer { name, note, .. } = racer;
    if note.is_empty() { (*name).to_owned() } else { format!("{name}<small>{note}</small>") }
}

fn or_dash<T: ToString>(value: Option<T>) -> String {
    value.map_or("–".to_owned(), |v| v.to_string())
}

/// The row of one that does not run here.
fn absent(racer: &Racer) -> Vec<String> {
    let mut cells = vec![name(racer), "cannot run".to_owned()];
    cells.resize(7, "–".to_owned());
    cells
}

/// All optimizers on one surface.
pub(crate) fn surface_table(surface: &Surface, entries: &[Entry<Run>]) -> String {
    let heads = [
        "Optimizer",
        "Steps to 0.001",
        "Final loss",
        "Distance",
        "Learning rate",
        "Diverges from",
        "Evaluations to 0.001",
    ];
    let rows = ranked(entries).into_iter().map(|e| {
        let Some(run) = &e.best else {
            return absent(e.racer);
        };
        let arrived = run.arrived();
        vec![
            name(e.racer),
            if run.diverged { "diverged".to_owned() } else { or_dash(arrived) },
            number(run.final_loss()),
            number(surface.distance(run.last_point())),
            run.lr.to_string(),
            or_dash(e.diverges_at),
            or_dash(arrived.map(|step| run.evaluations[step])),
        ]
    });
    table(&format!("{}, the best run of each optimizer", surface.name), &heads, rows)
}

/// All optimizers on the digits.
pub(crate) fn digits_table(entries: &[Entry<DigitsRun>]) -> String {
    let heads = [
        "Optimizer",
        "Test accuracy",
        "Training loss",
        "Steps",
        "Learning rate",
        "Diverges from",
        "ms a step",
    ];
    let rows = ranked(entries).into_iter().map(|e| {
        let Some(run) = &e.best else {
            return absent(e.racer);
        };
        let loss = if run.diverged() { "diverged".to_owned() } else { number(run.final_loss()) };
        vec![
            name(e.racer),
            format!("{:.1} %", 100.0 * run.accuracy),
            loss,
            run.steps.to_string(),
            run.lr.to_string(),
            or_dash(e.diverges_at),
            format!("{:.2}", run.milliseconds()),
        ]
    });
    table("The digits, the best run of each optimizer", &heads, rows)
}

/// One line an optimizer: steps to the goal on each surface, or what is left of the loss.
pub(crate) fn summary(results: &Results) -> String {
    let names = results.surfaces.iter().map(|(s, _)| s.short);
    let heads: Vec<&str> = ["Optimizer"].into_iter().chain(names).chain(["Digits"]).collect();
    let best = |entries: &[Entry<Run>]| winner(entries).and_then(|(_, run)| run.arrived());
    let rows = RACERS.iter().map(|racer| {
        let mut cells = vec![racer.name.to_owned()];
        for (_, entries) in &results.surfaces {
            let run = entries.iter().find(|e| e.racer.id == racer.id).and_then(|e| e.best.as_ref());
            cells.push(match run.map(|run| (run, run.arrived())) {
                None => "–".to_owned(),
                Some((run, _)) if run.diverged => "diverged".to_owned(),
                Some((_, Some(steps))) if Some(steps) == best(entries) => {
                    format!("<strong>{steps}</strong>")
                }
                Some((_, Some(steps))) => steps.to_string(),
                Some((run, None)) => format!("<small>loss {}</small>", number(run.final_loss())),
            });
        }
        let digits = results.digits.iter().find(|e| e.racer.id == racer.id);
        let accuracy = digits
            .and_then(|e| e.best.as_ref())
            .map(|run| format!("{:.1} %", 100.0 * run.accuracy));
        cells.push(or_dash(accuracy));
        cells
    });
    table("Steps until the loss stays below 0.001; digits: test accuracy", &heads, rows)
}
