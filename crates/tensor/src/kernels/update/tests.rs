//! The fused loop against a plain one, at every level, length and type.

use super::*;
use crate::kernels::convert::Convert;
use crate::kernels::samples::{LENGTHS, levels, noise};
use half::{bf16, f16};

/// A rule that mixes everything: two states, constants, a square root.
#[derive(Clone, Copy)]
struct Mixed {
    lr: f64,
    decay: f64,
}

impl Update for Mixed {
    type State<R: Real> = [R; 2];
    #[inline(always)]
    fn f<R: Real>(self, x: R, g: R, [m, v]: &mut [R; 2]) -> R {
        *m = lerp(*m, g, self.decay);
        *v = *v + g * g;
        x - R::of(self.lr) * *m / (v.sqrt() + R::of(0.5))
    }
}

const RULE: Mixed = Mixed { lr: 0.125, decay: 0.25 };

/// The formula in f64, one element.
fn plain(x: f64, g: f64, [m, v]: [f64; 2]) -> (f64, [f64; 2]) {
    let (m, v) = (m + RULE.decay * (g - m), v + g * g);
    (x - RULE.lr * m / (v.sqrt() + 0.5), [m, v])
}

#[test]
fn every_level_and_length_follows_the_formula() {
    for level in levels() {
        for n in LENGTHS {
            let [x, g, m] = [1, 2, 3].map(|seed| noise(n, seed));
            let v: Vec<f64> = noise(n, 4).iter().map(|v| v.abs()).collect();
            let [mut x64, mut m64, mut v64] = [x.clone(), m.clone(), v.clone()];
            let [mut x32, g32, mut m32, mut v32] =
                [&x, &g, &m, &v].map(|a| a.iter().map(|&v| v as f32).collect::<Vec<_>>());
            let half: Vec<f64> = g.iter().map(|g| g * 2.0).collect();
            let piece = Piece {
                value: &mut x64,
                stored: None::<&mut [f64]>,
                grad: Gradient::Wide(&half),
                states: [Some(&mut m64), Some(&mut v64), None],
            };
            update_at(level, &RULE, 0.5, piece);
            let piece = Piece {
                value: &mut x32,
                stored: None::<&mut [f32]>,
                grad: Gradient::Wide(&g32),
                states: [Some(&mut m32), Some(&mut v32), None],
            };
            update_at(level, &RULE, 1.0, piece);
            for i in 0..n {
                let (want, [wm, wv]) = plain(x[i], g[i], [m[i], v[i]]);
                for (got, want) in [(x64[i], want), (m64[i], wm), (v64[i], wv)] {
                    assert!((got - want).abs() < 1e-15, "{level:?} {n} [{i}]: {got} {want}");
                }
                for (got, want) in [(x32[i], want), (m32[i], wm), (v32[i], wv)] {
                    let d = (f64::from(got) - want).abs();
                    assert!(d < 5e-7, "{level:?} {n} [{i}]: {got} {want}");
                }
            }
        }
    }
}

#[test]
fn an_element_has_the_same_bits_wherever_it_stands() {
    for level in levels() {
        let [x, g] = [1, 2].map(|seed| noise(100, seed));
        let run = |range: std::ops::Range<usize>| {
            let mut x: Vec<f32> = x[range.clone()].iter().map(|&v| v as f32).collect();
            let g: Vec<f32> = g[range].iter().map(|&v| v as f32).collect();
            let (mut m, mut v) = (vec![0.25; x.len()], vec![0.5; x.len()]);
            let piece = Piece {
                value: &mut x,
                stored: None::<&mut [f32]>,
                grad: Gradient::Wide(&g),
                states: [Some(&mut m), Some(&mut v), None],
            };
            update_at(level, &RULE, 1.0, piece);
            x
        };
        let whole = run(0..100);
        for (from, to) in [(0, 1), (1, 40), (3, 99), (64, 100)] {
            assert_eq!(run(from..to), whole[from..to], "{level:?} {from}..{to}");
        }
    }
}

#[test]
fn an_absent_state_reads_zero_and_forgets() {
    for n in [40, 64, 700] {
        let zeros = vec![0.0; n];
        let run = |present: [bool; 2]| {
            let (mut x, mut m, mut v) = (vec![1.0; n], zeros.clone(), zeros.clone());
            let piece = Piece {
                value: &mut x,
                stored: None::<&mut [f64]>,
                grad: Gradient::Wide(&noise(n, 1)),
                states: [present[0].then_some(&mut m[..]), present[1].then_some(&mut v[..]), None],
            };
            update(&RULE, 1.0, piece);
            (x, m, v)
        };
        let (x, m, v) = run([true, true]);
        assert_eq!(run([false, true]), (x.clone(), zeros.clone(), v));
        assert_eq!(run([true, false]), (x, m, zeros.clone()));
    }
}

/// Half parameters: the master moves, the parameter is the master rounded, and a parameter that was
/// set by somebody else starts a new master.
fn half<S: Stored<Full = f32> + Convert<f32> + PartialEq + std::fmt::Debug>()
where
    f32: Convert<S>,
{
    const N: usize = 700;
    for level in levels() {
        let stored: Vec<S> = noise(N, 1).iter().map(|&v| (v as f32).convert()).collect();
        let grad: Vec<S> = noise(N, 2).iter().map(|&v| (v as f32).convert()).collect();
        let mut master: Vec<f32> = stored.iter().map(|s| (*s).convert()).collect();
        let exact = master.clone();
        master[3] = 100.0;
        master[4] += 1e-6 * master[4]; // rounds to the parameter: it is kept
        let kept = master[4];
        let mut rounded = stored;
        let (mut m, mut v) = ([0.0; N], [0.0; N]);
        let piece = Piece {
            value: &mut master,
            stored: Some(&mut rounded),
            grad: Gradient::Stored(&grad),
            states: [Some(&mut m), Some(&mut v), None],
        };
        update_at(level, &RULE, 1.0, piece);
        for i in 0..N {
            let from = if i == 4 { kept } else { exact[i] };
            let g: f32 = grad[i].convert();
            let (want, _) = plain(from.into(), g.into(), [0.0; 2]);
            let d = (f64::from(master[i]) - want).abs();
            assert!(d < 3e-7, "{level:?} [{i}]: {} {want}", master[i]);
            assert_eq!(rounded[i], master[i].convert(), "{level:?} [{i}]");
        }
    }
}

#[test]
fn half_types_have_a_master() {
    half::<f16>();
    half::<bf16>();
}

#[test]
#[should_panic(expected = "differ in length")]
fn lengths_must_agree() {
    let (mut x, mut m, mut v) = ([0.0; 3], [0.0; 3], [0.0; 2]);
    let states = [Some(&mut m[..]), Some(&mut v[..]), None];
    let grad = Gradient::Wide(&[0.0; 3]);
    update(&RULE, 1.0, Piece { value: &mut x, stored: None::<&mut [f64]>, grad, states });
}

#[test]
fn lerp_starts_from_the_nearer_end() {
    use crate::kernels::real::Num;
    let at = |w| lerp(Num::<f64, true>(1e16), Num(1.0), w).0;
    assert_eq!((at(1.0), at(0.0)), (1.0, 1e16));
}

#[test]
#[should_panic(expected = "the rule has 2 states")]
fn a_state_that_the_rule_has_not_is_refused() {
    let (mut x, mut other) = ([0.0; 3], [0.0; 3]);
    let states = [None, None, Some(&mut other[..])];
    let grad = Gradient::Wide(&[0.0; 3]);
    update(&RULE, 1.0, Piece { value: &mut x, stored: None::<&mut [f64]>, grad, states });
}
