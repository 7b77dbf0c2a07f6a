//! Broadcast: every message goes to everybody, its sender too, in one order for all.

use std::{
    collections::HashMap,
    future::poll_fn,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    task::coop,
};
use ws_stack::{CloseCode, Error, Message, Reader, WebSocket, Writer};

use super::{
    connection::leave,
    inbox::{Delivery, Inbox},
    stop::Watch,
};

/// Above so many bytes that wait to be sent, a member's messages stay in its inbox.
const MARK: usize = 256 << 10;

/// All members, on whichever thread.
#[derive(Debug, Default)]
pub(super) struct Room(Mutex<Members>);

#[derive(Debug, Default)]
struct Members {
    inboxes: HashMap<u64, Arc<Inbox>>,
    next: u64,
}

/// A seat in the room; who drops it has left.
#[derive(Debug)]
struct Seat<'a> {
    room: &'a Room,
    number: u64,
    inbox: Arc<Inbox>,
}

/// What happens to a member next.
enum Step {
    Received(Message),
    Ended(Result<(), Error>),
    Overrun,
    Stop,
}

impl Room {
    fn join(&self) -> Seat<'_> {
        let inbox = Arc::<Inbox>::default();
        let mut members = self.lock();
        let number = members.next;
        members.next += 1;
        members.inboxes.insert(number, Arc::clone(&inbox));
        Seat { room: self, number, inbox }
    }

    /// Queues a message for all. Who cannot keep up is out.
    fn publish(&self, message: &Message) {
        self.lock().inboxes.retain(|_, inbox| inbox.push(message));
    }

    fn lock(&self) -> MutexGuard<'_, Members> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        self.room.lock().inboxes.remove(&self.number);
    }
}

/// A connection's time in the room.
pub(super) async fn attend<S>(room: &Room, ws: &mut WebSocket<S>, watch: &mut Watch) -> Result<(), Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let seat = room.join();
    loop {
        let (rx, tx) = ws.halves();
        match poll_fn(|cx| poll_step(&seat.inbox, rx, tx, watch, cx)).await {
            Step::Received(message) => {
                room.publish(&message);
                // Whoever sends without pause leaves the others time to take what they are sent.
                coop::consume_budget().await;
            }
            Step::Ended(result) => return result,
            Step::Overrun => {
                drop(seat);
                ws.close(CloseCode::TRY_AGAIN_LATER, "too slow for this room").await?;
                return Ok(());
            }
            Step::Stop => {
                drop(seat);
                return leave(ws).await;
            }
        }
    }
}

/// Takes what the others say before what this member says: nobody runs ahead of its own inbox.
fn poll_step<S>(
    inbox: &Inbox,
    rx: &mut Reader<S>,
    tx: &mut Writer,
    watch: &mut Watch,
    cx: &mut Context<'_>,
) -> Poll<Step>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    loop {
        match inbox.poll(tx.queued() < MARK, cx) {
            Poll::Ready(Delivery::Message(message)) => {
                if let Err(unsent) = tx.send(message) {
                    return Poll::Ready(Step::Ended(Err(unsent.error.into())));
                }
            }
            Poll::Ready(Delivery::Overrun) => return Poll::Ready(Step::Overrun),
            Poll::Pending => break,
        }
    }
    // The future holds no state: what it has done is in the connection, and it may be made anew for each poll.
    let received = pin!(rx.recv(tx)).poll(cx);
    match received {
        Poll::Ready(Some(Ok(message))) => Poll::Ready(Step::Received(message.into_message())),
        Poll::Ready(Some(Err(error))) => Poll::Ready(Step::Ended(Err(error))),
        Poll::Ready(None) => Poll::Ready(Step::Ended(Ok(()))),
        Poll::Pending => watch.poll(cx).map(|()| Step::Stop),
    }
}
