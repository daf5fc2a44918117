//! The part of `gradus::nn` the derive writes against, in small: leaves are numbers that know their place.

use std::cell::Cell;
use std::collections::HashMap;
use std::rc::Rc;

/// A tree of named parameters.
#[diagnostic::on_unimplemented(message = "`{Self}` is no module")]
pub trait Module {
    /// Shows every child to the visitor.
    fn visit(&self, visitor: &mut Visitor<'_>);
}

/// A copy with leaves of its own.
pub trait DeepCopy {
    /// Copies; a leaf met before gives the copy made then.
    fn deep_copy_with(&self, ties: &mut Ties) -> Self;
}

/// The copies made so far, by the leaf they are copies of.
#[derive(Default)]
pub struct Ties(HashMap<*const Cell<f32>, Parameter>);

/// Collects the leaves with their paths.
pub struct Visitor<'a> {
    path: Vec<String>,
    found: &'a mut Vec<(String, f32)>,
}

impl Visitor<'_> {
    /// Visits a child under its name.
    pub fn field(&mut self, name: &str, module: &dyn Module) {
        self.path.push(name.to_owned());
        module.visit(self);
        self.path.pop();
    }
}

/// The leaves below `module`: path and value.
pub fn leaves(module: &dyn Module) -> Vec<(String, f32)> {
    let mut found = Vec::new();
    module.visit(&mut Visitor { path: Vec::new(), found: &mut found });
    found
}

/// The paths alone.
pub fn names(module: &dyn Module) -> Vec<String> {
    leaves(module).into_iter().map(|(name, _)| name).collect()
}

/// A leaf: its handles share one place.
#[derive(Clone)]
pub struct Parameter(pub Rc<Cell<f32>>);

impl Parameter {
    /// A new place.
    pub fn new(value: f32) -> Self {
        Self(Rc::new(Cell::new(value)))
    }
}

impl Module for Parameter {
    fn visit(&self, visitor: &mut Visitor<'_>) {
        visitor.found.push((visitor.path.join("."), self.0.get()));
    }
}

impl DeepCopy for Parameter {
    fn deep_copy_with(&self, ties: &mut Ties) -> Self {
        ties.0.entry(Rc::as_ptr(&self.0)).or_insert_with(|| Self::new(self.0.get())).clone()
    }
}

impl<M: Module> Module for Vec<M> {
    fn visit(&self, visitor: &mut Visitor<'_>) {
        for (index, module) in self.iter().enumerate() {
            visitor.field(&index.to_string(), module);
        }
    }
}

impl<M: DeepCopy> DeepCopy for Vec<M> {
    fn deep_copy_with(&self, ties: &mut Ties) -> Self {
        self.iter().map(|module| module.deep_copy_with(ties)).collect()
    }
}

impl<M: Module> Module for Option<M> {
    fn visit(&self, visitor: &mut Visitor<'_>) {
        if let Some(module) = self {
            module.visit(visitor);
        }
    }
}

impl<M: DeepCopy> DeepCopy for Option<M> {
    fn deep_copy_with(&self, ties: &mut Ties) -> Self {
        self.as_ref().map(|module| module.deep_copy_with(ties))
    }
}

impl<M: Module> Module for Box<M> {
    fn visit(&self, visitor: &mut Visitor<'_>) {
        (**self).visit(visitor);
    }
}

impl<M: DeepCopy> DeepCopy for Box<M> {
    fn deep_copy_with(&self, ties: &mut Ties) -> Self {
        Box::new((**self).deep_copy_with(ties))
    }
}
