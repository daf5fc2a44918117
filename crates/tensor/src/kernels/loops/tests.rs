//! The loops against one element at a time, at every level.

use super::super::real::{Num, Real};
use super::super::samples::{LENGTHS, filled, levels, noise, noise_f32};
use super::*;

#[derive(Clone, Copy)]
struct Softplus(f64);

impl Map for Softplus {
    #[inline(always)]
    fn f<R: Real>(self, x: R) -> R {
        (R::of(self.0) * x).exp().ln_1p() + x.maximum(R::of(0.0))
    }
    #[inline(always)]
    fn int(self, x: i64) -> i64 {
        100 / x
    }
}

#[derive(Clone, Copy)]
struct Lean;

impl Zip for Lean {
    #[inline(always)]
    fn f<R: Real>(self, a: R, b: R) -> R {
        a.mul_add(b, a - b).tanh()
    }
    #[inline(always)]
    fn int(self, a: i64, b: i64) -> i64 {
        a / b
    }
}

#[derive(Clone, Copy)]
struct Mix;

impl Zip3 for Mix {
    #[inline(always)]
    fn f<R: Real>(self, a: R, b: R, c: R) -> R {
        R::select(c > R::of(0.0), a * b, a - c)
    }
}

#[derive(Clone, Copy)]
struct Below;

impl Compare for Below {
    #[inline(always)]
    fn f<R: Real>(self, a: R, b: R) -> bool {
        a < b
    }
    #[inline(always)]
    fn int(self, a: i64, b: i64) -> bool {
        a < b
    }
}

/// One element, without a loop, as `level` calculates it.
fn single<T>(level: Level, plain: T, fused: T) -> T {
    if level == Level::Baseline { plain } else { fused }
}

#[test]
fn map_gives_each_element_the_same_bits_wherever_it_stands() {
    let op = Softplus(3.0);
    for level in levels() {
        for n in LENGTHS {
            for offset in [0, 1, 3] {
                let x = noise_f32(n + offset, 1);
                let x = &x[offset..];
                let y = filled(n, |y| map_at(level, op, x, y));
                for (&x, &y) in x.iter().zip(&y) {
                    let want =
                        single(level, op.f(Num::<f32, false>(x)).0, op.f(Num::<f32, true>(x)).0);
                    assert_eq!(y.to_bits(), want.to_bits(), "{level:?}, {n} elements, x = {x}");
                }
            }
        }
    }
}

#[test]
fn map_runs_in_f64_and_in_integers() {
    for level in levels() {
        let x = noise(77, 2);
        let y = filled(77, |y| map_at(level, Softplus(1.0), &x, y));
        let one = |x: f64| {
            let op = Softplus(1.0);
            single(level, op.f(Num::<f64, false>(x)).0, op.f(Num::<f64, true>(x)).0)
        };
        let want: Vec<f64> = x.iter().map(|&x| one(x)).collect();
        assert_eq!(y, want);
        // A formula that panics on 0 must not see one in the rest of a block.
        assert_eq!(filled(2, |y| map_at(level, Softplus(1.0), &[7, -3], y)), [14, -33]);
    }
}

/// Rare above 0.9.
#[derive(Clone, Copy)]
struct Pick;

impl Map for Pick {
    #[inline(always)]
    fn f<R: Real>(self, x: R) -> R {
        x.exp()
    }
}

impl Rare for Pick {
    #[inline(always)]
    fn is_rare<R: Real>(self, x: R) -> bool {
        x > R::of(0.9)
    }
    #[inline(always)]
    fn rare<R: Real>(self, _: R) -> R {
        R::of(7.0)
    }
}

#[test]
fn rare_elements_and_only_those_get_the_other_formula() {
    for level in levels() {
        for n in LENGTHS {
            let x = noise_f32(n, 12);
            let y = filled(n, |y| map_rare_at(level, Pick, &x, y));
            for (&x, y) in x.iter().zip(y) {
                let usual =
                    single(level, Num::<f32, false>(x).exp().0, Num::<f32, true>(x).exp().0);
                assert_eq!(y, if x > 0.9 { 7.0 } else { usual }, "{level:?}, {n} elements");
            }
        }
    }
    let (mut x, y) = (noise_f32(200, 13), noise_f32(200, 13));
    update(&mapped_rare(Pick), &mut x, 0, &[]);
    assert_eq!(x, filled(200, |out| map_rare_at(level(), Pick, &y, out)));
}

