//! What is told of connections that did not open.

use crate::Error;

/// What is called when a connection does not open though its request was accepted.
pub trait OnFailedUpgrade: Send + 'static {
    /// Takes what went wrong.
    fn call(self, error: Error);
}

impl<F: FnOnce(Error) + Send + 'static> OnFailedUpgrade for F {
    fn call(self, error: Error) {
        self(error);
    }
}

/// Tells nobody: mostly it means that the client has left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DefaultOnFailedUpgrade;

impl OnFailedUpgrade for DefaultOnFailedUpgrade {
    fn call(self, _error: Error) {}
}
