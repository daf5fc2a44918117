//! Averages of weights, accumulated gradients, and the learning-rate finder.
#![allow(clippy::unwrap_used, reason = "a test")]

use gradus_autodiff::{Buffer, Parameter, Tensor};
use gradus_optim::{
    Accumulator, Adam, AdamOptions, Averaging, CosineAnnealingLr, CosineAnnealingLrOptions,
    GradScaler, LrFinder, LrFinderOptions, LrScheduler, OptimError, Optimizer, Sgd, SgdOptions,
    SkipReason,
};
use gradus_tensor::{Array, DType, Generator, copies, manual_seed, rng_state};

#[test]
fn averages_are_the_mean_and_the_exponential_one() {
    let run = |averaging: Averaging| {
        let (a, w) = (Parameter::new([7.0]), Parameter::new([0.0]));
        let mut path = vec![];
        for (n, v) in (0..).zip([1.0, 2.0, 6.0, 3.0]) {
            w.set([v].into()).unwrap();
            averaging.update([(&a, &w)], n);
            path.push(a.item());
        }
        path
    };
    assert_eq!(run(Averaging::Mean), [1.0, 1.5, 3.0, 3.0]);
    assert_eq!(run(Averaging::Ema { decay: 0.5 }), [1.0, 1.5, 3.75, 3.375]);
    assert_eq!(run(Averaging::Ema { decay: 0.0 }), [1.0, 2.0, 6.0, 3.0]);
    assert_eq!(run(Averaging::Ema { decay: 1.0 }), [1.0; 4]);
    for decay in [-0.1, 1.1, f64::NAN] {
        assert!(Averaging::Ema { decay }.check().is_err());
    }
}

#[test]
fn an_average_in_f32_of_half_weights_moves_and_is_in_place() {
    let w = Parameter::new(Array::full([3], 2.0, DType::F16));
    let average = |dtype| {
        let a = Parameter::new(Array::ones([3], dtype));
        let before = copies();
        for n in 1..1001 {
            Averaging::Ema { decay: 0.999 }.update([(&a, &w)], n);
        }
        assert_eq!((a.dtype(), copies()), (dtype, before));
        a.to_vec::<f64>()[0]
    };
    assert!((average(DType::F32) - (2.0 - 0.999_f64.powi(1000))).abs() < 1e-4);
    assert!(average(DType::F16) < 1.6, "steps below half a unit of f16 are lost");
}

#[test]
#[should_panic(expected = "breaks the rule: the average is [2]")]
fn a_snapshot_of_another_shape_is_a_mistake() {
    Averaging::Mean.update([(&Parameter::new([1.0, 2.0]), &Parameter::new([1.0]))], 0);
}

/// The mean loss of some items, whose gradient is that mean.
fn mean_of(w: &Parameter, items: &[f64]) -> Tensor {
    (w.tensor() * items.iter().sum::<f64>()).sum() / items.len() as f64
}

#[test]
fn b36_accumulated_gradients_are_divided_by_the_true_number_of_items() {
    for mut accumulator in
        [Accumulator::new(), Accumulator::expecting(4), Accumulator::expecting(3)]
    {
        for _ in 0..2 {
            let w = Parameter::new([1.0]);
            accumulator.backward(&mean_of(&w, &[1.0, 2.0, 3.0]), 3);
            accumulator.backward(&mean_of(&w, &[10.0]), 1);
            assert_eq!(accumulator.items(), 4);
            assert_eq!(accumulator.finish([&w]), Ok(4.0));
            assert!((w.grad().unwrap().item() - 4.0).abs() < 1e-15);
        }
        let w = Parameter::new([1.0]);
        assert_eq!(accumulator.finish([&w]), Err(OptimError::NoItems));
    }
}

#[test]
fn accumulation_works_with_a_scaler() {
    let w = Parameter::new([1.0_f32]);
    let options = SgdOptions { lr: 1.0, ..Default::default() };
    let mut opt = Sgd::from_parameters([w.clone()], options).unwrap();
    let (mut scaler, mut accumulator) = (GradScaler::default(), Accumulator::new());
    for items in [&[1.0, 2.0, 3.0][..], &[10.0]] {
        accumulator.backward(&scaler.scale(&mean_of(&w, items)), items.len());
    }
    assert_eq!(accumulator.finish([&w]), Ok(4.0 * 65536.0));
    assert!(w.grad_is_scaled());
    assert!(scaler.step(&mut opt).unwrap().is_applied());
    assert_eq!(w.item(), -3.0);
}

