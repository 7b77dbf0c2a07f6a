//! Lines of the user on their way to the session.

use tokio::sync::mpsc;

/// How many lines may wait for the session. A full channel holds back the pipe, or the prompt.
const WAITING: usize = 16;

/// What comes from the user.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Input {
    /// A line, without its end.
    Line(Vec<u8>),
    /// It cannot be read on: why.
    Failed(String),
}

/// Between the thread that reads and the session. That the sender is gone is the end of the input.
pub(super) type Inputs = mpsc::Receiver<Input>;

/// A channel of its own for a session.
pub(super) fn channel() -> (mpsc::Sender<Input>, Inputs) {
    mpsc::channel(WAITING)
}
