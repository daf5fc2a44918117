//! A leaf: a shared place with a value and a gradient behind one short lock.

use crate::Tensor;
use crate::ops::Times;
use crate::tensor::vacant;
use gradus_tensor::{Array, DType, Shape};
use std::mem;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering::Relaxed};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

/// No kernel, rule, hook or drop of a tensor runs under the lock. A value that is being updated is
/// lent out, so that its buffer is unique and the update in place; readers on other threads wait.
///
/// Rejected: the value under the lock during the update (a kernel would run under it, and a second
/// leaf read inside it could dead-lock), and a copy (an optimizer step would double its traffic).
pub(crate) struct Place {
    pub(crate) shape: Shape,
    pub(crate) requires_grad: AtomicBool,
    dtype: AtomicU8,
    cell: Mutex<Cell>,
    returned: Condvar,
}

struct Cell {
    value: Held,
    grad: Slot,
}

/// The gradient: `factor` times a tensor.
struct Slot {
    grad: Option<Tensor>,
    /// What clipping has left to whoever reads the gradient next; 1 without a gradient.
    factor: f64,
    /// Is it multiplied by the scale of a gradient scaler?
    scaled: bool,
}

impl Slot {
    fn new(grad: Option<Tensor>, scaled: bool) -> Self {
        Slot { grad, factor: 1.0, scaled }
    }
    /// Takes the gradient out, its factor with it; the mark stays.
    fn take(&mut self) -> Option<(Tensor, f64)> {
        let factor = mem::replace(&mut self.factor, 1.0);
        self.grad.take().map(|grad| (grad, factor))
    }
}

/// In place if nobody else holds the elements; no history.
fn multiplied(grad: Tensor, factor: f64) -> Tensor {
    if factor == 1.0 { grad } else { Tensor::new(product(grad.into_array(), factor)) }
}

/// In place if nobody else holds the elements.
pub(crate) fn product(grad: Array, factor: f64) -> Array {
    if factor == 1.0 { grad } else { grad.map(Times(factor)) }
}

enum Held {
    Here(Array),
    Lent(ThreadId),
    Lost,
}

/// Every dtype, at its number.
const DTYPES: [DType; 7] =
    [DType::Bool, DType::U8, DType::I64, DType::F16, DType::Bf16, DType::F32, DType::F64];

