//! A size for each spatial axis of a convolution or pool, or one for all.

use crate::Axes;
use std::fmt;

/// Spatial axes of an input, at most: `[N, C, D, H, W]` has three.
const MOST: usize = 3;

/// A size for each spatial axis, or one for all of them: what PyTorch takes as `int` or `tuple`.
///
/// ```
/// use gradus_tensor::PerAxis;
/// assert_eq!(PerAxis::from(3).on(2).unwrap()[..], [3, 3]);
/// assert_eq!(PerAxis::from([3, 1]).on(2).unwrap()[..], [3, 1]);
/// assert!(PerAxis::from([3, 1]).on(1).is_none());
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PerAxis {
    sizes: [usize; MOST],
    /// 1: the first for all axes.
    count: usize,
}

impl PerAxis {
    /// The sizes for so many axes; `None` if there are others.
    pub fn on(&self, axes: usize) -> Option<Axes<usize>> {
        match self.count {
            1 => Some((0..axes).map(|_| self.sizes[0]).collect()),
            n => (n == axes).then(|| self.sizes[..n].into()),
        }
    }
}

impl From<usize> for PerAxis {
    fn from(size: usize) -> Self {
        PerAxis { sizes: [size, 0, 0], count: 1 }
    }
}

impl From<[usize; 1]> for PerAxis {
    fn from([size]: [usize; 1]) -> Self {
        size.into()
    }
}

impl From<[usize; 2]> for PerAxis {
    fn from([a, b]: [usize; 2]) -> Self {
        PerAxis { sizes: [a, b, 0], count: 2 }
    }
}

impl From<[usize; 3]> for PerAxis {
    fn from(sizes: [usize; 3]) -> Self {
        PerAxis { sizes, count: MOST }
    }
}

/// As PyTorch prints it: `3` or `(3, 1)`.
impl fmt::Display for PerAxis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.sizes[..self.count] {
            [one] => write!(f, "{one}"),
            [a, b] => write!(f, "({a}, {b})"),
            _ => write!(f, "({}, {}, {})", self.sizes[0], self.sizes[1], self.sizes[2]),
        }
    }
}

impl fmt::Debug for PerAxis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
