//! Running statistics (bug catalogue B37 to B40).

use super::*;
use crate::BatchNorm2d;
use crate::testing::refusal;
use approx::assert_relative_eq;
use gradus_tensor::DType;

fn layer(num_features: usize, options: BatchNormOptions) -> BatchNorm1d {
    let layer = BatchNorm1d::with(num_features, options);
    layer.to(DType::F64);
    layer
}

fn running(layer: &BatchNorm) -> (Vec<f64>, Vec<f64>, i64) {
    let count = layer.num_batches_tracked.as_ref().expect("tracked").array().item_i64();
    let values = |b: &Option<crate::Buffer>| b.as_ref().expect("tracked").to_vec::<f64>();
    (values(&layer.running_mean), values(&layer.running_var), count)
}

/// `[4, 1]`: 1, 2, 3, 4.
fn one_to_four() -> Tensor {
    Tensor::from([[1.0], [2.0], [3.0], [4.0]])
}

#[test]
fn b37_the_running_variance_is_unbiased_and_evaluation_uses_it() {
    let layer = layer(1, BatchNormOptions::default());
    let y = layer.forward(&one_to_four()).to_vec::<f64>();
    assert_relative_eq!(y[0], -1.5 / (1.25_f64 + 1e-5).sqrt(), max_relative = 1e-12);
    let (mean, var, count) = running(&layer);
    assert_relative_eq!(mean[0], 0.25, max_relative = 1e-12);
    assert_relative_eq!(var[0], 1.066_666_7, max_relative = 1e-7);
    assert_eq!(count, 1);
    layer.eval();
    let y = layer.forward(&one_to_four()).to_vec::<f64>();
    for (y, want) in y.iter().zip([0.726_181_0, 1.694_422_3, 2.662_663_6, 3.630_904_9]) {
        assert_relative_eq!(*y, want, max_relative = 1e-7);
    }
}

#[test]
fn b38_statistics_are_taken_over_samples_and_places_together() {
    let x = gradus_autodiff::testing::inputs(&[&[2, 3, 2, 2]]).remove(0);
    let images = BatchNorm2d::new(3);
    images.to(DType::F64);
    let y = images.forward(&Tensor::new(x.clone()));
    // The same numbers as 8 samples of 3 channels.
    let rows = Tensor::new(x).permute(&[0, 2, 3, 1]).reshape(&[8, 3]);
    let samples = layer(3, BatchNormOptions::default());
    let want = samples.forward(&rows).to_vec::<f64>();
    let got = y.permute(&[0, 2, 3, 1]).to_vec::<f64>();
    got.iter().zip(&want).for_each(|(g, w)| assert_relative_eq!(g, w, max_relative = 1e-12));
    let ((m1, v1, _), (m2, v2, _)) = (running(&images), running(&samples));
    m1.iter().zip(&m2).for_each(|(g, w)| assert_relative_eq!(g, w, max_relative = 1e-12));
    v1.iter().zip(&v2).for_each(|(g, w)| assert_relative_eq!(g, w, max_relative = 1e-12));
}

#[test]
fn b38_eps_stands_under_the_root() {
    let layer = layer(1, BatchNormOptions { eps: 0.1, ..Default::default() });
    let y = layer.forward(&one_to_four()).to_vec::<f64>();
    assert_relative_eq!(y[3], 1.5 / 1.35_f64.sqrt(), max_relative = 1e-12);
}

#[test]
fn b38_running_statistics_are_saved_never_trained_and_rest_in_evaluation() {
    let layer = layer(1, BatchNormOptions::default());
    let x = one_to_four().requires_grad_();
    layer.forward(&x).sum().backward();
    let state = layer.state_dict();
    let keys = ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"];
    assert_eq!(state.names().collect::<Vec<_>>(), keys);
    assert_relative_eq!(state["running_mean"].item(), 0.25, max_relative = 1e-12);
    assert_eq!(state["num_batches_tracked"].dtype(), DType::I64);
    assert!(state["num_batches_tracked"].shape().dims().is_empty());
    for buffer in layer.buffers() {
        assert!(!buffer.requires_grad() && buffer.grad().is_none());
    }
    assert_eq!(layer.parameters().len(), 2);
    layer.eval();
    layer.forward(&x).sum().backward();
    assert_eq!(layer.state_dict(), state);
}

