//! Changing an array that is behind a reference by operations that take it by value.

use gradus_tensor::{Array, DType};

/// `x = f(x)`; in place if `f` is and nobody else holds the elements.
pub(crate) fn change(x: &mut Array, f: impl FnOnce(Array) -> Array) {
    let owned = std::mem::replace(x, Array::scalar(0, DType::F32));
    *x = f(owned);
}
