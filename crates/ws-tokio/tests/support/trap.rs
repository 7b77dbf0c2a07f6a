//! Something that panics when it is told to.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// Panics at one of the times that it is sprung: at the first, which is number 0, or at a later one.
#[derive(Clone)]
pub struct Trap {
    sprung: Arc<AtomicUsize>,
    at: usize,
}

impl Trap {
    pub fn at(at: usize) -> Self {
        Self { sprung: Arc::default(), at }
    }

    pub fn spring(&self) {
        assert!(self.sprung.fetch_add(1, Ordering::SeqCst) != self.at, "told to");
    }

    /// Whether nothing else holds it any more.
    pub fn is_alone(&self) -> bool {
        Arc::strong_count(&self.sprung) == 1
    }
}