/// A bowl with noise and a buffer that counts the passes.
fn noisy(w: &Parameter, passes: &Buffer) -> Tensor {
    passes.update(|x| *x = Array::from([x.item() + 1.0]));
    let noise = Tensor::new(Array::randn([1]).cast(DType::F64));
    (w.square() + noise * 1e-3).sum()
}

/// Six steps without a finder: the weight, the rate, and the state of the generator.
fn uninterrupted() -> (f64, f64, Generator) {
    manual_seed(5);
    let (w, passes) = (Parameter::new([2.0]), Buffer::new([3.0]));
    let mut opt =
        Adam::new([("w".to_owned(), w.clone())], AdamOptions { lr: 0.01, ..Default::default() })
            .unwrap();
    let mut sched =
        CosineAnnealingLr::new(&mut opt, CosineAnnealingLrOptions { t_max: 9, eta_min: 0.0 })
            .unwrap();
    for _ in 0..6 {
        opt.zero_grad();
        noisy(&w, &passes).backward();
        opt.step().unwrap();
        sched.step(&mut opt);
    }
    (w.item(), opt.lrs()[0], rng_state())
}

#[test]
fn a_finder_puts_everything_back_to_the_bit() {
    manual_seed(5);
    let (w, passes) = (Parameter::new([2.0]), Buffer::new([3.0]));
    let named = [("w".to_owned(), w.clone())];
    let options = AdamOptions { lr: 0.01, ..Default::default() };
    let mut opt = Adam::new(named, options.clone()).unwrap();
    let other = Parameter::new(Array::ones([2], DType::F16));
    let group = [("other".to_owned(), other.clone())];
    opt.add_group(group, AdamOptions { lr: 0.001, ..options }).unwrap();
    let mut sched =
        CosineAnnealingLr::new(&mut opt, CosineAnnealingLrOptions { t_max: 9, eta_min: 0.0 })
            .unwrap();
    let train = |opt: &mut Adam, sched: &mut CosineAnnealingLr, n: usize| {
        for _ in 0..n {
            opt.zero_grad();
            noisy(&w, &passes).backward();
            opt.step().unwrap();
            sched.step(opt);
        }
    };
    train(&mut opt, &mut sched, 3);
    let _ = opt.skip(SkipReason::NonFinite(vec![]));
    w.set_grad_scaled(true);
    let everything = |opt: &Adam, sched: &CosineAnnealingLr| {
        let grads = [&w, &other].map(|p| (p.grad().map(Tensor::into_array), p.grad_is_scaled()));
        let values = [w.array(), other.array(), passes.array()];
        let states = [opt.state_dict(), sched.state_dict()].map(|s| s.to_bytes().unwrap());
        (values, grads, states, rng_state())
    };
    let before = everything(&opt, &sched);
    let finder = LrFinder::new(LrFinderOptions::default()).unwrap().buffers([passes.clone()]);
    let mut groups = vec![];
    let curve = finder
        .run(&mut opt, |_| {
            groups.push(passes.item());
            Ok::<_, OptimError>(noisy(&w, &passes) + other.to_dtype(DType::F64).sum() * 1e-9)
        })
        .unwrap();
    assert!(curve.lrs().len() > 50 && groups.len() >= curve.lrs().len());
    assert_eq!(everything(&opt, &sched), before);
    // An error and a panic half-way, too.
    let stop = finder
        .run(&mut opt, |i| if i < 5 { Ok(noisy(&w, &passes)) } else { Err(OptimError::NoItems) });
    assert_eq!(stop, Err(OptimError::NoItems));
    assert_eq!(everything(&opt, &sched), before);
    let panics = std::panic::AssertUnwindSafe(|| {
        finder.run(&mut opt, |i| {
            assert!(i < 5);
            Ok::<_, OptimError>(noisy(&w, &passes))
        })
    });
    assert!(std::panic::catch_unwind(panics).is_err());
    assert_eq!(everything(&opt, &sched), before);
    // And the training that follows has the bits it would have had.
    w.set_grad_scaled(false);
    train(&mut opt, &mut sched, 3);
    let with = (w.item(), opt.lrs(), rng_state());
    assert_eq!((with.0, with.1[0], with.2), uninterrupted());
}

