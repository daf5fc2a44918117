//! The order of the gates, and states (bug catalogue B42).

use super::*;
use crate::testing::refusal;
use approx::assert_relative_eq;
use gradus_tensor::{DType, manual_seed};

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// One feature, one unit, weights that tell the gates apart.
fn cell() -> LstmCell {
    let cell = LstmCell::new(1, 1);
    cell.to(DType::F64);
    let set = |p: &Parameter, values: &[f64]| {
        p.set(Array::new(p.shape(), values)).expect("four gates");
    };
    set(&cell.weight_ih, &[0.1, 0.2, 0.3, 0.4]);
    set(&cell.weight_hh, &[0.5, -0.6, 0.7, -0.8]);
    set(cell.bias_ih.as_ref().expect("default"), &[0.01, 0.02, 0.03, 0.04]);
    set(cell.bias_hh.as_ref().expect("default"), &[0.05, 0.06, 0.07, 0.08]);
    cell
}

#[test]
fn b42_the_gates_are_i_f_g_o_with_two_biases_and_h_comes_first() {
    let (x, h, c) = (1.5, -0.4, 0.9);
    let row = |v: f64| Tensor::from([[v]]);
    let (new_h, new_c) = cell().forward(&row(x), Some((&row(h), &row(c))));
    let gate = |w: f64, u: f64, b: f64| w * x + u * h + b;
    let i = sigmoid(gate(0.1, 0.5, 0.06));
    let f = sigmoid(gate(0.2, -0.6, 0.08));
    let g = gate(0.3, 0.7, 0.10).tanh();
    let o = sigmoid(gate(0.4, -0.8, 0.12));
    let want = f * c + i * g;
    assert_relative_eq!(new_c.item(), want, max_relative = 1e-12);
    assert_relative_eq!(new_h.item(), o * want.tanh(), max_relative = 1e-12);
}

#[test]
fn b42_every_sample_of_a_batch_is_computed_as_alone() {
    manual_seed(4);
    let cell = LstmCell::new(3, 2);
    cell.to(DType::F64);
    let [x, h, c] = [[4, 3], [4, 2], [4, 2]].map(|shape| {
        let shape: &[usize] = &shape;
        Tensor::new(gradus_autodiff::testing::inputs(&[shape]).remove(0))
    });
    let (all_h, all_c) = cell.forward(&x, Some((&h, &c)));
    for n in 0..4 {
        let at = |t: &Tensor| t.select(0, n);
        let (one_h, one_c) = cell.forward(&at(&x), Some((&at(&h), &at(&c))));
        for (one, all) in [(one_h, at(&all_h)), (one_c, at(&all_c))] {
            assert_eq!(one.shape().dims(), [2]);
            let pairs = one.to_vec::<f64>().into_iter().zip(all.to_vec::<f64>());
            pairs.for_each(|(a, b)| assert_relative_eq!(a, b, max_relative = 1e-12));
        }
    }
}

#[test]
fn no_state_is_a_state_of_zeros() {
    let (cell, x, zero) = (cell(), Tensor::from([[0.7]]), Tensor::from([[0.0]]));
    let (h, c) = cell.forward(&x, None);
    let (want_h, want_c) = cell.forward(&x, Some((&zero, &zero)));
    assert_eq!((h.item(), c.item()), (want_h.item(), want_c.item()));
}

#[test]
fn parameters_have_pytorchs_names_and_start_within_one_over_the_root_of_h() {
    let cell = LstmCell::new(3, 25);
    let state = cell.state_dict();
    let names: Vec<&str> = state.names().collect();
    assert_eq!(names, ["weight_ih", "weight_hh", "bias_ih", "bias_hh"]);
    assert_eq!(state["weight_ih"].shape().dims(), [100, 3]);
    assert_eq!(state["weight_hh"].shape().dims(), [100, 25]);
    for (name, values) in state.iter() {
        let most = values.to_vec::<f64>().iter().fold(0.0_f64, |m, v| m.max(v.abs()));
        assert!((0.18..=0.2).contains(&most), "{name}: {most}");
    }
    let plain = LstmCell::with(3, 2, LstmCellOptions { bias: false });
    assert_eq!(format!("{plain:?}"), "LstmCell(3, 2, bias=false)");
    assert_eq!(plain.parameters().len(), 2);
}

#[test]
fn shapes_that_do_not_fit_are_refused() {
    let (cell, x) = (LstmCell::new(1, 1), Tensor::from([[1.0_f32], [2.0]]));
    let text = refusal(|| cell.forward(&Tensor::from(1.0_f32), None).0);
    assert!(text.contains("x: [N, 1], h, c: [N, 1]"), "{text}");
    let three = Tensor::from([[0.0_f32]; 3]);
    let text = refusal(|| cell.forward(&x, Some((&three, &three))).0);
    assert!(text.contains("[3, 1]") && text.contains("x is float32[2, 1]"), "{text}");
    refusal(|| cell.forward(&Tensor::from([[[1.0_f32]]]), None).0);
}
