//! Random numbers: the frozen mapping from seed and position to bits, and what must hold of any stream.

use gradus_tensor::{
    Array, DType, Element, Generator, bf16, f16, manual_seed, rng_state, set_rng_state,
    with_default_generator,
};
use rand::Rng;
use rand_distr::{Distribution, Exp, StandardNormal};

const FLOATS: [DType; 4] = [DType::F16, DType::Bf16, DType::F32, DType::F64];

fn at(position: u64) -> Generator {
    Generator::at(2024, position)
}

/// ChaCha8 as its paper writes it: <https://cr.yp.to/chacha/chacha-20080128.pdf>.
fn plain_chacha8(seed: u64, block: u64) -> [u32; 16] {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..].copy_from_slice(b"gradus random numbers v1");
    let text = b"expand 32-byte k";
    let word =
        |b: &[u8], i: usize| u32::from_le_bytes(b[4 * i..4 * i + 4].try_into().expect("4 bytes"));
    let start: [u32; 16] = std::array::from_fn(|i| match i {
        0..4 => word(text, i),
        4..12 => word(&key, i - 4),
        12 => block as u32,
        13 => (block >> 32) as u32,
        _ => 0,
    });
    let mut s = start;
    let mut quarter = |a: usize, b: usize, c: usize, d: usize| {
        for (turn_d, turn_b) in [(16, 12), (8, 7)] {
            s[a] = s[a].wrapping_add(s[b]);
            s[d] = (s[d] ^ s[a]).rotate_left(turn_d);
            s[c] = s[c].wrapping_add(s[d]);
            s[b] = (s[b] ^ s[c]).rotate_left(turn_b);
        }
    };
    for _ in 0..4 {
        (0..4).for_each(|i| quarter(i, i + 4, i + 8, i + 12));
        (0..4).for_each(|i| quarter(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4));
    }
    std::array::from_fn(|i| s[i].wrapping_add(start[i]))
}

#[test]
fn the_stream_is_chacha8_at_every_position() {
    for seed in [0, 1, 2024, u64::MAX] {
        for start in [0, 1, 15, 16, 63, 64, 1000, (1 << 36) - 3, u64::MAX - 5] {
            let mut g = Generator::at(seed, start);
            let mut rng = g.rng();
            for i in 0..5 {
                let position = start + i;
                let want = plain_chacha8(seed, position / 16)[(position % 16) as usize];
                assert_eq!(rng.next_u32(), want, "seed {seed}, position {position}");
            }
        }
    }
}

fn bits<T: Element>(array: &Array, bits: impl Fn(T) -> u64) -> Vec<u64> {
    array.read::<T>().iter().map(|&v| bits(v)).collect()
}

fn bits_of(array: &Array) -> Vec<u64> {
    match array.dtype() {
        DType::F16 => bits(array, |v: f16| v.to_bits().into()),
        DType::Bf16 => bits(array, |v: bf16| v.to_bits().into()),
        DType::F32 => bits(array, |v: f32| v.to_bits().into()),
        DType::F64 => bits(array, f64::to_bits),
        _ => array.to_vec::<i64>().into_iter().map(|v| v as u64).collect(),
    }
}

/// The first two elements, and the FNV-1a hash of all 5000, tails included. These values never change:
/// whoever has to change one breaks every saved seed.
fn golden(name: &str, array: Array, want: [u64; 3]) {
    let bits = bits_of(&array);
    let mix = |hash: u64, &v: &u64| (hash ^ v).wrapping_mul(0x100_0000_01b3);
    let got = [bits[0], bits[1], bits.iter().fold(0xcbf2_9ce4_8422_2325, mix)];
    assert_eq!(got, want, "{name}: {got:#x?}");
}

