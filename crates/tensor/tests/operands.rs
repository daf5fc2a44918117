//! Element-wise operations give what plain loops give, however their operands lie.
#![forbid(unsafe_code)]

use gradus_tensor::kernels::{element::Zip, real::Real};
use gradus_tensor::{Array, DType};
use proptest::prelude::*;

/// Not commutative, and exact for small integers.
#[derive(Clone, Copy)]
struct Minus;

impl Zip for Minus {
    #[inline(always)]
    fn f<R: Real>(self, a: R, b: R) -> R {
        a - b
    }
    fn int(self, a: i64, b: i64) -> i64 {
        a - b
    }
}

/// Around vectors, tasks of 64 rows, and rows that are short and long.
const SIZES: [usize; 9] = [1, 2, 3, 7, 16, 33, 65, 130, 600];
const ORDERS: [[usize; 3]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
const DTYPES: [DType; 4] = [DType::F32, DType::F64, DType::F16, DType::I64];
/// Elements at most.
const MOST: usize = 200_000;

/// 0 to 999 in a line, again and again.
fn counted(sizes: [usize; 3], dtype: DType, first: usize) -> Array {
    let n = sizes.iter().product();
    let values: Vec<f64> = (0..n).map(|i| ((i + first) % 1000) as f64).collect();
    Array::from_f64(sizes.to_vec(), dtype, &values)
}

/// A view of these sizes that lies in this order, every `step`-th element of a line.
fn lying(sizes: [usize; 3], order: [usize; 3], step: usize, dtype: DType) -> Array {
    let mut whole = order.map(|axis| sizes[axis]);
    whole[2] *= step;
    let mut back = [0; 3];
    order.iter().enumerate().for_each(|(i, &axis)| back[axis] = i);
    counted(whole, dtype, 7).slice(2, 0, step, sizes[order[2]]).permute(&back)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, max_global_rejects: 100_000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn the_layout_of_an_operand_does_not_matter(
        (a, b, c) in (0_usize..9, 0_usize..9, 0_usize..9),
        order in 0_usize..6, step in 1_usize..6, dtype in 0_usize..4, in_place: bool,
    ) {
        let sizes = [SIZES[a], SIZES[b], SIZES[c]];
        prop_assume!(sizes.iter().product::<usize>() * step <= MOST);
        let dtype = DTYPES[dtype];
        let (x, y) = (counted(sizes, dtype, 0), lying(sizes, ORDERS[order], step, dtype));
        let pairs = x.to_vec::<f64>().into_iter().zip(y.to_vec::<f64>());
        let want: Vec<f64> = pairs.map(|(x, y)| x - y).collect();
        let kept = (!in_place).then(|| x.clone());
        prop_assert_eq!(&y.clone().contiguous().to_vec::<f64>(), &y.to_vec::<f64>());
        prop_assert_eq!(x.zip(y, Minus).to_vec::<f64>(), want);
        drop(kept);
    }

    #[test]
    fn nor_do_those_of_two(
        sizes in (0_usize..9, 0_usize..9, 0_usize..9), dtype in 0_usize..4, in_place: bool,
        x in views(), y in views(),
    ) {
        let sizes = [SIZES[sizes.0], SIZES[sizes.1], SIZES[sizes.2]];
        prop_assume!(sizes.iter().product::<usize>() <= MOST / 4);
        let (x, y) = (x.of(sizes, DTYPES[dtype]), y.of(sizes, DTYPES[dtype]));
        let own = if in_place { x.clone().contiguous() } else { x.clone() };
        let shape: [usize; 3] = std::array::from_fn(|a| x.shape()[a].max(y.shape()[a]));
        let large = |x: &Array| x.expand(&shape.into()).to_vec::<f64>();
        let want: Vec<f64> = large(&x).iter().zip(large(&y)).map(|(x, y)| x - y).collect();
        drop(x);
        let got = own.zip(y, Minus);
        prop_assert_eq!(&got.shape()[..], &shape[..]);
        prop_assert_eq!(got.to_vec::<f64>(), want);
    }
}

/// How an operand lies.
#[derive(Clone, Copy, Debug)]
struct View {
    order: usize,
    step: usize,
    /// Elements beside it in its lines.
    gap: usize,
    /// Axes of which it has one element.
    single: [bool; 3],
}

fn views() -> impl Strategy<Value = View> {
    (0_usize..6, 1_usize..3, 0_usize..3, any::<[bool; 3]>())
        .prop_map(|(order, step, gap, single)| View { order, step, gap, single })
}

impl View {
    fn of(self, mut sizes: [usize; 3], dtype: DType) -> Array {
        for (size, single) in sizes.iter_mut().zip(self.single) {
            *size = if single { 1 } else { *size };
        }
        let axis = ORDERS[self.order][2];
        let mut wide = sizes;
        wide[axis] += self.gap;
        lying(wide, ORDERS[self.order], self.step, dtype).narrow(
            axis as isize,
            self.gap,
            sizes[axis],
        )
    }
}

/// `x - y` beside `x` and `y` written out.
fn agree(x: &Array, y: &Array) {
    let want = x.clone().zip(y.expand(x.shape()).contiguous(), Minus);
    assert_eq!(x.clone().zip(y.clone(), Minus).to_vec::<f32>(), want.to_vec::<f32>());
    let own = x.zeros_like().zip(x.clone(), Minus);
    let want = want.zip(x.clone(), Minus).zip(x.clone(), Minus);
    let got = own.zip(y.clone(), Minus);
    assert_eq!(got.to_vec::<f32>(), want.to_vec::<f32>(), "in place");
}

#[test]
fn nor_where_the_result_passes_the_caches() {
    // Rows that are whole blocks, and not: 17 MB.
    for row in [1040, 1030] {
        let x = counted([1, 4200, row], DType::F32, 0);
        agree(&x, &counted([1, 4200, 1], DType::F32, 3));
        agree(&x, &counted([1, 4200, row + 5], DType::F32, 3).narrow(2, 5, row));
        agree(&x, &lying([1, 4200, row], [0, 2, 1], 1, DType::F32));
    }
}

#[test]
fn nor_beside_rows_that_are_as_long_as_a_transposed_operand() {
    let x = lying([2, 600, 2], [1, 2, 0], 1, DType::F32);
    let y = counted([1, 600, 2], DType::F32, 5);
    let want = x.clone().contiguous().zip(y.expand(x.shape()).contiguous(), Minus);
    assert_eq!(x.zip(y, Minus).to_vec::<f32>(), want.to_vec::<f32>());
}
