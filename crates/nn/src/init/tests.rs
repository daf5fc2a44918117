//! Bounds, moments and fans (bug catalogue B43).

use super::*;
use approx::assert_relative_eq;
use gradus_tensor::manual_seed;

fn parameter(shape: impl Into<Shape>) -> Parameter {
    manual_seed(11);
    Parameter::new(Array::zeros(shape, DType::F64))
}

/// Largest magnitude, mean, standard deviation.
fn moments(p: &Parameter) -> (f64, f64, f64) {
    let v = p.to_vec::<f64>();
    let n = v.len() as f64;
    let mean = v.iter().sum::<f64>() / n;
    let variance = v.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n;
    (v.iter().fold(0.0, |m, x| x.abs().max(m)), mean, variance.sqrt())
}

#[test]
fn b43_xavier_for_100_by_50_is_bounded_by_a_fifth() {
    let p = parameter([100, 50]);
    xavier_uniform(&p, 1.0);
    let (most, mean, std) = moments(&p);
    assert!((0.1995..0.2).contains(&most), "{most}");
    assert!(mean.abs() < 0.007 && (std - 0.2 / 3f64.sqrt()).abs() < 0.003, "{mean} {std}");
}

#[test]
fn b43_xavier_normal_has_standard_deviation_0_1154701() {
    let p = parameter([100, 50]);
    assert_relative_eq!(xavier_std(&p, 1.0), 0.115_470_1, max_relative = 1e-6);
    xavier_normal(&p, 1.0);
    let (_, mean, std) = moments(&p);
    assert!(mean.abs() < 0.007 && (std - 0.115_470_1).abs() < 0.004, "{mean} {std}");
}

#[test]
fn b43_a_grouped_convolution_has_the_fan_of_its_group() {
    // Conv2d(4, 4, 3, groups = 2): weight [4, 2, 3, 3].
    let p = parameter([4, 2, 3, 3]);
    assert_eq!(fan_in_and_fan_out(p.shape()), (18, 36));
    // a = √5 is PyTorch's default for its layers: U(−1/√fan_in, 1/√fan_in).
    let nonlinearity = Nonlinearity::LeakyRelu(5f64.sqrt());
    let options = KaimingOptions { nonlinearity, ..KaimingOptions::default() };
    assert_relative_eq!(3f64.sqrt() * kaiming_std(&p, options), 0.235_702_3, max_relative = 1e-6);
    kaiming_uniform(&p, options);
    assert!(moments(&p).0 <= 0.235_702_3);
}

#[test]
fn b43_xavier_on_a_convolution_over_one_axis_does_not_panic() {
    let p = parameter([8, 4, 3]);
    assert_eq!(fan_in_and_fan_out(p.shape()), (12, 24));
    xavier_uniform(&p, 1.0);
    assert!(moments(&p).0 <= (6.0_f64 / 36.0).sqrt());
}

#[test]
fn kaiming_keeps_the_variance_that_was_asked_for() {
    let p = parameter([300, 100]);
    kaiming_normal(&p, KaimingOptions { mode: FanMode::FanOut, nonlinearity: Nonlinearity::Relu });
    let std = moments(&p).2;
    assert!((std - (2.0_f64 / 300.0).sqrt()).abs() < 1.5e-3, "{std}");
    kaiming_uniform(&p, KaimingOptions::default());
    let most = moments(&p).0;
    let bound = (6.0_f64 / 100.0).sqrt();
    assert!((bound * 0.999..bound).contains(&most), "{most} {bound}");
}

#[test]
fn simple_values() {
    let p = parameter([2, 3]);
    ones(&p);
    assert_eq!(p.to_vec::<f64>(), [1.0; 6]);
    zeros(&p);
    assert_eq!(p.to_vec::<f64>(), [0.0; 6]);
    constant(&p, -2.5);
    assert_eq!(p.to_vec::<f64>(), [-2.5; 6]);
    assert!(p.requires_grad());
    let p = parameter([50_000]);
    uniform(&p, 2.0, 4.0);
    let (most, mean, _) = moments(&p);
    assert!(most < 4.0 && (mean - 3.0).abs() < 0.011, "{most} {mean}");
    normal(&p, 1.0, 0.5);
    let (_, mean, std) = moments(&p);
    assert!((mean - 1.0).abs() < 0.01 && (std - 0.5).abs() < 0.007, "{mean} {std}");
}

#[test]
fn the_same_seed_gives_the_same_bits_and_a_generator_of_ones_own_too() {
    let (p, q) = (parameter([3, 4]), Parameter::new(Array::zeros([3, 4], DType::F64)));
    manual_seed(9);
    xavier_uniform(&p, 1.0);
    xavier_uniform_with(&q, 1.0, &mut Generator::new(9));
    assert_eq!(p.array(), q.array());
}

#[test]
fn gains_are_those_of_pytorch() {
    for (nonlinearity, gain) in [
        (Nonlinearity::Linear, 1.0),
        (Nonlinearity::Sigmoid, 1.0),
        (Nonlinearity::Tanh, 1.666_666_666_666_666_7),
        (Nonlinearity::Relu, std::f64::consts::SQRT_2),
        (Nonlinearity::LeakyRelu(0.01), 1.414_142_856_997_835_4),
        (Nonlinearity::Selu, 0.75),
    ] {
        assert_relative_eq!(calculate_gain(nonlinearity), gain, max_relative = 1e-15);
    }
}

#[test]
#[should_panic(expected = "two axes or more, not [3]")]
fn a_vector_has_no_fans() {
    xavier_uniform(&parameter([3]), 1.0);
}
