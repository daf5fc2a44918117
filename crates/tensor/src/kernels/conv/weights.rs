//! The weights, packed as the micro-kernels read them: for each step, one number of every result that a
//! tile computes.

use super::levels::Element;
use super::pass::Pass;
use crate::ConvGeometry;
use crate::kernels::gemm::pack::fill;
use crate::kernels::level::Level;

/// Weights `w[out, in, tap]` of groups, between sources and results.
pub(super) struct Weights<'a, T> {
    pub(super) by: &'a ConvGeometry,
    pub(super) w: &'a [T],
    pub(super) taps: usize,
    /// Are the results the inputs?
    pub(super) back: bool,
}

/// Results of one group that a tile computes together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Block {
    pub(super) group: usize,
    /// The first, of the group.
    pub(super) first: usize,
    pub(super) count: usize,
    /// Room for so many.
    pub(super) width: usize,
    /// Where its numbers start if there is room for one of each result of all blocks.
    pub(super) start: usize,
}

impl<T: Element> Weights<'_, T> {
    /// Channels of a group: of the sources, and of the results.
    pub(super) fn channels(&self) -> (usize, usize) {
        let (ins, outs) =
            (self.by.in_channels / self.by.groups, self.by.out_channels / self.by.groups);
        if self.back { (outs, ins) } else { (ins, outs) }
    }

    /// `out[s·width + i]` for the steps of a pass and the results of a block, 0 right of its results.
    pub(super) fn pack(&self, level: Level, pass: &Pass, block: &Block, out: &mut [T]) {
        let (sources, results) = self.channels();
        if out.is_empty() {
            return; // A pass without taps.
        }
        if self.back {
            return self.pack_back(level, pass, block, out);
        }
        let depth = sources * self.taps;
        let from = &self.w[(block.group * results + block.first) * depth..][..block.count * depth];
        lanes(level, from, depth, block, out);
    }

    /// Outputs are steps: a piece for each, of which a pass takes some taps.
    fn pack_back(&self, level: Level, pass: &Pass, block: &Block, out: &mut [T]) {
        let ((sources, results), taps) = (self.channels(), self.taps);
        let numbers = pass.tap_numbers(self.by);
        let all = numbers.len() == taps;
        let mut room = vec![T::ZERO; if all { 0 } else { taps * block.width }];
        for (source, out) in (0..sources).zip(out.chunks_exact_mut(numbers.len() * block.width)) {
            let start = ((block.group * sources + source) * results + block.first) * taps;
            let from = &self.w[start..][..block.count * taps];
            if all {
                lanes(level, from, taps, block, out);
                continue;
            }
            lanes(level, from, taps, block, &mut room);
            for (&k, out) in numbers.iter().zip(out.chunks_exact_mut(block.width)) {
                out.copy_from_slice(&room[k * block.width..][..block.width]);
            }
        }
    }
}

/// Transposes `[count, depth]` into `[depth, width]`.
fn lanes<T: Element>(level: Level, from: &[T], depth: usize, block: &Block, out: &mut [T]) {
    assert!(from.len() >= block.count * depth);
    let size = size_of::<T>() as isize;
    let from = (from.as_ptr(), (depth as isize * size, size));
    // SAFETY: `count` lanes of `depth` elements, one behind the other, as just checked.
    unsafe { fill(T::gemm_kernels(level), from, block.count, depth, block.width, out) };
}
