//! How a model is printed: as PyTorch prints it.

use crate::visitor::Item;
use crate::{Module, Visitor};
use gradus_tensor::PerAxis;
use std::fmt::Write;

/// A module of the tree that is being printed.
#[derive(Default)]
struct Node {
    name: String,
    kind: String,
    arguments: String,
    /// Leaves and sites are part of their module and get no line.
    is_leaf: bool,
    children: Vec<Node>,
}

/// `Kind(arguments)`, or the children line by line.
pub(crate) fn describe(module: &(impl Module + ?Sized)) -> String {
    let mut open = vec![Node { kind: short(module.type_name()), ..Node::default() }];
    Visitor::walk("", module, &mut |_, item| match item {
        Item::Enter(name, module) => {
            let kind = short(module.type_name());
            open.push(Node { name: name.to_owned(), kind, ..Node::default() });
        }
        Item::Leave => {
            let node = open.pop().expect("a field that ends has begun");
            let is_nothing = node.kind.is_empty() && node.children.is_empty();
            if !node.is_leaf && !is_nothing {
                open.last_mut().expect("the root stays open").children.push(node);
            }
        }
        Item::Parameter(_) | Item::Buffer(_) => {
            open.last_mut().expect("the root stays open").is_leaf = true;
        }
        Item::Site(site) => {
            open.last_mut().expect("the root stays open").is_leaf = true;
            if let [.., layer, _] = &mut open[..] {
                layer.kind = site.kind().to_owned();
                layer.arguments = site.arguments().to_owned();
            }
        }
    });
    let mut text = String::new();
    write_node(&open.swap_remove(0), 0, &mut text);
    text
}

/// `a::b::Net<c::D>` is printed as `Net`; arrays and tuples have no name.
fn short(type_name: &str) -> String {
    let name = type_name.split('<').next().unwrap_or_default();
    let name = name.rsplit("::").next().unwrap_or_default();
    if type_name.starts_with(['(', '[']) { String::new() } else { name.to_owned() }
}

fn write_node(node: &Node, indent: usize, text: &mut String) {
    let Node { kind, arguments, children, .. } = node;
    let _ = write!(text, "{kind}({arguments}");
    for child in children {
        let _ = write!(text, "\n{:indent$}  ({}): ", "", child.name);
        write_node(child, indent + 2, text);
    }
    if !children.is_empty() {
        let _ = write!(text, "\n{:indent$}", "");
    }
    text.push(')');
}

/// A size as PyTorch prints it where it has one for each axis: `(3,)` or `(3, 3)`.
pub(crate) fn tuple(size: PerAxis, axes: usize) -> String {
    match size.on(axes).as_deref() {
        Some([one]) => format!("({one},)"),
        Some(sizes) => {
            let sizes: Vec<String> = sizes.iter().map(usize::to_string).collect();
            format!("({})", sizes.join(", "))
        }
        None => size.to_string(),
    }
}
