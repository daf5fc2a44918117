//! Modules of one's own: names, modes, copies, freezing, state dicts.

use gradus_autodiff::Tensor;
use gradus_nn::{
    Buffer, Lambda, Layer, Linear, LoadError, Module, Parameter, Relu, Sequential, Site, StateDict,
    Strict,
};
use gradus_tensor::{Array, DType, manual_seed};
use std::sync::Arc;

#[derive(Module)]
#[module(crate = "gradus_nn")]
struct Block {
    fc: Linear,
    scale: Parameter,
}

#[derive(Module)]
#[module(crate = "gradus_nn")]
struct Net {
    body: Sequential,
    blocks: Vec<Block>,
    pair: (Linear, [Linear; 1]),
    #[module(rename = "head")]
    out: Option<Linear>,
    absent: Option<Linear>,
    boxed: Box<dyn Layer>,
    steps: Buffer,
    tied: Parameter,
    #[module(skip)]
    width: usize,
    site: Site,
}

fn block() -> Block {
    Block { fc: Linear::new(2, 2), scale: Parameter::new(Array::from([1.0_f32])) }
}

fn net(seed: u64) -> Net {
    manual_seed(seed);
    let body = Sequential::new().then(Linear::new(2, 3)).then(|x: &Tensor| x.tanh());
    let blocks = vec![block(), block()];
    let tied = blocks[0].scale.clone();
    Net {
        body,
        blocks,
        pair: (Linear::new(1, 1), [Linear::new(1, 1)]),
        out: Some(Linear::new(2, 1)),
        absent: None,
        boxed: Box::new(Linear::new(1, 1)),
        steps: Buffer::new(Array::from(0_i64)),
        tied,
        width: 2,
        site: Site::new("Net"),
    }
}

fn names<T>(all: &[(String, T)]) -> Vec<&str> {
    all.iter().map(|(name, _)| name.as_str()).collect()
}

#[test]
fn names_are_paths_in_order_and_a_shared_parameter_has_its_first_name() {
    let net = net(1);
    let want = "body.0.weight body.0.bias blocks.0.fc.weight blocks.0.fc.bias blocks.0.scale \
                blocks.1.fc.weight blocks.1.fc.bias blocks.1.scale pair.0.weight pair.0.bias \
                pair.1.0.weight pair.1.0.bias head.weight head.bias boxed.weight boxed.bias";
    assert_eq!(names(&net.named_parameters()).join(" "), want);
    assert_eq!(names(&net.named_buffers()), ["steps"]);
    assert_eq!(net.parameters().len(), 16);
    assert_eq!(net.num_parameters(), 6 + 3 + 2 * 7 + 2 * 2 + 3 + 2);
    assert_eq!(net.named_parameters_with_prefix("gen")[0].0, "gen.body.0.weight");
    assert_eq!(net.width, 2);
}

#[test]
fn a_state_dict_has_a_shared_parameter_under_each_name() {
    let state = net(1).state_dict();
    assert_eq!(state.len(), 18);
    assert_eq!(state["tied"], state["blocks.0.scale"]);
    assert_eq!(state["steps"].dtype(), DType::I64);
}

#[test]
fn a_state_dict_is_a_snapshot() {
    let layer = Linear::new(2, 2);
    let state = layer.state_dict();
    layer.weight.update(|w| *w = Array::zeros(w.shape(), w.dtype()));
    assert_ne!(state, layer.state_dict());
}

#[test]
fn the_mode_reaches_every_layer_and_one_alone_can_be_set() {
    let net = net(1);
    assert!(net.is_training());
    net.eval();
    assert!(!net.is_training() && !net.site.training());
    net.blocks[1].fc.train();
    assert!(net.is_training() && !net.blocks[0].is_training());
    {
        let _eval = net.eval_scope();
        assert!(!net.is_training());
    }
    assert!(net.blocks[1].fc.is_training() && !net.blocks[0].is_training());
    net.train();
    assert!(net.body.is_training() && net.blocks[0].is_training());
}

#[test]
fn the_mode_comes_back_after_a_panic() {
    let net = net(1);
    let validate = std::panic::AssertUnwindSafe(|| {
        let _eval = net.eval_scope();
        panic!("a broken validation");
    });
    assert!(std::panic::catch_unwind(validate).is_err());
    assert!(net.site.training());
}

