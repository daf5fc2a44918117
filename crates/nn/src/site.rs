//! The one entry of every built-in layer's forward.

use crate::{DeepCopy, Module, Ties, Visitor};
use gradus_autodiff::{OpError, Scope, Tensor, current_scope, enter_scope};
use std::borrow::Cow;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

type Hook = Arc<dyn Fn(&str, &Tensor) -> Option<Tensor> + Send + Sync>;

/// Where a layer stands: training flag, path, hooks.
///
/// It is a field like any other, under any name, and stands for its layer: it adds no name to the path.
/// A layer of your own has one if it behaves differently in training, or if errors inside it should
/// name it.
///
/// ```
/// use gradus_autodiff::Tensor;
/// use gradus_nn::{Layer, Module, Site};
///
/// /// Adds `shift`, in training only.
/// #[derive(Module)]
/// # #[module(crate = "gradus_nn")]
/// struct Shift {
///     #[module(skip)]
///     shift: f64,
///     site: Site,
/// }
///
/// impl Layer for Shift {
///     fn forward(&self, x: &Tensor) -> Tensor {
///         let call = self.site.enter();
///         let y = if call.training() { x + self.shift } else { x.clone() };
///         call.leave(y)
///     }
/// }
///
/// let layer = Shift { shift: 1.0, site: Site::new("Shift") };
/// assert_eq!(layer.forward(&Tensor::from([1.0])).item(), 2.0);
/// layer.eval();
/// assert_eq!(layer.forward(&Tensor::from([1.0])).item(), 1.0);
/// ```
pub struct Site(Arc<State>);

struct State {
    kind: &'static str,
    /// The hyper-parameters, as they are printed.
    arguments: String,
    training: AtomicBool,
    /// Is there a hook? So that a forward without any takes no second lock.
    hooked: AtomicBool,
    known: Mutex<Known>,
}

#[derive(Clone)]
struct Known {
    path: Arc<str>,
    hooks: Vec<(u64, Hook)>,
}

impl State {
    /// No hook runs under this lock.
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn depth(path: &str) -> usize {
    path.matches('.').count()
}

impl Site {
    /// For a layer of this kind, in training mode; the kind stands for the path until a walk
    /// (`named_parameters`, `train`, …) has come by.
    pub fn new(kind: &'static str) -> Self {
        Site::described(kind, "")
    }
    /// With the hyper-parameters that [`Module::describe`] prints.
    pub fn described(kind: &'static str, arguments: impl Into<String>) -> Self {
        Site::with_state(kind, arguments.into(), true, Known { path: kind.into(), hooks: vec![] })
    }
    fn with_state(kind: &'static str, arguments: String, training: bool, known: Known) -> Self {
        Site(Arc::new(State {
            kind,
            arguments,
            training: AtomicBool::new(training),
            hooked: AtomicBool::new(!known.hooks.is_empty()),
            known: Mutex::new(known),
        }))
    }
    /// Is the layer in training mode?
    pub fn training(&self) -> bool {
        self.0.training.load(Relaxed)
    }
    pub(crate) fn set_training(&self, on: bool) {
        self.0.training.store(on, Relaxed);
    }
    /// The path of the layer, or its kind as long as no walk has come by.
    pub fn path(&self) -> Arc<str> {
        self.0.known().path.clone()
    }
    pub(crate) fn kind(&self) -> &'static str {
        self.0.kind
    }
    pub(crate) fn arguments(&self) -> &str {
        &self.0.arguments
    }
    /// A walk that began further down does not shorten the path.
    pub(crate) fn learn_path(&self, path: &str) {
        let mut known = self.0.known();
        if !path.is_empty() && *path != *known.path && depth(path) >= depth(&known.path) {
            known.path = path.into();
        }
    }
    /// Another handle, for a guard that outlives the walk.
    pub(crate) fn handle(&self) -> Site {
        Site(self.0.clone())
    }
    /// Run `hook` on the path and the output of every forward, in order of registration; it may
    /// replace the output (`torch.nn.Module.register_forward_hook`).
    pub fn register_forward_hook(
        &self,
        hook: impl Fn(&str, &Tensor) -> Option<Tensor> + Send + Sync + 'static,
    ) -> HookHandle {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let id = NEXT.fetch_add(1, Relaxed);
        self.0.known().hooks.push((id, Arc::new(hook)));
        self.0.hooked.store(true, Relaxed);
        HookHandle { site: Arc::downgrade(&self.0), id }
    }
    /// Begin a forward. Until [`Call::leave`], errors name this layer.
    pub fn enter(&self) -> Call<'_> {
        let scope = enter_scope(&self.path());
        Call { site: self, training: self.training(), _scope: scope }
    }
}

impl Module for Site {
    fn visit(&self, visitor: &mut Visitor<'_>) {
        visitor.site(self);
    }
}

/// The copy has the mode, the path and the hooks of the original.
impl DeepCopy for Site {
    fn deep_copy_with(&self, _: &mut Ties) -> Self {
        let known = self.0.known().clone();
        Site::with_state(self.kind(), self.0.arguments.clone(), self.training(), known)
    }
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path())
    }
}

/// A forward that is running.
///
/// A guard and not a closure, because `#[track_caller]` does not pass through closures: so the ops
/// inside still know the user's line.
#[must_use]
pub struct Call<'a> {
    site: &'a Site,
    training: bool,
    _scope: Scope,
}

impl Call<'_> {
    /// Is the layer in training mode?
    pub fn training(&self) -> bool {
        self.training
    }
    /// End the forward: run the hooks on its output.
    pub fn leave(self, output: Tensor) -> Tensor {
        if !self.site.0.hooked.load(Relaxed) {
            return output;
        }
        let Known { path, hooks } = self.site.0.known().clone();
        hooks.iter().fold(output, |y, (_, hook)| hook(&path, &y).unwrap_or(y))
    }
    /// Refuse an input that breaks a rule of the layer.
    #[track_caller]
    pub(crate) fn refuse(&self, x: &Tensor, rule: String, hint: impl Into<Cow<'static, str>>) -> ! {
        let scope = current_scope().map_or_else(String::new, |path| path.to_string());
        let inputs = vec![x.meta()];
        let (op, rule, hint) = (self.site.kind(), rule.into(), hint.into());
        panic!("{}", OpError { op, inputs, rule, hint, scope })
    }
}

/// Takes a hook away again.
#[derive(Debug)]
pub struct HookHandle {
    site: Weak<State>,
    id: u64,
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind)
    }
}

impl HookHandle {
    /// Forget the hook.
    pub fn remove(self) {
        let Some(state) = self.site.upgrade() else { return };
        let mut known = state.known();
        let gone: Vec<_> = known.hooks.extract_if(.., |(id, _)| *id == self.id).collect();
        state.hooked.store(!known.hooks.is_empty(), Relaxed);
        drop(known);
        drop(gone); // after the lock: what the hook owns may be anything
    }
}
