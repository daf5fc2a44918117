//! The kind `jacobian`: all derivatives of a vector by a vector.

use super::functions::cumprod;
use super::{Function, function, gradient, jacobian_of, leaf};
use crate::parity::case::Case;
use crate::parity::miss::Miss;
use gradus_autodiff::Tensor;

const FUNCTIONS: &[(&str, Function)] = &[
    ("affine_tanh", |x, case| Ok(case.shared("const/gp/A").map(Tensor::new)?.matmul(x).tanh())),
    ("softmax", |x, _| Ok(x.softmax(0))),
    ("polar", |x, _| {
        let (r, angle) = (x.select(0, 0), x.select(0, 1));
        Ok(Tensor::stack(&[&(&r * angle.cos()), &(&r * angle.sin()), &r.square()], 0))
    }),
    ("cumprod", |x, _| Ok(cumprod(x))),
    ("outer", |x, _| Ok((x.unsqueeze(1) * x.unsqueeze(0)).flatten(0, -1))),
];

pub(in crate::parity) fn replay(case: &Case<'_>) -> Result<(), Miss> {
    let f = function(FUNCTIONS, case)?;
    let x = leaf(case.input("in/x")?);
    let (v, u) = (case.constant("in/v")?, case.constant("in/u")?);
    let y = f(&x, case)?;
    let jacobian = jacobian_of(&y, &x)?;
    case.check("out/value", &y.array())?;
    case.check("out/jvp", &jacobian.matmul(&v).array())?;
    // In one sweep, not by the rows.
    case.check("out/vjp", &gradient(&y, Some(&u), &x)?.array())?;
    case.check("out/jacobian", &jacobian.array())
}
