//! What holds for several convolution layers: how they start, print, pad and refuse.

use super::*;
use crate::testing::{close, refusal};
use crate::{Conv1d, Conv2d, ConvTranspose1d, ConvTranspose2d, Layer, Module};
use gradus_tensor::{Array, DType, manual_seed};
use std::panic::{AssertUnwindSafe, catch_unwind};

fn zeros(shape: &[usize]) -> Tensor {
    Tensor::new(Array::zeros(shape, DType::F32))
}

fn numbers(shape: &[usize]) -> Tensor {
    let count: usize = shape.iter().product();
    let values: Vec<f64> = (0..count).map(|i| (i as f64 * 0.7).sin()).collect();
    Tensor::new(Array::from_f64(shape, DType::F32, &values))
}

/// The shapes of the parameters under PyTorch's names.
fn parameters(module: &dyn Module) -> Vec<(String, Vec<usize>)> {
    let named = module.named_parameters();
    named.into_iter().map(|(name, p)| (name, p.shape().dims().to_vec())).collect()
}

fn expect(module: &dyn Module, text: &str, weight: &[usize], bias: Option<usize>) {
    assert_eq!(module.describe(), text);
    let mut want = vec![("weight".to_owned(), weight.to_vec())];
    want.extend(bias.map(|n| ("bias".to_owned(), vec![n])));
    assert_eq!(parameters(module), want, "{text}");
}

#[test]
fn layers_print_and_name_their_parameters_as_pytorch() {
    let plain = ConvOptions::default();
    let first = Conv2d::with(
        3,
        64,
        7,
        ConvOptions { stride: 2.into(), padding: 3.into(), bias: false, ..plain },
    );
    let text = "Conv2d(3, 64, kernel_size=(7, 7), stride=(2, 2), padding=(3, 3), bias=false)";
    expect(&first, text, &[64, 3, 7, 7], None);
    let all = ConvOptions {
        stride: [1, 2].into(),
        padding: [0, 1].into(),
        dilation: [2, 1].into(),
        groups: 4,
        padding_mode: PadMode::Circular,
        ..plain
    };
    let text = "Conv2d(4, 8, kernel_size=(3, 5), stride=(1, 2), padding=(0, 1), dilation=(2, 1), \
                groups=4, padding_mode=circular)";
    expect(&Conv2d::with(4, 8, [3, 5], all), text, &[8, 1, 3, 5], Some(8));
    let valid = ConvOptions { padding: ConvPadding::Valid, ..plain };
    let text = "Conv1d(2, 4, kernel_size=(3,), stride=(1,), padding=valid)";
    expect(&Conv1d::with(2, 4, 3, valid), text, &[4, 2, 3], Some(4));
    let text = "ConvTranspose1d(2, 4, kernel_size=(3,), stride=(1,))";
    expect(&ConvTranspose1d::new(2, 4, 3), text, &[2, 4, 3], Some(4));
    let options = ConvTransposeOptions {
        stride: 2.into(),
        padding: 1.into(),
        output_padding: 1.into(),
        groups: 2,
        bias: false,
        dilation: [1, 3].into(),
    };
    let text = "ConvTranspose2d(4, 6, kernel_size=(4, 4), stride=(2, 2), padding=(1, 1), \
                dilation=(1, 3), output_padding=(1, 1), groups=2, bias=false)";
    expect(&ConvTranspose2d::with(4, 6, 4, options), text, &[4, 3, 4, 4], None);
}

#[test]
fn parameters_start_within_one_over_the_root_of_what_a_weight_sees() {
    manual_seed(4);
    let options = ConvOptions { groups: 2, ..Default::default() };
    let transposed = ConvTransposeOptions { groups: 2, ..Default::default() };
    let layers: [(Box<dyn Layer>, usize); 4] = [
        (Box::new(Conv1d::with(20, 600, 10, options)), 10 * 10),
        (Box::new(Conv2d::with(20, 600, [2, 5], options)), 10 * 10),
        // PyTorch counts behind the first axis here, too, which is that of the outputs.
        (Box::new(ConvTranspose1d::with(20, 600, 3, transposed)), 300 * 3),
        (Box::new(ConvTranspose2d::with(20, 600, [2, 5], transposed)), 300 * 10),
    ];
    for (layer, seen) in layers {
        let bound = 1.0 / (seen as f64).sqrt();
        for (name, p) in layer.named_parameters() {
            let values = p.to_vec::<f64>();
            let most = values.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
            assert!((0.98 * bound..=bound).contains(&most), "{name} of {}", layer.describe());
            let std = (values.iter().map(|v| v * v).sum::<f64>() / values.len() as f64).sqrt();
            // Of U(−a, a): a/√3, here from 600 numbers at least.
            assert!((std / bound - 0.577).abs() < 0.05, "{name}: {std} in {}", layer.describe());
        }
    }
    let blind = Conv2d::new(0, 2, 3);
    assert_eq!(blind.bias.as_ref().expect("default").to_vec::<f32>(), [0.0, 0.0]);
    assert_eq!(blind.forward(&zeros(&[1, 0, 4, 4])).to_vec::<f32>(), [0.0; 8]);
}

