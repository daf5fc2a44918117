//! The table at the end: accuracy of each class, most confused pairs, a few mistakes as pictures.

use crate::training::Seen;
use gradus::prelude::*;

/// Pairs and pictures that are shown.
const PAIRS: usize = 5;
const PICTURES: usize = 3;
/// Pixels along an edge of a digit.
const EDGE: usize = 28;
/// From dark to bright.
const SHADES: [char; 5] = [' ', '░', '▒', '▓', '█'];

/// Print the table for the digits of `test`.
pub(crate) fn print(test: &Mnist, seen: &Seen) {
    println!("digit  right     of  accuracy");
    for class in 0..10 {
        let of = seen.truth.iter().filter(|&&t| t == class).count();
        let right = pairs(seen).filter(|&(s, t)| s == class && t == class).count();
        let share = right as f64 / of.max(1) as f64;
        println!("{class:>5}  {right:>5}  {of:>5}  {share:>8.4}");
    }
    let confused = confused(seen);
    if confused.is_empty() {
        return;
    }
    println!("\nmost confused:");
    for ((truth, said), count) in confused.iter().take(PAIRS) {
        println!("  {truth} read as {said}: {count} times");
    }
    let mistakes: Vec<usize> =
        (0..seen.truth.len()).filter(|&i| seen.said[i] != seen.truth[i]).take(PICTURES).collect();
    println!();
    pictures(test, seen, &mistakes);
}

fn pairs(seen: &Seen) -> impl Iterator<Item = (i64, i64)> {
    seen.said.iter().copied().zip(seen.truth.iter().copied())
}

/// `(truth, said)` with counts, the most frequent first.
fn confused(seen: &Seen) -> Vec<((i64, i64), usize)> {
    let mut counts = std::collections::BTreeMap::new();
    for (said, truth) in pairs(seen).filter(|(s, t)| s != t) {
        *counts.entry((truth, said)).or_insert(0) += 1;
    }
    let mut all: Vec<_> = counts.into_iter().collect();
    all.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
    all
}

/// Digits beside each other, two rows of pixels in one line of text.
fn pictures(test: &Mnist, seen: &Seen, which: &[usize]) {
    let title =
        |&i: &usize| format!("{:<EDGE$}", format!("{} read as {}", seen.truth[i], seen.said[i]));
    println!("{}", which.iter().map(title).collect::<Vec<_>>().join("  "));
    let images: Vec<Vec<f32>> =
        which.iter().map(|&i| test.images().select(0, i).to_vec::<f32>()).collect();
    for row in (0..EDGE).step_by(2) {
        let line = |image: &Vec<f32>| -> String {
            (0..EDGE)
                .map(|x| shade((image[row * EDGE + x] + image[(row + 1) * EDGE + x]) / 2.0))
                .collect()
        };
        println!("{}", images.iter().map(line).collect::<Vec<_>>().join("  ").trim_end());
    }
}

fn shade(brightness: f32) -> char {
    let last = SHADES.len() - 1;
    SHADES[((brightness * last as f32).round() as usize).min(last)]
}
