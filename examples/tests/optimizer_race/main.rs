//! The optimizer race runs, its page is sound, and what it states holds.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod markup;
#[path = "../program/mod.rs"]
mod program;

/// The parts of the example that have tests of their own: cargo builds an example or its tests, not both.
macro_rules! parts {
    ($($part:ident $file:literal)*) => {
        $(#[path = $file]
        #[allow(dead_code, reason = "the example uses the rest")]
        mod $part;)*
    };
}
parts! {
    contour "../../optimizer_race/contour.rs"
    path "../../optimizer_race/path.rs"
    race "../../optimizer_race/race.rs"
    racers "../../optimizer_race/racers.rs"
    stepper "../../optimizer_race/stepper.rs"
    surfaces "../../optimizer_race/surfaces.rs"
}

use markup::{attributes, check};
use program::text;
use serde_json::Value;
use std::collections::HashSet;
use std::process::Output;
use std::sync::LazyLock;

const SURFACES: [&str; 5] = ["rosenbrock", "beale", "himmelblau", "saddle", "bowl"];

fn run(arguments: &[&str]) -> Output {
    program::run("optimizer_race", arguments)
}

/// A quick race, run once for all tests.
struct Race {
    said: String,
    page: String,
    data: Value,
    ids: HashSet<String>,
}

static RACE: LazyLock<Race> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("race.html");
    let said = text(&run(&["--quick", "--out", file.to_str().unwrap()]));
    let page = std::fs::read_to_string(file).unwrap();
    let json = markup::element(&page, "race-data");
    let data = serde_json::from_str(json).unwrap();
    let ids = attributes(&page, "id").map(str::to_owned).collect();
    Race { said, page, data, ids }
});

fn racers() -> Vec<&'static str> {
    RACE.data["racers"].as_array().unwrap().iter().map(|r| r["id"].as_str().unwrap()).collect()
}

fn run_of(surface: usize, racer: &str) -> &'static Value {
    &RACE.data["surfaces"][surface]["runs"][racer]
}

#[test]
fn the_page_is_well_formed_and_stands_alone() {
    let page = &RACE.page;
    check(page).unwrap();
    let all: Vec<&str> = attributes(page, "id").collect();
    assert_eq!(all.len(), RACE.ids.len(), "an id stands there twice");
    let outside = page.replace("http://www.w3.org/2000/svg", "");
    for word in ["http://", "https://", "src=", "@import", "url(", "<link", "{{"] {
        assert!(!outside.contains(word), "{word} in the page");
    }
    assert!(page.len() < 2_000_000, "{} bytes", page.len());
}

#[test]
fn every_optimizer_is_in_the_legend_the_data_and_the_tables() {
    let racers = racers();
    for name in gradus::optim::optimizers::OPTIMIZERS {
        assert!(racers.contains(name), "{name}");
    }
    let tables: Vec<&str> = RACE.page.split("<table>").skip(1).collect();
    assert_eq!(tables.len(), 7, "a summary, five surfaces, the digits");
    for racer in RACE.data["racers"].as_array().unwrap() {
        let (id, name) = (racer["id"].as_str().unwrap(), racer["name"].as_str().unwrap());
        assert!(
            RACE.ids.contains(&format!("show-{id}")) && RACE.ids.contains(&format!("mark-{id}"))
        );
        assert!(RACE.data["digits"]["runs"][id].is_object(), "{id} did not read digits");
        for table in &tables {
            let head = format!("<th scope=\"row\">{name}<");
            assert_eq!(table.matches(&head).count(), 1, "{name} in {}", &table[..80]);
        }
    }
    let shown: Vec<&str> = RACE.data["surfaces"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s["id"].as_str().unwrap())
        .collect();
    assert_eq!(shown, SURFACES);
}

