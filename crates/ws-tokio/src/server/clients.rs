//! The open connections of a server, seen from outside.

mod track;

use std::{fmt, sync::Arc, time::Duration};

use ws_endpoint::driver::CloseCode;

use super::{
    Address,
    registry::{Entry, Order, Registry},
};

/// The longest reason of a Close (RFC 6455 section 5.5).
const MAX_REASON: usize = 123;

/// The open connections of a server: those that are open and have not ended, whoever holds them.
///
/// ```no_run
/// # async fn example(server: &ws_tokio::Server) {
/// use ws_tokio::endpoint::driver::CloseCode;
///
/// let clients = server.clients();
/// println!("{} connections", clients.len());
/// for client in clients.iter() {
///     println!("{} on {} for {:?}", client.peer_addr(), client.path(), client.age());
/// }
/// clients.close_all(CloseCode::SERVICE_RESTART, "back in a minute");
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Clients {
    registry: Arc<Registry>,
}

/// An open connection of a server.
#[derive(Clone)]
pub struct Client {
    entry: Arc<Entry>,
}

impl Clients {
    pub(super) fn new(registry: &Arc<Registry>) -> Self {
        Self { registry: Arc::clone(registry) }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.registry.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All that are open now, in no order. Costs a word for each, and no lock while they are looked at.
    pub fn iter(&self) -> impl Iterator<Item = Client> + use<> {
        self.registry.entries().into_iter().map(|entry| Client { entry })
    }

    /// Closes all that are open now, as [`Client::close`] does. New ones are accepted: to stop that, too, there is
    /// [`Server::shutdown`](crate::Server::shutdown).
    pub fn close_all(&self, code: CloseCode, reason: &str) {
        self.registry.tell_all(&close(code, reason));
    }
}

impl Client {
    /// Where it connects from.
    #[must_use]
    pub fn peer_addr(&self) -> &Address {
        &self.entry.peer
    }

    /// The path that it has asked for, without the query.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.entry.path
    }

    /// How long it has been open.
    #[must_use]
    pub fn age(&self) -> Duration {
        self.entry.opened.elapsed()
    }

    /// Tells the connection to close, and does not wait: its own task does so as soon as it waits for anything of the
    /// connection. The closing handshake has the deadline that all have. A reason above 123 bytes is cut.
    pub fn close(&self, code: CloseCode, reason: &str) {
        self.entry.tell(close(code, reason));
    }

    /// Tells the connection to drop its transport without a Close, and does not wait.
    pub fn close_now(&self) {
        self.entry.tell(Arc::new(Order::Drop));
    }
}

pub(super) fn close(code: CloseCode, reason: &str) -> Arc<Order> {
    let end = (0..=reason.len().min(MAX_REASON)).rev().find(|&end| reason.is_char_boundary(end));
    let reason = reason.get(..end.unwrap_or_default()).unwrap_or_default();
    Arc::new(Order::Close(code, reason.into()))
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("peer_addr", self.peer_addr())
            .field("path", &self.path())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_reason_is_cut_between_characters() {
        for (reason, len) in [("bye".to_owned(), 3), ("x".repeat(200), 123), ("\u{20ac}".repeat(50), 123)] {
            let order = close(CloseCode::NORMAL, &reason);
            assert!(
                matches!(&*order, Order::Close(_, cut) if cut.len() == len && reason.starts_with(&**cut))
            );
        }
        let odd = format!("{}\u{20ac}", "x".repeat(122));
        assert!(matches!(&*close(CloseCode::NORMAL, &odd), Order::Close(_, cut) if cut.len() == 122));
    }
}
