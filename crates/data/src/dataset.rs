//! What a data set is: samples by number, fetched a batch at a time.

use crate::DataError;
use gradus_autodiff::Tensor;
use gradus_tensor::Array;

/// Samples by number (`torch.utils.data.Dataset`), fetched a batch at a time.
pub trait Dataset {
    /// What a batch is, such as `(Tensor, Tensor)`.
    type Batch;

    /// How many samples there are.
    fn len(&self) -> usize;
    /// Is there no sample?
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// The samples with these numbers, stacked.
    ///
    /// # Errors
    /// If a number is out of range, or a sample cannot be read.
    fn batch(&self, indices: &[usize]) -> Result<Self::Batch, DataError>;
}

/// Inputs `[N, *]` and targets `[N, *]` in memory (`torch.utils.data.TensorDataset`).
///
/// ```
/// use gradus_data::{Dataset, TensorDataset};
/// use gradus_tensor::Array;
/// let data = TensorDataset::new(Array::from([[1.0], [2.0], [3.0]]), Array::from([0_i64, 1, 0]))?;
/// let (x, y) = data.batch(&[2, 0])?;
/// assert_eq!((x.to_vec::<f64>(), y.to_vec::<i64>()), (vec![3.0, 1.0], vec![0, 0]));
/// # Ok::<(), gradus_data::DataError>(())
/// ```
#[derive(Clone)]
pub struct TensorDataset {
    inputs: Array,
    targets: Array,
}

impl TensorDataset {
    /// From arrays whose first axes have the same size.
    ///
    /// # Errors
    /// If they have not.
    pub fn new(inputs: Array, targets: Array) -> Result<Self, DataError> {
        if inputs.rank() == 0 || inputs.shape().first() != targets.shape().first() {
            return Err(DataError::Argument(format!(
                "TensorDataset: the first axes of {} and {} differ",
                inputs.meta(),
                targets.meta()
            )));
        }
        Ok(TensorDataset { inputs, targets })
    }
    /// All inputs.
    pub fn inputs(&self) -> &Array {
        &self.inputs
    }
    /// All targets.
    pub fn targets(&self) -> &Array {
        &self.targets
    }
    /// The samples `start..end`, without a copy.
    ///
    /// # Errors
    /// If the range leaves the data.
    pub fn range(&self, start: usize, end: usize) -> Result<Self, DataError> {
        if start > end || end > self.len() {
            let n = self.len();
            return Err(DataError::Argument(format!("samples {start}..{end} leave 0..{n}")));
        }
        let part = |a: &Array| a.narrow(0, start, end - start);
        Ok(TensorDataset { inputs: part(&self.inputs), targets: part(&self.targets) })
    }
}

impl Dataset for TensorDataset {
    type Batch = (Tensor, Tensor);

    fn len(&self) -> usize {
        self.inputs.shape()[0]
    }
    fn batch(&self, indices: &[usize]) -> Result<(Tensor, Tensor), DataError> {
        let len = self.len();
        if let Some(&index) = indices.iter().find(|&&i| i >= len) {
            return Err(DataError::Index { index, len });
        }
        let at: Vec<i64> = indices.iter().map(|&i| i as i64).collect();
        let at = Array::from(at);
        let pick = |a: &Array| Tensor::new(a.index_select(0, &at));
        Ok((pick(&self.inputs), pick(&self.targets)))
    }
}
