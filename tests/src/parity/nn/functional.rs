//! The kinds `loss` and `functional`: a function with named inputs and one output.

use super::functions::FUNCTIONS;
use super::{Inputs, check_outputs};
use crate::parity::attrs::Attrs;
use crate::parity::case::Case;
use crate::parity::miss::{Miss, unsupported};

pub(in crate::parity) fn replay(case: &Case<'_>) -> Result<(), Miss> {
    let name = case.text("fn")?;
    let Some((_, call)) = FUNCTIONS.iter().find(|(n, _)| *n == name) else {
        return unsupported(format!("no function \"{name}\""));
    };
    let inputs = Inputs::stored(case, "in")?;
    let mut attrs = Attrs::new(name, &case.spec["args"]);
    let y = call(&inputs, &mut attrs)?;
    attrs.done()?;
    check_outputs(case, &[y], "")?;
    inputs.check_gradients(case, "grad_in")
}
