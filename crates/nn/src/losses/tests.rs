//! The common tests: every loss of the catalog, every case.

use super::*;
use crate::Module;
use crate::testing::{self, Case, close, scattered};
use gradus_autodiff::Tensor;
use gradus_tensor::DType;

fn every_case(check: impl Fn(&Case) -> Result<(), String>) {
    testing::every_case(all_cases(), check);
}

#[test]
fn every_loss_has_right_first_derivatives() {
    every_case(Case::gradcheck);
}

#[test]
fn every_loss_has_right_second_derivatives() {
    every_case(Case::gradgradcheck);
}

#[test]
fn every_loss_reads_views_as_it_reads_contiguous_inputs() {
    every_case(|case| {
        let views: Vec<Tensor> = case.inputs().iter().map(|x| scattered(x).into()).collect();
        let want = case.built(1).forward(&case.tensors()).array();
        close(&case.built(1).forward(&views).array(), &want, 1e-12)
    });
}

#[test]
fn a_copy_of_a_loss_gives_the_same() {
    every_case(|case| {
        let loss = case.built(1);
        let copy = (loss.copy)();
        let want = loss.forward(&case.tensors()).array();
        close(&copy.forward(&case.tensors()).array(), &want, 0.0)
    });
}

#[test]
fn a_loss_gives_what_its_function_gives() {
    let (x, y) = (Tensor::from([[1.0, -2.0], [0.5, 3.0]]), Tensor::from([[0.0, 1.0], [1.0, 0.0]]));
    let target = Tensor::from([1_i64, 0]);
    assert_eq!(MseLoss::new().forward(&x, &y).item(), mse_loss(&x, &y).item());
    assert_eq!(NllLoss::new().forward(&x, &target).item(), nll_loss(&x, &target).item());
    let cross_entropy_loss = CrossEntropyLoss::new();
    assert_eq!(cross_entropy_loss.forward(&x, &target).item(), cross_entropy(&x, &target).item());
    assert_eq!(cross_entropy_loss.forward(&x, &y).item(), cross_entropy(&x, &y).item());
}

#[test]
fn a_loss_uses_every_option() {
    let x = Tensor::from([[1.0, -2.0, 0.3], [0.5, 3.0, -1.0], [0.1, 0.2, 0.4]]);
    let target = Tensor::from([1_i64, 0, 2]);
    let (weight, ignore_index, reduction) =
        (Some(Tensor::from([0.5, 1.5, 3.0])), 0, Reduction::Sum);
    let options = NllLossOptions { weight: weight.clone(), ignore_index, reduction };
    let loss = NllLoss::with(options).forward(&x, &target).item();
    assert_eq!(loss, 1.5 * 2.0 - 3.0 * 0.4);
    let label_smoothing = 0.1;
    let options = CrossEntropyOptions { weight, ignore_index, reduction, label_smoothing };
    let loss = CrossEntropyLoss::with(options.clone()).forward(&x, &target).item();
    assert_eq!(loss, cross_entropy_with(&x, &target, options.clone()).item());
    for other in [
        CrossEntropyOptions { weight: None, ..options.clone() },
        CrossEntropyOptions { ignore_index: -100, ..options.clone() },
        CrossEntropyOptions { reduction: Reduction::Mean, ..options.clone() },
        CrossEntropyOptions { label_smoothing: 0.0, ..options },
    ] {
        assert_ne!(loss, CrossEntropyLoss::with(other).forward(&x, &target).item());
    }
}

#[test]
fn class_weights_are_saved_and_converted_with_the_module() {
    let weight = Some(Tensor::from([1.0_f32, 2.0]));
    let loss = CrossEntropyLoss::with(CrossEntropyOptions { weight, ..Default::default() });
    assert_eq!(loss.state_dict()["weight"].to_vec::<f64>(), [1.0, 2.0]);
    assert_eq!(loss.num_parameters(), 0);
    loss.to(DType::F64);
    assert_eq!(loss.weight.expect("given").dtype(), DType::F64);
}

#[test]
#[should_panic(expected = "label_smoothing is -0.1")]
fn a_negative_smoothing_is_refused() {
    let options = CrossEntropyOptions { label_smoothing: -0.1, ..Default::default() };
    let _ = CrossEntropyLoss::with(options);
}
