//! A connection with a task of its own.

use tokio::io::{AsyncRead, AsyncWrite};

pub use self::{
    handle::{Handle, HandleReceiver, HandleSender},
    options::SpawnOptions,
    task::ConnectionTask,
};
use crate::WebSocket;

mod handle;
mod inbox;
mod options;
mod orders;
mod shared;
mod task;

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    /// Gives the connection a task of its own, with room for so many received messages: pings are answered, deadlines
    /// watched, and what was sent leaves, while the application is busy elsewhere. See [`Handle`]. Of a message that was
    /// received in part the rest is passed over; one that is sent in parts must be finished before.
    ///
    /// ```no_run
    /// # async fn example(ws: ws_tokio::WebSocket<tokio::net::TcpStream>) -> Result<(), Box<dyn std::error::Error>> {
    /// let mut handle = ws.spawn(64);
    /// let sender = handle.sender(); // for as many tasks as there are
    /// tokio::spawn(async move { sender.send("hello").await });
    /// while let Some(message) = handle.recv().await {
    ///     println!("{:?}", message?);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn spawn(self, capacity: usize) -> Handle
    where
        S: Send + 'static,
    {
        self.spawn_with(SpawnOptions::new(capacity))
    }

    /// The same with options.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn spawn_with(self, options: SpawnOptions) -> Handle
    where
        S: Send + 'static,
    {
        let (handle, task) = self.into_task(options);
        tokio::spawn(task);
        handle
    }

    /// The same with the task in the caller's hands, to be spawned or polled in whatever way is wanted. Dropping it drops
    /// the transport.
    pub fn into_task(self, options: SpawnOptions) -> (Handle, ConnectionTask<S>) {
        ConnectionTask::new(self, options)
    }
}
