//! What a module is: a tree of named parameters.

use crate::visitor::Item;
use crate::{DeepCopy, IncompatibleKeys, LoadError, Site, StateDict, Strict, Ties, Visitor};
use crate::{describe, load};
use gradus_autodiff::{Buffer, Parameter};
use gradus_tensor::DType;
use std::any;
use std::collections::HashSet;
#[cfg(not(target_family = "wasm"))]
use {gradus_tensor::FormatError, std::path::Path};

/// A tree of named parameters (`torch.nn.Module`).
///
/// `#[derive(Module)]` writes [`Module::visit`]; everything else is provided. A field is a
/// [`Parameter`], a [`Buffer`], a module, or a `Vec`, `Option`, `Box`, `Arc`, array or tuple of these;
/// a plain value is marked `#[module(skip)]`.
///
/// ```
/// use gradus_nn::{Linear, Module, Parameter};
/// use gradus_tensor::Array;
///
/// #[derive(Module)]
/// # #[module(crate = "gradus_nn")]
/// struct Net {
///     layers: Vec<Linear>,
///     scale: Parameter,
///     #[module(skip)]
///     width: usize,
/// }
///
/// let layers = vec![Linear::new(3, 4), Linear::new(4, 2)];
/// let net = Net { layers, scale: Parameter::new(Array::from([1.0_f32])), width: 4 };
/// let names: Vec<String> = net.named_parameters().into_iter().map(|(name, _)| name).collect();
/// assert_eq!(names[0], "layers.0.weight");
/// assert_eq!(names[4], "scale");
/// # assert_eq!(net.width, 4);
/// ```
///
/// A bare tensor is neither trained nor saved, so it is refused:
///
/// ```compile_fail
/// use gradus_autodiff::Tensor;
/// use gradus_nn::Module;
///
/// #[derive(Module)]
/// # #[module(crate = "gradus_nn")]
/// struct Net {
///     scale: Tensor, // write Parameter, Buffer, or #[module(skip)]
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no module",
    label = "neither a parameter, a buffer nor a module",
    note = "a plain value is marked `#[module(skip)]`; \
            a struct of layers or parameters has `#[derive(Module)]`"
)]
pub trait Module {
    /// Shows every field to `visitor`, in order of declaration.
    fn visit(&self, visitor: &mut Visitor<'_>);

    /// The name of the type, for [`Module::describe`].
    fn type_name(&self) -> &'static str {
        any::type_name::<Self>()
    }
    /// Every parameter with its path, such as `encoder.0.weight`; a shared one once, under its first
    /// name (`torch.nn.Module.named_parameters`).
    fn named_parameters(&self) -> Vec<(String, Parameter)> {
        self.named_parameters_with_prefix("")
    }
    /// As [`Module::named_parameters`], with `prefix` and a dot before every name, for an optimizer
    /// that gets several modules.
    ///
    /// ```
    /// use gradus_nn::{Linear, Module};
    /// let names = Linear::new(1, 1).named_parameters_with_prefix("gen");
    /// assert_eq!(names[0].0, "gen.weight");
    /// ```
    fn named_parameters_with_prefix(&self, prefix: &str) -> Vec<(String, Parameter)> {
        let (mut all, mut seen) = (Vec::new(), HashSet::new());
        Visitor::walk(prefix, self, &mut |path, item| {
            if let Item::Parameter(p) = item
                && seen.insert(p.id())
            {
                all.push((path.to_owned(), p.clone()));
            }
        });
        all
    }
    /// Every parameter, a shared one once (`torch.nn.Module.parameters`).
    fn parameters(&self) -> Vec<Parameter> {
        self.named_parameters().into_iter().map(|(_, p)| p).collect()
    }
    /// Every buffer with its path, a shared one once (`torch.nn.Module.named_buffers`).
    fn named_buffers(&self) -> Vec<(String, Buffer)> {
        let (mut all, mut seen) = (Vec::new(), HashSet::new());
        Visitor::walk("", self, &mut |path, item| {
            if let Item::Buffer(b) = item
                && seen.insert(b.id())
            {
                all.push((path.to_owned(), b.clone()));
            }
        });
        all
    }
    /// Every buffer, a shared one once (`torch.nn.Module.buffers`).
    fn buffers(&self) -> Vec<Buffer> {
        self.named_buffers().into_iter().map(|(_, b)| b).collect()
    }
    /// Number of elements of all parameters, a shared one counted once.
    fn num_parameters(&self) -> usize {
        self.parameters().iter().map(|p| p.numel()).sum()
    }

    /// Training mode for every layer here and below (`torch.nn.Module.train`).
    fn train(&self) {
        self.set_training(true);
    }
    /// Evaluation mode for every layer here and below: dropout passes its input on, normalisation uses
    /// its running statistics (`torch.nn.Module.eval`). Gradients are another matter: see `no_grad`.
    fn eval(&self) {
        self.set_training(false);
    }
    /// Either mode (`torch.nn.Module.train(mode)`).
    fn set_training(&self, training: bool) {
        sites(self, |site| site.set_training(training));
    }
    /// Is any layer here or below in training mode? A module without layers has no mode.
    fn is_training(&self) -> bool {
        let mut any = false;
        sites(self, |site| any |= site.training());
        any
    }
    /// Evaluation mode until the guard is dropped; then every layer gets back the mode it had.
    ///
    /// ```
    /// use gradus_nn::{Dropout, Module};
    /// let layer = Dropout::new(0.5);
    /// {
    ///     let _eval = layer.eval_scope();
    ///     assert!(!layer.is_training());
    /// }
    /// assert!(layer.is_training());
    /// ```
    fn eval_scope(&self) -> EvalScope {
        let mut modes = Vec::new();
        sites(self, |site| {
            modes.push((site.handle(), site.training()));
            site.set_training(false);
        });
        EvalScope { modes }
    }