#[test]
fn other_borders_are_those_of_pad() {
    let x = numbers(&[2, 2, 5, 6]);
    for padding_mode in [PadMode::Reflect, PadMode::Replicate, PadMode::Circular] {
        let options = ConvOptions { padding_mode, ..Default::default() };
        let sized = Conv2d::with(2, 3, 3, ConvOptions { padding: [2, 1].into(), ..options });
        let (w, b) = (sized.weight.tensor(), sized.bias.as_ref().expect("default").tensor());
        let plain = |x: &Tensor| x.conv2d(w, Some(b), &Convolution::default()).array();
        let want = plain(&x.pad(&[1, 1, 2, 2], padding_mode));
        assert_eq!(sized.forward(&x).array(), want);
        // Dilated by 1 and 2, a kernel of 4 x 2 lacks 3 rows and 2 columns.
        let same = ConvOptions { padding: ConvPadding::Same, dilation: [1, 2].into(), ..options };
        let same = Conv2d::with(2, 3, [4, 2], same);
        let (w, b) = (same.weight.tensor(), same.bias.as_ref().expect("default").tensor());
        let by = Convolution { dilation: [1, 2].into(), ..Default::default() };
        let want = x.pad(&[1, 1, 1, 2], padding_mode).conv2d(w, Some(b), &by).array();
        assert_eq!(same.forward(&x).array(), want);
        let valid = Conv2d::with(2, 3, 3, ConvOptions { padding: ConvPadding::Valid, ..options });
        assert_eq!(valid.forward(&x).shape().dims(), [2, 3, 3, 4]);
    }
}

#[test]
fn a_transposed_convolution_undoes_the_shape_of_a_convolution() {
    let options = ConvOptions { stride: 3.into(), padding: 1.into(), ..Default::default() };
    let down = Conv1d::with(2, 4, 4, options);
    let options =
        ConvTransposeOptions { stride: 3.into(), padding: 1.into(), ..Default::default() };
    let up = ConvTranspose1d::with(4, 2, 4, options);
    for size in 2..20 {
        let x = numbers(&[3, 2, size]);
        let h = down.forward(&x);
        let y = up.forward_to_size(&h, x.shape());
        assert_eq!(y.shape(), x.shape());
        // The extra elements change none of the others.
        let short = up.forward(&h);
        let y = y.narrow(-1, 0, short.size(-1)).array();
        close(&y, &short.array(), 0.0).unwrap_or_else(|e| panic!("{size}: {e}"));
    }
}

#[test]
fn unbatched_inputs_give_what_a_batch_of_one_gives() {
    let layers: [(Box<dyn Layer>, &[usize]); 4] = [
        (Box::new(Conv1d::new(2, 3, 2)), &[2, 5]),
        (Box::new(Conv2d::new(2, 3, 2)), &[2, 4, 5]),
        (Box::new(ConvTranspose1d::new(2, 3, 2)), &[2, 5]),
        (Box::new(ConvTranspose2d::new(2, 3, 2)), &[2, 4, 5]),
    ];
    for (layer, shape) in layers {
        let x = numbers(shape);
        let batch = layer.forward(&x.unsqueeze(0)).squeeze(0).array();
        assert_eq!(layer.forward(&x).array(), batch, "{}", layer.describe());
    }
}

fn says(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "{message:?} does not say {part:?}");
    }
}

