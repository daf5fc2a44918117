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
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..Default::default() })]

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
}