#[test]
fn frozen_parameters_get_no_gradient() {
    let net = Sequential::new().then(Linear::new(2, 3)).then(Linear::new(3, 1));
    let all = net.named_parameters();
    net.requires_grad_(false);
    assert!(!net.forward(&Tensor::from([[1.0_f32, 2.0]])).requires_grad());
    all[2].1.set_requires_grad(true);
    net.forward(&Tensor::from([[1.0_f32, 2.0]])).sum().backward();
    let with: Vec<bool> = all.iter().map(|(_, p)| p.grad().is_some()).collect();
    assert_eq!(with, [false, false, true, false]);
    net.zero_grad();
    assert!(all[2].1.grad().is_none());
}

#[test]
fn a_dtype_is_changed_in_place_and_integers_stay() {
    let net = net(1);
    let handle = net.blocks[0].fc.weight.clone();
    net.to(DType::F64);
    assert_eq!(handle.dtype(), DType::F64);
    assert!(net.parameters().iter().all(|p| p.dtype() == DType::F64));
    assert_eq!(net.steps.dtype(), DType::I64);
}

#[test]
#[should_panic(expected = "to: parameters are floating point, not int64")]
fn a_module_of_integers_is_refused() {
    net(1).to(DType::I64);
}

#[test]
fn a_deep_copy_keeps_ties_and_shares_nothing() {
    let net = net(1);
    net.blocks[1].scale.set_requires_grad(false);
    net.blocks[1].fc.eval();
    let copy = net.deep_copy();
    assert_eq!(copy.state_dict(), net.state_dict());
    assert!(copy.tied.same(&copy.blocks[0].scale) && !copy.tied.same(&net.tied));
    assert!(!copy.blocks[1].scale.requires_grad() && copy.blocks[0].scale.requires_grad());
    assert!(!copy.blocks[1].fc.is_training() && copy.blocks[0].fc.is_training());
    copy.train();
    assert!(!net.blocks[1].fc.is_training());
    net.tied.update(|x| *x = Array::from([5.0_f32]));
    assert_eq!(copy.tied.item(), 1.0);
}

#[test]
fn a_layer_in_two_places_is_one_layer() {
    let shared = Arc::new(Linear::new(2, 2));
    let net = Sequential::new().then(shared.clone()).then(Relu::new()).then(shared.clone());
    assert_eq!(names(&net.named_parameters()), ["0.weight", "0.bias"]);
    assert_eq!(net.state_dict().len(), 4);
    drop(net.eval_scope());
    assert!(shared.is_training());
    let copy = net.deep_copy();
    assert_eq!(copy.named_parameters().len(), 2);
    copy.load_state_dict(&net.state_dict()).expect("the same keys");
}

#[test]
fn a_load_error_lists_everything_and_changes_nothing() {
    let net = net(1);
    let before = net.state_dict();
    let mut state = net_state_with_other_values();
    state.remove("head.bias");
    state.remove("blocks.1.scale");
    state.insert("old.weight", Array::from([1.0_f32]));
    state.insert("body.0.weight", Array::from([[1.0_f32, 2.0]]));
    let error = net.load_state_dict(&state).expect_err("it does not fit");
    assert_eq!(
        error.to_string(),
        "the state dict does not fit the module:\
         \n  missing in the state dict: blocks.1.scale, head.bias\
         \n  unexpected, the module does not have: old.weight\
         \n  wrong shape: body.0.weight is [3, 2], the state dict has [1, 2]"
    );
    assert_eq!(format!("{error:?}"), error.to_string());
    assert_eq!(net.state_dict(), before);
    // A wrong shape is an error without `strict`, too; then nothing is.
    assert!(net.load_state_dict_with(&state, Strict::No).is_err());
    assert_eq!(net.state_dict(), before);
    state.insert("body.0.weight", Array::zeros([3, 2], DType::F32));
    let keys = net.load_state_dict_with(&state, Strict::No).expect("the shapes fit");
    assert_eq!(keys.missing, ["blocks.1.scale", "head.bias"]);
    assert_eq!(keys.unexpected, ["old.weight"]);
    assert_eq!(net.state_dict()["body.0.weight"], Array::zeros([3, 2], DType::F32));
}

fn net_state_with_other_values() -> StateDict {
    net(2).state_dict()
}

