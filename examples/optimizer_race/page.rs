//! The page: one file, with its style, its script and its data inside.

use crate::contour::contours;
use crate::path::{d, simplify};
use crate::race::{GOAL, Run};
use crate::racers::{Family, RACERS, Racer};
use crate::surfaces::Surface;
use crate::tables::{digits_table, summary, surface_table};
use crate::{Plan, Results};
use serde_json::{Value, json};

/// The side of the square that contours are drawn in.
const SIDE: f64 = 400.0;
/// Losses below it are drawn there: 1e-12.
const LEAST_LOG: f64 = -12.0;

/// The whole page.
pub(crate) fn page(results: &Results, plan: &Plan) -> String {
    let surfaces: String = results
        .surfaces
        .iter()
        .map(|(s, entries)| section(s, &surface_table(s, entries)))
        .collect();
    let rates: Vec<String> = plan.rates.iter().map(f64::to_string).collect();
    let digits_rates: Vec<String> = plan.digits_rates.iter().map(f64::to_string).collect();
    // The script and the data come last, so that nothing in them is taken for a placeholder.
    [
        ("steps", plan.steps.to_string()),
        ("goal", GOAL.to_string()),
        ("rates", rates.join(", ")),
        ("digits_rates", digits_rates.join(", ")),
        ("digits_steps", plan.digits_steps.to_string()),
        ("seed", plan.seed.to_string()),
        ("refused", RACERS.iter().find_map(Racer::refuses_points).unwrap_or_default().to_owned()),
        ("legend", Family::ALL.iter().map(|f| legend(*f)).collect()),
        ("summary", summary(results)),
        ("surfaces", surfaces),
        ("digits_table", digits_table(&results.digits)),
        ("style", include_str!("page.css").to_owned()),
        ("script", include_str!("page.js").to_owned()),
        // A string in the data cannot end the element that holds it.
        ("data", data(results, plan).to_string().replace("</", "<\\/")),
    ]
    .iter()
    .fold(include_str!("page.html").to_owned(), |page, (name, text)| {
        page.replace(&format!("{{{{{name}}}}}"), text)
    })
}

/// The switches of one family.
fn legend(family: Family) -> String {
    let items: String = racers_of(family)
        .map(|(i, Racer { id, name, note, .. })| {
            let checked = if FIRST.contains(id) { " checked" } else { "" };
            format!(
                "<li><input type=\"checkbox\" id=\"show-{id}\" value=\"{id}\" aria-label=\"Show {name}\"{checked}>\
                 <button type=\"button\" id=\"mark-{id}\" value=\"{id}\" aria-pressed=\"false\" title=\"{note}\">\
                 {}{name}</button></li>\n",
                swatch(i)
            )
        })
        .collect();
    let (id, title) = (family.id(), family.title());
    format!("<fieldset class=\"{id}\"><legend>{title}</legend><ul>\n{items}</ul></fieldset>\n")
}

/// Those that are shown at first: one or two of each family.
const FIRST: &[&str] =
    &["sgd", "sgd_momentum", "adagrad", "rmsprop", "adam", "lion", "lbfgs", "newton"];

/// The members of a family, with their numbers, which decide about dashes and markers.
fn racers_of(family: Family) -> impl Iterator<Item = (usize, &'static Racer)> {
    RACERS.iter().filter(move |r| r.family == family).enumerate()
}

/// Dashes of the lines of a family, in its order; the script draws with the same.
const DASHES: [&str; 4] = ["", "7 4", "2 3", "9 3 2 3"];

/// A piece of line with the marker of its end.
fn swatch(i: usize) -> String {
    let marker = match i {
        0 => "<circle cx=\"28\" cy=\"7\" r=\"4\"/>",
        1 => "<path d=\"M24 3h8v8h-8z\"/>",
        2 => "<path d=\"M28 2l5 9h-10z\"/>",
        _ => "<path d=\"M28 2l5 5-5 5-5-5z\"/>",
    };
    format!(
        "<svg viewBox=\"0 0 34 14\" width=\"34\" height=\"14\" aria-hidden=\"true\">\
         <path class=\"line\" d=\"M1 7h22\" stroke-dasharray=\"{}\"/>{marker}</svg>",
        DASHES[i]
    )
}

