//! Arrays as text, as PyTorch prints tensors: four digits, columns of one width, `...` in the middle of
//! what is long.

use crate::element::dispatch;
use crate::{Array, Category, DType, Element, Scalar};
use std::fmt::{self, Write};

/// Digits after the point (`torch.set_printoptions(precision)`).
const PRECISION: usize = 4;
/// Arrays with more elements are abbreviated (`threshold`).
const THRESHOLD: usize = 1000;
/// Entries that an abbreviated axis shows at each end (`edgeitems`).
const EDGE: usize = 3;
/// Columns of a line (`linewidth`).
const LINE: usize = 80;
/// What stands before the numbers; further lines are indented by its width.
const PREFIX: &str = "tensor(";

/// ```
/// use gradus_tensor::Array;
/// let x = Array::from([[1.0_f32, 2.5], [-3.0, 4.0]]);
/// assert_eq!(x.to_string(), "tensor([[ 1.0000,  2.5000],\n        [-3.0000,  4.0000]])");
/// assert_eq!(format!("{:?}", Array::from(1.5_f64)), "tensor(1.5000, dtype=float64)");
/// ```
impl fmt::Display for Array {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_text(&[]))
    }
}
impl fmt::Debug for Array {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_text(&[]))
    }
}

impl Array {
    /// As [`Display`](fmt::Display), with what else is to be said of the array in the parentheses.
    ///
    /// ```
    /// use gradus_tensor::Array;
    /// let text = Array::from(1.0_f32).to_text(&["requires_grad=True"]);
    /// assert_eq!(text, "tensor(1., requires_grad=True)");
    /// ```
    pub fn to_text(&self, suffixes: &[&str]) -> String {
        let mut out = String::from(PREFIX);
        if self.numel() == 0 {
            out.push_str("[]");
        } else {
            let mut values = Vec::new();
            let short = self.numel() > THRESHOLD;
            collect(self, short, &mut values);
            let style = Style::new(self.dtype(), &values);
            let cells = values.iter().map(|&v| style.cell(v));
            Page { out: &mut out, short, width: style.width }.write(
                self.shape(),
                PREFIX.len(),
                &mut { cells },
            );
        }
        let own = self.suffixes();
        for suffix in own.iter().map(String::as_str).chain(suffixes.iter().copied()) {
            // PyTorch counts two columns more than there are: `torch/_tensor_str.py`.
            let column = out.len() - out.rfind('\n').map_or(0, |i| i + 1) + 2;
            let fits = column + suffix.len() + 2 <= LINE;
            out.push_str(if fits { ", " } else { ",\n       " });
            out.push_str(suffix);
        }
        out.push(')');
        out
    }
    /// The size of an array without elements, and a dtype that the numbers do not show.
    fn suffixes(&self) -> Vec<String> {
        let empty = self.numel() == 0;
        let mut suffixes = Vec::new();
        if empty && self.rank() != 1 {
            let sizes: Vec<String> = self.shape().iter().map(usize::to_string).collect();
            suffixes.push(format!("size=({})", sizes.join(", ")));
        }
        match self.dtype() {
            DType::F32 => {}
            DType::I64 | DType::Bool if !empty => {}
            dtype => suffixes.push(format!("dtype={dtype}")),
        }
        suffixes
    }
}

/// The entries of an axis that are shown: all, or the two ends.
fn shown(size: usize, short: bool) -> impl Iterator<Item = usize> {
    let cut = short && size > 2 * EDGE;
    (0..size).filter(move |&i| !cut || i < EDGE || i >= size - EDGE)
}

/// The elements that are shown, in order.
fn collect(x: &Array, short: bool, values: &mut Vec<Scalar>) {
    if x.rank() > 1 {
        shown(x.shape()[0], short).for_each(|i| collect(&x.select(0, i), short, values));
        return;
    }
    dispatch!(x.dtype(), T => {
        let row = x.read::<T>();
        values.extend(shown(row.len(), short).map(|i| row[i].scalar()));
    });
}

