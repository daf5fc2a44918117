//! Losses, dropout and fused layer ops at exact values: the bug catalogue by id, PyTorch's edges, errors.

use gradus_autodiff::{
    CrossEntropyOptions, NllLossOptions, Reduction, Sweep, Tensor, cross_entropy,
    cross_entropy_with, grad, mse_loss_with, nll_loss_with, try_cross_entropy,
};
use gradus_tensor::{Array, DType, Generator, manual_seed};

const INF: f64 = f64::INFINITY;

#[track_caller]
fn close(got: &Tensor, want: &[f64], tolerance: f64) {
    let got = got.to_vec::<f64>();
    assert_eq!(got.len(), want.len(), "got {got:?}, want {want:?}");
    for (i, (g, w)) in got.iter().zip(want).enumerate() {
        assert!((g - w).abs() <= tolerance, "element {i}: got {g}, want {w} within {tolerance}");
    }
}

/// The logits and targets of B28 to B30.
fn batch() -> (Tensor, Tensor) {
    let logits =
        [[2.0, 1.0, 0.0, -1.0, 0.5], [0.3, 0.2, 0.1, 0.4, 0.5], [0.0, 3.0, -1.0, 2.0, 1.0]];
    (Tensor::from(logits).requires_grad_(), Tensor::from([0_i64, -100, 1]))
}

fn weights() -> Option<Tensor> {
    Some(Tensor::from([1.0, 2.0, 3.0, 4.0, 5.0]))
}

#[test]
fn b28_label_smoothing_takes_a_share_of_the_target() {
    let logits = batch().0.narrow(0, 0, 1);
    let target = Tensor::from([0_i64]);
    close(&cross_entropy(&logits, &target), &[0.5744379396277962], 1e-12);
    let options = CrossEntropyOptions { label_smoothing: 0.1, ..Default::default() };
    close(&cross_entropy_with(&logits, &target, options), &[0.7244379396277961], 1e-12);
}

#[test]
fn b29_the_gradient_of_a_sum_is_not_divided() {
    let (logits, target) = batch();
    let options = CrossEntropyOptions { reduction: Reduction::Sum, ..Default::default() };
    let gradient =
        grad(&[&cross_entropy_with(&logits, &target, options)], &[&logits], Sweep::default());
    let want = [-0.4369787682, 0.2071239361, 0.0761966379, 0.0280311766, 0.1256270176];
    close(&gradient[0].select(0, 0), &want, 1e-10);
    close(&gradient[0].select(0, 1), &[0.0; 5], 0.0); // the target that is ignored
}

#[test]
fn b30_ignored_targets_weights_and_smoothing_together() {
    let (logits, target) = batch();
    let loss = |reduction, weight: Option<Tensor>, label_smoothing| {
        let ignore_index = -100;
        let options = CrossEntropyOptions { weight, ignore_index, reduction, label_smoothing };
        cross_entropy_with(&logits, &target, options)
    };
    let grid = |reduction| {
        [
            loss(reduction, None, 0.0),
            loss(reduction, weights(), 0.0),
            loss(reduction, weights(), 0.1),
        ]
    };
    let [plain, weighted, smoothed] = grid(Reduction::Mean);
    close(&plain, &[0.5131761677826947], 1e-12);
    close(&weighted, &[0.4927555771676609], 1e-12);
    close(&smoothed, &[0.9227819196741003], 1e-12);
    let [plain, weighted, smoothed] = grid(Reduction::Sum);
    close(&plain, &[1.0263523355653894], 1e-12);
    close(&weighted, &[1.4782667315029827], 1e-12);
    close(&smoothed, &[2.768345759022301], 1e-12);
    let [plain, weighted, smoothed] = grid(Reduction::None);
    close(&plain, &[0.5744379396277962, 0.0, 0.45191439593759325], 1e-12);
    close(&weighted, &[0.5744379396277962, 0.0, 0.9038287918751865], 1e-12);
    close(&smoothed, &[1.2393255275533552, 0.0, 1.5290202314689458], 1e-12);
}

#[test]
fn b30_a_mean_over_ignored_targets_is_nan_with_gradients_of_zero() {
    let logits = batch().0;
    let ignored = Tensor::from([-100_i64; 3]);
    for label_smoothing in [0.0, 0.1] {
        let options = CrossEntropyOptions { label_smoothing, ..Default::default() };
        assert!(cross_entropy_with(&logits, &ignored, options).item().is_nan());
    }
    let loss = cross_entropy(&logits, &ignored);
    close(&grad(&[&loss], &[&logits], Sweep::default())[0], &[0.0; 15], 0.0);
    let options = NllLossOptions::default();
    assert!(nll_loss_with(&logits, &ignored, options).item().is_nan());
}

