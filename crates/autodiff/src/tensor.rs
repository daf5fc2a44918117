//! The tensor users see.

use crate::apply::Taken;
use crate::graph::Edge;
use crate::place::Place;
use gradus_tensor::{Array, DType, Element, Meta, Scalar, Shape};
use std::fmt;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, LazyLock};

/// An [`Array`] that remembers how it was computed.
///
/// The result of an op is an immutable value: no lock, no shared state; a clone is the same tensor.
/// Methods with an underscore rebind this handle and leave clones as they were. Only a leaf that asks
/// for a gradient is a place: all its handles see an update.
///
/// ```
/// use gradus_autodiff::Tensor;
/// let x = Tensor::from([1.0_f32, 2.0, 3.0]).requires_grad_();
/// let y = (&x * &x).sum();
/// y.backward();
/// assert_eq!(x.grad().unwrap().to_vec::<f32>(), [2.0, 4.0, 6.0]);
/// ```
#[must_use]
#[derive(Clone)]
pub struct Tensor(pub(crate) Kind);

#[derive(Clone)]
pub(crate) enum Kind {
    /// `kept` is where the gradient of a result goes that asked to retain it.
    Value {
        array: Array,
        edge: Option<Edge>,
        kept: Option<Arc<Place>>,
    },
    Place(Arc<Place>),
}

/// Stands in while a value is moved through an operation.
pub(crate) fn vacant() -> Array {
    static VACANT: LazyLock<Array> = LazyLock::new(|| Array::zeros([0, 0], DType::F32));
    VACANT.clone()
}