/// How a number is written.
struct Style {
    width: usize,
    form: Form,
}

enum Form {
    /// `1`, `True`.
    Plain,
    /// `1.`: all numbers are whole.
    Whole,
    /// `1.5000`.
    Fixed,
    /// `1.5000e+00`.
    Scientific,
}

impl Style {
    fn new(dtype: DType, values: &[Scalar]) -> Style {
        if dtype.category() != Category::Float {
            let mut style = Style { width: 1, form: Form::Plain };
            style.width = values.iter().map(|&v| style.cell(v).len()).max().unwrap_or(1);
            return style;
        }
        let finite = || values.iter().map(|v| v.to_f64()).filter(|v| v.is_finite() && *v != 0.0);
        let least = finite().map(f64::abs).fold(f64::INFINITY, f64::min);
        let most = finite().map(f64::abs).fold(0.0, f64::max);
        let form = if most == 0.0 {
            Form::Whole
        } else if most / least > 1000.0 || most > 1e8 || least < 1e-4 {
            Form::Scientific
        } else if finite().all(|v| v.fract() == 0.0) {
            Form::Whole
        } else {
            Form::Fixed
        };
        let mut style = Style { width: 1, form };
        style.width = finite().map(|v| style.cell(Scalar::Float(v)).len()).max().unwrap_or(1);
        style
    }
    /// One number, at least as wide as its column.
    fn cell(&self, value: Scalar) -> String {
        let text = match (value, &self.form) {
            (Scalar::Bool(v), _) => String::from(if v { "True" } else { "False" }),
            (Scalar::Int(v), _) => v.to_string(),
            (Scalar::Float(v), _) if v.is_nan() => String::from("nan"),
            (Scalar::Float(v), _) if v.is_infinite() => v.to_string(),
            (Scalar::Float(v), Form::Scientific) => scientific(v),
            (Scalar::Float(v), Form::Fixed) => format!("{v:.PRECISION$}"),
            (Scalar::Float(v), Form::Whole | Form::Plain) => format!("{v:.0}."),
        };
        format!("{text:>width$}", width = self.width)
    }
}

/// `1.5000e+00`: the exponent has a sign and two digits.
fn scientific(v: f64) -> String {
    let text = format!("{v:.PRECISION$e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, power) = match exponent.strip_prefix('-') {
        Some(power) => ('-', power),
        None => ('+', exponent),
    };
    format!("{digits}e{sign}{power:0>2}")
}

/// Lays out cells in brackets.
struct Page<'a> {
    out: &'a mut String,
    short: bool,
    width: usize,
}

impl Page<'_> {
    fn write(&mut self, shape: &[usize], indent: usize, cells: &mut impl Iterator<Item = String>) {
        match shape {
            [] => self.out.extend(cells),
            &[size] => self.row(size, indent, cells),
            [size, inner @ ..] => {
                let end = format!(",{}{:indent$} ", "\n".repeat(inner.len()), "");
                self.out.push('[');
                for (n, i) in shown(*size, self.short).enumerate() {
                    self.out.push_str(if n > 0 { &end } else { "" });
                    if n == EDGE && i != EDGE {
                        let _ = write!(self.out, "...{end}");
                    }
                    self.write(inner, indent + 1, cells);
                }
                self.out.push(']');
            }
        }
    }
    fn row(&mut self, size: usize, indent: usize, cells: &mut impl Iterator<Item = String>) {
        let per_line = ((LINE - LINE.min(indent)) / (self.width + 2)).max(1);
        let mut row = Vec::new();
        for i in shown(size, self.short) {
            if row.len() == EDGE && i != EDGE {
                row.push(String::from(" ..."));
            }
            row.extend(cells.next());
        }
        let lines: Vec<String> = row.chunks(per_line).map(|line| line.join(", ")).collect();
        let _ = write!(self.out, "[{}]", lines.join(&format!(",\n{:indent$} ", "")));
    }
}