#[test]
fn a_wrong_input_is_refused_with_the_layers_numbers() {
    let conv = Conv2d::new(1, 2, 3);
    let rule = "rule: x: [N, 1, H, W] or [1, H, W]";
    let message = refusal(|| conv.forward(&zeros(&[64, 28, 28])));
    says(&message, &["Conv2d: float32[64, 28, 28]", rule, "x.unsqueeze(1)", "in layer Conv2d"]);
    says(&refusal(|| conv.forward(&zeros(&[8, 3, 28, 28]))), &[rule, "x has 3 channels"]);
    says(&refusal(|| conv.forward(&zeros(&[28, 28]))), &[rule, "x has 2 axes"]);
    says(&refusal(|| conv.forward(&zeros(&[1, 1, 1, 5, 5]))), &[rule, "x has 5 axes"]);
    says(&refusal(|| conv.forward(&zeros(&[1, 1, 2, 9]))), &["not larger than the padded input"]);
    let up = ConvTranspose1d::new(3, 2, 3);
    let rule = "rule: x: [N, 3, L] or [3, L]";
    says(&refusal(|| up.forward(&zeros(&[1, 2, 9]))), &["ConvTranspose1d", rule, "2 channels"]);
    let mirror =
        ConvOptions { padding: 3.into(), padding_mode: PadMode::Reflect, ..Default::default() };
    let mirror = Conv1d::with(1, 1, 3, mirror);
    says(&refusal(|| mirror.forward(&zeros(&[1, 1, 3]))), &["pad:", "in layer Conv1d"]);
}

#[test]
fn an_output_size_that_cannot_be_is_refused() {
    let options = ConvTransposeOptions { stride: 2.into(), ..Default::default() };
    let up = ConvTranspose2d::with(2, 2, 3, options);
    let x = zeros(&[1, 2, 3, 3]);
    let to = |size: &[usize]| refusal(|| up.forward_to_size(&x, size));
    says(&to(&[6, 7]), &["ConvTranspose2d: float32[1, 2, 3, 3]", "7 to 8 on spatial axis 0", "6"]);
    says(&to(&[8, 9]), &["7 to 8 on spatial axis 1", "asked for 9"]);
    says(&to(&[7]), &["output_size has 2 or 4 numbers", "it has 1"]);
    says(&to(&[2, 7, 7]), &["output_size has 2 or 4 numbers"]);
    says(&refusal(|| up.forward_to_size(&zeros(&[3, 3, 3]), &[7, 7])), &["x has 3 channels"]);
    assert_eq!(up.forward_to_size(&x.squeeze(0), &[2, 7, 8]).shape().dims(), [2, 7, 8]);
    let options = ConvTransposeOptions { output_padding: 1.into(), ..Default::default() };
    let up = ConvTranspose2d::with(2, 2, 3, options);
    says(&refusal(|| up.forward(&x)), &["output_padding is smaller than stride or dilation"]);
}

/// The panic of making a layer.
fn unmade<L: Layer>(make: impl FnOnce() -> L) -> String {
    let payload = catch_unwind(AssertUnwindSafe(make)).err().expect("it should be refused");
    payload.downcast::<String>().map_or_else(|_| String::new(), |text| *text)
}

#[test]
fn options_are_checked_when_the_layer_is_made() {
    let plain = ConvOptions::default();
    let with = |options| unmade(|| Conv2d::with(4, 6, 3, options));
    let message = unmade(|| Conv2d::with(3, 4, 3, ConvOptions { groups: 2, ..plain }));
    says(&message, &["Conv2d: in_channels 3 is not a multiple of groups 2"]);
    says(
        &with(ConvOptions { groups: 4, ..plain }),
        &["out_channels 6 is not a multiple of groups 4"],
    );
    says(&with(ConvOptions { groups: 0, ..plain }), &["Conv2d: groups is at least 1"]);
    let same = ConvOptions { padding: ConvPadding::Same, ..plain };
    let strided = ConvOptions { stride: [1, 2].into(), ..same };
    says(&with(strided), &["padding \"same\" needs stride 1, not (1, 2)"]);
    let constant = ConvOptions { padding_mode: PadMode::Constant(1.into()), ..plain };
    says(&with(constant), &["padding_mode is Zeros, Reflect, Replicate or Circular"]);
    says(
        &unmade(|| Conv1d::new(1, 1, [3, 3])),
        &["Conv1d: kernel_size (3, 3) is not for 1 spatial axis"],
    );
    let options = ConvTransposeOptions { output_padding: [1, 1].into(), ..Default::default() };
    says(
        &unmade(|| ConvTranspose1d::with(1, 1, 3, options)),
        &["ConvTranspose1d: output_padding (1, 1) is not for 1 spatial axis"],
    );
}
