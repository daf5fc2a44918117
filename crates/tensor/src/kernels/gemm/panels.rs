//! How a width of so many vectors is cut into panels.

/// `vectors` vectors in panels of at most `most`, no panel thinner than it has to be.
///
/// With `most = 3`, four vectors are 2 + 2, not 3 + 1: a tile one vector wide has too few sums under
/// way to hide the latency of its instructions.
#[derive(Clone, Copy)]
pub(super) struct Panels {
    vectors: usize,
    most: usize,
    full: usize,
}

/// The widest panel behind wide ones.
const REST: usize = 3;

impl Panels {
    #[inline]
    pub(super) fn new(vectors: usize, most: usize) -> Self {
        if vectors <= most.min(REST) {
            // One panel, without a division: small products take no longer than one.
            return Self { vectors, most: vectors.max(1), full: usize::from(vectors > 0) };
        }
        let spare = most == REST && vectors > most && vectors % most == 1;
        Self { vectors, most, full: vectors / most - usize::from(spare) }
    }

    #[inline]
    pub(super) fn count(self) -> usize {
        self.full + self.rest().map_or(0, Self::count)
    }

    /// First vector and number of vectors of a panel.
    #[inline]
    pub(super) fn get(self, index: usize) -> (usize, usize) {
        if index < self.full {
            return (index * self.most, self.most);
        }
        let (first, vectors) = match self.rest() {
            Some(rest) => rest.get(index - self.full),
            None => (0, 0),
        };
        (self.full * self.most + first, vectors)
    }

    /// The panels behind the full ones.
    #[inline]
    fn rest(self) -> Option<Self> {
        let vectors = self.vectors - self.full * self.most;
        let most = if self.most > REST { REST } else { 2.min(self.most - 1).max(1) };
        (vectors > 0).then(|| Self::new(vectors, most))
    }
}

#[cfg(test)]
mod tests {
    use super::Panels;

    #[test]
    fn panels_cover_every_vector_once_and_none_is_thin_without_need() {
        for most in [1, 2, 3, 8, 16] {
            for vectors in 0..60 {
                let panels = Panels::new(vectors, most);
                let mut next = 0;
                for index in 0..panels.count() {
                    let (first, width) = panels.get(index);
                    assert_eq!(first, next, "{vectors} vectors by {most}, panel {index}");
                    assert!((1..=most).contains(&width));
                    assert!(width <= 3 || width == most);
                    assert!(most != 3 || width > 1 || vectors == 1);
                    next += width;
                }
                assert_eq!(next, vectors);
            }
        }
    }
}
