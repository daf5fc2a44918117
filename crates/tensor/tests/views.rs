//! Views against a model that has no strides: a shape and the elements in order.

use gradus_tensor::{Array, DType, Element, Scalar, Shape};
use proptest::prelude::*;

/// Elements in row-major order.
#[derive(Clone, Debug)]
struct Model {
    shape: Vec<usize>,
    data: Vec<i64>,
}

/// All indices of a shape, in row-major order.
fn indices(shape: &[usize]) -> Vec<Vec<usize>> {
    shape.iter().fold(vec![vec![]], |all, &n| {
        all.iter().flat_map(|i| (0..n).map(|j| [&i[..], &[j]].concat())).collect()
    })
}

impl Model {
    fn at(&self, index: &[usize]) -> i64 {
        let place = index.iter().zip(&self.shape).fold(0, |p, (&i, &n)| p * n + i);
        self.data[place]
    }
    /// Shape `shape`, whose element at an index is this model's element at `from(index)`.
    fn seen(&self, shape: Vec<usize>, from: impl Fn(&[usize]) -> Vec<usize>) -> Model {
        let data = indices(&shape).iter().map(|i| self.at(&from(i))).collect();
        Model { shape, data }
    }
    /// Could strides show these elements in `shape`, if each one's value is its place in the storage?
    fn is_strided(&self, shape: &[usize]) -> bool {
        if self.data.is_empty() {
            return true;
        }
        let moved = Model { shape: shape.to_vec(), data: self.data.clone() };
        let zero = vec![0; shape.len()];
        let stride = |axis: usize| {
            let mut one = zero.clone();
            one[axis] = 1;
            if shape[axis] > 1 { moved.at(&one) - moved.data[0] } else { 0 }
        };
        let strides: Vec<i64> = (0..shape.len()).map(stride).collect();
        let place =
            |i: &[usize]| -> i64 { i.iter().zip(&strides).map(|(&i, s)| i as i64 * s).sum() };
        indices(shape).iter().all(|i| moved.at(i) == moved.data[0] + place(i))
    }
}

/// An operation; its numbers are taken modulo what the array allows.
#[derive(Clone, Debug)]
enum Step {
    Permute(usize),
    Transpose(isize, isize),
    Narrow(isize, usize, usize),
    Slice(isize, usize, usize, usize),
    Select(isize, usize),
    Expand(usize, usize),
    Reshape(usize),
    Unsqueeze(isize),
    Copy,
}

fn step() -> impl Strategy<Value = Step> {
    let dim = || -6isize..6;
    let n = || 0usize..1000;
    prop_oneof![
        n().prop_map(Step::Permute),
        (dim(), dim()).prop_map(|(a, b)| Step::Transpose(a, b)),
        (dim(), n(), n()).prop_map(|(d, a, b)| Step::Narrow(d, a, b)),
        (dim(), n(), 0usize..4, n()).prop_map(|(d, a, s, b)| Step::Slice(d, a, s, b)),
        (dim(), n()).prop_map(|(d, i)| Step::Select(d, i)),
        (n(), n()).prop_map(|(a, b)| Step::Expand(a, b)),
        n().prop_map(Step::Reshape),
        dim().prop_map(Step::Unsqueeze),
        Just(Step::Copy),
    ]
}

/// `dim` and the axis it names, within `rank`.
fn axis_of(dim: isize, rank: usize) -> (isize, usize) {
    let axis = dim.rem_euclid(rank as isize);
    let dim = if dim < 0 { axis - rank as isize } else { axis };
    (dim, axis as usize)
}

/// The `n`-th order of `0..rank`.
fn order(rank: usize, mut n: usize) -> Vec<usize> {
    let mut left: Vec<usize> = (0..rank).collect();
    (0..rank)
        .map(|_| {
            let i = n % left.len();
            n /= left.len();
            left.remove(i)
        })
        .collect()
}

/// Some shape of `numel` elements.
fn factors(numel: usize, mut choice: usize) -> Vec<usize> {
    let (mut shape, mut left) = (Vec::new(), numel);
    while left > 1 && shape.len() < 4 {
        let divisors: Vec<usize> = (1..=left).filter(|d| left.is_multiple_of(*d)).collect();
        let d = divisors[choice % divisors.len()];
        choice /= divisors.len();
        shape.push(d);
        left /= d;
    }
    shape.push(left);
    shape
}

