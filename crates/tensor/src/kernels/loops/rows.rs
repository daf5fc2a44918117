//! Loops over rows that do not follow each other in an input, or of which each has one element for all: a column, a
//! channel, a narrowed matrix. One call goes through all of them.

use super::blocks::{BLOCK, Room, Source, drive};
use super::compiled::{Call, Kind, Loops, MOST, Numbers};
use super::{Operand, Way};
use crate::kernels::element::Lane;
use crate::kernels::level::level;
use crate::kernels::stream::{self, Write};
use std::mem::MaybeUninit;
use std::ptr;

/// The rows of a call. In the output they follow each other.
pub(super) struct Lines<T> {
    count: usize,
    /// Elements of a row.
    pub(super) row: usize,
    /// Of each input, elements to the next row.
    next: [usize; MOST],
    /// Where the one element of a row is spread; null for inputs that have all.
    rooms: [*mut [T; BLOCK]; MOST],
    /// Whether a row ends with a block that begins within the one before.
    overlap: bool,
}

impl<T: Lane> Lines<T> {
    /// The row of a part, and its first element: rows are one part, or whole blocks and a last one.
    #[inline(always)]
    pub(super) fn part(&self, part: usize) -> Option<(usize, usize)> {
        let last = usize::from(self.overlap);
        let row = part >> last;
        (row < self.count).then(|| (row, (part & last) * (self.row - BLOCK)))
    }

    /// Blocks of the part that begins with this element.
    #[inline(always)]
    pub(super) fn blocks(&self, first: usize) -> usize {
        (self.row - first) / BLOCK
    }

    /// Where input `k` has that element, or the only one, spread.
    ///
    /// # Safety
    /// It is there, and the room of the input.
    #[inline(always)]
    pub(super) unsafe fn start(
        &self,
        k: usize,
        source: Source<T>,
        row: usize,
        first: usize,
    ) -> *const T {
        let at = source.at.wrapping_add(row * self.next[k]);
        let room = self.rooms[k];
        if room.is_null() {
            return at.wrapping_add(first * source.step);
        }
        // SAFETY: the caller's.
        unsafe { room.write([*at; BLOCK]) };
        room.cast_const().cast()
    }
}

/// The elements of a row, if an input has any.
#[inline]
pub(super) fn row<T>(inputs: &[Operand<T>]) -> Option<usize> {
    inputs.iter().find_map(|input| match *input {
        Operand::Rows { row, .. } | Operand::Column { row, .. } => Some(row),
        _ => None,
    })
}

/// [`super::run_in`] in rows.
pub(super) fn run<T: Lane, K: Kind>(
    Way { fence, level, fetch }: Way<'_>,
    f: &dyn Loops<K>,
    inputs: &[Operand<T>],
    to: &mut [MaybeUninit<K::Of<T>>],
    row: usize,
) {
    let len = to.len();
    let mut rooms = [const { Room(MaybeUninit::uninit()) }; MOST];
    let mut lines = Lines::new(len, row);
    let mut call = Call::new(level, to.as_mut_ptr().cast(), fence.how(), fetch);
    for (k, &input) in inputs.iter().enumerate() {
        call.inputs[k] = lines.add(k, input, len, &mut rooms[k]);
    }
    // SAFETY: `add` checked that the inputs have what the lines say; `to` has `len` writable elements, and is none
    // of the inputs.
    unsafe { lines.drive(f, call, true) }
}

/// [`super::update_from`] in rows.
pub(super) fn update<T: Lane>(
    fetch: bool,
    f: &dyn Loops<Numbers>,
    own: &mut [T],
    at: usize,
    others: &[Operand<T>],
    row: usize,
) {
    let (len, out) = (own.len(), own.as_mut_ptr());
    let mut rooms = [const { Room(MaybeUninit::uninit()) }; MOST];
    let mut lines = Lines::new(len, row);
    let mut call = Call::new(level(), out, Write::Cached, fetch);
    (call.inputs[at], lines.next[at]) = (Source { at: out.cast_const(), step: 1 }, row);
    for (k, &other) in others.iter().enumerate() {
        let k = k + usize::from(k >= at);
        call.inputs[k] = lines.add(k, other, len, &mut rooms[k]);
    }
    // SAFETY: as above; one of the inputs is the output, element by element.
    unsafe { lines.drive(f, call, false) }
}

impl<T: Lane> Lines<T> {
    fn new(len: usize, row: usize) -> Self {
        assert!(row > 0 && len.is_multiple_of(row), "{len} elements in rows of {row}");
        let (next, rooms) = ([0; MOST], [ptr::null_mut(); MOST]);
        Lines { count: len / row, row, next, rooms, overlap: false }
    }

    /// An input: where its first row is.
    fn add(&mut self, k: usize, input: Operand<T>, len: usize, room: &mut Room<T>) -> Source<T> {
        let (source, next) = match input {
            Operand::Rows { from, row, pitch } => {
                self.check(from, row, pitch, row);
                (Source { at: from.as_ptr(), step: 1 }, pitch)
            }
            Operand::Column { from, row, pitch } => {
                self.check(from, row, pitch, 1);
                self.rooms[k] = room.0.as_mut_ptr();
                (Source { at: from.as_ptr(), step: 0 }, pitch)
            }
            _ => {
                let source = input.source(len, &mut room.0);
                (source, source.step * self.row)
            }
        };
        self.next[k] = next;
        source
    }

    /// Has an input all rows, and so many elements of the last?
    fn check(&self, from: &[T], row: usize, pitch: usize, elements: usize) {
        assert_eq!(row, self.row, "inputs with rows of different lengths");
        let end = self.count.checked_sub(1).map_or(0, |before| before * pitch + elements);
        assert!(end <= from.len(), "an input of {} elements that ends at {end}", from.len());
    }

    /// All rows by `f`.
    ///
    /// # Safety
    /// Each input has the rows that these lines say it has, `call.out` as many elements, and is an input, element by
    /// element, or none of them. If it is said that it lies `apart`, it is none. To be streamed it is within a fence.
    unsafe fn drive<K: Kind>(&mut self, f: &dyn Loops<K>, mut call: Call<T, K>, apart: bool) {
        let whole = self.row.is_multiple_of(BLOCK);
        let in_blocks = match call.write {
            Write::Streamed => {
                whole && stream::head(call.out) == 0 && stream::is_streamable::<K::Of<T>>(BLOCK)
            }
            Write::Cached => whole || apart && self.row >= BLOCK,
        };
        // SAFETY: the caller's: for all rows at once, or for one after the other.
        unsafe {
            if in_blocks {
                self.overlap = !whole;
                call.lines = &raw const *self;
                return T::run_loop(f, &call);
            }
            for i in 0..self.count {
                let mut call = Call { out: call.out.wrapping_add(i * self.row), ..call };
                for (k, input) in call.inputs.iter_mut().enumerate() {
                    input.at = self.start(k, *input, i, 0);
                }
                drive(f, &mut call, self.row);
            }
        }
    }
}
