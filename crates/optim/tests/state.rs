//! What is saved, and what does not load.
#![allow(clippy::unwrap_used, reason = "a test")]

use gradus_autodiff::Parameter;
use gradus_optim::{
    Adam, AdamOptions, AdamW, AdamWOptions, Entry, LrPolicy, OptimError, Optimizer, Sgd,
    SgdOptions, StateDict, Value,
};
use gradus_tensor::{Array, DType};

fn named(names: &[&str]) -> Vec<(String, Parameter)> {
    let new = |name: &&str| ((*name).to_owned(), Parameter::new([[1.0_f32, 2.0]]));
    names.iter().map(new).collect()
}

fn adam(names: &[&str]) -> Adam {
    let params = named(names);
    let mut opt = Adam::new(params, AdamOptions { lr: 0.1, ..Default::default() }).unwrap();
    for (_, p) in opt.named_parameters() {
        p.set_grad(Some([[0.5_f32, -0.5]].into()));
    }
    opt.step().unwrap();
    opt
}

fn refused(opt: &mut dyn Optimizer, state: &StateDict) -> String {
    let before = opt.state_dict();
    let text = opt.load_state_dict(state).unwrap_err().to_string();
    assert_eq!(opt.state_dict(), before, "all or nothing");
    text
}

#[test]
fn the_keys_are_names_and_pytorchs() {
    let mut opt = adam(&["fc.weight"]);
    let state = opt.state_dict();
    let keys: Vec<&str> = state.keys().collect();
    let expected = [
        "optimizer",
        "param_groups",
        "state.fc.weight.exp_avg",
        "state.fc.weight.exp_avg_sq",
        "state.fc.weight.step",
        "steps",
    ];
    assert_eq!(keys, expected);
    let group = &state.value("param_groups").unwrap()[0];
    assert_eq!(group["lr"], 0.1);
    assert_eq!(group["betas"][1], 0.999);
    assert_eq!(group["param_names"][0], "fc.weight");
    let torch = opt.parameter_state("fc.weight").unwrap();
    assert_eq!(torch.keys().collect::<Vec<_>>(), ["exp_avg", "exp_avg_sq", "step"]);
    assert_eq!(torch.array("step").unwrap().item(), 1.0);
    assert!(opt.parameter_state("fc").is_none());
    opt.zero_grad();
    let groups = opt.param_groups();
    assert_eq!((groups[0].names[0].as_str(), groups[0].lr), ("fc.weight", 0.1));
    assert_eq!(groups[0].options["eps"], 1e-8);
    let mut sgd = Sgd::new(named(&["w"]), SgdOptions::default()).unwrap();
    sgd.named_parameters()[0].1.set_grad(Some([[1.0_f32, 1.0]].into()));
    sgd.step().unwrap();
    assert!(sgd.parameter_state("w").unwrap().is_empty(), "no momentum, no state");
    assert!(Sgd::new(named(&["w"]), SgdOptions::default()).unwrap().parameter_state("w").is_none());
}

#[test]
fn a_saved_state_is_a_snapshot() {
    let mut opt = adam(&["w"]);
    let state = opt.state_dict();
    let bytes = state.to_bytes().unwrap();
    opt.step().unwrap();
    assert_eq!(state.to_bytes().unwrap(), bytes);
    assert_ne!(opt.state_dict(), state);
}

#[test]
fn all_that_does_not_fit_is_listed() {
    let state = adam(&["a", "b", "c"]).state_dict();
    let text = refused(&mut adam(&["b", "x", "y"]), &state);
    for part in ["missing: x, y", "unexpected: a, c, state.a.exp_avg", "state.c.step"] {
        assert!(text.contains(part), "{text}");
    }
    let mut opt = adam(&["a"]);
    let mut state = opt.state_dict();
    state.insert("state.a.exp_avg", Array::zeros([2], DType::F32));
    state.remove("state.a.exp_avg_sq");
    state.insert("extra", Value::from(1));
    let text = refused(&mut opt, &state);
    for part in
        ["missing: state.a.exp_avg_sq", "unexpected: extra", "state.a.exp_avg is [2], not [1, 2]"]
    {
        assert!(text.contains(part), "{text}");
    }
    assert!(matches!(opt.load_state_dict(&state), Err(OptimError::Mismatch(_))));
}

#[test]
fn another_optimizer_or_number_of_groups_is_refused() {
    let state = adam(&["a"]).state_dict();
    let mut adamw = AdamW::new(named(&["a"]), AdamWOptions::default()).unwrap();
    assert!(refused(&mut adamw, &state).contains("Adam, not AdamW"));
    let mut opt = adam(&["a"]);
    opt.add_group(named(&["b"]), AdamOptions::default()).unwrap();
    assert!(refused(&mut opt, &state).contains("1 groups, not 2"));
}

