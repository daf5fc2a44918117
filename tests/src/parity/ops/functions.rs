//! Functions that FORMAT.md gives as formulas, composed from what users have.

use gradus_autodiff::Tensor;

/// `log(1 + eˣ)`, smooth at 0 to every order.
pub(super) fn softplus(x: &Tensor) -> Tensor {
    Tensor::stack(&[x, &x.zeros_like()], 0).logsumexp(&[0], false)
}

/// `‖x‖₂`
pub(super) fn norm(x: &Tensor) -> Tensor {
    x.square().sum().sqrt()
}

/// Over the last axis, without affine part; ε = 10⁻⁵ as in PyTorch.
pub(super) fn layer_norm(x: &Tensor) -> Tensor {
    x.layer_norm(&x.shape()[x.rank() - 1..], None, None, 1e-5)
}

/// Products of `x₀…xᵢ`.
pub(super) fn cumprod(x: &Tensor) -> Tensor {
    let mut products = vec![x.select(0, 0)];
    for i in 1..x.size(0) as isize {
        let next = &products[i as usize - 1] * x.select(0, i);
        products.push(next);
    }
    Tensor::stack(&products.iter().collect::<Vec<_>>(), 0)
}

/// All but the first, and all but the last.
pub(super) fn neighbours(x: &Tensor) -> (Tensor, Tensor) {
    (x.slice(0, 1, isize::MAX, 1), x.slice(0, 0, -1, 1))
}
