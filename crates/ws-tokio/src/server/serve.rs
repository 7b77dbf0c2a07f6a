//! A task for each connection.

use std::{convert::Infallible, error::Error, sync::Arc};

use tokio::sync::mpsc;

use super::{
    Server, ServerConnection, ServerError,
    contain::{Contained, Panicked, contain},
};

/// What a handler may end with: nothing, or a result whose error is told to
/// [`on_error`](crate::ServerBuilder::on_error).
pub trait Outcome: Send {
    /// As a result.
    ///
    /// # Errors
    /// The handler's own.
    fn into_result(self) -> Result<(), Box<dyn Error + Send + Sync>>;
}

impl Outcome for () {
    fn into_result(self) -> Result<(), Box<dyn Error + Send + Sync>> {
        Ok(())
    }
}

impl<E: Into<Box<dyn Error + Send + Sync>> + Send> Outcome for Result<(), E> {
    fn into_result(self) -> Result<(), Box<dyn Error + Send + Sync>> {
        self.map_err(Into::into)
    }
}

impl<T: Send + 'static> Server<T> {
    /// Accepts until the server shuts down, and spawns `handler` for each connection; then waits for the handlers.
    ///
    /// A handler that panics ends its own connection, with 1011 if it still holds it, and no other. One that is still at
    /// work when the deadline of [`shutdown`](Self::shutdown) has passed is aborted.
    ///
    /// To keep idle connections small, use the connection where it is, in the argument, since what a future moves into a
    /// variable it may hold twice; and take what you need before the future is made, which drops the rest:
    /// `|conn| { let mut ws = conn.into_socket(); async move { .. } }`.
    ///
    /// ```no_run
    /// # async fn example(server: ws_tokio::Server) {
    /// server
    ///     .serve(|mut conn| async move {
    ///         while let Some(message) = conn.socket.recv().await {
    ///             conn.socket.send(message?).await?;
    ///         }
    ///         Ok::<_, ws_tokio::Error>(())
    ///     })
    ///     .await;
    /// # }
    /// ```
    ///
    /// # Cancel safety
    /// A future that is dropped accepts no more; the handlers go on.
    pub async fn serve<F, R>(&self, handler: F)
    where
        F: Fn(ServerConnection<T>) -> R,
        R: Future<Output: Outcome> + Send + 'static,
    {
        let (working, mut done) = mpsc::channel::<Infallible>(1);
        while let Some(connection) = self.accept().await {
            self.spawn(&handler, connection, working.clone());
        }
        drop(working);
        while done.recv().await.is_some() {}
    }

    fn spawn<F, R>(&self, handler: &F, connection: ServerConnection<T>, working: mpsc::Sender<Infallible>)
    where
        F: Fn(ServerConnection<T>) -> R,
        R: Future<Output: Outcome> + Send + 'static,
    {
        // It has not been polled: it has not ended.
        let pump = &connection.socket.link_ref().reader.pump;
        let Some(entry) = pump.remote.as_ref().map(|remote| Arc::clone(remote.entry())) else { return };
        let shared = Arc::clone(&self.inner.shared);
        let handled = match contain(|| handler(connection)) {
            Ok(handled) => Contained(Box::pin(handled)),
            Err(Panicked(message)) => {
                return shared
                    .hooks
                    .rest
                    .report(&ServerError::Panicked { peer: entry.peer.clone(), message });
            }
        };
        let known = Arc::clone(&entry);
        let task = tokio::spawn(async move {
            let _working = working;
            let result = handled.await.map(Outcome::into_result);
            let peer = || entry.peer.clone();
            match result {
                Ok(Ok(())) => {}
                // It could not know that its connection would be closed.
                Ok(Err(_)) if entry.was_told() => {}
                Ok(Err(source)) => shared.hooks.rest.report(&ServerError::Handler { peer: peer(), source }),
                Err(Panicked(message)) => {
                    shared.hooks.rest.report(&ServerError::Panicked { peer: peer(), message });
                }
            }
        });
        known.set_task(task.abort_handle());
    }
}
