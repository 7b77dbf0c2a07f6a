//! An allocator that counts.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

/// The system's allocator, with a count for each thread: tests in threads of their own do not count each other.
///
/// ```
/// use ws_testkit::Heap;
///
/// #[global_allocator]
/// static HEAP: Heap = Heap;
///
/// let before = (Heap::held(), Heap::calls());
/// let kept = vec![0_u8; 100];
/// assert_eq!((Heap::held() - before.0, Heap::calls() - before.1), (100, 1));
/// drop(kept);
/// assert_eq!(Heap::held(), before.0);
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Heap;

/// What one thread has done.
#[derive(Clone, Copy)]
struct Count {
    calls: usize,
    held: isize,
    peak: isize,
}

thread_local! {
    static COUNT: Cell<Count> = const { Cell::new(Count { calls: 0, held: 0, peak: 0 }) };
}

impl Heap {
    /// Bytes that this thread has asked for and not given back; less than none where it frees what others have asked for.
    #[must_use]
    pub fn held() -> isize {
        COUNT.get().held
    }

    /// How often this thread has asked for memory, or for another size of it.
    #[must_use]
    pub fn calls() -> usize {
        COUNT.get().calls
    }

    /// The most that this thread has [`held`](Self::held) since [`forget_peak`](Self::forget_peak).
    #[must_use]
    pub fn peak() -> isize {
        COUNT.get().peak
    }

    /// Begins the peak anew with what is held now.
    pub fn forget_peak() {
        let count = COUNT.get();
        COUNT.set(Count { peak: count.held, ..count });
    }

    fn count(calls: usize, bytes: isize) {
        let before = COUNT.get();
        let held = before.held + bytes;
        COUNT.set(Count { calls: before.calls + calls, held, peak: before.peak.max(held) });
    }
}

// SAFETY: every call is handed on to the system's allocator as it came, so that its promises are kept as that one keeps
// them; counting touches a thread-local without a destructor and allocates nothing.
#[expect(unsafe_code, reason = "an allocator cannot be had otherwise")]
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Self::count(1, layout.size().cast_signed());
        // SAFETY: the caller keeps the contract of this same method.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        Self::count(1, layout.size().cast_signed());
        // SAFETY: the caller keeps the contract of this same method.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        Self::count(0, -layout.size().cast_signed());
        // SAFETY: the caller keeps the contract of this same method.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        Self::count(1, size.cast_signed() - layout.size().cast_signed());
        // SAFETY: the caller keeps the contract of this same method.
        unsafe { System.realloc(memory, layout, size) }
    }
}