#[test]
fn golden_values_of_floats() {
    golden(
        "uniform F32",
        Array::rand_with(5000, DType::F32, &mut at(5)),
        [0x3e3e_0568, 0x3f59_f919, 0x2291_8cb1_92bb_abb2],
    );
    golden(
        "uniform F64",
        Array::rand_with(5000, DType::F64, &mut at(5)),
        [0x3feb_3f23_3505_f02b, 0x3fce_52b5_c932_ea28, 0x96ae_3801_11b8_91ac],
    );
    golden(
        "uniform F16",
        Array::rand_with(5000, DType::F16, &mut at(5)),
        [0x31f0, 0x3ad0, 0x8cc5_4017_d499_a920],
    );
    golden(
        "uniform Bf16",
        Array::rand_with(5000, DType::Bf16, &mut at(5)),
        [0x3e3e, 0x3f5a, 0xead0_325f_484b_fdfd],
    );
    golden(
        "normal F32",
        Array::randn_with(5000, DType::F32, &mut at(5)),
        [0xbf64_f413, 0x3f85_7750, 0x84ed_81b3_91dc_33c5],
    );
    golden(
        "normal F64",
        Array::randn_with(5000, DType::F64, &mut at(5)),
        [0x3ff0_aeea_0725_8802, 0xbfe6_ec08_d303_ab03, 0xfabb_19e2_59dc_9535],
    );
    golden(
        "normal F16",
        Array::randn_with(5000, DType::F16, &mut at(5)),
        [0xbb28, 0x3c2c, 0xee8_0f29_42ed_4129],
    );
    golden(
        "normal Bf16",
        Array::randn_with(5000, DType::Bf16, &mut at(5)),
        [0xbf65, 0x3f85, 0x5a16_acdb_2e4b_abbb],
    );
    golden(
        "range",
        Array::uniform_with(-3.0, 5.0, 5000, DType::F32, &mut at(5)),
        [0xbfc1_fa98, 0x4073_f232, 0xbbd1_14bb_3ee8_f0b7],
    );
}

#[test]
fn golden_values_of_integers() {
    golden(
        "coins",
        Array::bernoulli_with(0.3, 5000, DType::Bool, &mut at(5)),
        [0x1, 0x0, 0xf8f2_22b7_7c8a_4aa0],
    );
    golden(
        "integers",
        Array::randint_with(-9, 1000, 5000, DType::I64, &mut at(5)),
        [0x352, 0xe6, 0xc76f_ef71_a251_e541],
    );
    golden(
        "bytes",
        Array::randint_with(0, 256, 5000, DType::U8, &mut at(5)),
        [0xd9, 0x3c, 0xb53f_4afb_d724_e446],
    );
    golden("order", Array::randperm_with(5000, &mut at(5)), [0xf36, 0xcea, 0x79fa_71b1_3dc5_6c87]);
}

#[test]
fn an_element_depends_on_its_position_alone() {
    type Draw = fn(usize, DType, &mut Generator) -> Array;
    let draws: [Draw; 3] = [
        |n, d, g| Array::rand_with(n, d, g),
        |n, d, g| Array::randn_with(n, d, g),
        |n, d, g| Array::bernoulli_with(0.4, n, d, g),
    ];
    for (draw, dtype) in draws.iter().flat_map(|d| FLOATS.map(|t| (d, t))) {
        let mut g = at(3);
        let whole = draw(1500, dtype, &mut g);
        let end = g;
        for cut in [0, 1, 255, 256, 257, 700, 1499, 1500] {
            let mut g = at(3);
            let mut parts = bits_of(&draw(cut, dtype, &mut g));
            parts.extend(bits_of(&draw(1500 - cut, dtype, &mut g)));
            assert_eq!(parts, bits_of(&whole), "{dtype}, cut at {cut}");
            assert_eq!(g, end);
        }
    }
}

#[test]
fn positions_count_words() {
    let mut g = at(0);
    let mut moved = |draw: &mut dyn FnMut(&mut Generator)| {
        let before = g.position();
        draw(&mut g);
        g.position() - before
    };
    assert_eq!(moved(&mut |g| drop(Array::rand_with([3, 5], DType::F16, g))), 15);
    assert_eq!(moved(&mut |g| drop(Array::randn_with([3, 5], DType::F64, g))), 30);
    assert_eq!(moved(&mut |g| drop(Array::bernoulli_with(0.5, 7, DType::F64, g))), 7);
    assert_eq!(moved(&mut |g| drop(Array::randint_with(0, 9, 7, DType::U8, g))), 14);
    assert_eq!(moved(&mut |g| drop(Array::randperm_with(1000, g))), 1998);
    assert_eq!(moved(&mut |g| drop(Array::randperm_with(0, g))), 0);
    assert_eq!(moved(&mut |g| drop(g.rng())), 0);
    for words in [1, 63, 64, 65, 128] {
        let draw = |g: &mut Generator| {
            let mut rng = g.rng();
            (0..words).for_each(|_| _ = rng.next_u32());
        };
        assert_eq!(moved(&mut { draw }), words);
    }
}

