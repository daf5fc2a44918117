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

/// `x·Φ(x)`
pub(super) fn gelu(x: &Tensor) -> Tensor {
    x * 0.5 * (1.0 + (x * std::f64::consts::FRAC_1_SQRT_2).erf())
}

/// Over the last axis, without affine part; ε = 10⁻⁵ as in PyTorch.
pub(super) fn layer_norm(x: &Tensor) -> Tensor {
    (x - x.mean_dims(&[-1], true)) * (x.var_dims(&[-1], 0, true) + 1e-5).rsqrt()
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

/// `y[i, j] = Σ image[i + a, j + b]·kernel[a, b]` as `[1, 1, H, W]`.
pub(super) fn correlation(image: &Tensor, kernel: &Tensor) -> Tensor {
    let (h, w) = (kernel.size(0), kernel.size(1));
    let (rows, columns) = (image.size(0) + 1 - h, image.size(1) + 1 - w);
    let term = |a: usize, b: usize| {
        let part = image.narrow(0, a, rows).narrow(1, b, columns);
        part * kernel.select(0, a as isize).select(0, b as isize)
    };
    let all = (0..h).flat_map(|a| (0..w).map(move |b| (a, b))).map(|(a, b)| term(a, b));
    let sum = all.reduce(|x, y| x + y).expect("the kernel has elements");
    sum.unsqueeze(0).unsqueeze(0)
}

/// All but the first, and all but the last.
pub(super) fn neighbours(x: &Tensor) -> (Tensor, Tensor) {
    (x.slice(0, 1, isize::MAX, 1), x.slice(0, 0, -1, 1))
}
