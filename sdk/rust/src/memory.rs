//! The first memory of a call: what the instance begins with, used before it asks for more.
//!
//! Every call runs in a fresh instance, and growing the memory of one costs the engine two system
//! calls: more than the rest of a small call. This is no allocator for long lives. It takes back
//! only what was given out last, and what does not fit comes from the standard one.

#![expect(
    unsafe_code,
    reason = "an allocator hands out bytes by address; nothing else in the SDK does"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::{Cell, UnsafeCell};

/// What a call with some pages of JSON needs. Untouched, it costs nothing: it is zeros that no
/// component stores, and pages that nobody gives back.
const BYTES: usize = 128 << 10;

#[cfg(target_arch = "wasm32")]
#[global_allocator]
static FIRST: First = First::new();

struct First {
    bytes: UnsafeCell<[u8; BYTES]>,
    used: Cell<usize>,
}

// SAFETY: a plugin has one thread; the engine gives components no way to start another.
#[cfg(target_arch = "wasm32")]
unsafe impl Sync for First {}

impl First {
    #[cfg_attr(
        test,
        expect(
            clippy::large_stack_arrays,
            reason = "in a plugin it is static; a test has room for one"
        )
    )]
    const fn new() -> Self {
        Self {
            bytes: UnsafeCell::new([0; BYTES]),
            used: Cell::new(0),
        }
    }

    fn base(&self) -> *mut u8 {
        self.bytes.get().cast()
    }

    /// How far into the first memory this lies; nothing for what the standard allocator gave.
    fn place(&self, block: *mut u8) -> Option<usize> {
        let place = block.addr().wrapping_sub(self.base().addr());
        (place < BYTES).then_some(place)
    }

    /// Where the next block of this layout would begin, if it fits.
    fn next(&self, layout: Layout) -> Option<usize> {
        let base = self.base().addr();
        let place = (base + self.used.get()).checked_next_multiple_of(layout.align())? - base;
        (place.checked_add(layout.size())? <= BYTES).then_some(place)
    }
}

// SAFETY: blocks of the first memory lie within `bytes`, one behind the other, since `used` is
// moved behind each; it is moved back only over the last one when that is given up. All other
// blocks are the standard allocator's, and go back to it.
unsafe impl GlobalAlloc for First {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        match self.next(layout) {
            Some(place) => {
                self.used.set(place + layout.size());
                // SAFETY: `next` has seen that the block ends within `bytes`.
                unsafe { self.base().add(place) }
            }
            // SAFETY: the caller's own promise.
            None => unsafe { System.alloc(layout) },
        }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        match self.place(block) {
            Some(place) if place + layout.size() == self.used.get() => self.used.set(place),
            Some(_) => {}
            // SAFETY: it is not from `bytes`, so the standard allocator gave it.
            None => unsafe { System.dealloc(block, layout) },
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let Some(place) = self.place(block) else {
            // SAFETY: it is not from `bytes`, so the standard allocator gave it.
            return unsafe { System.realloc(block, layout, size) };
        };
        let last = place + layout.size() == self.used.get();
        if last && place.checked_add(size).is_some_and(|end| end <= BYTES) {
            self.used.set(place + size);
            return block;
        }
        // SAFETY: the caller promises that `size` makes a layout; the new block does not overlap
        // the old one, which is still given out while it is copied.
        unsafe {
            let new = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
            if !new.is_null() {
                new.copy_from_nonoverlapping(block, size.min(layout.size()));
                self.dealloc(block, layout);
            }
            new
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(size: usize, align: usize) -> Layout {
        Layout::from_size_align(size, align).unwrap()
    }

    #[test]
    fn blocks_are_aligned_lie_apart_and_the_last_is_used_again() {
        let first = First::new();
        // SAFETY: blocks are given back with the layouts they were asked for.
        unsafe {
            let byte = first.alloc(layout(1, 1));
            let wide = first.alloc(layout(8, 64));
            assert_eq!(wide.addr() % 64, 0);
            assert!(wide.addr() > byte.addr());
            first.dealloc(wide, layout(8, 64));
            assert_eq!(first.alloc(layout(8, 64)), wide);
            first.dealloc(byte, layout(1, 1));
            assert!(first.alloc(layout(1, 1)).addr() > wide.addr());
        }
    }

    #[test]
    fn a_block_that_grows_keeps_its_bytes_wherever_it_goes() {
        let first = First::new();
        let filled = |block: *mut u8| (0..4).all(|at| unsafe { *block.add(at) } == 7);
        // SAFETY: only bytes within the blocks are written and read.
        unsafe {
            let text = first.alloc(layout(4, 1));
            text.write_bytes(7, 4);
            assert_eq!(first.realloc(text, layout(4, 1), 100), text);
            let other = first.alloc(layout(1, 1));
            let moved = first.realloc(text, layout(100, 1), 200);
            assert!(moved.addr() > other.addr() && filled(moved));
            let outside = first.realloc(moved, layout(200, 1), BYTES);
            assert!(first.place(outside).is_none() && filled(outside));
            let back = first.realloc(outside, layout(BYTES, 1), 4);
            assert!(filled(back));
            first.dealloc(back, layout(4, 1));
        }
    }

    #[test]
    fn what_does_not_fit_comes_from_the_standard_allocator() {
        let first = First::new();
        // SAFETY: blocks are given back with the layouts they were asked for.
        unsafe {
            let all = first.alloc(layout(BYTES, 1));
            assert_eq!(first.place(all), Some(0));
            let more = first.alloc(layout(16, 8));
            assert!(first.place(more).is_none());
            more.write_bytes(1, 16);
            first.dealloc(more, layout(16, 8));
            first.dealloc(all, layout(BYTES, 1));
            assert_eq!(first.used.get(), 0);
        }
    }
}