/// The largest distance between the distribution of `x` and `cdf` (Kolmogorov), times √n: above 1.95
/// once in a thousand streams.
fn kolmogorov(mut x: Vec<f64>, cdf: impl Fn(f64) -> f64) -> f64 {
    x.sort_by(f64::total_cmp);
    let n = x.len() as f64;
    let gap = |(i, &v): (usize, &f64)| {
        let p = cdf(v);
        (p - i as f64 / n).abs().max((p - (i + 1) as f64 / n).abs())
    };
    x.iter().enumerate().map(gap).fold(0.0, f64::max) * n.sqrt()
}

/// The normal distribution by Simpson's rule from 0, exact to 1e-9.
fn normal_cdf(x: f64) -> f64 {
    let (n, h) = (200, x / 200.0);
    let density = |t: f64| (-0.5 * t * t).exp() / std::f64::consts::TAU.sqrt();
    let inner: f64 = (1..n).map(|i| density(f64::from(i) * h) * f64::from(2 + 2 * (i % 2))).sum();
    0.5 + h / 3.0 * (density(0.0) + inner + density(x))
}

#[test]
fn distributions_have_their_shape() {
    let n = 20_000;
    for dtype in [DType::F32, DType::F64] {
        let x = Array::rand_with(n, dtype, &mut at(0)).to_vec::<f64>();
        assert!(kolmogorov(x, |v| v) < 1.95, "uniform {dtype}");
        let x = Array::randn_with(n, dtype, &mut at(0)).to_vec::<f64>();
        let moment = |k| x.iter().map(|v| v.powi(k)).sum::<f64>() / n as f64;
        assert!(moment(1).abs() < 0.03 && (moment(2) - 1.0).abs() < 0.04, "{dtype}");
        assert!(moment(3).abs() < 0.1 && (moment(4) - 3.0).abs() < 0.25, "{dtype}");
        assert!(kolmogorov(x, normal_cdf) < 1.95, "normal {dtype}");
    }
    for dtype in [DType::F16, DType::Bf16] {
        let exact = Array::randn_with(n, DType::F32, &mut at(0)).to_vec::<f32>();
        let half = Array::randn_with(n, dtype, &mut at(0)).to_vec::<f32>();
        let close = |(a, b): (&f32, &f32)| (a - b).abs() <= a.abs() / 256.0 + 1e-7;
        assert!(exact.iter().zip(&half).all(close), "{dtype}: rounded from f32");
    }
}

#[test]
fn uniform_numbers_stay_below_the_upper_bound() {
    for dtype in FLOATS {
        for (low, high) in [(0.0, 1.0), (-1.0, 0.0), (-3.0, -1.0), (-1e-3, 1e-3), (1.0, 1.0 + 1e-3)]
        {
            let x = Array::uniform_with(low, high, 40_000, dtype, &mut at(9));
            let (least, most) = (Array::scalar(low, dtype).item(), high);
            let inside = |v: &f64| (least..most).contains(v);
            let x = x.to_vec::<f64>();
            // Near 1, f16 and bf16 have steps as large as the last range.
            let degenerate = Array::scalar(high, dtype).item() == least;
            assert!(degenerate || x.iter().all(inside), "{dtype} {low}..{high}");
        }
        let same = Array::uniform_with(0.5, 0.5, 3, dtype, &mut at(0));
        assert_eq!(same.to_vec::<f64>(), [0.5; 3]);
    }
    let x = Array::rand_with(40_000, DType::Bf16, &mut at(0)).to_vec::<f32>();
    assert!(x.contains(&0.996_093_75), "the number below 1 is reached");
}

#[test]
fn coins_fall_as_often_as_asked() {
    for dtype in [DType::Bool, DType::U8, DType::I64, DType::F16, DType::F32, DType::F64] {
        let mean = |p| {
            let x = Array::bernoulli_with(p, 10_000, dtype, &mut at(1)).to_vec::<f64>();
            assert!(x.iter().all(|&v| v == 0.0 || v == 1.0));
            x.iter().sum::<f64>() / 10_000.0
        };
        assert_eq!((mean(0.0), mean(1.0)), (0.0, 1.0));
        assert!((mean(0.3) - 0.3).abs() < 0.015);
    }
}