#[test]
#[should_panic(expected = "Mix is not defined for integers")]
fn integers_are_refused_by_formulas_without_them() {
    let one = Operand::Same(1i64);
    filled(1, |out| zip3(Mix, one, one, one, out));
}

#[test]
fn zip_takes_slices_and_single_values_on_both_sides() {
    for level in levels() {
        for n in LENGTHS {
            let (a, b) = (noise_f32(n, 3), noise_f32(n, 4));
            let one = |a: f32, b: f32| {
                let plain = Lean.f(Num::<f32, false>(a), Num(b)).0;
                single(level, plain, Lean.f(Num::<f32, true>(a), Num(b)).0)
            };
            let (wide_a, wide_b) = (Operand::Slice(&a[..]), Operand::Slice(&b[..]));
            let cases = [
                (wide_a, wide_b, a.iter().zip(&b).map(|(&a, &b)| one(a, b)).collect::<Vec<_>>()),
                (wide_a, Operand::Same(0.3), a.iter().map(|&a| one(a, 0.3)).collect()),
                (Operand::Same(0.3), wide_b, b.iter().map(|&b| one(0.3, b)).collect()),
            ];
            for (a, b, want) in cases {
                assert_eq!(filled(n, |out| zip_at(level, Lean, a, b, out)), want, "{level:?} {n}");
            }
        }
    }
}

#[test]
fn loops_in_place_equal_the_others() {
    for n in LENGTHS {
        let (a, b, c) = (noise_f32(n, 5), noise_f32(n, 6), noise_f32(n, 7));
        let (of_a, of_b, of_c) =
            (Operand::Slice(&a[..]), Operand::Slice(&b[..]), Operand::Slice(&c[..]));

        let mut x = a.clone();
        map_in_place(Softplus(1.0), &mut x);
        assert_eq!(x, filled(n, |y| map(Softplus(1.0), &a, y)));

        let zipped = filled(n, |out| zip(Lean, of_a, of_b, out));
        let mut x = a.clone();
        zip_into_a(Lean, &mut x, of_b);
        assert_eq!(x, zipped);
        let mut x = b.clone();
        zip_into_b(Lean, of_a, &mut x);
        assert_eq!(x, zipped);

        let mut x = a.clone();
        zip3_into_a(Mix, &mut x, of_b, of_c);
        assert_eq!(x, filled(n, |out| zip3(Mix, of_a, of_b, of_c, out)));
    }
}

#[test]
fn zip3_and_compare_equal_a_plain_loop() {
    for level in levels() {
        for n in LENGTHS {
            let (a, b, c) = (noise(n, 8), noise(n, 9), noise(n, 10));
            let inputs = [Operand::Slice(&a[..]), Operand::Slice(&b[..]), Operand::Slice(&c[..])];
            let mixed = filled(n, |out| zip3_at(level, Mix, inputs, out));
            let below = filled(n, |out| compare_at(level, Below, inputs[0], inputs[1], out));
            for i in 0..n {
                assert_eq!(mixed[i], if c[i] > 0.0 { a[i] * b[i] } else { a[i] - c[i] });
                assert_eq!(below[i], a[i] < b[i]);
            }
        }
    }
}

/// Rows of `row` elements, `pitch` apart, as one slice.
fn joined<T: Copy>(from: &[T], count: usize, row: usize, pitch: usize) -> Vec<T> {
    (0..count * row).map(|i| from[i / row * pitch + i % row]).collect()
}

/// The first element of each row, as often as the row has elements.
fn spread<T: Copy>(from: &[T], count: usize, row: usize, pitch: usize) -> Vec<T> {
    (0..count * row).map(|i| from[i / row * pitch]).collect()
}

