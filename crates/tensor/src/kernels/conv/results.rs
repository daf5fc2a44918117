//! Where sums go: memory that is fetched in time, and written turned.

use super::levels::Element;
use super::ready::Ready;
use super::weights::Block;
use crate::kernels::gemm::tile::Last;
use crate::kernels::stream::{LINE, fetch};
use std::ops::Range;

/// Where results go. Tasks write disjoint ones.
pub(super) struct Results<T>(pub(super) *mut T);

// SAFETY: a place to write to; what is written where is for those who write.
unsafe impl<T: Send> Sync for Results<T> {}

/// Places of a task, counted on from image to image.
pub(super) struct Places {
    pub(super) range: Range<usize>,
    /// Places of an image.
    pub(super) each: usize,
}

impl Places {
    /// The images that have some.
    pub(super) fn images(&self) -> Range<usize> {
        self.range.start / self.each..self.range.end.div_ceil(self.each)
    }
    /// Those in an image, counted from its first.
    pub(super) fn of(&self, image: usize) -> Range<usize> {
        let first = image * self.each;
        let end = self.range.end.min(first + self.each);
        self.range.start.max(first) - first..end - first
    }
}

impl<T: Element> Ready<'_, T> {
    /// Fetches into L2, with each tile, a part of where the sums of its block will be written. To wait for all of it once the
    /// sums are there took 4 % of the time: 32 to 64 channels of 26 x 26 in 13.4 ms, so in 12.85 (Zen 4, one thread).
    pub(super) fn fetch(
        &self,
        places: &Places,
        block: &Block,
        (tile, tiles): (usize, usize),
        channel: usize,
        to: &Results<T>,
    ) {
        if !self.pass.is_whole() {
            return; // its results have others between them
        }
        let images = places.images();
        let rows = images.len() * block.count;
        for row in rows * tile / tiles..rows * (tile + 1) / tiles {
            let image = images.start + row / block.count;
            let channel = channel + image * self.channels() + row % block.count;
            for place in places.of(image).step_by(LINE / size_of::<T>()) {
                fetch(to.0.wrapping_add(channel * places.each + place));
            }
        }
    }

    /// Writes the sums of some places of an image, turned: `sums[i, j]` to `to[channel + j, place]`.
    pub(super) fn write(
        &self,
        sums: &[T],
        block: &Block,
        places: Range<usize>,
        channel: usize,
        to: &Results<T>,
    ) {
        let size: usize = self.pass.results.iter().product();
        if self.pass.is_whole() {
            // SAFETY: the channels of the block of this image, at places no other task has; the sums
            // are there up to whole squares.
            unsafe {
                let last = Last {
                    rows: places.len(),
                    cols: block.count,
                    to: to.0.add(channel * size + places.start),
                    to_row: size,
                    keep: None,
                    kept: std::ptr::null(),
                    kept_row: 0,
                    bias: std::ptr::null(),
                    relu: false,
                };
                return (self.access.turn)(&last, sums.as_ptr(), block.width);
            }
        }
        for j in 0..block.count {
            for (i, &target) in self.targets[places.clone()].iter().enumerate() {
                // SAFETY: as above; targets lie in the image of results.
                unsafe {
                    *to.0.add((channel + j) * size + target as usize) = sums[i * block.width + j];
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_cut_at_images() {
        let places = Places { range: 5..23, each: 8 };
        assert_eq!(places.images(), 0..3);
        assert_eq!([places.of(0), places.of(1), places.of(2)], [5..8, 0..8, 0..7]);
        let within = Places { range: 9..12, each: 8 };
        assert_eq!((within.images(), within.of(1)), (1..2, 1..4));
    }
}
