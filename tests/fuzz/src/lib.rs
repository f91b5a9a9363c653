//! What no text may do: make a reader panic, run for more than a second or take 256 MiB.
//!
//! The bounds hold for the one text that is read, not for the fuzzer around it: processor time of
//! this thread, and bytes that are allocated and not yet freed. What is read decides each target.

use std::alloc::{GlobalAlloc, Layout, System};
use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

pub mod readers;

/// The longest that reading and drawing one text may take.
const TIME_MAX: Duration = Duration::from_secs(1);

/// The most memory that it may take.
const MEMORY_BYTES_MAX: usize = 256 << 20;

static HELD: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

/// Counts what is allocated.
struct Counted;

#[global_allocator]
static ALLOCATOR: Counted = Counted;

fn taken(bytes: usize) {
    let held = HELD.fetch_add(bytes, Ordering::Relaxed) + bytes;
    PEAK.fetch_max(held, Ordering::Relaxed);
}

#[expect(
    unsafe_code,
    reason = "an allocator is; it passes every call on as it came"
)]
// SAFETY: the system's allocator keeps the contract, and gets the same arguments.
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        taken(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        taken(layout.size());
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        taken(size);
        HELD.fetch_sub(layout.size(), Ordering::Relaxed);
        unsafe { System.realloc(pointer, layout, size) }
    }
}

/// Processor time of this thread, where the system tells it: others may have the processor.
fn busy() -> Option<Duration> {
    let told = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanoseconds = told.split(' ').next()?.parse().ok()?;
    Some(Duration::from_nanos(nanoseconds))
}

/// Does it, and panics when it took too long or too much.
pub fn bounded(read: impl FnOnce()) {
    let before = HELD.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    let (busy_before, began) = (busy(), Instant::now());
    read();
    let waited = began.elapsed();
    let took = match (busy_before, busy()) {
        (Some(before), Some(after)) => after.saturating_sub(before),
        _ => waited,
    };
    assert!(took < TIME_MAX, "took {took:?}");
    let peak = PEAK.load(Ordering::Relaxed).saturating_sub(before);
    assert!(peak < MEMORY_BYTES_MAX, "took {peak} bytes");
}
