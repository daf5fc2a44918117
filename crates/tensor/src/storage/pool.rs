//! A pool of blocks: a training step asks for the same sizes again and again, and a fresh block costs a
//! page fault for each 4 KiB (2.6 ns an element for blocks above 32 MiB).
//!
//! Small blocks wait on lists of their thread, without a lock; a list that is full goes to the shelves
//! that all threads share, and comes back from there as a whole. Large blocks wait on the shelves.

use super::block::{Block, Stack};
use super::classes::{OWN, class};
use super::stats::{self, Own};
use std::cell::RefCell;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A thread keeps up to this many bytes of each small class: so many blocks are worth a lock. With
/// all classes full, 1.9 MiB a thread.
const FULL: usize = 64 << 10;

/// Idle blocks that all threads share, by class.
struct Shelves {
    classes: Vec<Shelf>,
    bytes: usize,
    /// Grows with every use of a shelf.
    clock: u64,
}

/// Idle blocks of one class.
#[derive(Default)]
struct Shelf {
    stacks: Vec<Stack>,
    /// When a block was last asked for.
    asked: u64,
}

static SHELVES: Mutex<Shelves> = Mutex::new(Shelves { classes: Vec::new(), bytes: 0, clock: 0 });

fn lock() -> MutexGuard<'static, Shelves> {
    SHELVES.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shelves {
    fn shelf(&mut self, class: usize) -> &mut Shelf {
        if self.classes.len() <= class {
            self.classes.resize_with(class + 1, Shelf::default);
        }
        &mut self.classes[class]
    }
    fn take(&mut self, class: usize) -> Option<Stack> {
        self.clock += 1;
        let now = self.clock;
        let shelf = self.shelf(class);
        shelf.asked = now;
        let stack = shelf.stacks.pop();
        self.bytes -= stack.as_ref().map_or(0, Stack::bytes);
        stack
    }
    /// Keep a stack; what is too much is taken off the shelves that nobody has asked for the longest.
    fn give(&mut self, class: usize, stack: Stack, bound: usize) -> Vec<Stack> {
        let mut old = Vec::new();
        self.bytes += stack.bytes();
        self.shelf(class).stacks.push(stack);
        while self.bytes > bound {
            let full = self.classes.iter_mut().filter(|s| !s.stacks.is_empty());
            let Some(shelf) = full.min_by_key(|s| s.asked) else { break };
            let stack = shelf.stacks.remove(0);
            self.bytes -= stack.bytes();
            old.push(stack);
        }
        old
    }
}

/// What a thread has for itself.
struct Local {
    stats: Own,
    idle: RefCell<[Stack; OWN]>,
}

impl Drop for Local {
    fn drop(&mut self) {
        self.take_all().for_each(|(class, stack)| shelve(class, stack));
        self.stats.publish();
    }
}

impl Local {
    /// All its idle blocks, with their classes.
    fn take_all(&self) -> impl Iterator<Item = (usize, Stack)> {
        let stacks = self.idle.replace([const { Stack::EMPTY }; OWN]);
        let bytes: usize = stacks.iter().map(Stack::bytes).sum();
        self.stats.idle(-(bytes as i64));
        stacks.into_iter().enumerate().filter(|(_, stack)| stack.bytes() > 0)
    }
    #[inline]
    fn take(&self, class: usize) -> Option<Block> {
        let block = self.idle.borrow_mut()[class].pop()?;
        self.stats.idle(-(block.capacity() as i64));
        Some(block)
    }
    /// Keep a block; if the list is full now, it comes back.
    #[inline]
    fn give(&self, class: usize, block: Block) -> Option<Stack> {
        self.stats.idle(block.capacity() as i64);
        let stack = &mut self.idle.borrow_mut()[class];
        stack.push(block);
        if stack.bytes() < FULL {
            return None;
        }
        self.stats.idle(-(stack.bytes() as i64));
        Some(std::mem::replace(stack, Stack::EMPTY))
    }
    /// Keep a list that comes from a shelf.
    fn refill(&self, class: usize, stack: Stack) {
        self.stats.idle(stack.bytes() as i64);
        self.idle.borrow_mut()[class] = stack;
    }
}

thread_local! {
    static LOCAL: Local =
        const { Local { stats: Own::new(), idle: RefCell::new([const { Stack::EMPTY }; OWN]) } };
}

/// A block of at least `bytes`.
#[inline]
pub(super) fn take(bytes: usize) -> Block {
    let (class, capacity) = class(bytes);
    if class < OWN
        && let Ok(Some(block)) = LOCAL.try_with(|local| local.take(class))
    {
        return block;
    }
    take_shared(class, capacity)
}

#[inline(never)]
fn take_shared(class: usize, capacity: usize) -> Block {
    let Some(mut stack) = lock().take(class) else { return Block::from_system(capacity) };
    let block = stack.pop().expect("no stack on a shelf is empty");
    if stack.bytes() > 0 {
        // An error only in a thread that ends.
        let mut rest = Some(stack);
        let _ = LOCAL.try_with(|local| local.refill(class, rest.take().expect("once")));
        rest.into_iter().for_each(|stack| shelve(class, stack));
    }
    block
}

/// Keep a block for the next [`take`].
#[inline]
pub(super) fn give(block: Block) {
    let (class, _) = class(block.capacity());
    if class >= OWN {
        return shelve(class, Stack::of(block));
    }
    let mut block = Some(block);
    let full = LOCAL.try_with(|local| local.give(class, block.take().expect("once")));
    let alone = block.map(Stack::of); // a thread that ends
    full.ok().flatten().or(alone).into_iter().for_each(|stack| shelve(class, stack));
}

/// The pool holds at most a quarter more than the most that was ever in use (what classes round up),
/// and this, so that a small program does not meet the bound.
const SLACK: usize = 1 << 20;

#[inline(never)]
fn shelve(class: usize, stack: Stack) {
    let most = stats::most();
    let old = lock().give(class, stack, most + most / 4 + SLACK);
    old.into_iter().for_each(Stack::free);
}

/// Note that `bytes` more are in use.
#[inline]
pub(super) fn count(bytes: i64) {
    if LOCAL.try_with(|local| local.stats.count(bytes)).is_err() {
        stats::add(bytes, 0); // a thread that ends
    }
}

/// Let the common counts know all that this thread has done.
pub(super) fn publish() {
    let _ = LOCAL.try_with(|local| local.stats.publish());
}

/// Bytes on the shelves.
pub(super) fn shelved() -> usize {
    lock().bytes
}

/// Give all idle blocks back to the system (`torch.cuda.empty_cache`): those that threads share, and
/// those of the calling thread. Another thread keeps its small blocks, at most 2 MiB.
pub fn empty_cache() {
    let _ = LOCAL.try_with(|local| local.take_all().for_each(|(_, stack)| stack.free()));
    let classes = {
        let mut shelves = lock();
        shelves.bytes = 0;
        std::mem::take(&mut shelves.classes)
    };
    classes.into_iter().flat_map(|shelf| shelf.stacks).for_each(Stack::free);
}