#[test]
fn b31_large_logits_are_finite_and_keep_their_small_part() {
    let logits = Tensor::from([[1e4, 0.0]]);
    assert_eq!(cross_entropy(&logits, &Tensor::from([1_i64])).item(), 1e4);
    // log Σ eˣ rounds to a multiple of 2⁻¹⁰ here: the loss would have three digits.
    let logits = Tensor::from([[1e4_f32, 10001.0, 9998.0]]).requires_grad_();
    let loss = cross_entropy(&logits, &Tensor::from([2_i64]));
    close(&loss, &[3.3490122167681866], 3e-7);
}

#[test]
fn b31_a_masked_logit_with_probability_zero_adds_nothing() {
    let logits = Tensor::from([[-INF, 0.0, 0.0]]).requires_grad_();
    let target = Tensor::from([[0.0, 0.5, 0.5]]);
    for target in [target, Tensor::from([1_i64])] {
        let loss = cross_entropy(&logits, &target);
        close(&loss, &[std::f64::consts::LN_2], 1e-15);
        let gradient = grad(&[&loss], &[&logits], Sweep::default()).remove(0);
        assert!(gradient.array().all_finite(), "{gradient}");
    }
    // A class that has a share is another matter.
    assert_eq!(cross_entropy(&logits, &Tensor::from([0_i64])).item(), INF);
    let options = CrossEntropyOptions { label_smoothing: 0.1, ..Default::default() };
    assert_eq!(cross_entropy_with(&logits, &Tensor::from([1_i64]), options).item(), INF);
}

#[test]
fn losses_over_nothing() {
    let logits = Tensor::new(Array::zeros([0, 3], DType::F32));
    let indices = Tensor::new(Array::zeros(0, DType::I64));
    let sum = || CrossEntropyOptions { reduction: Reduction::Sum, ..Default::default() };
    for target in [&indices, &logits] {
        assert!(cross_entropy(&logits, target).item().is_nan());
        assert_eq!(cross_entropy_with(&logits, target, sum()).item(), 0.0);
    }
    assert!(mse_loss_with(&logits, &logits, Reduction::Mean).item().is_nan());
}

#[test]
fn ignored_items_add_nothing_whatever_their_logits_are() {
    let logits = Tensor::from([[f64::NAN, -INF], [0.0, 0.0]]);
    let target = Tensor::from([-100_i64, 0]);
    for label_smoothing in [0.0, 0.5] {
        let options = CrossEntropyOptions { label_smoothing, ..Default::default() };
        let loss = cross_entropy_with(&logits, &target, options);
        close(&loss, &[std::f64::consts::LN_2], 1e-15);
    }
    close(&nll_loss_with(&logits, &target, NllLossOptions::default()), &[0.0], 0.0);
}

#[test]
fn half_precision_losses_are_computed_in_f32() {
    // 2000 items of ln 1000: the sum does not fit f16, the mean does.
    let logits = Tensor::new(Array::zeros([2000, 1000], DType::F16));
    let loss = cross_entropy(&logits, &Tensor::new(Array::zeros(2000, DType::I64)));
    assert_eq!((loss.dtype(), loss.item()), (DType::F16, 6.90625));
}

/// The text of the error.
fn refusal(logits: &Tensor, target: &Tensor, options: CrossEntropyOptions) -> String {
    try_cross_entropy(logits, target, options).expect_err("it is refused").to_string()
}

#[test]
fn wrong_targets_are_refused_with_the_reason() {
    let logits = Tensor::new(Array::zeros([2, 3], DType::F32));
    let refused = |target: Tensor| refusal(&logits, &target, CrossEntropyOptions::default());
    assert_eq!(
        refused(Tensor::from([0_i64, 3])),
        "cross_entropy: float32[2, 3] int64[2] do not fit the rule: 0 <= class index < C, or \
         ignore_index; index 3, and there are 3 classes"
    );
    assert!(refused(Tensor::from([-1_i64, 0])).contains("index -1, and there are 3 classes"));
    assert!(refused(Tensor::from([0_i64])).contains("for this input the target is [2]"));
    assert!(refused(Tensor::from([true, false])).contains("class indices are int64 or uint8"));
    assert!(refused(Tensor::from([[0.5_f32, 0.5]])).contains("the shape of the logits"));
    let target = Tensor::from([0_i64, 1]);
    let options = CrossEntropyOptions { label_smoothing: 1.5, ..Default::default() };
    assert!(refusal(&logits, &target, options).contains("label_smoothing is 1.5"));
    let weight = Some(Tensor::from([1.0_f32, 2.0]));
    let options = CrossEntropyOptions { weight, ..Default::default() };
    assert!(refusal(&logits, &target, options).contains("weight: [C]"));
    let weight = Some(Tensor::from([1.0_f32; 3]).requires_grad_());
    let options = CrossEntropyOptions { weight, ..Default::default() };
    assert!(refusal(&logits, &target, options).contains("the weight has no derivative"));
    let options = CrossEntropyOptions { ignore_index: 1, ..Default::default() };
    assert!(refusal(&logits, &logits, options).contains("not for probabilities"));
}