#[test]
fn b39_one_value_for_each_channel_is_refused_in_training_only() {
    let layer = layer(3, BatchNormOptions::default());
    let x = Tensor::from([[1.0, 2.0, 3.0]]);
    let before = layer.state_dict();
    let text = refusal(|| layer.forward(&x));
    assert!(text.contains("[1, 3]") && text.contains("(in layer BatchNorm1d)"), "{text}");
    assert_eq!(layer.state_dict(), before);
    layer.eval();
    assert!(layer.forward(&x).array().all_finite());
    // Without running statistics evaluation needs the batch, too.
    let untracked = BatchNormOptions { track_running_stats: false, ..Default::default() };
    let layer = BatchNorm1d::with(3, untracked);
    layer.eval();
    refusal(|| layer.forward(&x.to_dtype(DType::F32)));
    // One sample of several places is enough.
    assert!(layer.forward(&Tensor::from([[[1.0_f32, 2.0]; 3]])).array().all_finite());
}

#[test]
fn without_momentum_the_running_statistics_are_the_mean_over_all_batches() {
    let layer = layer(1, BatchNormOptions { momentum: None, ..Default::default() });
    let _ = layer.forward(&one_to_four());
    let _ = layer.forward(&(one_to_four() * 3.0));
    let (mean, var, count) = running(&layer);
    assert_relative_eq!(mean[0], (2.5 + 7.5) / 2.0, max_relative = 1e-12);
    assert_relative_eq!(var[0], (5.0 / 3.0 + 15.0) / 2.0, max_relative = 1e-12);
    assert_eq!(count, 2);
}

#[test]
fn momentum_is_the_weight_of_the_new_batch() {
    let layer = layer(1, BatchNormOptions { momentum: Some(1.0), ..Default::default() });
    let _ = layer.forward(&one_to_four());
    let (mean, var, _) = running(&layer);
    assert_relative_eq!(mean[0], 2.5, max_relative = 1e-12);
    assert_relative_eq!(var[0], 5.0 / 3.0, max_relative = 1e-12);
}

#[test]
fn an_empty_batch_is_counted_and_moves_nothing() {
    let layer = layer(2, BatchNormOptions::default());
    let _ = layer.forward(&crate::testing::zeros(&[0, 2]));
    assert_eq!(running(&layer), (vec![0.0; 2], vec![1.0; 2], 1));
}

#[test]
fn one_frozen_layer_in_a_model_that_trains_keeps_its_statistics() {
    let net = crate::Sequential::new().then(BatchNorm1d::new(1)).then(BatchNorm1d::new(1));
    net.train();
    net.iter().next().expect("two layers").eval();
    let _ = net.forward(&one_to_four().to_dtype(DType::F32));
    let state = net.state_dict();
    assert_eq!(state["0.running_mean"].item(), 0.0);
    assert_eq!(state["0.num_batches_tracked"].item(), 0.0);
    assert_eq!(state["1.num_batches_tracked"].item(), 1.0);
}

#[test]
fn half_parameters_have_half_statistics() {
    let layer = BatchNorm1d::new(1);
    layer.to(DType::F16);
    let y = layer.forward(&one_to_four().to_dtype(DType::F16));
    assert_eq!(y.dtype(), DType::F16);
    let mean = layer.running_mean.as_ref().expect("tracked");
    assert_eq!((mean.dtype(), mean.item()), (DType::F16, 0.25));
}

#[test]
fn shapes_that_do_not_fit_are_refused() {
    let layer = BatchNorm1d::new(3);
    let text = refusal(|| layer.forward(&Tensor::from([1.0_f32, 2.0, 3.0])));
    assert!(text.contains("x: [N, 3] or [N, 3, L]"), "{text}");
    refusal(|| layer.forward(&Tensor::from([[1.0_f32, 2.0], [3.0, 4.0]])));
    refusal(|| BatchNorm2d::new(3).forward(&Tensor::from([[[1.0_f32, 2.0]; 3]; 2])));
}

#[test]
fn it_is_printed_as_pytorch_prints_it() {
    let text = "BatchNorm1d(3, eps=1e-5, momentum=0.1, affine=true, track_running_stats=true)";
    assert_eq!(format!("{:?}", BatchNorm1d::new(3)), text);
    let options = BatchNormOptions { momentum: None, ..Default::default() };
    assert!(BatchNorm2d::with(3, options).describe().contains("momentum=None"));
}
