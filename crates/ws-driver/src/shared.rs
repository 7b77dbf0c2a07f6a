//! Settings that many connections share.

use std::{
    ops::{Deref, DerefMut},
    sync::Arc,
};

/// Settings that many connections share: one word in each of them. Whoever changes them gets a copy of its own first.
///
/// ```
/// use ws_driver::{Limits, Shared};
///
/// let common = Shared::new(Limits::default());
/// let mut own = common.clone();
/// own.max_message_len = 1024;
/// assert_eq!(common.max_message_len, Limits::default().max_message_len);
/// ```
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Shared<T>(Arc<T>);

impl<T> Shared<T> {
    /// Settings to be shared.
    pub fn new(settings: T) -> Self {
        Self(Arc::new(settings))
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Clone> DerefMut for Shared<T> {
    fn deref_mut(&mut self) -> &mut T {
        Arc::make_mut(&mut self.0)
    }
}

impl<T> From<T> for Shared<T> {
    fn from(settings: T) -> Self {
        Self::new(settings)
    }
}