#[test]
fn b37_batch_statistics_and_evaluation() {
    let x = Tensor::from([[1.0], [2.0], [3.0], [4.0]]);
    let (y, mean, var) = x.batch_norm_train(None, None, 1e-5);
    close(&y, &[-1.34163542, -0.4472118067, 0.4472118067, 1.34163542], 1e-9);
    assert_eq!((mean.item(), var.item()), (2.5, 1.25)); // the variance is the biased one
    let (mean, var) = (Tensor::from([0.25]), Tensor::from([1.0666666666666667]));
    let y = x.batch_norm_eval(&mean, &var, None, None, 1e-5);
    close(
        &y,
        &[0.7261809734485556, 1.694422271379963, 2.6626635693113707, 3.630904867242778],
        1e-14,
    );
}

#[test]
fn b38_statistics_are_over_items_and_positions_together() {
    // Items of different means: averaged statistics of the items would have variance 0.
    let x = Tensor::from([[[1.0, 1.0]], [[3.0, 3.0]]]).requires_grad_();
    let (y, mean, var) = x.batch_norm_train(None, None, 0.0);
    assert_eq!((mean.item(), var.item()), (2.0, 1.0));
    assert_eq!(y.to_vec::<f64>(), [-1.0, -1.0, 1.0, 1.0]);
    assert!(y.requires_grad() && !mean.requires_grad() && !var.requires_grad());
    // eps is inside the root: outside, 1/(1 + 3) would be left.
    let y = x.batch_norm_train(None, None, 3.0).0;
    assert_eq!(y.to_vec::<f64>(), [-0.5, -0.5, 0.5, 0.5]);
}

#[test]
fn b39_one_value_for_each_channel_is_refused_in_training() {
    for shape in [&[1, 2][..], &[1, 2, 1]] {
        let x = Tensor::new(Array::zeros(shape, DType::F32));
        let e = x.try_batch_norm_train(None, None, 1e-5).expect_err("one value").to_string();
        assert!(e.contains("more than one value for each channel in training"), "{e}");
        let (mean, var) = (Tensor::from([0.0_f32, 0.0]), Tensor::from([1.0_f32, 1.0]));
        let y = x.batch_norm_eval(&mean, &var, None, None, 1e-5);
        assert_eq!(y.to_vec::<f32>(), [0.0, 0.0]);
    }
}

#[test]
fn b40_gradients_pass_through_the_statistics() {
    let x = Tensor::from([[1.0, 2.0], [3.0, 5.0], [4.0, 1.0]]).requires_grad_();
    let y = x.batch_norm_train(None, None, 1e-5).0;
    y.backward_with(&Tensor::from([[1.0, -2.0], [0.5, 1.0], [3.0, 0.25]]));
    let want = [
        [0.3149808492003117, -0.8825215898278329],
        [-0.944955433286558, 0.22063205217825665],
        [0.6299745840862461, 0.6618895376495761],
    ];
    close(&x.grad().expect("a gradient"), want.as_flattened(), 1e-12);
}

#[test]
fn large_means_do_not_cost_the_variance() {
    let x = Tensor::from([[10000.0_f32], [10001.0], [10002.0]]);
    let (_, mean, var) = x.batch_norm_train(None, None, 0.0);
    assert_eq!((mean.item(), var.item()), (10001.0, f64::from(2.0_f32 / 3.0)));
}

#[test]
fn b43_dropout_keeps_the_expectation_and_is_the_identity_without_training() {
    manual_seed(0);
    let x = Tensor::from(vec![1.0_f32; 100_000]);
    let y = x.dropout(0.25, true);
    let values = y.to_vec::<f32>();
    assert!(values.iter().all(|&v| v == 0.0 || v == 1.0 / 0.75));
    let mean = y.sum().item() / 1e5;
    assert!((mean - 1.0).abs() < 0.01, "{mean}"); // 5 standard deviations are 0.009
    assert_eq!(x.dropout(0.25, false).to_vec::<f32>(), x.to_vec::<f32>());
    assert_eq!(x.dropout(0.0, true).to_vec::<f32>(), x.to_vec::<f32>());
}

