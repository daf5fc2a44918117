//! The common tests: every layer of the catalog, every case.

use super::all_cases;
use crate::testing::{self, Built, Case, close, refusal, weighted, zeros};
use crate::{StateDict, Visitor};
use gradus_autodiff::Tensor;
use gradus_tensor::{Array, DType};

fn every_case(check: impl Fn(&Case) -> Result<(), String>) {
    testing::every_case(all_cases(), check);
}

fn ensure(what: &str, holds: bool) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what.to_owned()) }
}

#[test]
fn every_layer_has_right_first_derivatives() {
    every_case(Case::gradcheck);
}

#[test]
fn every_layer_has_right_second_derivatives() {
    every_case(Case::gradgradcheck);
}

#[test]
fn one_gradient_step_changes_every_parameter() {
    every_case(|case| {
        let built = case.built(1);
        let before = built.module.state_dict();
        weighted(&built.forward(&case.tensors()).square()).sum().backward_if_tracked();
        for (name, p) in built.module.named_parameters() {
            let Some(grad) = p.grad() else { return Err(format!("{name} has no gradient")) };
            p.set((p.detach() - grad * 0.1).into_array()).expect("same shape");
            ensure(&format!("{name} did not change"), p.array() != before[&*name])?;
        }
        built.module.zero_grad();
        ensure("zero_grad", built.module.parameters().iter().all(|p| p.grad().is_none()))
    });
}

trait BackwardIfTracked {
    fn backward_if_tracked(&self);
}

impl BackwardIfTracked for Tensor {
    fn backward_if_tracked(&self) {
        if self.requires_grad() {
            self.backward();
        }
    }
}

#[test]
fn a_deep_copy_is_equal_and_independent() {
    every_case(|case| {
        let original = case.built(1);
        let copy: Built = (original.copy)();
        let want = original.forward(&case.tensors()).array();
        let state = copy.module.state_dict();
        ensure("mode", copy.module.is_training() == original.module.is_training())?;
        ensure("printed", copy.module.describe() == original.module.describe())?;
        for p in original.module.parameters() {
            p.update(|x| *x = Array::zeros(x.shape(), x.dtype()));
        }
        original.module.eval();
        ensure("the copy changed with the original", copy.module.state_dict() == state)?;
        close(&copy.forward(&case.tensors()).array(), &want, 0.0)
    });
}

#[test]
fn a_state_dict_makes_another_module_equal() {
    every_case(|case| {
        let (saved, other) = (case.built(1), case.built(2));
        let _ = saved.forward(&case.tensors()); // running statistics move
        let bytes = saved.module.state_dict().to_bytes().map_err(|e| e.to_string())?;
        let state = StateDict::from_bytes(&bytes).map_err(|e| e.to_string())?;
        other.module.load_state_dict(&state).map_err(|e| e.to_string())?;
        ensure("state", other.module.state_dict() == saved.module.state_dict())?;
        saved.module.eval();
        other.module.eval();
        let want = saved.forward(&case.tensors()).array();
        close(&other.forward(&case.tensors()).array(), &want, 0.0)
    });
}

#[test]
fn evaluation_changes_no_state_and_the_scope_restores_the_mode() {
    every_case(|case| {
        let built = case.built(1);
        built.module.train();
        let mode = built.module.is_training();
        {
            let _eval = built.module.eval_scope();
            ensure("eval", !built.module.is_training())?;
            let state = built.module.state_dict();
            let first = built.forward(&case.tensors()).array();
            ensure("state", built.module.state_dict() == state)?;
            close(&built.forward(&case.tensors()).array(), &first, 0.0)?;
        }
        ensure("restored", built.module.is_training() == mode && mode)
    });
}

#[test]
fn every_layer_reads_views_as_it_reads_contiguous_inputs() {
    every_case(|case| {
        let views = || case.inputs().iter().map(|x| Tensor::new(testing::scattered(x))).collect();
        let views: Vec<Tensor> = views();
        let want = case.built(1).forward(&case.tensors()).array();
        close(&case.built(1).forward(&views).array(), &want, 1e-12)
    });
}

#[test]
fn every_layer_computes_in_every_floating_dtype() {
    every_case(|case| {
        let want = case.built(1).forward(&case.tensors()).array();
        for (dtype, tolerance) in [(DType::F32, 1e-5), (DType::F16, 5e-2), (DType::Bf16, 2e-1)] {
            let built = case.built(1);
            built.module.to(dtype);
            let x: Vec<Tensor> = case.inputs().into_iter().map(|x| x.cast(dtype).into()).collect();
            let y = built.forward(&x);
            ensure("dtype", y.dtype() == dtype)?;
            close(&y.array().cast(DType::F64), &want, tolerance)
                .map_err(|e| format!("{dtype}: {e}"))?;
        }
        Ok(())
    });
}

#[test]
fn an_empty_batch_gives_an_empty_result() {
    every_case(|case| {
        let Some((input, output)) = case.empty else { return Ok(()) };
        let y = case.built(1).forward(&[zeros(input)]);
        ensure(&format!("{} instead of {output:?}", y.shape()), y.shape().dims() == output)
    });
}

#[test]
fn a_refused_input_names_the_path_of_the_layer() {
    every_case(|case| {
        let Some(shape) = case.refused else { return Ok(()) };
        let built = case.built(1);
        Visitor::walk("net.3", &*built.module, &mut |_, _| {});
        let text = refusal(|| built.forward(&[zeros(shape)]));
        ensure(&text, text.contains("(in layer net.3") && text.contains("[4, 9]"))
    });
}
