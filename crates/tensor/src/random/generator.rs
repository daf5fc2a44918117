//! Where random bits come from: ChaCha8, addressed by position.

use rand::SeedableRng;
use rand::rand_core::{Infallible, TryRng};
use rand::rngs::ChaCha8Rng;

/// The rest of the key, so that no other use of ChaCha8 with the same seed has our stream.
const DOMAIN: &[u8; 24] = b"gradus random numbers v1";

/// A source of random numbers (`torch.Generator`): a seed and a position in its stream of 2⁶⁴ words.
///
/// A function that draws takes the next positions: one 32-bit word for an element of `f32`, `f16` or
/// `bf16` and for a Bernoulli draw, two for `f64` and for integers. A generator is its two numbers:
/// saved and restored, it goes on with the same bits.
///
/// ```
/// use gradus_tensor::{Array, DType, Generator};
/// let mut g = Generator::new(7);
/// let first = Array::randn_with([2, 3], DType::F32, &mut g);
/// let saved = g.clone();
/// let second = Array::randn_with([2, 3], DType::F32, &mut g);
/// assert_eq!(g.position(), 12);
/// assert!(first != second);
/// assert_eq!(second, Array::randn_with([2, 3], DType::F32, &mut saved.clone()));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Generator {
    seed: u64,
    position: u64,
}

impl Generator {
    /// At the start of the stream of `seed`.
    pub const fn new(seed: u64) -> Self {
        Generator { seed, position: 0 }
    }
    /// At a position of the stream of `seed`, counted in words of 32 bits.
    pub const fn at(seed: u64, position: u64) -> Self {
        Generator { seed, position }
    }
    /// What the stream was made from.
    pub const fn seed(&self) -> u64 {
        self.seed
    }
    /// How many words of 32 bits have been drawn.
    pub const fn position(&self) -> u64 {
        self.position
    }
    /// As a source for `rand` and `rand_distr`; the words that are drawn from it count.
    ///
    /// ```
    /// use gradus_tensor::Generator;
    /// use rand_distr::{Distribution, Exp};
    /// let mut g = Generator::new(7);
    /// let wait = Exp::new(0.5).unwrap().sample(&mut g.rng());
    /// assert!(wait > 0.0 && g.position() > 0);
    /// ```
    pub fn rng(&mut self) -> GeneratorRng<'_> {
        GeneratorRng { words: self.words(), generator: self }
    }
    /// The words from here on.
    pub(super) fn words(&self) -> ChaCha8Rng {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&self.seed.to_le_bytes());
        key[8..].copy_from_slice(DOMAIN);
        let mut words = ChaCha8Rng::from_seed(key);
        words.set_word_pos(u128::from(self.position));
        words
    }
    /// Move on by `count` words and return a generator at the old position.
    pub(super) fn take(&mut self, count: u64) -> Generator {
        let old = self.clone();
        self.position = self.position.wrapping_add(count);
        old
    }
}

/// A [`Generator`] as a source for `rand`: made by [`Generator::rng`].
#[derive(Debug)]
pub struct GeneratorRng<'a> {
    generator: &'a mut Generator,
    words: ChaCha8Rng,
}

impl TryRng for GeneratorRng<'_> {
    type Error = Infallible;
    #[inline]
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.words.try_next_u32()
    }
    #[inline]
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.words.try_next_u64()
    }
    #[inline]
    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        self.words.try_fill_bytes(out)
    }
}

impl Drop for GeneratorRng<'_> {
    fn drop(&mut self) {
        self.generator.position = self.words.get_word_pos() as u64;
    }
}
