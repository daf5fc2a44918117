//! A table of misuse: each call panics at the user's line, with the op, all shapes, the rule and a hint.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use gradus_autodiff::Tensor;
use gradus_tensor::{Array, DType};
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

type Call = fn(&Tensor, &Tensor) -> Tensor;

/// `(line, call, message)`; a macro, so that a call stays on the line it notes.
macro_rules! misuse {
    ($call:expr => $message:expr) => {
        (line!(), $call as Call, $message)
    };
}

fn table() -> Vec<(u32, Call, &'static str)> {
    vec![
        misuse!(|a, b| a.matmul(b) =>
            "matmul: float32[2, 3] float32[4, 5] do not fit the rule: [.., m, k] · [.., k, n] -> [.., m, n]; the last axis of the left has 3, the rows of the right 4"),
        misuse!(|a, b| a + b =>
            "add: float32[2, 3] float32[4, 5] do not fit the rule: shapes broadcast: from the last axis, sizes are equal or 1; axis -1 has sizes 3 and 5"),
        misuse!(|a, b| a.clone() * b =>
            "mul: float32[2, 3] float32[4, 5] do not fit the rule: shapes broadcast: from the last axis, sizes are equal or 1; axis -1 has sizes 3 and 5"),
        misuse!(|a, b| Tensor::cat(&[a, b], 0) =>
            "cat: float32[2, 3] float32[4, 5] do not fit the rule: sizes are equal on all axes but dim"),
        misuse!(|_, _| Tensor::cat(&[], 0) =>
            "cat: do not fit the rule: at least one input"),
        misuse!(|a, _| a.max_dim(2, false).0 =>
            "max_dim: float32[2, 3] does not fit the rule: -rank <= dim < rank; dim is 2, the rank 2"),
        misuse!(|a, _| a.sum_dims(&[0, -2], false) =>
            "sum: float32[2, 3] does not fit the rule: every axis at most once; dim is [0, -2]"),
        misuse!(|a, _| a.reshape(&[4, -1]) =>
            "reshape: float32[2, 3] does not fit the rule: the known sizes divide the number of elements; [4, -1] for 6 elements"),
        misuse!(|a, _| a.reshape(&[5]) =>
            "reshape: float32[2, 3] does not fit the rule: [5] has as many elements as the input; 6 elements for 5"),
        misuse!(|a, _| a.narrow(1, 2, 2) =>
            "narrow: float32[2, 3] does not fit the rule: start + len <= size of the axis; start 2, len 2, axis 1 has 3"),
        misuse!(|a, _| a.select(0, 5) =>
            "select: float32[2, 3] does not fit the rule: -size <= index < size of the axis; index 5, axis 0 has 2"),
        misuse!(|a, _| a.permute(&[0, 0]) =>
            "permute: float32[2, 3] does not fit the rule: dims names every axis once; dims is [0, 0]"),
        misuse!(|a, _| a.expand([2, 4]) =>
            "expand: float32[2, 3] does not fit the rule: the input broadcasts to the target [2, 4]"),
        misuse!(|a, _| a.gather(0, &Tensor::from([[7_i64, 0, 0]])) =>
            "gather: float32[2, 3] does not fit the rule: -size <= index < size of the axis; index 7, the axis has 2"),
        misuse!(|_, _| Tensor::from([1_i64]).softmax(0) =>
            "softmax: int64[1] does not fit the rule: the input is floating point; cast it with to_dtype"),
        misuse!(|_, _| -Tensor::from([true]) =>
            "neg: bool[1] does not fit the rule: no negative of bools; logical_not inverts"),
        misuse!(|a, _| { a.backward(); a.clone() } =>
            "backward: the result float32[2, 3] does not depend on a tensor that requires a gradient; is it computed inside no_grad, or from detached tensors?"),
        misuse!(|_, _| Tensor::from([1_i64]).requires_grad_() =>
            "requires_grad_: only floating point has gradients, not int64[1]"),
        misuse!(|a, _| { a.item(); a.clone() } =>
            "item: [2, 3] has 6 elements, not one"),
    ]
}

#[test]
fn misuse_panics_at_the_users_line_with_the_rule() {
    let seen = Arc::new(Mutex::new((String::new(), 0, String::new())));
    let s = seen.clone();
    panic::set_hook(Box::new(move |info| {
        let at = info.location().unwrap();
        let text = info.payload_as_str().unwrap_or_default().to_owned();
        *s.lock().unwrap() = (at.file().to_owned(), at.line(), text);
    }));
    let a = Tensor::new(Array::zeros([2, 3], DType::F32));
    let b = Tensor::new(Array::zeros([4, 5], DType::F32));
    let run = |call: &Call| {
        assert!(catch_unwind(AssertUnwindSafe(|| call(&a, &b))).is_err());
        seen.lock().unwrap().clone()
    };
    let got: Vec<_> = table().iter().map(|(_, call, _)| run(call)).collect();
    let _ = panic::take_hook(); // before the assertions, whose own panics would meet the hook
    for ((file, line, text), (want_line, _, want)) in got.iter().zip(table()) {
        assert_eq!(text, want);
        assert_eq!((file.as_str(), *line), (file!(), want_line), "{want}");
    }
}
