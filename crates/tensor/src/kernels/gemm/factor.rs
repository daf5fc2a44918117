//! From a product of elements to a product of what the micro-kernel multiplies.

use half::bf16;

use super::epilogue::Finish;
use super::kernel::{Cpu, GemmElement, Kernels, Pair, Summand};
use super::matrix::Lying;
use super::output::Output;
use super::pack::{Factor, Layout, Origin, Plain, Source};
use super::pairs::{Join, Pairs};
use super::plan;
use super::product::{Product, Side};
use super::widen::Widened;

/// A product to compute, whose sizes fit and are not 0.
pub struct Job<'a, T, O: GemmElement> {
    pub(super) cpu: Cpu,
    pub(super) a: Factor<'a, T>,
    pub(super) b: Factor<'a, T>,
    /// Rows, columns, depth.
    pub(super) size: (usize, usize, usize),
    pub(super) c: &'a mut [O],
    pub(super) finish: Finish<'a, O::Sum>,
}

/// A factor as the micro-kernel sees it.
struct Input<'a, P> {
    source: &'a dyn Source<P>,
    /// If it can be read where it lies, with any strides by a left factor.
    lying: Option<Lying<P>>,
    layout: Layout,
}

impl<'a, T: GemmElement, O: GemmElement<Sum = T::Sum>> Job<'a, T, O> {
    /// Multiplies the elements as they are.
    pub(super) fn plain(self, kernels: &'static Kernels<T>)
    where
        T: Summand<Sum = O::Sum>,
    {
        let [a, b] = self.origins();
        let sources = [a, b].map(|origin| Plain { origin, kernels });
        let input = |i: usize| {
            let Plain { origin, .. } = &sources[i];
            let lying = match origin {
                Origin::Strided(view) => Some(view.lying()),
                Origin::Foreign(_) => None,
            };
            Input { source: &sources[i], lying, layout: origin.layout() }
        };
        run(kernels, input(0), input(1), self.size, self.cpu, self.c, self.finish);
    }

    /// Multiplies the elements widened to f32.
    pub(super) fn widened(self, kernels: &'static Kernels<f32>)
    where
        T: GemmElement<Sum = f32>,
        O: GemmElement<Sum = f32>,
    {
        let sources = self.origins().map(|origin| Widened::new(origin, kernels, self.cpu.level()));
        let input = |i: usize| Input {
            source: &sources[i] as &dyn Source<f32>,
            lying: None,
            layout: sources[i].origin.layout(),
        };
        run(kernels, input(0), input(1), self.size, self.cpu, self.c, self.finish);
    }

    /// How the factors lie, both by their lanes.
    fn origins(&self) -> [Origin<'a, T>; 2] {
        [
            match self.a {
                Factor::Matrix(matrix) => Origin::Strided(matrix.by_rows()),
                Factor::Packed(pack) => Origin::Foreign(pack),
            },
            match self.b {
                Factor::Matrix(matrix) => Origin::Strided(matrix.by_cols()),
                Factor::Packed(pack) => Origin::Foreign(pack),
            },
        ]
    }
}

impl<O: GemmElement<Sum = f32>> Job<'_, bf16, O> {
    /// Multiplies pairs of elements.
    pub(super) fn paired(self, kernels: &'static Kernels<Pair>, join: Join) {
        let (m, n, depth) = self.size;
        let sources = self.origins().map(|origin| Pairs { origin, kernels, depth, join });
        let input = |i: usize| Input {
            source: &sources[i] as &dyn Source<Pair>,
            lying: sources[i].lying(),
            layout: sources[i].origin.layout(),
        };
        let size = (m, n, depth.div_ceil(2));
        run(kernels, input(0), input(1), size, self.cpu, self.c, self.finish);
    }
}

fn run<P: Summand, O: GemmElement<Sum = P::Sum>>(
    kernels: &'static Kernels<P>,
    a: Input<'_, P>,
    b: Input<'_, P>,
    (m, n, depth): (usize, usize, usize),
    cpu: Cpu,
    c: &mut [O],
    finish: Finish<'_, P::Sum>,
) {
    let layouts = (a.layout, b.layout);
    let turned = plan::swaps(kernels, layouts, (m, n, depth));
    // The transposed product is the product of the transposed factors, in the other order.
    let (left, right, rows, cols) = if turned { (b, a, n, m) } else { (a, b, m, n) };
    let left = match left.lying {
        // One broadcast after the other is as fast from any near strides as from a packed panel.
        Some(lying) if plan::left_is_direct(kernels, cols, &lying) => Side::Direct(lying),
        _ => Side::Packed(left.source),
    };
    let right = match right.lying {
        Some(lying) if plan::right_is_direct(kernels, (rows, cols), &lying) => Side::Direct(lying),
        _ => Side::Packed(right.source),
    };
    let out = Output::new(c, n, turned, finish, cpu.level());
    Product { kernels, left, right, rows, cols, depth, out }.run();
}
