//! A broadcast over any `Stream` and `Sink` of messages: a channel for each connection, flushed once for each batch.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use futures_sink::Sink;
use futures_util::StreamExt as _;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Everybody who is connected, as the chats in the libraries' examples have it.
#[derive(Debug)]
pub struct Room<M> {
    members: Mutex<Vec<(u64, UnboundedSender<M>)>>,
    next: AtomicU64,
}

impl<M> Default for Room<M> {
    fn default() -> Self {
        Self { members: Mutex::default(), next: AtomicU64::new(0) }
    }
}

impl<M: Clone> Room<M> {
    /// Takes in a member: its name, and where it finds what the others say.
    pub fn join(&self) -> (u64, UnboundedReceiver<M>) {
        let (tx, rx) = unbounded_channel();
        let member = self.next.fetch_add(1, Ordering::Relaxed);
        self.lock().push((member, tx));
        (member, rx)
    }

    /// Queues a message for everybody but its sender. Who has left is forgotten.
    pub fn publish(&self, sender: u64, message: &M) {
        self.lock().retain(|(member, tx)| *member == sender || tx.send(message.clone()).is_ok());
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(u64, UnboundedSender<M>)>> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Publishes what `data` makes of each item, and sends what comes from `others`, until the connection ends.
///
/// All that waits is queued before the one flush.
///
/// # Errors
/// When the connection fails, or `data` does.
pub async fn attend<S, M>(
    mut socket: S,
    mut others: UnboundedReceiver<M>,
    mut data: impl FnMut(S::Item) -> Result<Option<M>, S::Error>,
    publish: impl Fn(M),
) -> Result<(), S::Error>
where
    S: Stream + Sink<M> + Unpin,
{
    let mut socket = Pin::new(&mut socket);
    poll_fn(move |cx| {
        // What the socket does not take now wakes this task when it does.
        if let Poll::Ready(sent) = poll_send(socket.as_mut(), &mut others, cx) {
            sent?;
        }
        loop {
            match socket.as_mut().poll_next(cx) {
                Poll::Ready(Some(item)) => data(item)?.into_iter().for_each(&publish),
                Poll::Ready(None) => return Poll::Ready(Ok(())),
                Poll::Pending => return Poll::Pending,
            }
        }
    })
    .await
}

/// The same with a task of its own for sending, for libraries to which reading again costs much.
///
/// # Errors
/// When receiving fails, or `data` does.
pub async fn attend_in_two<S, M>(
    socket: S,
    mut others: UnboundedReceiver<M>,
    mut data: impl FnMut(S::Item) -> Result<Option<M>, S::Error>,
    publish: impl Fn(M),
) -> Result<(), S::Error>
where
    S: Stream + Sink<M> + Send + Unpin + 'static,
    M: Send + 'static,
{
    let (mut sink, mut stream) = socket.split();
    let sending = poll_fn(move |cx| match poll_send(Pin::new(&mut sink), &mut others, cx) {
        Poll::Ready(Err(_)) => Poll::Ready(()),
        _ => Poll::Pending,
    });
    let sending = tokio::spawn(tokio::task::unconstrained(sending));
    let mut received = Ok(());
    while let Some(item) = stream.next().await {
        match data(item) {
            Ok(message) => message.into_iter().for_each(&publish),
            Err(error) => {
                received = Err(error);
                break;
            }
        }
    }
    sending.abort();
    received
}

/// Queues what waits and flushes it: ready when the socket has taken all of it.
fn poll_send<S, M>(
    mut socket: Pin<&mut S>,
    others: &mut UnboundedReceiver<M>,
    cx: &mut Context<'_>,
) -> Poll<Result<(), S::Error>>
where
    S: Sink<M>,
{
    loop {
        ready!(socket.as_mut().poll_ready(cx))?;
        match others.poll_recv(cx) {
            Poll::Ready(Some(message)) => socket.as_mut().start_send(message)?,
            Poll::Ready(None) | Poll::Pending => return socket.as_mut().poll_flush(cx),
        }
    }
}