    /// Freeze (`false`) or thaw every parameter (`torch.nn.Module.requires_grad_`).
    fn requires_grad_(&self, requires_grad: bool) {
        self.parameters().iter().for_each(|p| p.set_requires_grad(requires_grad));
    }
    /// Forget all gradients (`torch.nn.Module.zero_grad`).
    fn zero_grad(&self) {
        self.parameters().iter().for_each(|p| p.tensor().zero_grad());
    }
    /// Change the dtype of all floating-point parameters and buffers in place, so that the handles of
    /// an optimizer stay valid (`torch.nn.Module.to`).
    ///
    /// # Panics
    /// If `dtype` is not floating point.
    #[track_caller]
    fn to(&self, dtype: DType) {
        assert!(dtype.is_float(), "to: parameters are floating point, not {dtype}");
        self.parameters().iter().for_each(|p| p.set_dtype(dtype));
        let buffers = self.buffers();
        buffers.iter().filter(|b| b.dtype().is_float()).for_each(|b| b.set_dtype(dtype));
    }

    /// The values of all parameters and buffers by path; a shared one stands under each of its names
    /// (`torch.nn.Module.state_dict`). It is a snapshot: later steps do not change it.
    fn state_dict(&self) -> StateDict {
        let mut all = StateDict::new();
        Visitor::walk("", self, &mut |path, item| match item {
            Item::Parameter(p) => all.insert(path, p.array()),
            Item::Buffer(b) => all.insert(path, b.array()),
            Item::Enter(..) | Item::Leave | Item::Site(_) => {}
        });
        all
    }
    /// Take over the values of `state`, converted to the dtype of each leaf
    /// (`torch.nn.Module.load_state_dict`).
    ///
    /// # Errors
    /// [`LoadError::Keys`], which lists every missing, unexpected and wrong-shaped key; the module is
    /// then unchanged.
    fn load_state_dict(&self, state: &StateDict) -> Result<(), LoadError> {
        self.load_state_dict_with(state, Strict::Yes).map(|_| ())
    }
    /// As [`Module::load_state_dict`]; with [`Strict::No`] the missing and unexpected keys are
    /// returned instead.
    ///
    /// # Errors
    /// As [`Module::load_state_dict`]; a wrong shape is always one, as in PyTorch.
    fn load_state_dict_with(
        &self,
        state: &StateDict,
        strict: Strict,
    ) -> Result<IncompatibleKeys, LoadError> {
        load::load(self, state, strict)
    }
    /// Write [`Module::state_dict`] to a `.safetensors` file, with PyTorch's names.
    ///
    /// # Errors
    /// If the system refuses to write.
    #[cfg(not(target_family = "wasm"))]
    fn save(&self, path: impl AsRef<Path>) -> Result<(), FormatError>
    where
        Self: Sized,
    {
        self.state_dict().save(path)
    }
    /// Read a `.safetensors` file and take over its values.
    ///
    /// # Errors
    /// [`LoadError::File`] if it cannot be read, else as [`Module::load_state_dict`].
    #[cfg(not(target_family = "wasm"))]
    fn load(&self, path: impl AsRef<Path>) -> Result<(), LoadError>
    where
        Self: Sized,
    {
        self.load_state_dict(&StateDict::load(path)?)
    }

    /// A module of its own with the same values and modes; what was shared inside it stays shared
    /// (`copy.deepcopy`).
    fn deep_copy(&self) -> Self
    where
        Self: Sized + DeepCopy,
    {
        self.deep_copy_with(&mut Ties::default())
    }
    /// The tree as PyTorch prints it.
    ///
    /// ```
    /// use gradus_nn::{Linear, Module, Relu, Sequential};
    /// let net = Sequential::new().then(Linear::new(4, 2)).then(Relu::new());
    /// let text = "\
    /// Sequential(
    ///   (0): Linear(in_features=4, out_features=2, bias=true)
    ///   (1): Relu()
    /// )";
    /// assert_eq!(net.describe(), text);
    /// ```
    fn describe(&self) -> String {
        describe::describe(self)
    }
}

fn sites(module: &(impl Module + ?Sized), mut f: impl FnMut(&Site)) {
    Visitor::walk("", module, &mut |_, item| {
        if let Item::Site(site) = item {
            f(site);
        }
    });
}

/// Gives every layer its mode back when it is dropped: see [`Module::eval_scope`].
#[must_use = "the mode is restored as soon as the guard is dropped"]
#[derive(Debug)]
pub struct EvalScope {
    modes: Vec<(Site, bool)>,
}

impl Drop for EvalScope {
    fn drop(&mut self) {
        // In reverse, for a layer that is shared: its first entry has the mode it had.
        for (site, training) in self.modes.drain(..).rev() {
            site.set_training(training);
        }
    }
}
