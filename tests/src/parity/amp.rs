//! The group `amp`: traces of a gradient scaler over gradients made by hand.

use super::attrs::{Attrs, number};
use super::case::Case;
use super::compare::close;
use super::miss::{Miss, failed};
use super::optim::table::{Growing, optimizer};
use gradus_autodiff::{Parameter, Tensor};
use gradus_optim::{GradScaler, GradScalerOptions, StateDict, clip_grad_norm};
use gradus_tensor::Array;
use serde_json::Value;
use std::collections::BTreeMap;

pub(super) fn replay(case: &Case<'_>) -> Result<(), Miss> {
    let mut run = Run::new(case)?;
    for t in 0..case.spec["steps"].as_u64().unwrap_or(0) as usize {
        run.step(t)?;
    }
    for (key, rows) in &run.paths {
        case.check(key, &Array::cat(rows, 0))?;
    }
    run.check_state("state_dict_final", &case.spec["state_dict_final"][case.dtype_name()])
}

struct Run<'a> {
    case: &'a Case<'a>,
    parameters: Vec<(String, Parameter)>,
    /// Each with the parameters it has.
    optimizers: Vec<(Box<dyn Growing>, Vec<Parameter>)>,
    scaler: GradScaler,
    /// Parameters and gradients after each step.
    paths: BTreeMap<String, Vec<Array>>,
}

fn scaler(case: &Case<'_>) -> Result<GradScaler, Miss> {
    let (mut a, base) =
        (Attrs::new("GradScaler", &case.spec["scaler"]), GradScalerOptions::default());
    let options = GradScalerOptions {
        init_scale: a.float("init_scale", base.init_scale)?,
        growth_factor: a.float("growth_factor", base.growth_factor)?,
        backoff_factor: a.float("backoff_factor", base.backoff_factor)?,
        growth_interval: a.count("growth_interval", base.growth_interval)?,
        enabled: a.flag("enabled", base.enabled)?,
        ..base
    };
    a.done()?;
    Ok(GradScaler::new(options)?)
}

