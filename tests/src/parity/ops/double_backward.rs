//! The kind `double_backward`: the gradient of a gradient, through every element.

use super::functions::{cumprod, layer_norm, norm, softplus};
use super::table::{Table, UNARY, Unary, entry};
use super::{gradient, leaf};
use crate::parity::case::Case;
use crate::parity::miss::{Miss, unsupported};
use gradus_autodiff::{Convolution, Tensor, cross_entropy, mse_loss};

/// Functions that are no op of one input.
const FUNCTIONS: &Table<Unary> = &[
    ("pow3", |x| x.pow(3)),
    ("pow_half", |x| x.pow(2.5)),
    ("matmul_self", |x| x.matmul(x)),
    ("softmax", |x| x.softmax(-1)),
    ("log_softmax", |x| x.log_softmax(-1)),
    ("logsumexp", |x| x.logsumexp(&[1], false)),
    ("layer_norm", layer_norm),
    ("mean_sq", |x| (x * x).mean_dims(&[0], false)),
    ("max_dim", |x| (x * x).max_dim(1, false).0),
    ("conv2d_self", |x| {
        let image = x.reshape(&[1, 1, 4, 4]);
        let kernel = image.narrow(2, 0, 2).narrow(3, 0, 2);
        image.conv2d(&kernel, None, &Convolution::default())
    }),
    ("gather", |x| x.square().index_select(0, &Tensor::from([0_i64, 0, 1]))),
    ("bce_logits", |x| (softplus(x) - x * 0.3).mean()),
    ("mse", |x| mse_loss(x, &x.zeros_like())),
    ("cross_entropy", |x| cross_entropy(x, &Tensor::from([1_i64, 0]))),
    ("norm", norm),
    ("gelu", Tensor::gelu),
    ("silu", |x| x * x.sigmoid()),
    ("softplus", softplus),
    ("cumprod", cumprod),
];

pub(in crate::parity) fn replay(case: &Case<'_>) -> Result<(), Miss> {
    let name = case.text("fn")?;
    let Some(f) = entry(UNARY, name).or_else(|| entry(FUNCTIONS, name)) else {
        return unsupported(format!("no op \"{name}\""));
    };
    let x = leaf(case.input("in/x")?);
    let y = f(&x);
    let g = gradient(&y, Some(&case.constant("cot/y")?), &x)?;
    let gg = gradient(&g, Some(&case.constant("in/w")?), &x)?;
    case.check("out/y", &y.array())?;
    case.check("out/g", &g.array())?;
    case.check("out/gg", &gg.array())
}
