//! Filling an array with draws of a fixed number of bytes, a tile at a time.

use super::Generator;
use rand::Rng;

/// Elements mapped in one go: 256 draws of 8 bytes and what is computed from them stay in the
/// first-level cache, and starting a tile costs less than 1 % of it.
pub(super) const TILE: usize = 256;

/// Set the elements of `out` from `N` bytes each, which `map` turns into numbers, at most [`TILE`] of
/// them at a time.
pub(super) fn fill<T, const N: usize>(
    generator: &mut Generator,
    out: &mut [T],
    map: impl Fn(&[[u8; N]], &mut [T]),
) {
    const { assert!(N.is_multiple_of(4), "positions are counted in words of 4 bytes") };
    let mut words = generator.take((out.len() * (N / 4)) as u64).words();
    let mut draws = [[0; N]; TILE];
    for part in out.chunks_mut(TILE) {
        let draws = &mut draws[..part.len()];
        words.fill_bytes(draws.as_flattened_mut());
        map(draws, part);
    }
}

/// As [`fill`], an element at a time.
pub(super) fn fill_each<T, const N: usize>(
    generator: &mut Generator,
    out: &mut [T],
    map: impl Fn([u8; N]) -> T,
) {
    fill(generator, out, |draws, part| {
        part.iter_mut().zip(draws).for_each(|(o, &d)| *o = map(d));
    });
}
