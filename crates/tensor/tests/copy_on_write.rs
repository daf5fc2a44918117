//! Writing: in place when alone, in a copy when not, and never through somebody else's handle.

use gradus_tensor::{Array, DType, Shape, copies};
use proptest::prelude::*;
use std::collections::BTreeSet;

/// Copies that `write` makes.
fn count(write: impl FnOnce()) -> u64 {
    let before = copies();
    write();
    copies() - before
}

#[test]
fn the_only_handle_writes_in_place() {
    let mut x = Array::zeros([100, 100], DType::F32);
    let place = x.elements::<f32>().as_ptr();
    assert_eq!(count(|| x.elements_mut::<f32>().fill(1.0)), 0);
    assert_eq!(x.elements::<f32>().as_ptr(), place);
    // A view that is the only handle, and contiguous, does so too.
    let mut rows = x.narrow(0, 10, 5);
    drop(x);
    assert_eq!(count(|| rows.elements_mut::<f32>().fill(2.0)), 0);
    assert_eq!(rows.to_vec::<f32>(), [2.0; 500]);
}

#[test]
fn a_shared_buffer_is_copied_once() {
    let mut x = Array::zeros(9, DType::I64);
    let y = x.clone();
    assert_eq!(count(|| x.elements_mut::<i64>()[0] = 1), 1);
    assert_eq!(count(|| x.elements_mut::<i64>()[1] = 2), 0);
    assert_eq!((x.to_vec::<i64>()[..2].to_vec(), y.to_vec::<i64>()), (vec![1, 2], vec![0; 9]));
    // Only the part that a view shows is copied.
    let mut part = y.narrow(0, 2, 3);
    assert_eq!(count(|| part.elements_mut::<i64>().fill(7)), 1);
    assert_eq!((part.numel(), y.to_vec::<i64>()), (3, vec![0; 9]));
    assert!(part.is_unique() && y.is_unique());
}

#[test]
fn a_view_with_gaps_is_copied_even_when_alone() {
    let x = Array::arange(0, 6, 1, DType::I64).reshape(&Shape::from([2, 3]));
    let mut t = x.transpose(0, 1);
    drop(x);
    assert_eq!(count(|| t.elements_mut::<i64>()[0] = 9), 1);
    assert_eq!(t.to_vec::<i64>(), [9, 3, 1, 4, 2, 5]);
    // Or one write would reach many elements.
    let mut wide = Array::from([1_i64]).expand(&Shape::from([3]));
    wide.elements_mut::<i64>()[0] = 5;
    assert_eq!(wide.to_vec::<i64>(), [5, 1, 1]);
}

#[test]
fn a_version_belongs_to_its_contents() {
    let mut x = Array::zeros(20, DType::F32);
    let view = x.narrow(0, 3, 4);
    let first = x.version();
    assert_eq!((x.version(), x.clone().version(), view.version()), (first, first, first));
    x.elements_mut::<f32>()[0] = 1.0;
    let second = x.version();
    assert!(second != first);
    assert_eq!(view.version(), first, "what others hold has not changed");
    x.elements_mut::<f32>()[0] = 0.0;
    let mut seen = BTreeSet::from([first, second, x.version(), x.copy().version()]);
    seen.extend((0..100).map(|_| Array::zeros(20, DType::F32).version()));
    assert_eq!(seen.len(), 104, "no two contents share a version");
}

#[test]
fn a_version_is_drawn_once_by_many_threads() {
    let x = Array::zeros(20, DType::F32);
    let versions: BTreeSet<u64> = std::thread::scope(|s| {
        let handles: Vec<_> = (0..8).map(|_| s.spawn(|| x.version())).collect();
        handles.into_iter().map(|h| h.join().expect("no panic")).collect()
    });
    assert_eq!(versions, BTreeSet::from([x.version()]));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..Default::default() })]

    /// Handles are cloned, dropped, narrowed and written in any order; each must read as if it owned its
    /// elements.
    #[test]
    fn handles_are_values(steps in prop::collection::vec((0usize..5, any::<prop::sample::Index>(), 0i64..100), 1..30)) {
        let data: Vec<i64> = (0..12).collect();
        let mut handles = vec![(Array::new([3, 4], &data), data)];
        for (step, which, value) in steps {
            let i = which.index(handles.len());
            match step {
                0 => handles.push(handles[i].clone()),
                1 if handles.len() > 1 => drop(handles.swap_remove(i)),
                2 if handles[i].0.numel() > 1 => {
                    let (x, data) = &handles[i];
                    let flat = x.reshape(&Shape::from(x.numel()));
                    let half = x.numel() / 2;
                    handles.push((flat.narrow(0, half, x.numel() - half), data[half..].to_vec()));
                }
                3 if handles[i].0.rank() == 2 => {
                    let x = handles[i].0.transpose(0, 1);
                    let data = x.to_vec();
                    handles.push((x, data));
                }
                _ => {
                    let (x, data) = &mut handles[i];
                    let alone = x.is_unique() && x.is_contiguous();
                    let at = value as usize % data.len();
                    let copied = count(|| x.elements_mut::<i64>()[at] = value);
                    prop_assert_eq!(copied, u64::from(!alone));
                    data[at] = value;
                }
            }
            for (x, data) in &handles {
                prop_assert_eq!(x.to_vec::<i64>(), &data[..]);
            }
        }
    }
}