#[test]
fn malformed_states_are_errors_and_change_nothing() {
    let mut opt = adam(&["a"]);
    let good = opt.state_dict();
    for (key, text) in [
        ("optimizer", "1"),
        ("steps", "[1]"),
        ("steps", "[1, -1]"),
        ("param_groups", "{}"),
        ("param_groups", "[3]"),
        ("param_groups", r#"[{"lr": "x"}]"#),
        ("state.a.step", "-1"),
        ("state.a.step", "1.5"),
        ("state.a.exp_avg", "3"),
    ] {
        let mut state = good.clone();
        state.insert(key, text.parse::<Value>().unwrap());
        refused(&mut opt, &state);
    }
    for key in ["optimizer", "steps", "param_groups"] {
        let mut state = good.clone();
        state.remove(key);
        assert!(refused(&mut opt, &state).contains(&format!("{key} is missing")));
        state.insert(key, Array::zeros([1], DType::F32));
        assert!(refused(&mut opt, &state).contains(&format!("{key} is an array")));
    }
}

#[test]
fn bytes_from_outside_are_errors_not_panics() {
    let bytes = adam(&["a"]).state_dict().to_bytes().unwrap();
    for n in 0..bytes.len() {
        assert!(StateDict::from_bytes(&bytes[..n]).is_err(), "{n} bytes");
    }
    for i in 0..bytes.len() {
        for flip in [0x01, 0x20, 0x80] {
            let mut bytes = bytes.clone();
            bytes[i] ^= flip;
            if let Ok(state) = StateDict::from_bytes(&bytes) {
                let _ = adam(&["a"]).load_state_dict(&state);
            }
        }
    }
}

#[test]
fn b18_every_type_and_every_bit_survives() {
    let mut state = StateDict::default();
    for dtype in
        [DType::F16, DType::Bf16, DType::F32, DType::F64, DType::I64, DType::U8, DType::Bool]
    {
        state.insert(format!("{dtype}"), Array::from_f64([2, 2], dtype, &[0.0, 1.0, 3.0, 1e-3]));
    }
    state.insert("empty", Array::zeros([0, 3], DType::F32));
    state.insert("scalar", Array::scalar(0.1, DType::F64));
    for i in 0..10_000_u64 {
        let v = f64::from_bits(i.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        if v.is_finite() {
            state.insert(format!("number {i}"), Value::from(v));
        }
    }
    let bytes = state.to_bytes().unwrap();
    let back = StateDict::from_bytes(&bytes).unwrap();
    assert_eq!(back, state);
    assert_eq!(back.to_bytes().unwrap(), bytes);
    assert!(back.iter().any(|(_, entry)| matches!(entry, Entry::Array(_))));
    assert_eq!(back.len(), state.len());
}

#[test]
fn whose_rate_wins_is_a_choice() {
    let state = adam(&["a"]).state_dict();
    let options = || AdamOptions { lr: 0.7, eps: 1e-3, ..Default::default() };
    let mut opt = Adam::new(named(&["a"]), options()).unwrap();
    opt.load_state_dict(&state).unwrap();
    assert_eq!((opt.lrs(), opt.options(0).eps), (vec![0.1], 1e-8));
    let mut opt = Adam::new(named(&["a"]), options()).unwrap();
    opt.load_state_dict_with(&state, LrPolicy::KeepCurrent).unwrap();
    assert_eq!((opt.lrs(), opt.options(0).eps), (vec![0.7], 1e-8));
}

#[test]
fn the_order_of_the_parameters_does_not_matter() {
    let state = adam(&["a", "b"]).state_dict();
    let mut opt = Adam::new(named(&["b", "a"]), AdamOptions::default()).unwrap();
    opt.load_state_dict(&state).unwrap();
    let step = |name| opt.parameter_state(name).unwrap().array("step").unwrap().item();
    assert_eq!([step("a"), step("b")], [1.0, 1.0]);
}

#[test]
fn momentum_switched_on_later_starts_from_the_gradient_and_is_not_missing() {
    let p = Parameter::new([1.0]);
    let options = SgdOptions { lr: 0.1, dampening: 0.5, ..Default::default() };
    let mut opt = Sgd::from_parameters([p.clone()], options.clone()).unwrap();
    p.set_grad(Some([1.0].into()));
    opt.step().unwrap();
    opt.set_options(0, SgdOptions { momentum: 0.9, ..options }).unwrap();
    let state = opt.state_dict();
    opt.load_state_dict(&state).unwrap();
    opt.step().unwrap();
    assert!((p.item() - 0.8).abs() < 1e-15, "the first velocity has no dampening");
}

#[test]
fn schedulers_reach_momentum_and_betas() {
    let mut opt = adam(&["a"]);
    assert_eq!(opt.momentums(), [Some(0.9)]);
    assert!(opt.set_momentum(0, 0.5));
    assert_eq!(opt.options(0).betas, (0.5, 0.999));
}