impl Place {
    pub(crate) fn new(value: Array, requires_grad: bool) -> Self {
        Place {
            shape: value.shape().clone(),
            requires_grad: AtomicBool::new(requires_grad),
            dtype: AtomicU8::new(value.dtype() as u8),
            cell: Mutex::new(Cell { value: Held::Here(value), grad: Slot::new(None, false) }),
            returned: Condvar::new(),
        }
    }
    pub(crate) fn dtype(&self) -> DType {
        DTYPES[usize::from(self.dtype.load(Relaxed))]
    }
    #[inline]
    fn lock(&self) -> MutexGuard<'_, Cell> {
        self.cell.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// The lock, as soon as the value is in its place.
    fn lock_value(&self) -> MutexGuard<'_, Cell> {
        let mut cell = self.lock();
        loop {
            match &cell.value {
                Held::Here(_) => return cell,
                Held::Lent(by) if *by == thread::current().id() => {
                    drop(cell);
                    panic!("a leaf is read inside its own update: read it before, into a variable")
                }
                Held::Lent(_) => {
                    cell = self.returned.wait(cell).unwrap_or_else(PoisonError::into_inner);
                }
                Held::Lost => {
                    drop(cell);
                    panic!("an earlier update of this leaf panicked and lost its value")
                }
            }
        }
    }
    #[inline]
    pub(crate) fn value(&self) -> Array {
        match &self.lock_value().value {
            Held::Here(a) => a.clone(),
            _ => unreachable!("lock_value waits for it"),
        }
    }
    /// Take the value out for an update; it goes back when the guard is dropped.
    pub(crate) fn lend(&self) -> Lent<'_> {
        let mut cell = self.lock_value();
        match mem::replace(&mut cell.value, Held::Lent(thread::current().id())) {
            Held::Here(value) => Lent { place: self, value },
            _ => unreachable!("lock_value waits for it"),
        }
    }
    pub(crate) fn grad(&self) -> Option<Tensor> {
        self.grad_parts().map(|(grad, factor)| multiplied(grad, factor))
    }
    /// The gradient is the product of these.
    pub(crate) fn grad_parts(&self) -> Option<(Tensor, f64)> {
        let cell = self.lock();
        Some((cell.grad.grad.clone()?, cell.grad.factor))
    }
    pub(crate) fn set_grad(&self, grad: Option<Tensor>) {
        let old = mem::replace(&mut self.lock().grad, Slot::new(grad, false));
        drop(old); // after the lock
    }
    /// Take the gradient out, so that its buffer is unique; the mark stays.
    pub(crate) fn take_grad_parts(&self) -> Option<(Tensor, f64)> {
        self.lock().grad.take()
    }
    /// Put back what [`Place::take_grad_parts`] took, multiplied.
    pub(crate) fn return_grad(&self, grad: Tensor) {
        self.return_grad_parts(grad, 1.0);
    }
    fn return_grad_parts(&self, grad: Tensor, factor: f64) {
        let mut cell = self.lock();
        let old = cell.grad.grad.replace(grad);
        cell.grad.factor = factor;
        drop(cell);
        drop(old); // after the lock
    }
    /// Leave `grad *= factor` to whoever reads the gradient next; one that was left before is done now.
    pub(crate) fn scale_grad(&self, factor: f64) {
        let mut cell = self.lock();
        if cell.grad.factor == 1.0 {
            if cell.grad.grad.is_some() {
                cell.grad.factor = factor;
            }
            return;
        }
        drop(cell);
        if let Some((grad, earlier)) = self.take_grad_parts() {
            self.return_grad_parts(multiplied(grad, earlier), factor);
        }
    }
    pub(crate) fn is_scaled(&self) -> bool {
        self.lock().grad.scaled
    }
    pub(crate) fn set_scaled(&self, scaled: bool) {
        self.lock().grad.scaled = scaled;
    }
    /// May a gradient be added that is scaled, or is not? Zeros can become either.
    pub(crate) fn takes(&self, scaled: bool) -> bool {
        let cell = self.lock();
        if cell.grad.scaled == scaled {
            return true;
        }
        drop(cell);
        self.grad().is_none_or(|g| g.into_array().all_zero())
    }
    /// `grad += g`, in place if the old gradient is not held elsewhere.
    pub(crate) fn accumulate(&self, mut g: Tensor, scaled: bool) {
        loop {
            let mut cell = self.lock();
            match cell.grad.take() {
                None => {
                    cell.grad = Slot::new(Some(g), scaled);
                    return;
                }
                Some((old, factor)) => {
                    drop(cell);
                    g = multiplied(old, factor) + g;
                }
            }
        }
    }
}

/// The value of a leaf during an update ([`crate::Parameter::lend`]); it goes back when this is dropped.
///
/// # Panics
/// On drop, if the value has another shape than the leaf.
#[must_use]
pub struct Lent<'a> {
    place: &'a Place,
    value: Array,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let value = mem::replace(&mut self.value, vacant());
        let fits = *value.shape() == self.place.shape;
        let dtype = value.dtype();
        let mut cell = self.place.lock();
        if fits {
            self.place.dtype.store(dtype as u8, Relaxed);
        }
        cell.value = if fits { Held::Here(value) } else { Held::Lost };
        drop(cell);
        self.place.returned.notify_all();
        if !fits && !thread::panicking() {
            panic!("an update changed the shape of a leaf from {}", self.place.shape);
        }
    }
}
impl Deref for Lent<'_> {
    type Target = Array;
    fn deref(&self) -> &Array {
        &self.value
    }
}
impl DerefMut for Lent<'_> {
    fn deref_mut(&mut self) -> &mut Array {
        &mut self.value
    }
}
