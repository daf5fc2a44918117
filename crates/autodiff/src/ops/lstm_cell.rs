//! `c′ = σ(f)·c + σ(i)·tanh(g)`, `h′ = σ(o)·tanh(c′)`: the element-wise half of an LSTM cell, fused.

use super::prelude::*;

/// `(gates, c) -> (h′, c′)`
struct LstmCell;

impl Op for LstmCell {
    const NAME: &'static str = "lstm_cell";
    const AUTOCAST: Autocast = Autocast::Widest;
    type In<T> = [T; 2];
    type Out<T> = [T; 2];

    fn infer(&self, [gates, c]: [&Meta; 2]) -> Result<[Meta; 2], OpError> {
        super::softmax::floating(gates)?;
        match (&*gates.shape, &*c.shape) {
            ([batch @ .., wide], [same @ .., h]) if batch == same && *wide == 4 * h => {
                Ok([c.clone(), c.clone()])
            }
            _ => Err(OpError::rule("gates: [*, 4H], c: [*, H]")),
        }
    }
    fn forward(&self, [gates, c]: [Array; 2], save: &mut Save<'_>) -> [Array; 2] {
        save.input(0, &gates);
        save.input(1, &c);
        let dtype = gates.dtype();
        let new = gates.lstm_cell(&c);
        save.cache(0, &new.gates);
        save.cache(1, &new.tanh);
        [new.h.cast(dtype), new.c.cast(dtype)]
    }
    /// See [`LstmCellBackward`].
    fn vjp(&self, saved: &Saved<'_>, [gh, gc]: [Option<Tensor>; 2]) -> [Option<Tensor>; 2] {
        let (x, c) = (saved.input(0), saved.input(1));
        let [gh, gc] = [gh, gc].map(|g| g.unwrap_or_else(|| c.zeros_like()));
        let op = LstmCellBackward { gates: saved.cache(0).clone(), tanh: saved.cache(1).clone() };
        Tensor::apply(op, [gh, gc, x, c]).map(Some)
    }
}

/// `(h̄, c̄′, gates, c) -> (gradient of the gates, c̄)`. With `i, f, g, o` the activated gates,
/// `t = tanh c′` and `D = c̄′ + h̄·o·(1 − t²)`:
///
/// ```text
/// gates: [D·g·i(1−i) | D·c·f(1−f) | D·i·(1−g²) | h̄·t·o(1−o)]        c̄ = D·f
/// ```
struct LstmCellBackward {
    /// After activation, from forward.
    gates: Array,
    /// `t`, from forward.
    tanh: Array,
}

impl Op for LstmCellBackward {
    const NAME: &'static str = "lstm_cell_backward";
    const AUTOCAST: Autocast = Autocast::Widest;
    type In<T> = [T; 4];
    type Out<T> = [T; 2];

