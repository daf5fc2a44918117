//! How a width of so many vectors is cut into panels.

/// `vectors` vectors in panels of at most `most`, no panel thinner than it has to be.
///
/// With `most = 3`, four vectors are 2 + 2, not 3 + 1: a tile one vector wide has too few sums under
/// way to hide the latency of its instructions.
#[derive(Clone, Copy)]
pub(in crate::kernels) struct Panels {
    vectors: usize,
    most: usize,
    full: usize,
}

impl Panels {
    #[inline]
    pub(in crate::kernels) fn new(vectors: usize, most: usize) -> Self {
        if vectors <= most {
            // One panel, without a division: small products take no longer than one.
            return Self { vectors, most, full: 0 };
        }
        let spare = most == 3 && vectors % most == 1;
        Self { vectors, most, full: vectors / most - usize::from(spare) }
    }

    #[inline]
    pub(in crate::kernels) fn count(self) -> usize {
        let rest = self.rest();
        self.full + usize::from(rest > 0) + usize::from(rest > self.most)
    }

    /// First vector and number of vectors of a panel.
    #[inline]
    pub(in crate::kernels) fn get(self, index: usize) -> (usize, usize) {
        if index < self.full {
            return (index * self.most, self.most);
        }
        let (first, rest) = (self.full * self.most, self.rest());
        match (index - self.full, rest > self.most) {
            (0, true) => (first, 2),
            (0, false) => (first, rest),
            _ => (first + 2, rest - 2),
        }
    }

    /// Vectors behind the full panels.
    #[inline]
    fn rest(self) -> usize {
        self.vectors - self.full * self.most
    }
}

#[cfg(test)]
mod tests {
    use super::Panels;

    #[test]
    fn panels_cover_every_vector_once_and_none_is_thin_without_need() {
        for most in [1, 2, 3] {
            for vectors in 0..60 {
                let panels = Panels::new(vectors, most);
                let mut next = 0;
                for index in 0..panels.count() {
                    let (first, width) = panels.get(index);
                    assert_eq!(first, next, "{vectors} vectors by {most}, panel {index}");
                    assert!((1..=most).contains(&width));
                    assert!(most != 3 || width > 1 || vectors == 1);
                    next += width;
                }
                assert_eq!(next, vectors);
            }
        }
    }
}
