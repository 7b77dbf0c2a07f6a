//! The connections of a server that is not a [`Server`](crate::Server): of one that is inside another HTTP server, say.

use std::{any::Any, sync::Arc};

use tokio::time::{Duration, timeout};
use ws_endpoint::driver::CloseCode;

use super::{Clients, close};
use crate::{
    Address, Reader, ServerStream, Shutdown, WebSocket,
    server::registry::{Order, Registry},
};

/// None yet, to be entered with [`track`](Clients::track).
impl Default for Clients {
    fn default() -> Self {
        Self { registry: Arc::<Registry>::default() }
    }
}

impl Clients {
    /// Enters a connection, until it has ended. Does nothing to one that is entered somewhere already, as those of a
    /// [`Server`](crate::Server) are.
    ///
    /// Over a [`ServerStream`], a task that panics tells the client so from here on, with 1011. Costs about 170 bytes for
    /// each connection.
    pub fn track<S: 'static>(&self, socket: &mut WebSocket<S>, peer: impl Into<Address>, path: &str) {
        let peer = peer.into();
        socket.home.with(|link| {
            let Reader { io, pump, .. } = &mut link.reader;
            if pump.remote.is_some() {
                return;
            }
            let remote = self.registry.enter(peer.clone(), path);
            let io: &mut dyn Any = io;
            if let Some(stream) = io.downcast_mut::<ServerStream>() {
                stream.attach(remote.entry());
            }
            pump.remote = Some(remote);
        });
    }

    /// Closes all connections, those that are entered later too, and waits until they have ended; those that have not within
    /// the deadline are dropped. For a [`Server`](crate::Server) use its own
    /// [`shutdown`](crate::Server::shutdown), which stops accepting first.
    ///
    /// A connection ends only if somebody polls it: its task must be receiving or sending.
    ///
    /// # Cancel safety
    /// A future that is dropped has told all connections to close; call it again to go on waiting.
    pub async fn shutdown(&self, code: CloseCode, reason: &str, deadline: Duration) -> Shutdown {
        self.registry.tell_for_good(&close(code, reason));
        let ended = timeout(deadline, self.registry.emptied()).await;
        let (answered, unanswered) = self.registry.outcome();
        if ended.is_err() {
            self.registry.tell_all(&Arc::new(Order::Drop));
        }
        Shutdown { answered, unanswered }
    }
}
