//! Batches of a data set, in order or shuffled anew each epoch.

use crate::{DataError, Dataset};
use gradus_tensor::{Array, DType, Generator, with_default_generator};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Cuts a data set into batches (`torch.utils.data.DataLoader`).
///
/// The order of an epoch is a function of the seed and the number of the epoch, and of nothing else.
/// Without [`DataLoader::seed`] the seed is drawn from the thread's default generator when the loader is
/// made, so `manual_seed` decides it.
///
/// ```
/// use gradus_data::{DataLoader, TensorDataset};
/// use gradus_tensor::Array;
/// let x = Array::from([[1.0], [2.0], [3.0], [4.0], [5.0]]);
/// let data = TensorDataset::new(x, Array::from([0_i64, 1, 2, 3, 4]))?;
/// let loader = DataLoader::new(&data).batch_size(2).shuffle(true).seed(7);
/// assert_eq!(loader.len(), 3);
/// for batch in loader.iter() {
///     let (x, y) = batch?;
///     assert_eq!(x.shape()[0], y.shape()[0]);
/// }
/// # Ok::<(), gradus_data::DataError>(())
/// ```
pub struct DataLoader<'d, D: Dataset> {
    dataset: &'d D,
    batch_size: usize,
    shuffle: bool,
    drop_last: bool,
    seed: u64,
    epoch: AtomicU64,
}

impl<'d, D: Dataset> DataLoader<'d, D> {
    /// One sample a batch, in order; see the other methods.
    pub fn new(dataset: &'d D) -> Self {
        let seed = with_default_generator(|g| {
            Array::randint_with(0, i64::MAX, 1, DType::I64, g).item_i64()
        });
        let (seed, epoch) = (seed as u64, AtomicU64::new(0));
        DataLoader { dataset, batch_size: 1, shuffle: false, drop_last: false, seed, epoch }
    }
    /// Samples a batch; the last batch may be smaller.
    ///
    /// # Panics
    /// If it is 0.
    #[track_caller]
    pub fn batch_size(self, batch_size: usize) -> Self {
        assert!(batch_size > 0, "DataLoader: a batch has at least one sample");
        DataLoader { batch_size, ..self }
    }
    /// Another order each epoch, the same for the same seed.
    pub fn shuffle(self, shuffle: bool) -> Self {
        DataLoader { shuffle, ..self }
    }
    /// Leave out a last batch that is smaller than the others.
    pub fn drop_last(self, drop_last: bool) -> Self {
        DataLoader { drop_last, ..self }
    }
    /// What the orders are drawn from.
    pub fn seed(self, seed: u64) -> Self {
        DataLoader { seed, ..self }
    }
    /// The number of the next epoch (to go on after a restart); each [`DataLoader::iter`] adds one.
    pub fn set_epoch(&self, epoch: u64) {
        self.epoch.store(epoch, Relaxed);
    }
    /// The number of the next epoch.
    pub fn epoch(&self) -> u64 {
        self.epoch.load(Relaxed)
    }
    /// Batches an epoch.
    pub fn len(&self) -> usize {
        let n = self.dataset.len();
        if self.drop_last { n / self.batch_size } else { n.div_ceil(self.batch_size) }
    }
    /// Is there no batch?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// One epoch. It may be dropped early; the next one is the next epoch.
    pub fn iter(&self) -> Batches<'_, D> {
        let epoch = self.epoch.fetch_add(1, Relaxed);
        let n = self.dataset.len();
        let order = match self.shuffle {
            false => (0..n).collect(),
            true => shuffled(n, self.seed, epoch),
        };
        Batches { loader: self, order, next: 0 }
    }
}

/// The order of one epoch.
fn shuffled(n: usize, seed: u64, epoch: u64) -> Vec<usize> {
    // The golden ratio of 2⁶⁴ spreads the epochs of one seed over all seeds.
    let mut generator = Generator::new(seed ^ epoch.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let order = Array::randperm_with(n, &mut generator).to_vec::<i64>();
    order.into_iter().map(|i| i as usize).collect()
}

impl<'l, D: Dataset> IntoIterator for &'l DataLoader<'_, D> {
    type Item = Result<D::Batch, DataError>;
    type IntoIter = Batches<'l, D>;
    fn into_iter(self) -> Batches<'l, D> {
        self.iter()
    }
}

/// The batches of one epoch.
pub struct Batches<'l, D: Dataset> {
    loader: &'l DataLoader<'l, D>,
    order: Vec<usize>,
    next: usize,
}

impl<D: Dataset> Iterator for Batches<'_, D> {
    type Item = Result<D::Batch, DataError>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.order.get(self.next..)?;
        let size = self.loader.batch_size.min(rest.len());
        if size == 0 || (self.loader.drop_last && size < self.loader.batch_size) {
            return None;
        }
        self.next += size;
        Some(self.loader.dataset.batch(&rest[..size]))
    }
    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.loader.len().saturating_sub(self.next.div_ceil(self.loader.batch_size));
        (left, Some(left))
    }
}
impl<D: Dataset> ExactSizeIterator for Batches<'_, D> {}
