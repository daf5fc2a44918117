//! Is every stored result really compared? One number of each is changed: the case must fail.

use super::GROUPS;
use super::folder::{Folder, Tensors};
use super::run::{Verdict, judge};
use gradus_tensor::{Array, DType};
use serde_json::Value;
use std::path::Path;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/parity/fixtures");

fn fails(folder: &Folder, spec: &Value, dtype: DType) -> bool {
    matches!(judge(folder, spec, Some(dtype)), Verdict::Failed(_))
}

/// What a case gets is no result.
fn is_input(key: &str) -> bool {
    let folder = key.split(['/', '.']).next().unwrap_or("");
    ["in", "cot", "param", "buffer", "init", "scaled_grad"].contains(&folder)
}

/// One number far from what it was, where the reference is finite if it is so anywhere.
fn changed(x: &Array, first: usize) -> Array {
    let mut values = x.to_vec::<f64>();
    let most = values.iter().filter(|v| v.is_finite()).fold(1.0_f64, |m, v| m.max(v.abs()));
    let at = (first..values.len()).find(|&i| values[i].is_finite()).unwrap_or(first);
    values[at] = match x.dtype() {
        DType::U8 => 1.0 - values[at],
        _ if values[at].is_finite() => values[at] - 3.0 * most,
        _ => 0.0,
    };
    Array::from_f64(x.shape(), x.dtype(), &values)
}

fn tensors(folder: &mut Folder, dtype: DType) -> &mut Tensors {
    if dtype == DType::F64 { &mut folder.f64 } else { &mut folder.f32 }
}

/// Results that may differ by the rules of the format.
fn may_differ(folder: &Folder, spec: &Value, dtype: DType, key: &str, x: &Array) -> bool {
    let id = spec["id"].as_str().unwrap();
    let degenerate = key.starts_with("grad") && !x.to_vec::<f64>().iter().any(|v| v.is_finite());
    let set = spec["set"].as_str().unwrap_or("");
    x.numel() == 0
        || degenerate
        || key.starts_with("alt_")
        || folder.tensors(dtype).contains_key(&format!("{id}/alt_{key}"))
        || folder.tensors(dtype).contains_key(&format!("{id}/traj_exact_ns/w"))
        || (dtype == DType::F32 && (set == "huge" || set == "tiny"))
}

#[test]
fn a_changed_result_fails_its_case() {
    let mut mutants = 0;
    for group in GROUPS.into_iter().filter(|g| *g != "sched") {
        let mut folder = Folder::open(Path::new(FIXTURES), group).unwrap();
        for spec in folder.cases().to_vec() {
            for dtype in [DType::F64, DType::F32] {
                if judge(&folder, &spec, Some(dtype)) == Verdict::Passed {
                    mutants += change_each(&mut folder, &spec, dtype);
                }
            }
        }
    }
    assert!(mutants > 4000, "only {mutants} results");
}

/// Every result of a case in turn; how many there are.
fn change_each(folder: &mut Folder, spec: &Value, dtype: DType) -> usize {
    let prefix = format!("{}/", spec["id"].as_str().unwrap());
    let all: Vec<(String, Array)> = folder
        .tensors(dtype)
        .range(prefix.clone()..)
        .take_while(|(key, _)| key.starts_with(&prefix))
        .map(|(key, x)| (key.clone(), x.clone()))
        .collect();
    let mut count = 0;
    for (key, x) in all {
        let name = &key[prefix.len()..];
        if is_input(name) || may_differ(folder, spec, dtype, name, &x) {
            continue;
        }
        tensors(folder, dtype).insert(key.clone(), changed(&x, 0));
        assert!(fails(folder, spec, dtype), "{} {key} {dtype}: not compared", folder.group);
        tensors(folder, dtype).insert(key, x);
        count += 1;
    }
    count
}

