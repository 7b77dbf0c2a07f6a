//! The task of a connection.

use std::{
    collections::VecDeque,
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncWrite};
use ws_endpoint::driver::{CloseCode, SendError};

use super::{Handle, SpawnOptions, inbox::Room, orders::Order, shared::Shared};
use crate::{Error, Subscription, WebSocket, link::Link, scratch, tasks::lock};

/// The task of a connection that was taken apart by [`WebSocket::into_task`]: a future that drives it to its end.
///
/// Dropping it drops the transport, and the handles report [`Error::Lost`].
#[must_use = "the connection does nothing unless its task is polled"]
pub struct ConnectionTask<S> {
    socket: WebSocket<S>,
    shared: Arc<Shared>,
    /// Orders that were taken and wait for room in the connection.
    orders: VecDeque<Order>,
    /// The groups that the connection belongs to.
    subscriptions: Vec<Subscription>,
    /// Orders that were carried out.
    done: u64,
    /// How many of those were last told to have been written.
    written: u64,
    /// Whether orders may wait for room in the connection.
    held: bool,
    /// Whether the handles were all gone.
    leaving: bool,
}

/// How many messages are received before others have their turn.
const BATCH: usize = 128;

/// What became of receiving.
enum Received {
    /// There is nothing to do until something happens.
    Waits,
    /// There may be more.
    Goes,
    /// The connection has ended.
    Ended,
}

impl<S: AsyncRead + AsyncWrite + Unpin> ConnectionTask<S> {
    pub(super) fn new(mut socket: WebSocket<S>, options: SpawnOptions) -> (Handle, Self) {
        socket.link().reader.pump.skips = true; // of a message that was received in part
        socket.resume(); // the bound of the inbox takes the place of a pause
        let shared = Shared::new(options, socket.link().writer.sender.limits());
        let handle = Handle::new(Arc::clone(&shared));
        let orders = VecDeque::new();
        let subscriptions = Vec::new();
        (
            handle,
            Self { socket, shared, orders, subscriptions, done: 0, written: 0, held: false, leaving: false },
        )
    }

    /// Carries out orders while the connection has room for them.
    fn take_orders(&mut self) {
        let mut passed_on = 0;
        self.held = loop {
            if self.socket.link().writer.is_above_mark() {
                break true;
            }
            let Some(order) = self.orders.pop_front() else {
                let empty = std::mem::take(&mut self.orders);
                self.orders = lock(&self.shared.orders).take(empty);
                if self.orders.is_empty() {
                    break false;
                }
                continue;
            };
            passed_on += order.weight();
            self.done += 1;
            if let Err(error) = self.carry_out(order) {
                lock(&self.shared.orders).failure.get_or_insert(error);
            }
        };
        if passed_on > 0 {
            lock(&self.shared.orders).pass_on(passed_on);
            self.shared.progress.notify_waiters();
        }
    }

    fn carry_out(&mut self, order: Order) -> Result<(), SendError> {
        let writer = &mut self.socket.link().writer;
        match order {
            Order::Send(message) => writer.send(message).map_err(|unsent| unsent.error),
            Order::SendPrepared(message) => writer.send_prepared(&message),
            Order::Join(subscription) => {
                self.subscriptions.reserve_exact(1); // most connections belong to one group, or to few
                self.subscriptions.push(subscription);
                Ok(())
            }
            Order::Ping(payload) => {
                scratch::attach_sender(&mut writer.sender);
                writer.ping(&payload)
            }
            Order::Close(code, reason) => writer.close(code, &reason),
        }
    }

    /// Queues what was sent to the connection's groups, while it has room.
    fn feed(&mut self, cx: &Context<'_>) {
        if self.subscriptions.is_empty() {
            return;
        }
        let writer = &mut self.socket.link().writer;
        self.subscriptions.retain_mut(|subscription| {
            subscription.poll_feed(writer, Some(cx));
            !subscription.is_over()
        });
    }

    /// Whether there is room now for something that had to wait.
    fn goes_on(&mut self) -> bool {
        let writer = &self.socket.link().writer;
        self.held && !writer.sender.is_above_mark()
            || self.subscriptions.iter().any(|subscription| subscription.goes_on(writer))
    }

    /// Receives while the inbox has room.
    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Received {
        for _ in 0..BATCH {
            let Link { reader, writer, .. } = self.socket.link();
            let room = lock(&self.shared.inbox).room();
            // Behind the end there is no more than what has been read: the bound need not hold it back.
            if room == Room::Full && !reader.pump.is_over() {
                if reader.pump.poll_hold(&mut reader.io, writer, cx).is_pending() {
                    return Received::Waits;
                }
                continue;
            }
            match reader.poll_message(writer, false, cx) {
                Poll::Pending => return Received::Waits,
                Poll::Ready(Some(Ok(()))) if room == Room::Left => {}
                Poll::Ready(Some(Ok(()))) => {
                    if let Some(message) = reader.lend() {
                        let message = message.into_message();
                        let pump = &mut reader.pump;
                        scratch::release(&mut pump.receiver, &mut writer.sender, &mut pump.replies);
                        lock(&self.shared.inbox).push(message);
                        self.shared.reader.wake();
                    }
                }
                Poll::Ready(end) => {
                    let error = end.and_then(Result::err);
                    self.shared.finish(self.socket.closed(), error);
                    return Received::Ended;
                }
            }
        }
        Received::Goes
    }

    /// Says how much has left for good.
    fn tell_written(&mut self, cx: &mut Context<'_>) {
        if self.written == self.done {
            return;
        }
        let Link { reader, writer, .. } = self.socket.link();
        if let Poll::Ready(Ok(())) = reader.poll_flush(writer, 0, cx) {
            self.written = self.done;
            lock(&self.shared.orders).written = self.done;
            self.shared.progress.notify_waiters();
        }
    }

    /// Closes a connection that nobody holds any more.
    fn leave(&mut self) {
        if !self.leaving && !self.held {
            self.leaving = true;
            let _fits = self.socket.link().writer.close(CloseCode::GOING_AWAY, "");
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Future for ConnectionTask<S> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        this.shared.task.park(cx);
        if lock(&this.shared.orders).terminated {
            this.shared.finish(this.socket.closed(), Some(Error::Lost));
        }
        if this.shared.end().is_some() {
            return Poll::Ready(());
        }
        loop {
            let left = this.shared.is_left(); // then no order comes behind those that are taken now
            this.take_orders();
            if left {
                this.leave();
            }
            this.feed(cx);
            match this.poll_receive(cx) {
                Received::Ended => return Poll::Ready(()),
                Received::Goes => {
                    cx.waker().wake_by_ref(); // others have their turn first
                    return Poll::Pending;
                }
                Received::Waits if this.goes_on() => {}
                Received::Waits => {
                    this.tell_written(cx);
                    this.shared.set_rtt(this.socket.rtt());
                    return Poll::Pending;
                }
            }
        }
    }
}

impl<S> Drop for ConnectionTask<S> {
    fn drop(&mut self) {
        // Its end was told already, unless the task was aborted or has panicked.
        self.shared.finish(None, Some(Error::Lost));
    }
}

impl<S> fmt::Debug for ConnectionTask<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectionTask").finish_non_exhaustive()
    }
}
