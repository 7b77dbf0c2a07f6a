//! How long connecting may take.

use std::time::Duration;

use tokio::time::{self, Instant};
use ws_endpoint::ClientConfig;

use super::{ConnectError, Step};

/// The two deadlines of a client that connects: one starts again with each hop, one is for all hops.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline {
    hop: Option<Instant>,
    total: Option<Instant>,
    per_hop: Option<Duration>,
}

impl Deadline {
    /// Both begin now.
    pub(super) fn start(config: &ClientConfig) -> Self {
        let per_hop = config.handshake_timeout;
        Self { hop: after(per_hop), total: after(config.total_timeout), per_hop }
    }

    /// A redirect is followed: its hop has all of its own time, within what is left of the whole.
    pub(super) fn next_hop(&mut self) {
        self.hop = after(self.per_hop);
    }

    /// Whichever comes first.
    pub(super) fn instant(self) -> Option<Instant> {
        self.hop.into_iter().chain(self.total).min()
    }

    /// Waits no longer than is left.
    pub(super) async fn within<T>(
        self,
        step: Step,
        future: impl Future<Output = Result<T, ConnectError>>,
    ) -> Result<T, ConnectError> {
        match self.instant() {
            None => future.await,
            Some(deadline) => {
                time::timeout_at(deadline, future).await.map_err(|_| ConnectError::Timeout { step })?
            }
        }
    }
}

/// An instant too far away to be told is none.
fn after(timeout: Option<Duration>) -> Option<Instant> {
    Instant::now().checked_add(timeout?)
}
