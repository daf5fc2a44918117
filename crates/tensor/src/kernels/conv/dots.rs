//! The gradient of the weight of groups with few outputs: each weight's is a dot product along places, for a vector of
//! outputs would be mostly empty.

use super::levels::Element;
use super::tile::Dots;
use super::weight::Plan;
use crate::storage::Scratch;
use crate::threads;

impl<T: Element> Plan<'_, T> {
    /// Dot products along places, for each weight.
    pub(super) fn along(&self, w: &mut [T], b: &mut [T]) {
        let each = w.len() + b.len();
        let mut sums = Scratch::<T>::new(self.parts * each);
        let cost = self.cost_ns();
        threads::run_chunks(&mut sums, each, cost, &|part, sums| {
            sums.fill(T::ZERO);
            let (w, b) = sums.split_at_mut(w.len());
            self.dots(part, w, b);
        });
        for sums in sums.chunks_exact(each) {
            let all = w.iter_mut().chain(&mut *b);
            all.zip(sums).for_each(|(x, &y)| *x = y.times_plus(T::ONE, *x));
        }
    }

    fn dots(&self, part: usize, w: &mut [T], b: &mut [T]) {
        let (lanes, counts) = (self.kernels.lanes, self.pass.counts());
        let (count, pitches) = (self.pass.count(), self.frame.pitches());
        let length = self.frame.flat(self.pass).next_multiple_of(lanes);
        let mut room = Scratch::filled(self.frame.room(self.kernels, self.by.in_channels), T::ZERO);
        // The gradient of one output, with zeros where the frame has no result.
        let mut with = Scratch::filled(length, T::ZERO);
        let ones = Scratch::filled(if b.is_empty() { 0 } else { length }, T::ONE);
        for image in self.images(part) {
            let x = self.framed(&(image..image + 1), &mut room);
            for output in 0..self.by.out_channels {
                let from = &self.g[(image * self.by.out_channels + output) * count..][..count];
                for (i, row) in from.chunks_exact(counts[2]).enumerate() {
                    let at = i / counts[1] * pitches[0] + i % counts[1] * pitches[1];
                    with[at..at + counts[2]].copy_from_slice(row);
                }
                let x = &x[output / self.outs * self.ins * self.frame.channel..];
                // SAFETY: from each step on there are `length` elements of the frame and the slack
                // behind it; `with` has as many, `w` one for each step.
                unsafe { self.dot(x, &self.steps, &with, &mut w[output * self.rows..]) };
                if let Some(b) = b.get_mut(output..=output) {
                    // SAFETY: as many ones as `with` has elements, and one step.
                    unsafe { self.dot(&ones, &[0], &with, b) };
                }
            }
        }
    }

    /// # Safety
    /// From each step on `from` has as many elements as `with`, whole vectors; `to` has one for each step.
    unsafe fn dot(&self, from: &[T], steps: &[u32], with: &[T], to: &mut [T]) {
        let dots = Dots {
            from: from.as_ptr(),
            steps: steps.as_ptr(),
            depth: steps.len(),
            with: with.as_ptr(),
            length: with.len(),
            to: to.as_mut_ptr(),
        };
        // SAFETY: the caller's promise.
        unsafe { (self.kernels.dots)(&dots) };
    }
}
