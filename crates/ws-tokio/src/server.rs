//! A server: listeners, handshakes, open connections, and the end.
//!
//! [`acceptor`] takes in transports, [`crowd`] bounds how many are in their handshake, [`handshake`] makes connections of
//! them, [`registry`] knows those that are open.

mod acceptor;
mod address;
mod answer;
mod builder;
mod clients;
mod connection;
mod contain;
mod crowd;
mod error;
mod handshake;
mod hooks;
mod listener;
pub(crate) mod registry;
#[cfg(test)]
mod registry_tests;
mod serve;
mod stream;
#[cfg(feature = "rustls")]
mod tls;

use std::{fmt, sync::Arc};

use tokio::{
    sync::{Mutex, mpsc, watch},
    time::{Duration, timeout},
};
use ws_endpoint::driver::CloseCode;

#[cfg(feature = "self-signed")]
pub use self::tls::SelfSigned;
#[cfg(feature = "rustls")]
pub use self::tls::{TlsConfigError, tls_config};
pub use self::{
    address::Address,
    answer::Answer,
    builder::ServerBuilder,
    clients::{Client, Clients},
    connection::ServerConnection,
    error::{BindError, ServerError},
    hooks::ClientError,
    listener::Listener,
    serve::Outcome,
    stream::ServerStream,
};
use self::{crowd::Crowd, handshake::Shared, registry::Order};

/// A server that listens, and hands out connections whose opening handshake is done.
///
/// ```no_run
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), ws_tokio::BindError> {
/// let server = ws_tokio::Server::builder().bind("127.0.0.1:9001").await?;
/// server
///     .serve(|mut conn| async move {
///         while let Some(Ok(message)) = conn.socket.recv().await {
///             let _ = conn.socket.send(message).await;
///         }
///     })
///     .await;
/// # Ok(())
/// # }
/// ```
///
/// [`serve`](Self::serve) spawns a task for each connection; [`accept`](Self::accept) leaves that to the caller. A clone
/// is another handle to the same server: to shut it down, or to look at its [`clients`](Self::clients). When the last one
/// is dropped nothing is accepted any more, and open connections go on.
///
/// What a client costs: in its handshake a task, and its head of at most 16 KiB; then the connection, and less than 200
/// bytes by which the server knows it. No connection has a task or a timer of its own beside that of the application.
pub struct Server<T = ()> {
    inner: Arc<Inner<T>>,
}

struct Inner<T> {
    shared: Arc<Shared<T>>,
    crowd: Arc<Crowd>,
    addresses: Vec<Address>,
    /// Whether the server shuts down.
    stop: watch::Sender<bool>,
    /// Connections that the application has not taken yet. They end when the last handshake has.
    ready: Mutex<mpsc::Receiver<ServerConnection<T>>>,
}

/// How a server's connections have ended when it was shut down.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Shutdown {
    /// How many clients have answered the Close.
    pub answered: usize,
    /// The clients that have not, within the deadline or their own: they are gone, do not read, or were left without
    /// notice by the application.
    pub unanswered: Vec<Address>,
}

impl Server {
    /// Sets up a server.
    #[must_use]
    pub fn builder() -> ServerBuilder {
        ServerBuilder::new()
    }
}

impl<T: Send + 'static> Server<T> {
    /// The next connection; `None` when the server has shut down. Several tasks may wait.
    ///
    /// A connection that waits here does nothing yet, and pings go unanswered: take it soon.
    ///
    /// # Cancel safety
    /// Safe: no connection is lost when the future is dropped.
    pub async fn accept(&self) -> Option<ServerConnection<T>> {
        self.inner.ready.lock().await.recv().await
    }

    /// Where it listens, in the order of the builder; nowhere once it shuts down.
    #[must_use]
    pub fn local_addrs(&self) -> Vec<Address> {
        if *self.inner.stop.borrow() { Vec::new() } else { self.inner.addresses.clone() }
    }

    /// What a client on this machine connects to: the first of the addresses, as `ws`, `wss` or `ws+unix`. `None` once it
    /// shuts down, and where the first listener is of the caller's own making.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = ws_tokio::Server::builder().bind("127.0.0.1:0").await?;
    /// let url = server.url("/chat").ok_or("not over TCP")?;
    /// assert!(url.starts_with("ws://127.0.0.1:") && url.ends_with("/chat"));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn url(&self, path: &str) -> Option<String> {
        let scheme = if self.inner.shared.is_secure() { "wss" } else { "ws" };
        self.local_addrs().first()?.url(scheme, path)
    }

    /// The open connections.
    #[must_use]
    pub fn clients(&self) -> Clients {
        Clients::new(&self.inner.shared.registry)
    }

    /// Shuts down: listens no more, answers 503 to clients in their handshake, closes every connection with this code and
    /// reason, and waits for the clients to answer. A reason above 123 bytes is cut.
    ///
    /// Each connection closes as soon as its task waits for anything of it. What has not ended after `deadline` is dropped,
    /// and handlers that [`serve`](Self::serve) has spawned for it are aborted. Connections that nobody has accepted yet are
    /// closed here; [`accept`](Self::accept) gives `None` behind the last.
    ///
    /// Called again, or by several tasks, it gives the same report.
    ///
    /// # Cancel safety
    /// The first poll stops the server and tells the connections; call it again to go on waiting.
    pub async fn shutdown(&self, code: CloseCode, reason: &str, deadline: Duration) -> Shutdown {
        let registry = &self.inner.shared.registry;
        self.inner.stop.send_replace(true);
        registry.tell_for_good(&clients::close(code, reason));
        let all_ended = async {
            while let Some(mut connection) = self.accept().await {
                tokio::spawn(async move { while let Some(Ok(_)) = connection.socket.recv().await {} });
            }
            registry.emptied().await;
        };
        let ended = timeout(deadline, all_ended).await;
        let (answered, unanswered) = registry.outcome();
        if ended.is_err() {
            self.inner.crowd.abort();
            registry.tell_for_good(&Arc::new(Order::Drop));
            for entry in registry.entries() {
                entry.abort();
            }
            // Who waits in `accept` takes what is left; else nobody does any more.
            if let Ok(mut ready) = self.inner.ready.try_lock() {
                ready.close();
                while ready.try_recv().is_ok() {}
            }
        }
        Shutdown { answered, unanswered }
    }
}

impl<T> Clone for Server<T> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner) }
    }
}

impl<T> Drop for Inner<T> {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

impl<T> fmt::Debug for Server<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("addresses", &self.inner.addresses)
            .field("clients", &self.inner.shared.registry.len())
            .finish_non_exhaustive()
    }
}