    fn infer(&self, [_, _, gates, c]: [&Meta; 4]) -> Result<[Meta; 2], OpError> {
        Ok([gates.clone(), c.clone()])
    }
    fn forward(&self, x: [Array; 4], save: &mut Save<'_>) -> [Array; 2] {
        (0..).zip(&x).for_each(|(i, x)| save.input(i, x));
        let [gh, gc, _, c] = &x;
        let grads = self.gates.lstm_cell_backward(&self.tanh, c, gh, gc);
        grads.map(|g| g.cast(c.dtype()))
    }
    /// With `U` (in four parts) and `V` the gradients of the results, and `i′ = i(1−i)`,
    /// `i″ = i′(1−2i)`, `g′ = 1 − g²`, `g″ = −2·g·g′`, `t′ = 1 − t²`:
    ///
    /// ```text
    /// K = Uᵢ·g·i′ + U_f·c·f′ + U_g·i·g′ + V·f          what D is multiplied with
    /// E = t′·h̄·(Uₒ·o′ − 2·K·o·t)                        what comes back through c′
    ///
    /// c̄′: K        h̄: K·o·t′ + Uₒ·t·o′        c: D·U_f·f′ + E·f
    /// i: D·(Uᵢ·g·i″ + U_g·g′·i′) + E·g·i′        f: D·(U_f·c·f″ + V·f′) + E·c·f′
    /// g: D·(Uᵢ·g′·i′ + U_g·i·g″) + E·i·g′        o: h̄·(K·t′·o′ + Uₒ·t·o″)
    /// ```
    fn vjp(&self, saved: &Saved<'_>, [u, v]: [Option<Tensor>; 2]) -> [Option<Tensor>; 4] {
        let [gh, gc, gates, c] = [0, 1, 2, 3].map(|i| saved.input(i));
        let u = u.unwrap_or_else(|| gates.zeros_like());
        let v = v.unwrap_or_else(|| c.zeros_like());
        let size = c.size(-1);
        let part = |x: &Tensor, k: usize| x.narrow(-1, k * size, size);
        let [ui, uf, ug, uo] = [0, 1, 2, 3].map(|k| part(&u, k));
        let [i, f, o] = [0, 1, 3].map(|k| part(&gates, k).sigmoid());
        let g = part(&gates, 2).tanh();
        let t = (&f * &c + &i * &g).tanh();

        let [i1, f1, o1] = [&i, &f, &o].map(|s| s * (1.0 - s));
        let [i2, f2, o2] = [(&i, &i1), (&f, &f1), (&o, &o1)].map(|(s, d)| d * (1.0 - 2.0 * s));
        let [g1, t1] = [&g, &t].map(|t| 1.0 - t.square());
        let g2 = -2.0 * &g * &g1;
        let d = &gc + &gh * &o * &t1;
        let k = &ui * &g * &i1 + &uf * &c * &f1 + &ug * &i * &g1 + &v * &f;
        let e = &t1 * &gh * (&uo * &o1 - 2.0 * &k * &o * &t);

        let to_gates = saved.need(2).then(|| {
            let to_i = &d * (&ui * &g * &i2 + &ug * &g1 * &i1) + &e * &g * &i1;
            let to_f = &d * (&uf * &c * &f2 + &v * &f1) + &e * &c * &f1;
            let to_g = &d * (&ui * &g1 * &i1 + &ug * &i * &g2) + &e * &i * &g1;
            let to_o = &gh * (&k * &t1 * &o1 + &uo * &t * &o2);
            Tensor::cat(&[&to_i, &to_f, &to_g, &to_o], -1)
        });
        let to_c = saved.need(3).then(|| &d * &uf * &f1 + &e * &f);
        let to_h = saved.need(0).then(|| &k * &o * &t1 + &uo * &t * &o1);
        [to_h, Some(k), to_gates, to_c]
    }
}

impl Tensor {
    /// The step of an LSTM cell after its two products.
    ///
    /// ```text
    /// c′ = σ(f)·c + σ(i)·tanh(g),   h′ = σ(o)·tanh(c′)
    /// ```
    /// # Shape      `self: [*, 4H]` holds `[i | f | g | o]`, `c: [*, H]`  →  `h′, c′: [*, H]`
    /// # Numerics   f16 and bf16 are computed in f32
    /// # Panics     if the shapes do not fit
    /// # PyTorch    the inner part of `torch.nn.LSTMCell`
    /// # Source     Hochreiter & Schmidhuber 1997, <https://doi.org/10.1162/neco.1997.9.8.1735>
    /// # Example
    /// ```
    /// use gradus_autodiff::Tensor;
    /// let gates = Tensor::from([[0.0, 0.0, 0.0, 0.0]]);
    /// let (h, c) = gates.lstm_cell(&Tensor::from([[2.0]]));
    /// assert_eq!((h.item(), c.item()), (0.5 * 1f64.tanh(), 1.0));
    /// ```
    #[track_caller]
    pub fn lstm_cell(&self, c: &Tensor) -> (Tensor, Tensor) {
        must(self.try_lstm_cell(c))
    }
    /// As [`Tensor::lstm_cell`].
    ///
    /// # Errors
    /// If the shapes do not fit.
    #[track_caller]
    pub fn try_lstm_cell(&self, c: &Tensor) -> Result<(Tensor, Tensor), OpError> {
        Tensor::try_apply(LstmCell, [self, c]).map(Into::into)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    let both: fn(&[Tensor]) -> Tensor = |x| {
        let (h, c) = x[0].lstm_cell(&x[1]);
        h.tanh() * 2.0 + c
    };
    let backward: fn(&[Tensor]) -> Tensor = |x| {
        let new = x[2].array().lstm_cell(&x[3].array());
        let op = LstmCellBackward { gates: new.gates, tanh: new.tanh };
        let [gates, c] = Tensor::apply(op, [&x[0], &x[1], &x[2], &x[3]]);
        Tensor::cat(&[&gates, &c], -1)
    };
    vec![
        Case::new(&[&[2, 12], &[2, 3]], both),
        Case::new(&[&[8], &[2]], both),
        Case::new(&[&[0, 8], &[0, 2]], both),
        Case::new(&[&[2, 1, 4], &[2, 1, 1]], |x| x[0].lstm_cell(&x[1]).0),
        Case::new(&[&[2, 4], &[2, 1]], |x| x[0].lstm_cell(&x[1]).1),
        Case::new(&[&[2, 2], &[2, 2], &[2, 8], &[2, 2]], backward),
    ]
}
