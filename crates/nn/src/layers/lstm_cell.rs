//! One step of a long short-term memory.

use crate::{Module, Parameter, Site, init};
use gradus_autodiff::Tensor;
use gradus_tensor::Array;

/// One step of an LSTM.
///
/// ```text
/// [i f g o] = x·W_ihᵀ + b_ih + h·W_hhᵀ + b_hh
/// c′ = σ(f)·c + σ(i)·tanh(g)
/// h′ = σ(o)·tanh(c′)
/// ```
/// # Shape      `x: [N, in]`, `h, c: [N, H]`  →  `h′, c′: [N, H]`; all without `N`, too
/// # PyTorch    `torch.nn.LSTMCell`, with its order of the gates; all parameters start from U(−1/√H, 1/√H)
/// # Source     Hochreiter & Schmidhuber 1997, <https://doi.org/10.1162/neco.1997.9.8.1735>
/// # Example
/// ```
/// use gradus_autodiff::Tensor;
/// use gradus_nn::LstmCell;
/// let cell = LstmCell::new(3, 4);
/// let mut state = None;
/// for x in [Tensor::from([[0.1_f32, 0.2, 0.3]]), Tensor::from([[0.4, 0.5, 0.6]])] {
///     state = Some(cell.forward(&x, state.as_ref().map(|(h, c)| (h, c))));
/// }
/// let (h, c) = state.unwrap();
/// assert_eq!((h.shape().dims(), c.shape().dims()), (&[1, 4][..], &[1, 4][..]));
/// ```
#[derive(Module)]
#[module(crate = "crate")]
pub struct LstmCell {
    /// `[4·H, in]`, the rows of the gates i, f, g, o in this order.
    pub weight_ih: Parameter,
    /// `[4·H, H]`, in the same order.
    pub weight_hh: Parameter,
    /// `[4·H]`, in the same order.
    pub bias_ih: Option<Parameter>,
    /// `[4·H]`, in the same order.
    pub bias_hh: Option<Parameter>,
    #[module(skip)]
    input_size: usize,
    #[module(skip)]
    hidden_size: usize,
    site: Site,
}

/// What [`LstmCell::with`] takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LstmCellOptions {
    /// Add the two biases?
    pub bias: bool,
}

impl Default for LstmCellOptions {
    fn default() -> Self {
        LstmCellOptions { bias: true }
    }
}

impl LstmCell {
    /// A cell with biases, in f32.
    pub fn new(input_size: usize, hidden_size: usize) -> Self {
        LstmCell::with(input_size, hidden_size, LstmCellOptions::default())
    }
    /// A cell with these options.
    pub fn with(input_size: usize, hidden_size: usize, options: LstmCellOptions) -> Self {
        let (bound, rows) = (init::inverse_root(hidden_size), 4 * hidden_size);
        let bias = || options.bias.then(|| init::uniform_parameter(bound, [rows]));
        let note = if options.bias { "" } else { ", bias=false" };
        LstmCell {
            weight_ih: init::uniform_parameter(bound, [rows, input_size]),
            weight_hh: init::uniform_parameter(bound, [rows, hidden_size]),
            bias_ih: bias(),
            bias_hh: bias(),
            input_size,
            hidden_size,
            site: Site::described("LstmCell", format!("{input_size}, {hidden_size}{note}")),
        }
    }
    /// The next state `(h′, c′)`, from zeros if there is none before. Hooks see `h′`.
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[track_caller]
    pub fn forward(&self, x: &Tensor, state: Option<(&Tensor, &Tensor)>) -> (Tensor, Tensor) {
        let call = self.site.enter();
        let (sizes, hidden) = (x.shape().dims(), self.hidden_size);
        let [batch @ .., features] = sizes else { call.refuse(x, self.rule(), "") };
        if batch.len() > 1 || *features != self.input_size {
            call.refuse(x, self.rule(), "");
        }
        let mut want = batch.to_vec();
        want.push(hidden);
        let (h, c) = match state {
            Some((h, c)) => (h.clone(), c.clone()),
            None => {
                let zeros = Tensor::new(Array::zeros(want.clone(), x.dtype()));
                (zeros.clone(), zeros)
            }
        };
        for s in [&h, &c] {
            if s.shape().dims() != want {
                call.refuse(s, self.rule(), format!("x is {}", x.meta()));
            }
        }
        let gates = x.linear(&self.weight_ih, self.bias_ih.as_deref())
            + h.linear(&self.weight_hh, self.bias_hh.as_deref());
        let (h, c) = gates.lstm_cell(&c);
        (call.leave(h), c)
    }
    fn rule(&self) -> String {
        let (i, h) = (self.input_size, self.hidden_size);
        format!("x: [N, {i}], h, c: [N, {h}]; or x: [{i}], h, c: [{h}]")
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<crate::testing::Case> {
    use crate::testing::Case;
    let with_state: fn(&LstmCell, &[Tensor]) -> Tensor = |cell, x| {
        let (h, c) = cell.forward(&x[0], Some((&x[1], &x[2])));
        Tensor::cat(&[&h, &(c * 2.0)], -1)
    };
    let two_steps: fn(&LstmCell, &[Tensor]) -> Tensor = |cell, x| {
        let (h, c) = cell.forward(&x[0], None);
        let (h, c) = cell.forward(&x[0], Some((&h, &c)));
        Tensor::cat(&[&h, &(c * 2.0)], -1)
    };
    let plain = LstmCellOptions { bias: false };
    vec![
        Case::new(&[&[2, 3], &[2, 2], &[2, 2]], || LstmCell::new(3, 2), with_state),
        Case::new(&[&[1, 3], &[1, 2], &[1, 2]], move || LstmCell::with(3, 2, plain), with_state),
        Case::new(&[&[3], &[2], &[2]], || LstmCell::new(3, 2), with_state),
        Case::new(&[&[2, 3]], || LstmCell::new(3, 2), two_steps)
            .empty(&[0, 3], &[0, 4])
            .refuses(&[4, 9]),
    ]
}

#[cfg(test)]
mod tests;
