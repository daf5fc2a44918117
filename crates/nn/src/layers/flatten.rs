//! `[N, C, H, W]` → `[N, C·H·W]`.

use crate::{Layer, Module, Site};
use gradus_autodiff::Tensor;

/// Makes several axes one; by default all but the first, which counts the samples.
///
/// # Shape      `[N, C, H, W]`  →  `[N, C·H·W]`
/// # Panics     `forward`, if the input does not have these axes in this order
/// # PyTorch    `torch.nn.Flatten`
/// # Example
/// ```
/// use gradus_autodiff::Tensor;
/// use gradus_nn::{Flatten, Layer};
/// let y = Flatten::new().forward(&Tensor::from([[[1.0, 2.0], [3.0, 4.0]]]));
/// assert_eq!(y.shape().dims(), [1, 4]);
/// ```
#[derive(Module)]
#[module(crate = "crate")]
pub struct Flatten {
    #[module(skip)]
    options: FlattenOptions,
    site: Site,
}

/// What [`Flatten::with`] takes; negative numbers count from the last axis, which is −1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlattenOptions {
    /// The first axis that is made one.
    pub start_dim: isize,
    /// The last.
    pub end_dim: isize,
}

impl Default for FlattenOptions {
    fn default() -> Self {
        FlattenOptions { start_dim: 1, end_dim: -1 }
    }
}

impl Flatten {
    /// All axes but the first.
    pub fn new() -> Self {
        Flatten::with(FlattenOptions::default())
    }
    /// The axes from `start_dim` to `end_dim`.
    ///
    /// ```
    /// use gradus_autodiff::Tensor;
    /// use gradus_nn::{Flatten, FlattenOptions, Layer};
    /// let layer = Flatten::with(FlattenOptions { start_dim: 0, end_dim: 1 });
    /// let y = layer.forward(&Tensor::from([[[1.0, 2.0], [3.0, 4.0]]]));
    /// assert_eq!(y.shape().dims(), [2, 2]);
    /// ```
    pub fn with(options: FlattenOptions) -> Self {
        let FlattenOptions { start_dim, end_dim } = options;
        let arguments = format!("start_dim={start_dim}, end_dim={end_dim}");
        Flatten { options, site: Site::described("Flatten", arguments) }
    }
}

impl Default for Flatten {
    fn default() -> Self {
        Self::new()
    }
}

impl Layer for Flatten {
    fn forward(&self, x: &Tensor) -> Tensor {
        let call = self.site.enter();
        let y = x.flatten(self.options.start_dim, self.options.end_dim);
        call.leave(y)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<crate::testing::Case> {
    use crate::testing::Case;
    let middle = FlattenOptions { start_dim: -3, end_dim: -2 };
    vec![
        Case::layer(&[2, 3, 2], Flatten::new).empty(&[0, 3, 2], &[0, 6]),
        Case::layer(&[2, 2, 3], move || Flatten::with(middle)),
    ]
}