impl Step {
    /// The result, or `None` where the operation does not apply.
    fn run(&self, x: &Array, m: &Model) -> Option<(Array, Model)> {
        let rank = m.shape.len();
        match *self {
            Step::Copy => Some((x.copy(), m.clone())),
            Step::Permute(n) => {
                let axes = order(rank, n);
                let shape = axes.iter().map(|&a| m.shape[a]).collect();
                let from = |i: &[usize]| {
                    let mut out = vec![0; rank];
                    axes.iter().zip(i).for_each(|(&a, &i)| out[a] = i);
                    out
                };
                Some((x.permute(&axes), m.seen(shape, from)))
            }
            Step::Reshape(choice) => {
                let shape = factors(m.data.len(), choice);
                let y = x.reshape(&Shape::new(&shape));
                Some((y, Model { shape, data: m.data.clone() }))
            }
            Step::Unsqueeze(dim) => {
                let (dim, axis) = axis_of(dim, rank + 1);
                let mut model = m.clone();
                model.shape.insert(axis, 1);
                (rank < 5).then(|| (x.unsqueeze(dim), model))
            }
            Step::Expand(lead, size) => self.expand(x, m, lead % 3, size % 4),
            _ if rank == 0 => None,
            _ => self.run_on_axis(x, m),
        }
    }
    fn expand(&self, x: &Array, m: &Model, lead: usize, size: usize) -> Option<(Array, Model)> {
        let mut shape = vec![2; if m.shape.len() < 4 { lead.min(1) } else { 0 }];
        let new = shape.len();
        shape.extend(m.shape.iter().map(|&n| if n == 1 { size } else { n }));
        if shape.iter().product::<usize>() > 400 {
            return None;
        }
        let y = x.expand(&Shape::new(&shape));
        let from = |i: &[usize]| {
            let clip = |(&i, &n): (&usize, &usize)| if n == 1 { 0 } else { i };
            i[new..].iter().zip(&m.shape).map(clip).collect()
        };
        Some((y, m.seen(shape, from)))
    }
    fn run_on_axis(&self, x: &Array, m: &Model) -> Option<(Array, Model)> {
        let rank = m.shape.len();
        let part = |axis: usize, start: usize, step: usize, len: usize| {
            let mut shape = m.shape.clone();
            shape[axis] = len;
            m.seen(shape, |i| {
                let mut i = i.to_vec();
                i[axis] = start + step * i[axis];
                i
            })
        };
        match *self {
            Step::Transpose(a, b) => {
                let ((a, i), (b, j)) = (axis_of(a, rank), axis_of(b, rank));
                let mut shape = m.shape.clone();
                shape.swap(i, j);
                let swapped = |index: &[usize]| {
                    let mut index = index.to_vec();
                    index.swap(i, j);
                    index
                };
                Some((x.transpose(a, b), m.seen(shape, swapped)))
            }
            Step::Narrow(dim, start, len) => {
                let (dim, axis) = axis_of(dim, rank);
                let start = start % (m.shape[axis] + 1);
                let len = len % (m.shape[axis] - start + 1);
                Some((x.narrow(dim, start, len), part(axis, start, 1, len)))
            }
            Step::Slice(dim, start, step, len) => {
                let (dim, axis) = axis_of(dim, rank);
                let start = start % (m.shape[axis] + 1);
                let fits = match (m.shape[axis] - start, step) {
                    (0, _) => 0,
                    (_, 0) => 4,
                    (left, step) => left.div_ceil(step),
                };
                let len = len % (fits + 1);
                Some((x.slice(dim, start, step, len), part(axis, start, step, len)))
            }
            Step::Select(dim, index) => {
                let (dim, axis) = axis_of(dim, rank);
                let index = index.checked_rem(m.shape[axis])?;
                let mut model = part(axis, index, 1, 1);
                model.shape.remove(axis);
                Some((x.select(dim, index), model))
            }
            _ => None,
        }
    }
}

/// Check every way to read an array.
fn same(x: &Array, m: &Model) -> Result<(), TestCaseError> {
    prop_assert_eq!(x.shape().dims(), &m.shape[..]);
    prop_assert_eq!(x.numel(), m.data.len());
    prop_assert_eq!(x.to_vec::<i64>(), &m.data[..]);
    prop_assert_eq!(x.read::<i64>(), &m.data[..]);
    prop_assert_eq!(x, &Array::new(&m.shape[..], &m.data));
    let floats: Vec<f64> = m.data.iter().map(|&v| v as f64).collect();
    prop_assert_eq!(x.to_vec::<f64>(), floats);
    if x.is_contiguous() {
        prop_assert_eq!(x.elements::<i64>(), &m.data[..]);
    }
    if let [one] = m.data[..] {
        prop_assert_eq!((x.item(), x.item_i64()), (one as f64, one));
    }
    let y = x.copy();
    prop_assert!(y.is_contiguous() && !y.shares_storage(x));
    prop_assert_eq!(&y, x);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn views_show_what_the_model_shows(
        shape in prop::collection::vec(0usize..5, 0..4),
        steps in prop::collection::vec(step(), 1..8),
    ) {
        let numel: usize = shape.iter().product();
        let mut m = Model { shape, data: (0..numel as i64).collect() };
        let mut x = Array::new(&m.shape[..], &m.data);
        same(&x, &m)?;
        for step in steps {
            let Some((y, n)) = step.run(&x, &m) else { continue };
            same(&y, &n)?;
            match step {
                Step::Copy => {}
                // Only where the value of each element is its place is the question well posed.
                Step::Reshape(_) => prop_assert!(!m.is_strided(&n.shape) || y.shares_storage(&x),
                    "{:?} of strides {:?} to {:?} needs no copy", m.shape, x.strides(), n.shape),
                _ => prop_assert!(y.shares_storage(&x), "{step:?} copies"),
            }
            if matches!(step, Step::Reshape(_)) && y.shares_storage(&x) {
                prop_assert!(m.is_strided(&n.shape));
            }
            // A copy has new places; start over from it.
            let copied = !y.shares_storage(&x);
            (x, m) = (y, n);
            if copied {
                m.data = (0..m.data.len() as i64).collect();
                x = Array::new(&m.shape[..], &m.data);
            }
        }
    }
}