fn rows_equal_what_is_written_out<T: Lane + PartialEq + std::fmt::Debug>(
    (count, row, gap): (usize, usize, usize),
    noise: impl Fn(usize, u64) -> Vec<T>,
) {
    let (n, pitch) = (count * row, row + gap);
    let (a, b, c) = (noise(count * pitch, 20), noise(count * (gap + 1), 21), noise(n, 22));
    let rows = Operand::Rows { from: &a, row, pitch };
    let column = Operand::Column { from: &b, row, pitch: gap + 1 };
    let (wide_a, wide_b) = (joined(&a, count, row, pitch), spread(&b, count, row, gap + 1));
    let (flat_a, flat_b) = (Operand::Slice(&wide_a[..]), Operand::Slice(&wide_b[..]));
    let of_c = Operand::Slice(&c[..]);
    for level in levels() {
        for how in [Write::Cached, Write::Streamed] {
            let zip = |a, b, c| filled(n, |to| zip3_at(level, Mix, [a, b, c], Out { to, how }));
            let want = zip(flat_a, flat_b, of_c);
            assert_eq!(zip(rows, column, of_c), want, "{level:?}, {count} rows of {row}, {how:?}");
        }
        let compare = |a, b| filled(n, |to| compare_at(level, Below, a, b, to));
        assert_eq!(compare(rows, column), compare(flat_a, flat_b), "{level:?} {count} of {row}");
    }
    let (mut got, mut want) = (c.clone(), c.clone());
    zip3_into_a(Mix, &mut got, rows, column);
    zip3_into_a(Mix, &mut want, flat_a, flat_b);
    assert_eq!(got, want, "in place, {count} rows of {row}");
}

#[test]
fn rows_and_columns_equal_what_is_written_out() {
    for row in [1, 3, 15, 16, 17, 31, 32, 48, 100] {
        for count in [0, 1, 2, 5] {
            for gap in [0, 3] {
                rows_equal_what_is_written_out::<f32>((count, row, gap), noise_f32);
                rows_equal_what_is_written_out::<f64>((count, row, gap), noise);
            }
        }
    }
}

#[test]
#[should_panic(expected = "an input of 31 elements that ends at 32")]
fn rows_that_are_not_there_are_refused() {
    let rows = Operand::Rows { from: &[1.0f32; 31], row: 16, pitch: 16 };
    filled(32, |out| zip(Lean, rows, Operand::Same(1.0), out));
}

#[test]
#[should_panic(expected = "rows of different lengths")]
fn rows_of_different_lengths_are_refused() {
    let rows = |row| Operand::Rows { from: &[1.0f32; 32], row, pitch: row };
    filled(32, |out| zip(Lean, rows(16), rows(8), out));
}

#[test]
fn nothing_is_written_beside_the_output() {
    for level in levels() {
        for n in LENGTHS {
            let a = noise_f32(n, 11);
            let inputs = [Operand::Slice(&a[..]), Operand::Same(1.0)];
            let mut out = vec![MaybeUninit::new(7.0f32); n + 2 * BLOCK];
            zip_at(level, Lean, inputs[0], inputs[1], &mut out[BLOCK..BLOCK + n]);
            let mut flags = vec![MaybeUninit::new(true); n + 2 * BLOCK];
            compare_at(level, Below, inputs[1], inputs[0], &mut flags[BLOCK..BLOCK + n]);
            for i in (0..BLOCK).chain(BLOCK + n..n + 2 * BLOCK) {
                // SAFETY: all elements were written when the vectors were made.
                assert_eq!(unsafe { (out[i].assume_init(), flags[i].assume_init()) }, (7.0, true));
            }
        }
    }
}

#[test]
#[should_panic(expected = "inputs of a formula")]
fn another_number_of_inputs_is_refused() {
    update(&zipped(Lean), &mut [1.0f32], 0, &[]);
}

#[test]
#[should_panic(expected = "differ in length")]
fn different_lengths_are_refused() {
    let mut a = [1.0f32; 3];
    zip_into_a(Lean, &mut a, Operand::Slice(&[1.0; 4]));
}

#[test]
fn maximum_and_minimum_let_nan_through_from_both_sides() {
    let number = |v: f64| Num::<f64, false>(v);
    for (a, b) in [(f64::NAN, 1.0), (1.0, f64::NAN), (f64::NAN, f64::NAN)] {
        assert!(number(a).maximum(number(b)).is_nan());
        assert!(number(a).minimum(number(b)).is_nan());
    }
    assert_eq!(number(2.0).maximum(number(3.0)).0, 3.0);
    assert_eq!(number(2.0).minimum(number(3.0)).0, 2.0);
}