#[test]
fn loading_converts_to_the_dtype_of_the_leaf() {
    let (half, single) = (Linear::new(2, 2), Linear::new(2, 2));
    half.to(DType::F16);
    single.load_state_dict(&half.state_dict()).expect("the same keys");
    assert_eq!(single.weight.dtype(), DType::F32);
    assert_eq!(single.weight.to_vec::<f64>(), half.weight.to_vec::<f64>());
}

#[test]
fn a_model_goes_through_a_file() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("net.safetensors");
    let (saved, loaded) = (net(1), net(2));
    saved.save(&path).expect("it is written");
    loaded.load(&path).expect("it fits");
    assert_eq!(loaded.state_dict(), saved.state_dict());
    assert_eq!(StateDict::load(&path).expect("it is read"), saved.state_dict());
    let missing = loaded.load(dir.path().join("other.safetensors"));
    assert!(matches!(missing, Err(LoadError::File(_))));
}

#[test]
fn a_state_dict_keeps_order_and_replaces_in_place() {
    let mut state: StateDict =
        [("b", Array::from([1.0_f32])), ("a", Array::from([2.0_f32]))].into_iter().collect();
    state.insert("c", Array::from([[3.0_f64]]));
    state.insert("b", Array::from([4.0_f32]));
    assert_eq!(state.names().collect::<Vec<_>>(), ["b", "a", "c"]);
    assert_eq!(state["b"].item(), 4.0);
    assert_eq!(state.remove("b").expect("it is there").item(), 4.0);
    assert!(state.remove("b").is_none() && state.get("b").is_none());
    assert_eq!((state["a"].item(), state["c"].item()), (2.0, 3.0));
    assert_eq!(format!("{state:?}"), "a  float32[1]\nc  float64[1, 1]\n");
}

#[test]
#[should_panic(expected = "the state dict has no entry `a`")]
fn an_entry_that_is_not_there_is_named() {
    let _ = &StateDict::new()["a"];
}

#[test]
fn a_model_is_printed_as_pytorch_prints_it() {
    let text = "\
Net(
  (body): Sequential(
    (0): Linear(in_features=2, out_features=3, bias=true)
    (1): Lambda()
  )
  (blocks): Vec(
    (0): Block(
      (fc): Linear(in_features=2, out_features=2, bias=true)
    )
    (1): Block(
      (fc): Linear(in_features=2, out_features=2, bias=true)
    )
  )
  (pair): (
    (0): Linear(in_features=1, out_features=1, bias=true)
    (1): (
      (0): Linear(in_features=1, out_features=1, bias=true)
    )
  )
  (head): Linear(in_features=2, out_features=1, bias=true)
  (boxed): Linear(in_features=1, out_features=1, bias=true)
)";
    let net = net(1);
    assert_eq!(net.describe(), text);
    assert_eq!(format!("{:?}", net.out), "Some(Linear(in_features=2, out_features=1, bias=true))");
}

#[test]
fn a_model_can_be_shared_between_threads() {
    fn sendable<T: Send + Sync>(_: &T) {}
    let net = net(1);
    sendable(&net);
    let x = Tensor::from([[1.0_f32, 2.0]]);
    let here = net.body.forward(&x).array();
    let there = std::thread::scope(|s| s.spawn(|| net.body.forward(&x).array()).join());
    assert_eq!(here, there.expect("it does not panic"));
}

#[test]
fn an_enum_and_a_function_pointer_are_layers_too() {
    #[derive(Module)]
    #[module(crate = "gradus_nn")]
    enum Activation {
        Linear(Linear),
        Nothing,
    }
    impl Layer for Activation {
        fn forward(&self, x: &Tensor) -> Tensor {
            match self {
                Activation::Linear(layer) => layer.forward(x),
                Activation::Nothing => x.clone(),
            }
        }
    }
    let net = Sequential::new()
        .then(Activation::Nothing)
        .then(Activation::Linear(Linear::new(1, 1)))
        .then(Tensor::tanh as fn(&Tensor) -> Tensor)
        .then(Lambda::new(|x| x * 2.0));
    assert_eq!(names(&net.named_parameters()), ["1.0.weight", "1.0.bias"]);
    assert!(net.forward(&Tensor::from([[1.0_f32]])).item().abs() < 2.0);
}
