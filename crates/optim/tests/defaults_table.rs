//! The table of defaults in the book is that of the code, and of PyTorch where it has the optimizer.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use gradus_optim::*;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fs;

/// The value of each option.
type Options = BTreeMap<String, Value>;

fn read(file: &str) -> String {
    fs::read_to_string(format!("{}/../../{file}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// `1e-3`, `(0.9, none)`, `true`, `auto` as JSON; numbers as f64.
fn parsed(cell: &str) -> Value {
    if let Some(inner) = cell.strip_prefix('(').and_then(|c| c.strip_suffix(')')) {
        return inner.split(", ").map(parsed).collect();
    }
    match cell {
        "none" => Value::Null,
        "true" | "false" => Value::from(cell == "true"),
        _ => cell.parse::<f64>().map_or_else(|_| Value::from(cell), Value::from),
    }
}

/// The same with every number as f64.
fn widened(value: &Value) -> Value {
    match value {
        Value::Number(n) => Value::from(n.as_f64().unwrap()),
        Value::Array(all) => all.iter().map(widened).collect(),
        other => other.clone(),
    }
}

/// What the book leaves out: `maximize`, and what makes PyTorch's AdamW an Adam.
fn shown(all: &Value, without: &[&str]) -> Options {
    let all = all.as_object().unwrap().iter();
    let left = all.filter(|(name, _)| !without.contains(&name.as_str()));
    left.map(|(name, value)| (name.clone(), widened(value))).collect()
}

/// The table: PyTorch's and our options by the name of the optimizer. A dash is no value.
fn table() -> BTreeMap<String, [Options; 2]> {
    let (mut found, mut name) = (BTreeMap::<String, [Options; 2]>::new(), String::new());
    for line in read("docs/optimizers/defaults.md").lines().filter(|l| l.starts_with("| ")).skip(1)
    {
        let cells: Vec<&str> = line.split('|').map(|c| c.trim().trim_matches('`')).collect();
        let [_, optimizer, option, _article, torch, ours, _] = cells[..] else { panic!("{line}") };
        if !optimizer.is_empty() {
            optimizer.clone_into(&mut name);
        }
        let columns = found.entry(name.clone()).or_default();
        for (column, cell) in columns.iter_mut().zip([torch, ours]) {
            if cell != "–" {
                assert!(column.insert(option.to_owned(), parsed(cell)).is_none(), "{line}");
            }
        }
    }
    found
}

/// `defaults![Adam AdamOptions, …]`: their names with the options they have by default.
macro_rules! defaults {
    ($($name:ident $Options:ident,)*) => {
        [$((stringify!($name), json(&$Options::default())),)*]
    };
}

fn json(options: &impl Serialize) -> Value {
    serde_json::to_value(options).unwrap()
}

#[test]
fn the_book_has_the_defaults_of_the_code() {
    let code = defaults![
        Adadelta AdadeltaOptions,
        Adafactor AdafactorOptions,
        Adagrad AdagradOptions,
        Adam AdamOptions,
        Adamax AdamaxOptions,
        AdamW AdamWOptions,
        AdamWScheduleFree AdamWScheduleFreeOptions,
        Asgd AsgdOptions,
        Lamb LambOptions,
        Lbfgs LbfgsOptions,
        Lion LionOptions,
        Lookahead LookaheadOptions,
        Muon MuonOptions,
        NAdam NAdamOptions,
        Newton NewtonOptions,
        RAdam RAdamOptions,
        RmsProp RmsPropOptions,
        Rprop RpropOptions,
        Sam SamOptions,
        Sgd SgdOptions,
        SparseAdam SparseAdamOptions,
    ];
    assert_eq!(code.len(), OPTIMIZERS.len(), "every optimizer of the catalog stands here");
    let mut book = table();
    for (name, options) in code {
        let [torch, ours] =
            book.remove(name).unwrap_or_else(|| panic!("{name} is not in the table"));
        assert_eq!(ours, shown(&options, &["maximize"]), "{name}");
        assert!(torch.is_empty() || torch == ours, "{name}: our defaults are PyTorch's");
    }
    assert!(book.is_empty(), "no such optimizer: {book:?}");
}

#[test]
fn the_book_has_the_defaults_that_pytorch_recorded() {
    let manifest: Value =
        serde_json::from_str(&read("tests/parity/fixtures/optim/manifest.json")).unwrap();
    let by_default = |case: &&Value| case["defaults"].as_object().is_some_and(|d| d.is_empty());
    let mut compared = 0;
    for case in manifest["cases"].as_array().unwrap().iter().filter(by_default) {
        let name = case["optimizer"].as_str().unwrap();
        let without: &[&str] =
            if name == "AdamW" { &["maximize", "decoupled_weight_decay"] } else { &["maximize"] };
        let recorded = shown(&case["param_groups"][0], without);
        let book = table().into_iter().find(|(ours, _)| ours.eq_ignore_ascii_case(name));
        let (_, [torch, _]) = book.unwrap_or_else(|| panic!("{name} is not in the table"));
        // A dash: PyTorch has no such optimizer, the fixture is that of a plain program.
        if !torch.is_empty() {
            assert_eq!(torch, recorded, "{name}");
            compared += 1;
        }
    }
    assert_eq!(compared, 14);
}
