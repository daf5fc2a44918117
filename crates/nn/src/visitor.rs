//! A walk through a module: it knows where it is.

use crate::{Module, Site};
use gradus_autodiff::{Buffer, Parameter};

/// Walks a module, and knows the path of what it finds.
///
/// [`Module::visit`] shows every field to it. Layers learn their path from every walk.
pub struct Visitor<'a> {
    path: String,
    found: &'a mut dyn FnMut(&str, Item<'_>),
}

/// What a walk finds.
pub(crate) enum Item<'a> {
    /// A field begins; its name.
    Enter(&'a str, &'a dyn Module),
    /// The field ends.
    Leave,
    /// A parameter at its own path.
    Parameter(&'a Parameter),
    /// A buffer at its own path.
    Buffer(&'a Buffer),
    /// The site of a layer, at the path of the layer.
    Site(&'a Site),
}

impl Visitor<'_> {
    /// Show all of `module` to `found`; its own path is `prefix`.
    pub(crate) fn walk(
        prefix: &str,
        module: &(impl Module + ?Sized),
        found: &mut dyn FnMut(&str, Item<'_>),
    ) {
        module.visit(&mut Visitor { path: prefix.to_owned(), found });
    }
    /// Visit the field `name`.
    pub fn field(&mut self, name: &str, module: &dyn Module) {
        let above = self.path.len();
        if above > 0 {
            self.path.push('.');
        }
        self.path.push_str(name);
        (self.found)(&self.path, Item::Enter(name, module));
        module.visit(self);
        (self.found)(&self.path, Item::Leave);
        self.path.truncate(above);
    }
    pub(crate) fn parameter(&mut self, parameter: &Parameter) {
        (self.found)(&self.path, Item::Parameter(parameter));
    }
    pub(crate) fn buffer(&mut self, buffer: &Buffer) {
        (self.found)(&self.path, Item::Buffer(buffer));
    }
    /// A site is a field of its layer but stands for the layer itself: the last name is left out.
    pub(crate) fn site(&mut self, site: &Site) {
        let layer = self.path.rsplit_once('.').map_or("", |(layer, _)| layer);
        site.learn_path(layer);
        (self.found)(layer, Item::Site(site));
    }
}
