//! An allocator that counts.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Counts the bytes that the whole process holds and has ever asked for. A fuzz target runs on one thread, so that the
/// difference between two moments is what lies between them.
#[derive(Debug)]
pub struct Meter {
    held: AtomicUsize,
    peak: AtomicUsize,
    total: AtomicUsize,
}

#[global_allocator]
static METER: Meter =
    Meter { held: AtomicUsize::new(0), peak: AtomicUsize::new(0), total: AtomicUsize::new(0) };

impl Meter {
    /// Bytes that are held now. The peak begins anew from here.
    pub fn start() -> usize {
        let held = METER.held.load(Relaxed);
        METER.peak.store(held, Relaxed);
        held
    }

    /// The most bytes that were held since the last start.
    pub fn peak() -> usize {
        METER.peak.load(Relaxed)
    }

    /// All bytes that were ever asked for.
    pub fn total() -> usize {
        METER.total.load(Relaxed)
    }

    fn count(&self, freed: usize, asked: usize) {
        self.total.fetch_add(asked, Relaxed);
        self.held.fetch_add(asked, Relaxed);
        let held = self.held.fetch_sub(freed, Relaxed) - freed;
        self.peak.fetch_max(held, Relaxed);
    }
}

// SAFETY: every call is handed on to the system's allocator as it came; counting touches none of the memory.
unsafe impl GlobalAlloc for Meter {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.count(0, layout.size());
        // SAFETY: the caller keeps the contract of this same method.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        self.count(0, layout.size());
        // SAFETY: the caller keeps the contract of this same method.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        self.count(layout.size(), 0);
        // SAFETY: the memory came from the system's allocator with this layout, by the methods here.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, len: usize) -> *mut u8 {
        self.count(layout.size(), len);
        // SAFETY: the memory came from the system's allocator with this layout, by the methods here.
        unsafe { System.realloc(memory, layout, len) }
    }
}
