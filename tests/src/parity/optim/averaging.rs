//! The kind `averaging`: running averages of snapshots.

use crate::parity::case::Case;
use crate::parity::miss::Miss;
use gradus_autodiff::Parameter;
use gradus_optim::Averaging;
use gradus_tensor::Array;

pub(in crate::parity) fn replay(case: &Case<'_>) -> Result<(), Miss> {
    let averaging = match case.spec["decay"].as_f64() {
        None => Averaging::Mean,
        Some(decay) => Averaging::Ema { decay },
    };
    averaging.check()?;
    for name in ["weight", "bias"] {
        let snapshots = case.shared(&format!("averaging/{name}"))?;
        let average = Parameter::new(snapshots.select(0, 0).zeros_like());
        let mut path = Vec::new();
        for n in 0..case.spec["snapshots"].as_u64().unwrap_or(0) {
            let weight = Parameter::new(snapshots.select(0, n as usize));
            averaging.update([(&average, &weight)], n);
            path.push(average.array().unsqueeze(0));
        }
        case.check(&format!("avg/{name}"), &Array::cat(&path, 0))?;
    }
    Ok(())
}