#[test]
fn every_point_is_finite_or_null() {
    let steps = RACE.data["steps"].as_u64().unwrap() as usize;
    assert_eq!(steps, 60);
    for (i, surface) in SURFACES.iter().enumerate() {
        let contours = RACE.data["surfaces"][i]["contours"].as_array().unwrap();
        assert!(
            contours.len() > 5 && contours.iter().all(|d| d.as_str().unwrap().starts_with('M'))
        );
        for racer in racers() {
            let run = run_of(i, racer);
            if racer == "muon" {
                assert!(run.is_null());
                continue;
            }
            let (points, losses) = (&run["points"], &run["log10_losses"]);
            let (points, losses) = (points.as_array().unwrap(), losses.as_array().unwrap());
            assert_eq!((points.len(), losses.len()), (steps + 1, steps + 1), "{racer}, {surface}");
            for (point, loss) in points.iter().zip(losses) {
                let finite = [&point[0], &point[1], loss].iter().all(|v| v.as_f64().is_some());
                assert!(
                    finite || (point.is_null() && loss.is_null()),
                    "{racer}, {surface}: {point}"
                );
            }
            let gone = points.iter().any(Value::is_null);
            assert_eq!(run["diverged"].as_bool().unwrap(), gone, "{racer}, {surface}");
        }
    }
}

#[test]
fn the_script_finds_all_that_it_asks_for() {
    let page = &RACE.page;
    for id in ["play", "step", "step-text", "show-all", "show-none", "show-few"] {
        assert!(RACE.ids.contains(id), "{id}");
    }
    assert!(page.contains("<input type=\"range\" id=\"step\""));
    assert!(page.contains("<button type=\"button\" id=\"play\""));
    let mut asked = 0;
    for call in page.split("getElementById(\"").skip(1) {
        let (id, rest) = call.split_once('"').unwrap();
        let ends: Vec<&str> = match (rest.starts_with(')'), id) {
            (true, _) => vec![""],
            (_, "map-" | "curve-") => SURFACES.to_vec(),
            (_, "show-" | "mark-") => racers(),
            _ => panic!("who ends the id {id}…?"),
        };
        for end in ends {
            assert!(RACE.ids.contains(&format!("{id}{end}")), "{id}{end}");
        }
        asked += 1;
    }
    assert!(asked > 8, "{asked}");
}

#[test]
fn second_order_methods_reach_the_bottom_of_the_bowl() {
    let last_loss = |racer: &str| run_of(4, racer)["log10_losses"][60].as_f64().unwrap();
    assert_eq!(last_loss("newton"), -12.0, "a parabola is one step of Newton's");
    assert!(last_loss("lbfgs") <= -10.0, "{}", last_loss("lbfgs"));
    assert!(last_loss("sgd") > -3.0, "a hundred times longer than wide: {}", last_loss("sgd"));
    let last = RACE.said.lines().last().unwrap();
    assert!(last.starts_with("fewest steps: rosenbrock "), "{last}");
    assert!(last.contains(", bowl newton 1;") && last.contains("smallest loss: digits "), "{last}");
}

#[test]
fn the_rate_of_plain_descent_on_the_bowl_is_the_one_theory_allows() {
    // The steepest curvature is 100: rates from 2/100 on run away. The search of the quick race has 0.01, 0.1.
    let rate = run_of(4, "sgd")["lr"].as_f64().unwrap();
    assert_eq!(rate, 0.01);
    let table = RACE.page.split("<table>").nth(5).unwrap();
    let row = table.split("<th scope=\"row\">SGD<").nth(1).unwrap();
    assert!(row.contains("<td>0.01</td><td>0.1</td>"), "{}", &row[..200]);
}

#[test]
fn pictures_are_small_and_there_is_one_for_each_optimizer() {
    let folder = tempfile::tempdir().unwrap();
    let said = text(&run(&["--quick", "--plots", folder.path().to_str().unwrap()]));
    assert!(said.starts_with(&format!("{} pictures", racers().len())), "{said}");
    for racer in racers() {
        let svg = std::fs::read_to_string(folder.path().join(format!("{racer}.svg"))).unwrap();
        check(&svg).unwrap_or_else(|e| panic!("{racer}: {e}"));
        assert!(svg.len() < 25_000, "{racer}: {} bytes", svg.len());
        assert_eq!(svg.matches("http").count(), 1, "{racer}: xmlns, and nothing else");
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{racer}");
    }
}

#[test]
fn help_and_bad_options_are_answered() {
    let help = text(&run(&["--help"]));
    for option in ["--quick", "--out", "--plots", "--steps", "--seed"] {
        assert!(help.contains(option), "{option}");
    }
    for (bad, word) in
        [(["--wings", "2"], "--wings"), (["--steps", "0"], "--steps 0"), (["--seed", "x"], "x")]
    {
        let output = run(&bad);
        assert_eq!(output.status.code(), Some(2), "{bad:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains(word), "{bad:?}");
    }
}
