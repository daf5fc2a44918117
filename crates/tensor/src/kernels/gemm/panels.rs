//! How a width of so many vectors is cut into panels, and these into sets.

use std::ops::Range;

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

/// A width in sets of panels, equally wide but for the last: what a task multiplies by.
#[derive(Clone, Copy)]
pub(super) struct PanelSets {
    /// Of each set but the last.
    panels: Panels,
    last: Panels,
    /// Sets before the last.
    before: usize,
    /// Panels of each of these.
    each: usize,
}

impl PanelSets {
    /// `vectors` vectors in sets of `each`.
    #[inline]
    pub(super) fn new(vectors: usize, most: usize, each: usize) -> Self {
        if vectors <= each {
            let last = Panels::new(vectors, most);
            return Self { panels: last, last, before: 0, each: last.count() };
        }
        let before = vectors.div_ceil(each) - 1;
        let panels = Panels::new(each, most);
        let last = Panels::new(vectors - before * each, most);
        Self { panels, last, before, each: panels.count() }
    }

    /// How many panels there are.
    #[inline]
    pub(super) fn count(&self) -> usize {
        self.before * self.each + self.last.count()
    }

    /// The sets of which these panels are.
    #[inline]
    pub(super) fn sets(&self, panels: &Range<usize>) -> Range<usize> {
        if self.before == 0 {
            return 0..1;
        }
        panels.start / self.each..panels.end.div_ceil(self.each)
    }

    /// The panels of a set, as far as they are of these.
    #[inline]
    pub(super) fn part(&self, set: usize, of: &Range<usize>) -> Part {
        let first = set * self.each;
        let panels = if set == self.before { self.last } else { self.panels };
        let start = of.start.max(first) - first;
        let end = of.end.min(first + panels.count()) - first;
        Part { panels, vector: set * self.panels.vectors, start, end }
    }
}

/// Panels of one set.
#[derive(Clone, Copy)]
pub(super) struct Part {
    panels: Panels,
    /// The first of the set.
    vector: usize,
    start: usize,
    end: usize,
}

impl Part {
    /// Their numbers within the set.
    #[inline]
    pub(super) fn range(&self) -> Range<usize> {
        self.start..self.end
    }

    /// First vector and number of vectors of a panel.
    #[inline]
    pub(super) fn get(&self, index: usize) -> (usize, usize) {
        let (first, vectors) = self.panels.get(index);
        (self.vector + first, vectors)
    }

    /// The first of their vectors.
    #[inline]
    pub(super) fn first(&self) -> usize {
        self.get(self.start).0
    }

    /// All their vectors.
    #[inline]
    pub(super) fn vectors(&self) -> Range<usize> {
        let (last, vectors) = self.get(self.end - 1);
        self.first()..last + vectors
    }
}

#[cfg(test)]
mod tests {
    use super::{PanelSets, Panels};

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

    #[test]
    fn sets_cover_every_vector_once() {
        for (most, each) in [(3, 3), (3, 8), (3, 60), (2, 4), (1, 1)] {
            for vectors in 1..60 {
                let panels = PanelSets::new(vectors, most, each);
                let all = 0..panels.count();
                let (mut next, mut panel) = (0, 0);
                for set in panels.sets(&all) {
                    let (part, before) = (panels.part(set, &all), next);
                    for index in part.range() {
                        assert_eq!(panels.sets(&(panel..panel + 1)), set..set + 1);
                        let (first, width) = part.get(index);
                        assert_eq!(first, next, "{vectors} vectors by {most}, panel {index}");
                        assert!((1..=most).contains(&width));
                        (next, panel) = (next + width, panel + 1);
                    }
                    assert_eq!(part.vectors(), before..next);
                    assert!(next - before == each || next == vectors);
                }
                assert_eq!((next, panel), (vectors, all.end));
            }
        }
    }
}
