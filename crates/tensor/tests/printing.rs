//! Arrays print as PyTorch's tensors do: `torch/printing.json` holds PyTorch's own texts.

use gradus_tensor::{Array, DType, Shape};

#[derive(serde::Deserialize)]
#[serde(untagged)]
enum Case {
    Listed { array: Array, text: String },
    Counted { dtype: DType, shape: Shape, step: f64, text: String },
}

#[test]
fn the_texts_are_pytorchs() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("torch/printing.json")).unwrap();
    assert!(cases.len() > 200, "{} cases", cases.len());
    for case in cases {
        let (array, want) = match case {
            Case::Listed { array, text } => (array, text),
            Case::Counted { dtype, shape, step, text } => {
                let data: Vec<f64> = (0..shape.numel()).map(|i| i as f64 * step).collect();
                (Array::from_f64(shape, dtype, &data), text)
            }
        };
        let got = array.to_string();
        assert!(got == want, "{:?}: got\n{got}\nwant\n{want}", array.meta());
        assert_eq!(format!("{array:?}"), got);
    }
}

#[test]
fn a_view_prints_its_elements() {
    let x = Array::arange(0, 6, 1, DType::I64).reshape(&Shape::from([2, 3])).transpose(0, 1);
    assert_eq!(x.to_string(), x.copy().to_string());
    assert_eq!(x.to_string(), "tensor([[0, 3],\n        [1, 4],\n        [2, 5]])");
}

#[test]
fn a_long_suffix_goes_to_the_next_line() {
    let x = Array::arange(0, 20, 1, DType::F64);
    let text = x.to_text(&["grad_fn=<AddBackward0>"]);
    let want = "tensor([ 0.,  1.,  2.,  3.,  4.,  5.,  6.,  7.,  8.,  9., 10., 11., 12., 13.,\n        \
                14., 15., 16., 17., 18., 19.], dtype=float64, grad_fn=<AddBackward0>)";
    assert_eq!(text, want);
}