#[test]
fn b43_dropout_of_everything_is_zero_and_so_is_its_gradient() {
    let x = Tensor::from([1.0, -2.0, 3.0, 4.0]).requires_grad_();
    let y = x.dropout(1.0, true);
    y.sum().backward();
    assert_eq!(y.to_vec::<f64>(), [0.0; 4]);
    assert_eq!(x.grad().expect("a gradient").to_vec::<f64>(), [0.0; 4]);
}

#[test]
fn dropout_repeats_with_its_seed_and_masks_its_gradient_alike() {
    let x = Tensor::from([2.0; 32]).requires_grad_();
    let y = x.dropout_with(0.5, &mut Generator::new(7));
    assert_eq!(y.to_vec::<f64>(), x.dropout_with(0.5, &mut Generator::new(7)).to_vec::<f64>());
    manual_seed(7);
    assert_eq!(y.to_vec::<f64>(), x.dropout(0.5, true).to_vec::<f64>());
    y.sum().backward();
    let gradient = x.grad().expect("a gradient") * 2.0;
    assert_eq!(gradient.to_vec::<f64>(), y.to_vec::<f64>());
    for p in [-0.1, 1.1, f64::NAN] {
        assert!(x.try_dropout(p, true).is_err() && x.try_dropout(p, false).is_err());
    }
}

#[test]
fn the_fused_lstm_cell_is_its_composition() {
    let numbers = |n: usize, k: f64| -> Vec<f64> { (0..n).map(|i| (i as f64 * k).sin()).collect() };
    let gates = Tensor::new(Array::new([3, 20], &numbers(60, 1.1))).requires_grad_();
    let c = Tensor::new(Array::new([3, 5], &numbers(15, 0.7))).requires_grad_();
    let part = |k: usize| gates.narrow(-1, k * 5, 5);
    let new_c = part(1).sigmoid() * &c + part(0).sigmoid() * part(2).tanh();
    let new_h = part(3).sigmoid() * new_c.tanh();
    let (h, c2) = gates.lstm_cell(&c);
    close(&h, &new_h.to_vec::<f64>(), 1e-15);
    close(&c2, &new_c.to_vec::<f64>(), 1e-15);
    let loss = |h: &Tensor, c: &Tensor| (h * &gates.narrow(-1, 3, 5)).sum() + c.square().sum();
    let inputs = [&gates, &c];
    let got = grad(&[&loss(&h, &c2)], &inputs, Sweep::default());
    let want = grad(&[&loss(&new_h, &new_c)], &inputs, Sweep::default());
    for (got, want) in got.iter().zip(&want) {
        close(got, &want.to_vec::<f64>(), 1e-14);
    }
}

#[test]
fn integers_go_through_linear_and_addmm() {
    let (x, w) = (Tensor::from([[1_i64, 2], [3, 4]]), Tensor::from([[1_i64, 1], [0, 2]]));
    let b = Tensor::from([10_i64, 20]);
    assert_eq!(x.linear(&w, Some(&b)).to_vec::<i64>(), [13, 24, 17, 28]);
    assert_eq!(b.addmm(&x, &w, 2, 3).to_vec::<i64>(), [23, 55, 29, 73]);
    assert!(b.try_addmm(&x, &w, 0.5, 1).is_err());
    let nan = Tensor::from([f64::NAN]);
    let (x, w) = (Tensor::from([[1.0, 2.0]]), Tensor::from([[3.0], [4.0]]));
    assert_eq!(nan.addmm(&x, &w, 0, 1).item(), 11.0);
}

#[test]
fn index_select_refuses_what_pytorch_refuses() {
    let x = Tensor::from([1.0, 2.0, 3.0]);
    for bad in [-1_i64, 3] {
        let e = x.try_index_select(0, &Tensor::from([bad])).expect_err("out of range").to_string();
        assert!(e.contains("0 <= index < size of the axis; index"), "{e}");
    }
    assert!(x.try_index_select(0, &Tensor::from([[0_i64]])).is_err());
    assert!(x.try_index_select(0, &Tensor::from([0.0])).is_err());
    assert_eq!(x.index_select(0, &Tensor::from(2_i64)).to_vec::<f64>(), [3.0]);
}