/// One view of every kind, for every dtype: the odd sizes of elements.
#[test]
fn every_dtype_is_gathered() {
    fn check<T: Element>() {
        let of = |i: usize| T::of(Scalar::Int(i as i64 % 5));
        let data: Vec<T> = (0..60).map(of).collect();
        let x = Array::new([3, 4, 5], &data).permute(&[2, 0, 1]).slice(2, 1, 2, 2);
        let places = indices(&[5, 3, 2]);
        let want: Vec<T> =
            places.iter().map(|i| of(i[1] * 20 + (1 + 2 * i[2]) * 5 + i[0])).collect();
        assert!(x.read::<T>() == &want[..], "{}", T::DTYPE);
        assert!(x.copy().elements::<T>() == want);
        assert!(x.reshape(&Shape::from(30)).elements::<T>() == want);
    }
    check::<bool>();
    check::<u8>();
    check::<i64>();
    check::<gradus_tensor::f16>();
    check::<gradus_tensor::bf16>();
    check::<f32>();
    check::<f64>();
}

#[test]
fn a_misuse_names_operation_shape_and_line() {
    let says = |misuse: fn(&Array) -> Array, want: &str| {
        let x = Array::zeros([2, 3], DType::F32);
        let (message, line) = panic_of(move || drop(misuse(&x)));
        assert_eq!(message, want);
        assert!(line.ends_with("views.rs"), "{want}: blamed {line}");
    };
    says(|x| x.permute(&[0, 0]), "permute: [0, 0] is not an order of the axes of [2, 3]");
    says(|x| x.transpose(0, 2), "transpose: dim 2 is out of range for [2, 3]");
    says(|x| x.narrow(1, 2, 2), "narrow: 2 entries from 2 by 1 leave axis 1 of [2, 3]");
    says(|x| x.slice(-1, 0, 2, 3), "slice: 3 entries from 0 by 2 leave axis 1 of [2, 3]");
    says(|x| x.select(0, 2), "select: 1 entries from 2 by 1 leave axis 0 of [2, 3]");
    says(|x| x.select(-3, 0), "select: dim -3 is out of range for [2, 3]");
    says(|x| x.expand(&Shape::from([2])), "expand: [2, 3] does not broadcast to [2]");
    says(|x| x.reshape(&Shape::from([4])), "reshape: [2, 3] has 6 elements, not 4");
    says(|x| x.unsqueeze(3), "unsqueeze: dim 3 is out of range for [2, 3]");
    let wrap = "slice: 1 entries from 18446744073709551615 by 1 leave axis 0 of [2, 3]";
    says(|x| x.slice(0, usize::MAX, 1, 1), wrap);
    let wrap = "slice: 3 entries from 0 by 9223372036854775808 leave axis 0 of [2, 3]";
    says(|x| x.slice(0, 0, 1 << 63, 3), wrap);
    let scalar = "an array without axes has no entries to choose from";
    says(|x| x.select(0, 0).select(0, 0).slice(0, 0, 1, 0), &format!("slice: {scalar}"));
    says(|x| x.select(0, 0).select(0, 0).narrow(0, 0, 1), &format!("narrow: {scalar}"));
    says(|x| x.select(0, 0).select(0, 0).select(-1, 0), &format!("select: {scalar}"));
    says(|x| Array::from(x.elements::<f64>()), "elements: the dtype is float32, not float64");
    says(
        |x| Array::from(x.transpose(0, 1).elements::<f32>()),
        "elements: a view with gaps; call contiguous() first",
    );
    says(|x| Array::from(x.item()), "item: [2, 3] has 6 elements, not one");
    // One entry may have any step.
    assert_eq!(Array::from([[1_i64, 2, 3]]).slice(0, 0, 1 << 62, 1).to_vec::<i64>(), [1, 2, 3]);
}

/// The message of a panic and the file it names.
fn panic_of(f: impl FnOnce() + std::panic::UnwindSafe) -> (String, String) {
    thread_local!(static FILE: std::cell::RefCell<String> = const { std::cell::RefCell::new(String::new()) });
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(|info| {
        let file = info.location().map_or("", std::panic::Location::file);
        FILE.with(|f| file.clone_into(&mut f.borrow_mut()));
    }));
    let payload = std::panic::catch_unwind(f).expect_err("it panics");
    std::panic::set_hook(before);
    let text = payload.downcast_ref::<String>().cloned();
    let text = text.or_else(|| payload.downcast_ref::<&str>().map(|s| (*s).to_owned()));
    (text.expect("a text"), FILE.with(|f| f.borrow().clone()))
}
