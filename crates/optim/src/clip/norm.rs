//! The norm of many tensors together.

use super::ClipOptions;
use crate::OptimError;
use gradus_autodiff::{Parameter, Tensor};
use gradus_tensor::kernels::reduce::{Normed, norm_acc, scaled_norm_acc};
use gradus_tensor::{Array, DType, threads};

/// Elements of one task, and of one partial sum: the order of additions depends on the shape alone.
const CHUNK: usize = 64 << 10;
/// Serial nanoseconds for each element: the 0.055 of the kernel for the orders 1 and 2.
const NS_PER_ELEMENT: f64 = 0.06;
/// The same where they are multiplied too: memory bounds both, and writing is twice the traffic.
const NS_PER_PRODUCT: f64 = 0.12;

/// The norm of all elements of all tensors, as the norm of the norms of each.
///
/// ```text
/// ‖(‖t₁‖_p, ‖t₂‖_p, …)‖_p          p = 0 counts: here the tensors that are not 0
/// ```
/// Empty tensors do not count; without any tensor the norm is 0.
///
/// # Numerics   in f64; no overflow for finite elements
/// # PyTorch    `torch.nn.utils.get_total_norm`
/// # Example
/// ```
/// use gradus_autodiff::Tensor;
/// use gradus_optim::get_total_norm;
/// let tensors = [Tensor::from([2.0, 3.0]), Tensor::from([6.0])];
/// assert_eq!(get_total_norm(&tensors, 2.0), 7.0);
/// ```
pub fn get_total_norm<'a>(tensors: impl IntoIterator<Item = &'a Tensor>, norm_type: f64) -> f64 {
    let full = tensors.into_iter().map(Tensor::array).filter(|array| array.numel() > 0);
    norm_of_norms(&full.map(|array| norm_of_array(array, norm_type)).collect::<Vec<_>>(), norm_type)
}

fn norm_of_norms(norms: &[f64], norm_type: f64) -> f64 {
    if norms.is_empty() { 0.0 } else { norm(norms, norm_type) }
}

/// As [`get_total_norm`], with an error if it is asked for and the norm is infinite or NaN.
///
/// # Errors
/// [`OptimError::NonFiniteNorm`]
pub fn get_total_norm_with<'a>(
    tensors: impl IntoIterator<Item = &'a Tensor>,
    options: ClipOptions,
) -> Result<f64, OptimError> {
    checked(get_total_norm(tensors, options.norm_type), options)
}

fn checked(norm: f64, options: ClipOptions) -> Result<f64, OptimError> {
    let ClipOptions { norm_type, error_if_nonfinite } = options;
    if error_if_nonfinite && !norm.is_finite() {
        return Err(OptimError::NonFiniteNorm { norm, norm_type });
    }
    Ok(norm)
}

/// As [`get_total_norm_with`], from the norm of each tensor that is not empty.
pub(super) fn joined(norms: Vec<f64>, options: ClipOptions) -> Result<f64, OptimError> {
    checked(norm_of_norms(&norms, options.norm_type), options)
}

/// The norm of a gradient, if there is one that is not empty. What is left to multiply of it is multiplied in the
/// same pass.
pub(super) fn of_gradient(parameter: &Parameter, p: f64) -> Option<f64> {
    let (grad, factor) = parameter.grad_parts()?;
    if grad.numel() == 0 {
        return None;
    } else if factor == 1.0 {
        return Some(norm_of_array(grad.into_array(), p));
    }
    drop(grad); // else it is not unique
    let mut norm = 0.0;
    parameter.update_grad_parts(|grad, factor| norm = norm_of_product(grad, factor, p));
    Some(norm)
}

/// `x = factor·x`, and its norm; only f32 and f64 are left to multiply.
fn norm_of_product(x: &mut Array, factor: f64, p: f64) -> f64 {
    match x.dtype() {
        DType::F64 => {
            norm_from(multiply::<f64>(x.elements_mut(), factor, p), x.elements::<f64>(), p)
        }
        _ => norm_from(multiply::<f32>(x.elements_mut(), factor, p), x.elements::<f32>(), p),
    }
}

/// `x = factor·x`; returns what [`accumulated`] gives for it.
fn multiply<T: Normed>(x: &mut [T], factor: f64, p: f64) -> f64 {
    let work = x.len() as f64 * NS_PER_PRODUCT;
    let mut tasks: Vec<(&mut [T], f64)> = x.chunks_mut(CHUNK).map(|part| (part, 0.0)).collect();
    threads::run_chunks(&mut tasks, 1, work, &|_, task| {
        task[0].1 = scaled_norm_acc(task[0].0, factor, p);
    });
    added(&tasks.iter().map(|task| task.1).collect::<Vec<_>>(), p)
}

/// The norm of order `p` of all elements, in f64.
pub(crate) fn norm_of_array(array: Array, p: f64) -> f64 {
    match array.dtype() {
        DType::F32 => norm(&array.read::<f32>(), p),
        DType::F16 | DType::Bf16 => norm(&array.cast(DType::F32).read::<f32>(), p),
        _ => norm(&array.cast(DType::F64).read::<f64>(), p),
    }
}

/// The norm of a slice, also where the sum of powers leaves the normal numbers.
pub(super) fn norm<T: Normed>(x: &[T], p: f64) -> f64 {
    norm_from(accumulated(x, p), x, p)
}

/// [`norm`], from what [`accumulated`] gives for `x`.
fn norm_from<T: Normed>(sum: f64, x: &[T], p: f64) -> f64 {
    if p == 0.0 || p.is_infinite() || p == 1.0 {
        return sum;
    }
    // Where the sum leaves the normal numbers: once more, relative to the extreme that decides it.
    if !(f64::MIN_POSITIVE..=f64::MAX).contains(&sum) {
        let unit = accumulated(x, p.signum() * f64::INFINITY);
        if unit > 0.0 && unit.is_finite() {
            let relative: f64 = x.iter().map(|v| (v.wide().abs() / unit).powf(p)).sum();
            return unit * relative.powf(p.recip());
        }
    }
    if p == 2.0 { sum.sqrt() } else { sum.powf(p.recip()) }
}

/// What the kernel adds up, in pieces of fixed length.
fn accumulated<T: Normed>(x: &[T], p: f64) -> f64 {
    if x.len() <= CHUNK {
        return norm_acc(x, p);
    }
    let mut parts = vec![0.0; x.len().div_ceil(CHUNK)];
    threads::run_chunks(&mut parts, 1, x.len() as f64 * NS_PER_ELEMENT, &|i, out| {
        out[0] = norm_acc(&x[i * CHUNK..x.len().min((i + 1) * CHUNK)], p);
    });
    added(&parts, p)
}

/// The largest of the parts, the smallest, or their sum: the norm of these orders again.
fn added(parts: &[f64], p: f64) -> f64 {
    if let [only] = parts {
        return *only;
    }
    norm_acc(parts, if p.is_infinite() { p } else { 1.0 })
}
