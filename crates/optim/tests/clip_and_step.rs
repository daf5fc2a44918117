//! What clipping leaves to multiply, a step multiplies: the bits are those of a gradient that was multiplied.
#![allow(clippy::unwrap_used, reason = "a test")]

use gradus_autodiff::{Parameter, Tensor};
use gradus_optim::{
    AdafactorOptions, AdamWOptions, ClipOptions, GradScaler, GradScalerOptions, LionOptions,
    MuonOptions, Optim, Optimizer, Rule, SgdOptions, clip_grad_norm, clip_grad_norm_with,
};
use gradus_tensor::{Array, DType, Generator, copies};

const SHAPE: [usize; 2] = [300, 7];

fn noise(seed: u64, dtype: DType) -> Array {
    Array::randn_with(SHAPE, dtype, &mut Generator::new(seed))
}

fn parameter(dtype: DType) -> Parameter {
    let p = Parameter::new(noise(1, dtype));
    p.set_grad(Some(Tensor::new(noise(2, dtype))));
    p
}

/// The gradient as it reads, in an array of its own: nothing is left to multiply.
fn materialise(p: &Parameter) {
    p.set_grad(p.grad());
    assert_eq!(p.grad_parts().unwrap().1, 1.0);
}

fn bits(a: &Array) -> Vec<u64> {
    a.to_vec::<f64>().into_iter().map(f64::to_bits).collect()
}

fn check<R: Rule>(options: impl Fn() -> R) {
    for dtype in [DType::F32, DType::F64, DType::Bf16] {
        let run = |at_once: bool| {
            let p = parameter(dtype);
            let mut opt = Optim::from_parameters([p.clone()], options()).unwrap();
            for _ in 0..3 {
                clip_grad_norm([&p], 0.1).unwrap();
                if at_once {
                    materialise(&p);
                }
                assert!(opt.step().unwrap().is_applied());
                p.set_grad(Some(Tensor::new(noise(3, dtype))));
            }
            bits(&p.array())
        };
        assert_eq!(run(false), run(true), "{} {dtype:?}", R::NAME);
    }
}

#[test]
fn a_step_multiplies_what_clipping_left() {
    check(|| SgdOptions { lr: 0.1, momentum: 0.9, ..Default::default() });
    check(AdamWOptions::default);
    check(LionOptions::default);
    check(MuonOptions::default);
    check(AdafactorOptions::default);
}

#[test]
fn a_second_clip_multiplies_first_in_the_pass_of_its_norm() {
    for (order, dtype) in [2.0, 1.0, f64::INFINITY]
        .into_iter()
        .flat_map(|order| [DType::F32, DType::F64].map(|dtype| (order, dtype)))
    {
        let options = ClipOptions { norm_type: order, ..Default::default() };
        let run = |at_once: bool| {
            let (p, q) = (parameter(dtype), parameter(dtype));
            let before = copies();
            let norms: Vec<u64> = [0.9, 0.5, 0.1]
                .map(|limit| {
                    if at_once {
                        [&p, &q].into_iter().for_each(materialise);
                    }
                    clip_grad_norm_with([&p, &q], limit, options).unwrap().to_bits()
                })
                .to_vec();
            assert_eq!(copies(), before, "in place");
            (norms, bits(&p.grad().unwrap().into_array()), bits(&q.grad().unwrap().into_array()))
        };
        assert_eq!(run(false), run(true), "order {order}, {dtype:?}");
    }
}

#[test]
fn unscaling_and_clipping_leave_one_pass_each() {
    let run = |at_once: bool| {
        let p = parameter(DType::F32);
        p.zero_grad();
        let sgd = SgdOptions { lr: 0.1, momentum: 0.9, ..Default::default() };
        let mut opt = Optim::from_parameters([p.clone()], sgd).unwrap();
        let options = GradScalerOptions { init_scale: 1024.0, ..Default::default() };
        let mut scaler = GradScaler::new(options).unwrap();
        scaler.scale(&(p.square() * 0.5).sum()).backward();
        scaler.unscale(&mut opt).unwrap();
        if at_once {
            materialise(&p);
        }
        let norm = clip_grad_norm([&p], 0.1).unwrap();
        if at_once {
            materialise(&p);
        }
        assert!(scaler.step(&mut opt).unwrap().is_applied());
        (norm.to_bits(), bits(&p.array()))
    };
    assert_eq!(run(false), run(true));
}
