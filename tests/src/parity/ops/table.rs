//! PyTorch's functions and what they are called here: a line each.

use crate::parity::attrs::Attrs;
use crate::parity::miss::{Miss, failed, unsupported};
use gradus_autodiff::{GeluApproximate, Tensor};
use gradus_tensor::{DType, PadMode};

/// A call: inputs and keyword arguments to outputs.
type Call = dyn Fn(&[Tensor], &mut Attrs) -> Result<Vec<Tensor>, Miss>;

/// Names and what they mean.
pub(super) type Table<F> = [(&'static str, F)];

pub(super) type Unary = fn(&Tensor) -> Tensor;
type Binary = fn(&Tensor, &Tensor) -> Tensor;
type OverAxes = fn(&Tensor, &[isize], bool) -> Tensor;
type ValuesAndIndices = fn(&Tensor, isize, bool) -> (Tensor, Tensor);
type AlongAxis = fn(&Tensor, isize) -> Tensor;
type Other = fn(&[Tensor], &mut Attrs) -> Result<Tensor, Miss>;

/// `f(x)`
pub(super) const UNARY: &Table<Unary> = &[
    ("abs", Tensor::abs),
    ("ceil", Tensor::ceil),
    ("clone", Tensor::copy),
    ("cos", Tensor::cos),
    ("erf", Tensor::erf),
    ("exp", Tensor::exp),
    ("expm1", Tensor::expm1),
    ("floor", Tensor::floor),
    ("isfinite", Tensor::isfinite),
    ("isinf", Tensor::isinf),
    ("isnan", Tensor::isnan),
    ("log", Tensor::log),
    ("log1p", Tensor::log1p),
    ("logical_not", Tensor::logical_not),
    ("neg", |x| -x),
    ("reciprocal", Tensor::reciprocal),
    ("relu", Tensor::relu),
    ("rsqrt", Tensor::rsqrt),
    ("sigmoid", Tensor::sigmoid),
    ("sign", Tensor::sign),
    ("sin", Tensor::sin),
    ("sqrt", Tensor::sqrt),
    ("square", Tensor::square),
    ("t", Tensor::t),
    ("tanh", Tensor::tanh),
    // Functions of FORMAT.md, in methods every user has.
    ("detach", |x| x * x.detach()),
    ("diamond", |x| (x.sin() * x.cos() + x.sin()) / (1.0 + x * x)),
    ("inplace_chain", inplace_chain),
    ("reuse", |x| x * x.sum() + x.exp() * x),
];

/// `f(a, b)`
const BINARY: &Table<Binary> = &[
    ("add", |a, b| a + b),
    ("bmm", Tensor::bmm),
    ("div", |a, b| a / b),
    ("dot", Tensor::dot),
    ("eq", |a, b| a.eq(b)),
    ("ge", |a, b| a.ge(b)),
    ("gt", |a, b| a.gt(b)),
    ("le", |a, b| a.le(b)),
    ("lt", |a, b| a.lt(b)),
    ("matmul", Tensor::matmul),
    ("maximum", Tensor::maximum),
    ("minimum", Tensor::minimum),
    ("mul", |a, b| a * b),
    ("mv", Tensor::mv),
    ("ne", |a, b| a.ne(b)),
    ("pow", |a, b| a.pow(b)),
    ("sub", |a, b| a - b),
];

/// `f(x, dim, keepdim)` with an axis, several, or all.
const OVER_AXES: &Table<OverAxes> = &[
    ("amax", Tensor::amax),
    ("amin", Tensor::amin),
    ("logsumexp", Tensor::logsumexp),
    ("mean", Tensor::mean_dims),
    ("sum", Tensor::sum_dims),
];

/// `f(x)` over all elements, without arguments.
const OVER_ALL: &Table<Unary> = &[("max", Tensor::max), ("min", Tensor::min)];

/// `f(x, dim, keepdim)` → (values, indices)
const VALUES_AND_INDICES: &Table<ValuesAndIndices> =
    &[("max_dim", Tensor::max_dim), ("min_dim", Tensor::min_dim)];

/// `f(x, dim)`
const ALONG_AXIS: &Table<AlongAxis> = &[
    ("cumsum", Tensor::cumsum),
    ("log_softmax", Tensor::log_softmax),
    ("softmax", Tensor::softmax),
];

/// `f(x…)` with arguments of its own.
const OTHERS: &Table<Other> = &[
    ("addmm", |x, a| {
        let (beta, alpha) = (a.scalar("beta")?, a.scalar("alpha")?);
        Ok(x[0].addmm(&x[1], &x[2], beta.unwrap_or(1.into()), alpha.unwrap_or(1.into())))
    }),
    ("argmax", |x, a| arg(&x[0], a, Tensor::argmax, Tensor::argmax_dim)),
    ("argmin", |x, a| arg(&x[0], a, Tensor::argmin, Tensor::argmin_dim)),
    ("cat", |x, a| Ok(Tensor::cat(&x.iter().collect::<Vec<_>>(), a.int_or("dim", 0)?))),
    ("clamp", |x, a| match (a.scalar("min")?, a.scalar("max")?) {
        (Some(min), Some(max)) => Ok(x[0].clamp(min, max)),
        (Some(min), None) => Ok(x[0].clamp_min(min)),
        (None, Some(max)) => Ok(x[0].clamp_max(max)),
        (None, None) => failed("clamp without a bound"),
    }),
    ("dropout", |x, a| Ok(x[0].dropout(a.float("p", 0.5)?, a.flag("training", true)?))),
    ("expand", |x, a| Ok(x[0].expand_sizes(&a.axes("shape")?))),
    ("flatten", |x, a| Ok(x[0].flatten(a.int_or("start_dim", 0)?, a.int_or("end_dim", -1)?))),
    ("gather", |x, a| Ok(x[0].gather(a.need_int("dim")?, &x[1]))),
    ("gelu", |x, a| Ok(x[0].gelu_with(approximate(a)?))),
    ("index_select", |x, a| Ok(x[0].index_select(a.need_int("dim")?, &x[1]))),
    ("linear", |x, _| Ok(x[0].linear(&x[1], x.get(2)))),
    ("narrow", |x, a| {
        Ok(x[0].narrow(a.need_int("dim")?, a.need_size("start")?, a.need_size("length")?))
    }),
    ("pad", |x, a| {
        let (pad, mode) = (a.axes("pad")?, pad_mode(a)?);
        Ok(x[0].pad(&pad, mode))
    }),
    ("permute", |x, a| Ok(x[0].permute(&a.axes("dims")?))),
    ("pow_scalar", |x, a| Ok(x[0].pow(a.need_scalar("exponent")?))),
    ("prod", |x, a| match a.int("dim")? {
        Some(dim) => Ok(x[0].prod_dim(dim, a.flag("keepdim", false)?)),
        None => Ok(x[0].prod()),
    }),
    ("reshape", |x, a| Ok(x[0].reshape(&a.axes("shape")?))),
    ("rpow_scalar", |x, a| Ok(x[0].rpow(a.need_scalar("base")?))),
    ("select", |x, a| Ok(x[0].select(a.need_int("dim")?, a.need_int("index")?))),
    ("slice", |x, a| {
        let (dim, start) = (a.int_or("dim", 0)?, a.int_or("start", 0)?);
        let (end, step) = (a.int_or("end", isize::MAX)?, a.int_or("step", 1)?);
        Ok(x[0].slice(dim, start, end, usize::try_from(step).unwrap_or(0)))
    }),
    ("squeeze", |x, a| match a.axes("dim")?.as_slice() {
        [] => Ok(x[0].squeeze_all()),
        &[dim] => Ok(x[0].squeeze(dim)),
        dims => Ok(x[0].squeeze_dims(dims)),
    }),
    ("stack", |x, a| Ok(Tensor::stack(&x.iter().collect::<Vec<_>>(), a.int_or("dim", 0)?))),
    ("std", |x, a| spread(&x[0], a, |x, dims, n, keepdim| x.std_dims(dims, n, keepdim))),
    ("transpose", |x, a| Ok(x[0].transpose(a.need_int("dim0")?, a.need_int("dim1")?))),
    ("unsqueeze", |x, a| Ok(x[0].unsqueeze(a.need_int("dim")?))),
    ("var", |x, a| spread(&x[0], a, |x, dims, n, keepdim| x.var_dims(dims, n, keepdim))),
    ("where", |x, _| Ok(Tensor::where_(&x[0].to_dtype(DType::Bool), &x[1], &x[2]))),
];

/// The op of this name. `NAME_view` is `NAME` on inputs that are views.
pub(super) fn find(name: &str) -> Option<Box<Call>> {
    if name == "mul_view" {
        return Some(Box::new(|x, _| Ok(vec![&x[0] * &x[0]])));
    }
    let name = name.strip_suffix("_view").unwrap_or(name);
    if let Some(f) = entry(UNARY, name).or_else(|| entry(OVER_ALL, name)) {
        return Some(Box::new(move |x, _| Ok(vec![f(&x[0])])));
    }
    if let Some(f) = entry(BINARY, name) {
        return Some(Box::new(move |x, _| Ok(vec![f(&x[0], &x[1])])));
    }
    if let Some(f) = entry(OVER_AXES, name) {
        return Some(Box::new(move |x, a| {
            Ok(vec![f(&x[0], &a.axes("dim")?, a.flag("keepdim", false)?)])
        }));
    }
    if let Some(f) = entry(VALUES_AND_INDICES, name) {
        return Some(Box::new(move |x, a| {
            let (values, indices) = f(&x[0], a.need_int("dim")?, a.flag("keepdim", false)?);
            Ok(vec![values, indices])
        }));
    }
    if let Some(f) = entry(ALONG_AXIS, name) {
        return Some(Box::new(move |x, a| Ok(vec![f(&x[0], a.need_int("dim")?)])));
    }
    let f = entry(OTHERS, name)?;
    Some(Box::new(move |x, a| Ok(vec![f(x, a)?])))
}

/// The entry of a table.
pub(super) fn entry<F: Copy>(table: &Table<F>, name: &str) -> Option<F> {
    table.iter().find(|(n, _)| *n == name).map(|(_, f)| *f)
}

fn inplace_chain(x: &Tensor) -> Tensor {
    let mut y = x * 2.0;
    y.add_(1.0);
    y.mul_(x);
    y.relu_();
    y
}

/// `mode` and `value` of `pad`.
pub(in crate::parity) fn pad_mode(attrs: &mut Attrs) -> Result<PadMode, Miss> {
    let (mode, value) = (attrs.text("mode")?, attrs.scalar("value")?);
    match (mode.as_deref(), value) {
        (None | Some("constant"), value) => Ok(value.map_or(PadMode::Zeros, PadMode::Constant)),
        (Some("reflect"), None) => Ok(PadMode::Reflect),
        (Some("replicate"), None) => Ok(PadMode::Replicate),
        (Some("circular"), None) => Ok(PadMode::Circular),
        (Some(other), _) => unsupported(format!("no mode \"{other}\" of pad")),
    }
}

fn arg(
    x: &Tensor,
    attrs: &mut Attrs,
    all: Unary,
    along: fn(&Tensor, isize, bool) -> Tensor,
) -> Result<Tensor, Miss> {
    match (attrs.int("dim")?, attrs.flag("keepdim", false)?) {
        (Some(dim), keepdim) => Ok(along(x, dim, keepdim)),
        (None, false) => Ok(all(x)),
        (None, true) => unsupported("no keepdim of argmax and argmin over all elements"),
    }
}

/// Which gelu.
pub(in crate::parity) fn approximate(attrs: &mut Attrs) -> Result<GeluApproximate, Miss> {
    match attrs.text("approximate")?.as_deref() {
        None | Some("none") => Ok(GeluApproximate::None),
        Some("tanh") => Ok(GeluApproximate::Tanh),
        Some(other) => unsupported(format!("no approximation \"{other}\"")),
    }
}

fn spread(
    x: &Tensor,
    attrs: &mut Attrs,
    f: fn(&Tensor, &[isize], gradus_tensor::Scalar, bool) -> Tensor,
) -> Result<Tensor, Miss> {
    let dims = attrs.axes("dim")?;
    let unbiased = i64::from(attrs.flag("unbiased", true)?);
    let correction = attrs.scalar("correction")?.unwrap_or(unbiased.into());
    Ok(f(x, &dims, correction, attrs.flag("keepdim", false)?))
}