/// A surface: the map, the losses, the table.
fn section(surface: &Surface, table: &str) -> String {
    let Surface { id, name, formula, why, start, .. } = surface;
    format!(
        "<section id=\"{id}\">\n<h2>{name}</h2>\n<p><span class=\"formula\">{formula}</span>. {why} \
         Start: ({},&nbsp;{}).</p>\n<div class=\"pair\">\n\
         <figure><canvas id=\"map-{id}\" class=\"map\" role=\"img\" aria-label=\"Contours of {name} with the ways of the \
         optimizers; the table below has the numbers\"></canvas><figcaption>Lines of equal loss, a cross at each \
         minimum.</figcaption></figure>\n\
         <figure><canvas id=\"curve-{id}\" class=\"curve\" role=\"img\" aria-label=\"Loss over steps on {name}; the table \
         below has the numbers\"></canvas><figcaption>Loss after each step. Dotted: the goal.</figcaption></figure>\n\
         </div>\n<details><summary>Table: {name}</summary>\n{table}</details>\n</section>\n",
        minus(start[0]),
        minus(start[1])
    )
}

/// With a minus sign that is as wide as a plus.
fn minus(x: f64) -> String {
    x.to_string().replace('-', "−")
}

/// What the script draws.
fn data(results: &Results, plan: &Plan) -> Value {
    let racers: Vec<Value> = Family::ALL
        .iter()
        .flat_map(|f| racers_of(*f))
        .map(|(i, r)| json!({"id": r.id, "name": r.name, "family": r.family.id(), "dash": DASHES[i], "marker": i}))
        .collect();
    let surfaces: Vec<Value> = results
        .surfaces
        .iter()
        .map(|(s, entries)| {
            let runs: serde_json::Map<String, Value> = entries
                .iter()
                .map(|e| (e.racer.id.to_owned(), e.best.as_ref().map_or(Value::Null, |r| trajectory(r, plan.steps))))
                .collect();
            json!({"id": s.id, "window": s.window, "minima": s.minima, "contours": lines(s, plan), "runs": runs})
        })
        .collect();
    let digits: serde_json::Map<String, Value> = results
        .digits
        .iter()
        .filter_map(|e| Some((e.racer.id, e.best.as_ref()?)))
        .map(|(id, run)| {
            let curve: Vec<Value> =
                run.curve.iter().map(|(step, loss)| json!([step, logarithm(*loss)])).collect();
            (id.to_owned(), json!({"lr": run.lr, "curve": curve, "accuracy": run.accuracy}))
        })
        .collect();
    json!({
        "steps": plan.steps, "goal": GOAL, "side": SIDE, "racers": racers, "surfaces": surfaces,
        "digits": {"steps": plan.digits_steps, "runs": digits},
    })
}

/// Points and logarithms of losses; null once the run has diverged.
fn trajectory(run: &Run, steps: usize) -> Value {
    let mut points: Vec<Value> =
        run.points.iter().map(|p| json!(p.map(|x| digits(x, 3)))).collect();
    let mut losses: Vec<Value> = run.losses.iter().map(|loss| logarithm(*loss)).collect();
    points.resize(steps + 1, Value::Null);
    losses.resize(steps + 1, Value::Null);
    json!({"lr": run.lr, "diverged": run.diverged, "points": points, "log10_losses": losses})
}

/// One path for each level.
fn lines(surface: &Surface, plan: &Plan) -> Vec<String> {
    let scaled = |line: &Vec<[f64; 2]>| {
        let at: Vec<_> = line.iter().map(|[x, y]| [x * SIDE, (1.0 - y) * SIDE]).collect();
        d(&simplify(&at, 0.2))
    };
    contours(surface, 12, plan.grid)
        .iter()
        .map(|level| level.iter().map(scaled).collect())
        .collect()
}

fn logarithm(loss: f64) -> Value {
    json!(digits(loss.log10().max(LEAST_LOG), 2))
}

/// Rounded, to keep the page small.
fn digits(x: f64, decimals: i32) -> f64 {
    let unit = 10f64.powi(decimals);
    (x * unit).round() / unit
}
