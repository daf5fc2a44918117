//! dtypes mix as in PyTorch: `torch/promotion.json` holds `torch.result_type` of every pair.

use gradus_tensor::{DType, result_type};

const DTYPES: [DType; 7] =
    [DType::Bool, DType::U8, DType::I64, DType::F16, DType::Bf16, DType::F32, DType::F64];

#[test]
fn every_pair_has_pytorchs_result_type() {
    let table: Vec<Vec<DType>> =
        serde_json::from_str(include_str!("torch/promotion.json")).unwrap();
    let numbers = [DType::Bool, DType::I64, DType::F64].map(|d| (d, None));
    let mut operands: Vec<(DType, Option<usize>)> = DTYPES.map(|d| (d, Some(1))).into();
    operands.extend(DTYPES.map(|d| (d, Some(0))));
    operands.extend(numbers);
    assert_eq!(table.len(), operands.len());
    for (&a, row) in operands.iter().zip(&table) {
        for (&b, &want) in operands.iter().zip(row) {
            assert_eq!(result_type([a, b]), want, "{a:?} with {b:?}");
            if a.1 == b.1 && a.1.is_some() {
                assert_eq!(a.0.promote(b.0), want, "{a:?} with {b:?}");
            }
        }
    }
}

#[test]
fn three_operands_promote_by_class() {
    let (f16, i64, f64) = (DType::F16, DType::I64, DType::F64);
    assert_eq!(result_type([(i64, Some(2)), (f16, Some(0)), (f64, None)]), f16);
    assert_eq!(result_type([(DType::Bool, Some(2)), (i64, None), (DType::U8, Some(0))]), DType::U8);
    assert_eq!(result_type([]), DType::F32);
}
