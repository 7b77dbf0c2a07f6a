//! What a connection waits for beside its transport: deadlines, orders of its server, deferred work of extensions.

use std::{
    io,
    task::{Context, Poll, ready},
    time::Instant,
};

use tokio::io::AsyncRead;
use ws_endpoint::extensions::Direction;

use super::Pump;
use crate::{Writer, server::registry::Order, timer::Timer};

impl Pump {
    /// Judges the deadlines and waits for the next one. Ready when one has passed.
    #[inline]
    pub(super) fn poll_wait<S: AsyncRead + Unpin>(
        &mut self,
        io: &mut S,
        writer: &mut Writer,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        if self.remote.is_some() && self.poll_orders(writer, cx).is_ready() {
            return Poll::Ready(());
        }
        let now = Timer::now();
        let in_time = !self.timer.is_due(now) && self.timer.is_armed(cx);
        if in_time && self.lifecycle.is_calm(now, &mut self.receiver, &mut writer.sender) {
            return Poll::Pending;
        }
        self.poll_deadline(now, io, writer, cx)
    }

    #[inline(never)]
    fn poll_deadline<S: AsyncRead + Unpin>(
        &mut self,
        now: Instant,
        io: &mut S,
        writer: &mut Writer,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        let listens = !self.is_over() && !self.receiver.is_end_of_stream() && !self.lifecycle.is_paused();
        if listens && self.timer.is_due(now) {
            // Who waits to write does not read: the answer may have come long ago. One byte tells that the peer lives.
            let _silent = self.poll_read(io, writer, 1, cx);
        }
        let before = self.receiver.ending().is_some() || writer.sender.is_closing();
        let queued = writer.sender.queued();
        let Self { receiver, replies, lifecycle, .. } = self;
        let deadline = lifecycle.poll_deadline(now, receiver, &mut writer.sender, replies);
        let after = self.receiver.ending().is_some() || writer.sender.is_closing();
        if before != after || writer.sender.queued() != queued || self.lifecycle.is_dropped() {
            return Poll::Ready(()); // there is something to be written, or the end
        }
        self.timer.poll(deadline, cx)
    }

    /// Does what the server has told the connection to do. Ready when that was something.
    #[inline(never)]
    fn poll_orders(&mut self, writer: &mut Writer, cx: &mut Context<'_>) -> Poll<()> {
        let Some(remote) = &self.remote else { return Poll::Pending };
        match &*ready!(remote.poll_order(cx)) {
            // The reason was cut to what fits.
            Order::Close(code, reason) => drop(writer.close(*code, reason)),
            Order::Drop => {
                self.receiver.end_of_stream();
                self.lifecycle.transport_failed(&mut writer.sender);
                self.failure.get_or_insert_with(|| io::ErrorKind::ConnectionAborted.into());
            }
        }
        Poll::Ready(())
    }

    /// Starts deferred work and takes back what is done. Ready when something was.
    #[inline]
    pub(super) fn poll_jobs(&mut self, writer: &mut Writer, cx: &mut Context<'_>) -> Poll<()> {
        let idle = self.jobs.is_none() && !self.receiver.is_extended() && !writer.sender.is_extended();
        if idle { Poll::Pending } else { self.poll_some_jobs(writer, cx) }
    }

    #[inline(never)]
    fn poll_some_jobs(&mut self, writer: &mut Writer, cx: &mut Context<'_>) -> Poll<()> {
        while let Some((id, job)) = self.receiver.next_job().or_else(|| writer.sender.next_job()) {
            self.jobs.get_or_insert_default().start(id, job);
        }
        let Some(jobs) = &mut self.jobs else { return Poll::Pending };
        let (id, finished) = ready!(jobs.poll(cx));
        match id.direction() {
            Direction::Incoming => self.receiver.complete_job(id, finished),
            // A failure has queued its Close.
            Direction::Outgoing => {
                if let Err(error) = writer.sender.complete_job(id, finished) {
                    jobs.unmade = Some(error);
                }
            }
        }
        if jobs.is_done() {
            self.jobs = None;
        }
        Poll::Ready(())
    }
}