#[test]
fn a_changed_number_of_the_manifest_fails_its_case() {
    let places = [
        ("sched", "/lrs/3/1"),
        ("sched", "/momentums/2/0"),
        ("clip", "/total_norm_f64"),
        ("amp", "/trace/f64/scale_before/3"),
        ("amp", "/trace/f64/scale_after/3"),
        ("amp", "/trace/f64/growth_tracker/2"),
        ("amp", "/trace/f64/stepped/1/0"),
        ("amp", "/trace/f64/scaled_loss/2"),
        ("amp", "/trace/f64/total_norm/2"),
        ("amp", "/state_dict_final/f64/scale"),
        ("amp", "/state_dict_at_resume/growth_factor"),
        ("optim", "/param_groups/0/lr"),
        ("optim", "/param_groups_final/0/lr"),
        ("optim", "/sd_param_groups/0/lr"),
        ("optim", "/sd_param_groups/0/params/0"),
        ("training", "/lrs/1"),
    ];
    for (group, place) in places {
        let folder = Folder::open(Path::new(FIXTURES), group).unwrap();
        let mut mutants = 0;
        for spec in folder.cases() {
            let mut other = spec.clone();
            let Some(number) = other.pointer_mut(place).filter(|v| v.is_number()) else { continue };
            *number = (2.0 * number.as_f64().unwrap() + 7.0).into();
            if judge(&folder, spec, Some(DType::F64)) == Verdict::Passed {
                assert!(fails(&folder, &other, DType::F64), "{group}/{} {place}", spec["id"]);
                mutants += 1;
            }
        }
        assert!(mutants > 0, "{group} {place}: in no case that passes");
    }
}

#[test]
fn what_nobody_knows_is_unsupported() {
    let folder = Folder::open(Path::new(FIXTURES), "ops").unwrap();
    let find = |id: &str| folder.cases().iter().find(|c| c["id"] == id).unwrap().clone();
    let known = find("softmax_0");
    assert_eq!(judge(&folder, &known, None), Verdict::Passed);
    let says = |key: &str, value: Value| {
        let mut other = known.clone();
        match key.strip_prefix("attrs.") {
            Some(attr) => other["attrs"][attr] = value,
            None => other[key] = value,
        }
        judge(&folder, &other, None)
    };
    let unsupported = |text: &str| Verdict::Unsupported(text.to_owned());
    assert_eq!(says("kind", "dream".into()), unsupported("no kind \"dream\""));
    assert_eq!(says("op", "foo".into()), unsupported("no op \"foo\""));
    assert_eq!(says("attrs.beta", 2.into()), unsupported("no option beta=2 of softmax"));
    assert_eq!(says("views", serde_json::json!({"0": "up"})), unsupported("no view \"up\""));
}

#[test]
fn a_stored_result_that_is_not_compared_is_unsupported() {
    let mut folder = Folder::open(Path::new(FIXTURES), "ops").unwrap();
    let spec = folder.cases().iter().find(|c| c["id"] == "tanh_0").unwrap().clone();
    folder.f64.insert("tanh_0/out/another".into(), Array::from([1.0]));
    let text = "out/another is not compared".to_owned();
    assert_eq!(judge(&folder, &spec, None), Verdict::Unsupported(text));
}

#[test]
fn a_refusal_passes_if_the_case_is_optional_and_fails_if_not() {
    let mut folder = Folder::open(Path::new(FIXTURES), "ops").unwrap();
    let mut spec = folder.cases().iter().find(|c| c["id"] == "matmul_0").unwrap().clone();
    folder.f64.insert("matmul_0/in/0".into(), Array::from([[[1.0; 7]; 7]; 7]));
    match judge(&folder, &spec, Some(DType::F64)) {
        Verdict::Failed(why) => assert!(why.contains("matmul"), "{why}"),
        other => panic!("{other:?}"),
    }
    spec["optional"] = true.into();
    assert_eq!(judge(&folder, &spec, Some(DType::F64)), Verdict::Passed);
}