#[test]
fn integers_cover_their_range_evenly() {
    let x = Array::randint_with(-2, 3, 10_000, DType::I64, &mut at(0)).to_vec::<i64>();
    for v in -2..3 {
        let count = x.iter().filter(|&&x| x == v).count();
        assert!((1850..2150).contains(&count), "{v}: {count}");
    }
    assert!(x.iter().all(|v| (-2..3).contains(v)));
    let wide =
        Array::randint_with(i64::MIN, i64::MAX, 1000, DType::I64, &mut at(0)).to_vec::<i64>();
    assert!(wide.iter().any(|&v| v < i64::MIN / 2) && wide.iter().any(|&v| v > i64::MAX / 2));
    let coins = Array::randint_with(0, 2, 100, DType::Bool, &mut at(0));
    assert!((30..70).contains(&coins.to_vec::<i64>().iter().sum::<i64>()));
}

#[test]
fn orders_are_permutations_and_equally_likely() {
    for n in [0, 1, 2, 255, 256, 257, 258, 1000] {
        let mut order = Array::randperm_with(n, &mut at(0)).to_vec::<i64>();
        order.sort_unstable();
        assert!(order.into_iter().eq(0..n as i64), "{n}");
    }
    let (mut g, mut seen) = (at(0), std::collections::BTreeMap::new());
    for _ in 0..6000 {
        *seen.entry(Array::randperm_with(3, &mut g).to_vec::<i64>()).or_insert(0) += 1;
    }
    assert!(seen.len() == 6 && seen.values().all(|n| (880..1120).contains(n)), "{seen:?}");
}

#[test]
fn any_distribution_can_be_sampled() {
    let exp = Exp::new(2.0).unwrap();
    let x = Array::sample([100, 50], DType::F64, &exp, &mut at(5));
    let mut g = at(5);
    let mut rng = g.rng();
    assert!(x.to_vec::<f64>().iter().all(|&v| v == exp.sample(&mut rng)));
    let y = Array::sample(2000, DType::F32, &StandardNormal, &mut at(5)).to_vec::<f64>();
    assert!(kolmogorov(y, normal_cdf) < 1.95);
}

#[test]
fn the_default_generator_belongs_to_the_thread() {
    let fresh = std::thread::spawn(|| Array::rand(4)).join().unwrap();
    manual_seed(3);
    let other = std::thread::spawn(|| Array::rand(4)).join().unwrap();
    assert_eq!(fresh, other, "seeding this thread does not seed another");
    let first = Array::rand(4);
    assert!(first != fresh);
    assert_eq!(first, Array::rand_with(4, DType::F32, &mut Generator::new(3)));
    let saved = rng_state();
    let next = (Array::randn(3), Array::randint(0, 9, 3), Array::randperm(9));
    set_rng_state(saved);
    assert_eq!(next, (Array::randn(3), Array::randint(0, 9, 3), Array::randperm(9)));
}

#[test]
fn a_saved_generator_goes_on() {
    let mut g = at(77);
    let saved = serde_json::to_string(&g).unwrap();
    assert_eq!(saved, r#"{"seed":2024,"position":77}"#);
    let mut restored: Generator = serde_json::from_str(&saved).unwrap();
    assert_eq!(
        Array::randn_with(9, DType::F64, &mut restored),
        Array::randn_with(9, DType::F64, &mut g)
    );
}

#[test]
#[should_panic(expected = "the default generator is lent out")]
fn the_default_generator_is_not_drawn_from_twice() {
    with_default_generator(|_| drop(Array::rand(3)));
}

#[test]
#[should_panic(expected = "uniform: int64 is not floating point")]
fn integers_are_not_uniform() {
    drop(Array::rand_with(3, DType::I64, &mut at(0)));
}

#[test]
#[should_panic(expected = "randint: uint8 does not hold 0..257")]
fn integers_fit_the_dtype() {
    drop(Array::randint_with(0, 257, 3, DType::U8, &mut at(0)));
}

#[test]
#[should_panic(expected = "bernoulli: p = NaN")]
fn a_probability_is_a_number() {
    drop(Array::bernoulli_with(f64::NAN, 3, DType::F32, &mut at(0)));
}