impl Tensor {
    /// A constant.
    pub fn new(array: Array) -> Self {
        Tensor(Kind::Value { array, edge: None, kept: None })
    }
    /// A constant 0-dim tensor.
    pub fn scalar(value: impl Into<Scalar>, dtype: DType) -> Self {
        Tensor::new(Array::scalar(value, dtype))
    }
    /// A leaf with this value whose gradient is wanted (`requires_grad_()`); history is left behind.
    ///
    /// # Panics
    /// If the dtype is not floating point.
    #[track_caller]
    pub fn requires_grad_(self) -> Self {
        let meta = self.meta();
        assert!(
            meta.dtype.is_float(),
            "requires_grad_: only floating point has gradients, not {meta}"
        );
        Tensor(Kind::Place(Arc::new(Place::new(self.array(), true))))
    }
    /// The numbers (of a leaf: as they are now).
    pub fn array(&self) -> Array {
        match &self.0 {
            Kind::Value { array, .. } => array.clone(),
            Kind::Place(p) => p.value(),
        }
    }
    /// The numbers of a tensor that is given up.
    #[inline]
    pub fn into_array(self) -> Array {
        self.into_taken().array
    }
    /// Shape and dtype.
    pub fn meta(&self) -> Meta {
        Meta { shape: self.shape().clone(), dtype: self.dtype() }
    }
    /// The size of every axis.
    #[inline]
    pub fn shape(&self) -> &Shape {
        match &self.0 {
            Kind::Value { array, .. } => array.shape(),
            Kind::Place(p) => &p.shape,
        }
    }
    /// The size of axis `dim` (`torch.Tensor.size(dim)`).
    ///
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    pub fn size(&self, dim: isize) -> usize {
        let shape = self.shape();
        match shape.axis(dim).and_then(|a| shape.get(a)) {
            Some(&n) => n,
            None => panic!("size: dim {dim} is out of range for {shape}"),
        }
    }
    /// Number of axes (`torch.Tensor.dim()`).
    pub fn rank(&self) -> usize {
        self.shape().rank()
    }
    /// Number of elements.
    pub fn numel(&self) -> usize {
        self.shape().numel()
    }
    /// The type of the elements.
    #[inline]
    pub fn dtype(&self) -> DType {
        match &self.0 {
            Kind::Value { array, .. } => array.dtype(),
            Kind::Place(p) => p.dtype(),
        }
    }
    /// Does a gradient flow into this tensor?
    #[inline]
    pub fn requires_grad(&self) -> bool {
        match &self.0 {
            Kind::Value { edge, .. } => edge.is_some(),
            Kind::Place(p) => p.requires_grad.load(Relaxed),
        }
    }
    /// Is it no result of a recorded operation?
    pub fn is_leaf(&self) -> bool {
        !matches!(&self.0, Kind::Value { edge: Some(_), .. })
    }
    /// The same numbers without history.
    pub fn detach(&self) -> Tensor {
        Tensor::new(self.array())
    }
    /// The number that this tensor of one element holds.
    ///
    /// # Panics
    /// If there is not exactly one element.
    #[track_caller]
    pub fn item(&self) -> f64 {
        self.array().item()
    }
    /// All elements in row-major order, converted to `T`.
    pub fn to_vec<T: Element>(&self) -> Vec<T> {
        self.array().to_vec()
    }
    /// Every element equal to `value`, shape and dtype of `self`.
    pub fn full_like(&self, value: impl Into<Scalar>) -> Tensor {
        Tensor::new(Array::full(self.shape(), value, self.dtype()))
    }
    /// Zeros in the shape and dtype of `self`.
    pub fn zeros_like(&self) -> Tensor {
        self.full_like(0)
    }
    /// Ones in the shape and dtype of `self`.
    pub fn ones_like(&self) -> Tensor {
        self.full_like(1)
    }
    /// The gradient that sweeps have added up in this leaf, or in a result that retains it.
    pub fn grad(&self) -> Option<Tensor> {
        match &self.0 {
            Kind::Value { kept, .. } => kept.as_ref()?.grad(),
            Kind::Place(p) => p.grad(),
        }
    }
    /// Forget the gradient.
    pub fn zero_grad(&self) {
        if let Kind::Value { kept: Some(p), .. } | Kind::Place(p) = &self.0 {
            p.set_grad(None);
        }
    }
    /// Keep the gradient of this result in later sweeps: [`Tensor::grad`] of this handle, and of clones
    /// made from it, has it. A leaf keeps its gradient anyway.
    pub fn retain_grad(&mut self) {
        if let Kind::Value { array, edge: Some(Edge::Node(node, slot)), kept } = &mut self.0
            && kept.is_none()
        {
            let place = Arc::new(Place::new(array.clone(), false));
            node.retain(*slot, Arc::downgrade(&place));
            *kept = Some(place);
        }
    }
    /// Value and way back, as the graph will keep them.
    #[inline]
    pub(crate) fn into_taken(self) -> Taken {
        match self.0 {
            Kind::Value { array, edge, .. } => Taken { array, edge },
            Kind::Place(p) => Taken { array: p.value(), edge: leaf_edge(&p) },
        }
    }
    /// As [`Tensor::into_taken`] of a clone; a leaf is read where it is, without a count on its place.
    #[inline]
    pub(crate) fn taken(&self) -> Taken {
        match &self.0 {
            Kind::Value { array, edge, .. } => Taken { array: array.clone(), edge: edge.clone() },
            Kind::Place(p) => Taken { array: p.value(), edge: leaf_edge(p) },
        }
    }
    pub(crate) fn edge(&self) -> Option<Edge> {
        match &self.0 {
            Kind::Value { edge, .. } => edge.clone(),
            Kind::Place(p) => leaf_edge(p),
        }
    }
}

#[inline]
fn leaf_edge(p: &Arc<Place>) -> Option<Edge> {
    p.requires_grad.load(Relaxed).then(|| Edge::Leaf(Arc::downgrade(p)))
}

impl From<&Tensor> for Tensor {
    fn from(t: &Tensor) -> Tensor {
        t.clone()
    }
}
/// A constant of whatever makes an array: numbers, nested arrays, a `Vec`, an [`Array`].
impl<A: Into<Array>> From<A> for Tensor {
    fn from(a: A) -> Tensor {
        Tensor::new(a.into())
    }
}
impl fmt::Debug for Tensor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.array())?;
        self.edge().map_or(Ok(()), |e| write!(f, " from {e:?}"))
    }
}
impl fmt::Display for Tensor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.array())
    }
}