impl<'a> Run<'a> {
    fn new(case: &'a Case<'a>) -> Result<Self, Miss> {
        let new = |name: &str| {
            Ok((name.to_owned(), Parameter::new(case.shared(&format!("init/{name}"))?)))
        };
        let parameters = ["w", "b"].into_iter().map(new).collect::<Result<Vec<_>, Miss>>()?;
        let mut optimizers = Vec::new();
        for spec in case.list("optimizers") {
            let has = |name: &String| {
                spec["params"].as_array().into_iter().flatten().any(|v| v.as_str() == Some(name))
            };
            let group: Vec<_> = parameters.iter().filter(|(name, _)| has(name)).cloned().collect();
            let own = group.iter().map(|(_, p)| p.clone()).collect();
            let args = spec["args"].as_object().cloned().unwrap_or_default();
            let name = spec["type"].as_str().unwrap_or("?");
            optimizers.push((optimizer(name, vec![(group, args)])?, own));
        }
        let (scaler, paths) = (scaler(case)?, BTreeMap::new());
        Ok(Run { case, parameters, optimizers, scaler, paths })
    }
    fn step(&mut self, t: usize) -> Result<(), Miss> {
        let case = self.case;
        if case.spec["resume_at"].as_u64() == Some(t as u64) {
            self.check_state("state_dict_at_resume", &case.spec["state_dict_at_resume"])?;
            let saved = self.scaler.state_dict().to_bytes()?;
            self.scaler = scaler(case)?;
            self.scaler.load_state_dict(&StateDict::from_bytes(&saved)?)?;
        }
        self.exactly("scale_before", t, self.scaler.get_scale())?;
        let loss = Tensor::new(case.shared("loss")?.select(0, t));
        let scaled = self.scaler.scale(&loss).item();
        self.nearly("scaled_loss", t, Some(scaled))?;
        self.set_gradients(t)?;
        let norm = self.unscale_and_clip()?;
        self.nearly("total_norm", t, norm)?;
        for (i, (opt, _)) in self.optimizers.iter_mut().enumerate() {
            let stepped = f64::from(u8::from(self.scaler.step(opt.get_mut())?.is_applied()));
            let want = number(&case.spec["trace"][case.dtype_name()]["stepped"][t][i]);
            if want != Some(stepped) {
                case.differs(format!("stepped[{t}][{i}]: got {stepped}, want {want:?}"));
            }
        }
        match number(&case.spec["new_scale"][t.to_string()]) {
            Some(new_scale) => self.scaler.update_to(new_scale)?,
            None => self.scaler.update()?,
        }
        self.exactly("scale_after", t, self.scaler.get_scale())?;
        self.exactly("growth_tracker", t, self.scaler.growth_tracker() as f64)?;
        for (name, p) in &self.parameters {
            let grad = p.grad().map_or_else(|| p.array().zeros_like(), Tensor::into_array);
            for (key, row) in [("params", p.array()), ("grad_after", grad)] {
                self.paths.entry(format!("{key}/{name}")).or_default().push(row.unsqueeze(0));
            }
        }
        Ok(())
    }
    fn set_gradients(&self, t: usize) -> Result<(), Miss> {
        for (name, p) in &self.parameters {
            let absent = self.case.spec["no_grad"][name].as_array();
            let absent = absent.is_some_and(|a| a.iter().any(|v| v.as_u64() == Some(t as u64)));
            let grad = self.case.input(&format!("scaled_grad/{name}"))?.select(0, t);
            p.set_grad((!absent).then(|| Tensor::new(grad)));
            p.set_grad_scaled(!absent && self.scaler.is_enabled());
        }
        Ok(())
    }
    /// The norm of the gradients of the first optimizer, if the case clips.
    fn unscale_and_clip(&mut self) -> Result<Option<f64>, Miss> {
        let Some(max_norm) = number(&self.case.spec["clip"]) else { return Ok(None) };
        for (opt, _) in &mut self.optimizers {
            self.scaler.unscale(opt.get_mut())?;
        }
        let Some((_, parameters)) = self.optimizers.first() else {
            return failed("a clip without an optimizer");
        };
        Ok(Some(clip_grad_norm(parameters, max_norm)?))
    }
    fn traced(&self, key: &str, t: usize) -> Option<f64> {
        number(&self.case.spec["trace"][self.case.dtype_name()][key][t])
    }
    fn exactly(&self, key: &str, t: usize, got: f64) -> Result<(), Miss> {
        match self.traced(key, t) {
            Some(want) if want == got => {}
            want => self.case.differs(format!("{key}[{t}]: got {got}, want {want:?}")),
        }
        Ok(())
    }
    fn nearly(&self, key: &str, t: usize, got: Option<f64>) -> Result<(), Miss> {
        let tolerance = self.case.tolerance("tol")?;
        let want = self.traced(key, t);
        let equal = match (got, want) {
            (Some(got), Some(want)) => {
                close(got, want, tolerance.atol + tolerance.rtol * want.abs())
            }
            (got, want) => got.is_none() && want.is_none(),
        };
        if !equal {
            self.case.differs(format!("{key}[{t}]: got {got:?}, want {want:?}"));
        }
        Ok(())
    }
    /// The same keys as PyTorch's state dict, and the same numbers.
    fn check_state(&self, key: &str, want: &Value) -> Result<(), Miss> {
        let (got, want) = (self.scaler.state_dict(), want.as_object());
        let Some(want) = want else { return failed(format!("the manifest has no {key}")) };
        let equal = |(name, want): (&String, &Value)| {
            got.value(name).and_then(number).is_some_and(|got| number(want) == Some(got))
        };
        if got.len() != want.len() || !want.iter().all(equal) {
            self.case.differs(format!("{key}: got {got:?}, want {want:?}"));
        }
        Ok(())
    }
}