#[test]
fn a_finder_suggests_a_rate_that_learns_and_stops_where_it_diverges() {
    // f(w) = h·(w − tᵢ)² with targets that jump: gradient descent diverges above lr = 1/h.
    for h in [0.5, 50.0] {
        let w = Parameter::new([1.0]);
        let options = SgdOptions { lr: 1.0, ..Default::default() };
        let mut opt = Sgd::from_parameters([w.clone()], options).unwrap();
        let sweep = LrFinderOptions { end_lr: 1000.0 / h, ..Default::default() };
        let curve = LrFinder::new(sweep)
            .unwrap()
            .run(&mut opt, |i| {
                let target = if i % 2 == 0 { 0.1 } else { -0.1 };
                Ok::<_, OptimError>(((w.tensor() - target).square() * h).sum())
            })
            .unwrap();
        let suggested = curve.suggestion().unwrap();
        assert!(suggested > 0.05 / h && suggested < 0.5 / h, "{h}: {suggested}");
        assert!(curve.minimum().unwrap() > suggested && curve.minimum().unwrap() < 2.0 / h);
        assert!(*curve.lrs().last().unwrap() < 10.0 / h, "{:?}", curve.lrs().last());
        let (lr0, lr1) = (curve.lrs()[0], curve.lrs()[1]);
        assert!(
            (lr0 - 1e-7).abs() < 1e-20 && (lr1 / lr0 - (1e10 / h).powf(1.0 / 99.0)).abs() < 1e-9
        );
        let plot = curve.plot();
        assert_eq!(plot.points(0).len(), curve.losses().len());
        assert!(plot.svg().contains("suggestion") && plot.terminal(60, 10).contains("suggestion"));
    }
    // A loss that never falls suggests nothing.
    let w = Parameter::new([0.0]);
    let mut opt = Sgd::from_parameters([w.clone()], SgdOptions::default()).unwrap();
    let finder = LrFinder::new(LrFinderOptions::default()).unwrap();
    let flat = finder.run(&mut opt, |_| Ok::<_, OptimError>((w.tensor() * 0.0).sum())).unwrap();
    assert_eq!(flat.suggestion(), None);
    let nan = finder.run(&mut opt, |_| Ok::<_, OptimError>((w.tensor() * f64::NAN).sum())).unwrap();
    assert!(nan.lrs().is_empty() && nan.suggestion().is_none() && nan.minimum().is_none());
}

#[test]
fn a_finder_keeps_the_ratios_of_the_groups_and_refuses_impossible_options() {
    let (a, b) = (Parameter::new([1.0]), Parameter::new([1.0]));
    let sgd = |lr| SgdOptions { lr, ..Default::default() };
    let mut opt = Sgd::new([("a".to_owned(), a.clone())], sgd(0.1)).unwrap();
    opt.add_group([("b".to_owned(), b.clone())], sgd(0.4)).unwrap();
    let options = LrFinderOptions { start_lr: 0.01, end_lr: 0.02, steps: 2, ..Default::default() };
    let mut moved = vec![];
    LrFinder::new(options.clone())
        .unwrap()
        .run(&mut opt, |_| {
            moved.push((a.item(), b.item()));
            Ok::<_, OptimError>((a.tensor() + b.tensor()).sum())
        })
        .unwrap();
    let (da, db) = (moved[0].0 - moved[1].0, moved[0].1 - moved[1].1);
    assert!((db - 0.01).abs() < 1e-12 && (da - 0.0025).abs() < 1e-12, "{moved:?}");
    for bad in [
        LrFinderOptions { start_lr: 0.0, ..options.clone() },
        LrFinderOptions { end_lr: 0.01, ..options.clone() },
        LrFinderOptions { steps: 1, ..options.clone() },
        LrFinderOptions { smoothing: 1.0, ..options.clone() },
        LrFinderOptions { diverges_at: 1.0, ..options },
    ] {
        assert!(LrFinder::new(bad).is_err());
    }
}
