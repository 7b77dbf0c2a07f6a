//! Bytes between a transport and the driver: the one place that reads, writes and waits.

mod prepared;
mod share;
mod waiting;

use std::{
    io,
    pin::{Pin, pin},
    task::{Context, Poll, ready},
};

use bytes::BufMut;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use ws_endpoint::{
    driver::{Ending, Lifecycle, Progress, Receiver, Replies, SendError},
    extensions::Direction,
};

pub(crate) use self::share::Share;
use crate::{
    Error, Writer,
    jobs::Jobs,
    scratch,
    server::registry::{Remote, Wire},
    timer::Timer,
};

/// What a task reads before others of its thread have their turn. The runtime counts reads, 128 for a turn: from a peer
/// that sends more than can be looked at they would bring 8 MiB, a tenth of a second's work.
const TURN: u32 = 64 * 1024;

/// How many bytes of a long frame in progress count as one: they are moved and checked, and nothing else.
const FILLING: usize = 8;

/// How much of a message in short fragments is read in a turn: thousands fit a read, and thirty connections that send such
/// reads would have others wait for ten milliseconds.
const JOINING: usize = 16 * 1024;

/// The receiving half of a connection, and what drives it. All state is here and none in a future, so that every
/// future may be dropped at any time.
#[derive(Debug)]
pub(crate) struct Pump {
    pub(crate) receiver: Receiver,
    pub(crate) replies: Replies,
    pub(crate) lifecycle: Lifecycle,
    pub(crate) timer: Timer,
    /// Bytes that were read since others had their turn.
    turn: u32,
    /// Behind a pointer, as few have any.
    jobs: Option<Box<Jobs>>,
    /// A server's hold on the connection.
    pub(crate) remote: Option<Remote>,
    /// How the transport failed.
    failure: Option<io::Error>,
    /// Whether the transport has done everything that the end asks of it.
    ended: bool,
    /// Whether the end was reported.
    reported: bool,
    /// Whether the rest of a message that was received in part is passed over.
    pub(crate) skips: bool,
}

impl Pump {
    pub(crate) fn new(receiver: Receiver, replies: Replies, lifecycle: Lifecycle) -> Self {
        let mut pump = Self {
            receiver,
            replies,
            lifecycle,
            timer: Timer::default(),
            turn: 0,
            jobs: None,
            remote: None,
            failure: None,
            ended: false,
            reported: false,
            skips: false,
        };
        pump.begin_turn();
        pump
    }

    /// Goes on until an event is ready, or the connection has ended and the transport was dealt with.
    ///
    /// What is queued is written when the input has run dry: one read and one write for each batch.
    #[inline]
    pub(crate) fn poll_event<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        io: &mut S,
        writer: &mut Writer,
        cx: &mut Context<'_>,
    ) -> Poll<Progress> {
        if self.ended {
            return Poll::Ready(Progress::Closed);
        }
        if self.lifecycle.is_paused() {
            ready!(self.poll_paused(io, writer, cx));
        }
        let progress = self.advance(writer);
        if progress == Progress::Ready && !writer.sender.must_flush() {
            return Poll::Ready(Progress::Ready); // another message of the batch
        }
        self.poll_on(progress, io, writer, cx)
    }

    #[inline]
    fn advance(&mut self, writer: &mut Writer) -> Progress {
        let progress = self.receiver.advance(&mut self.replies);
        writer.sender.absorb(&mut self.replies);
        progress
    }

    /// Goes on from what an advance has come to.
    #[inline(never)]
    fn poll_on<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        mut progress: Progress,
        io: &mut S,
        writer: &mut Writer,
        cx: &mut Context<'_>,
    ) -> Poll<Progress> {
        loop {
            match progress {
                Progress::Ready => {
                    if writer.sender.must_flush() {
                        let _blocked = self.poll_write(io, writer, cx);
                        writer.sender.absorb(&mut self.replies);
                    }
                    return Poll::Ready(Progress::Ready);
                }
                Progress::Closed => {
                    self.leave_place();
                    let ended = self.poll_end(io, writer, cx);
                    scratch::detach(&mut self.receiver, &mut writer.sender, &mut self.replies);
                    ready!(ended);
                    self.ended = true;
                    if let Some(remote) = self.remote.take() {
                        let closed = self.receiver.ending().map(|ending| writer.sender.closed(ending));
                        remote.ended(closed.is_some_and(|closed| closed.is_clean()));
                    }
                    return Poll::Ready(Progress::Closed);
                }
                Progress::NeedBytes | Progress::NeedJobs => {
                    let reads = progress == Progress::NeedBytes;
                    if self.poll_batch(io, writer, reads, cx).is_pending() {
                        scratch::detach(&mut self.receiver, &mut writer.sender, &mut self.replies);
                        return Poll::Pending;
                    }
                }
            }
            progress = self.advance(writer);
        }
    }

    /// Reads nothing and hands out nothing, but writes and watches the deadlines. Ready, and not paused any more, when the
    /// connection closes or has failed, as who waits for its end must read.
    #[cold]
    fn poll_paused<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        io: &mut S,
        writer: &mut Writer,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        loop {
            while self.poll_jobs(writer, cx).is_ready() {}
            let _blocked = self.poll_write(io, writer, cx);
            if self.is_over() || writer.sender.is_closing() {
                self.lifecycle.set_paused(false);
                return Poll::Ready(());
            }
            if self.poll_wait(io, writer, cx).is_pending() {
                scratch::detach(&mut self.receiver, &mut writer.sender, &mut self.replies);
                return Poll::Pending;
            }
        }
    }

    /// Writes what is queued, then reads the next batch. Pending with the timer armed.
    #[inline]
    fn poll_batch<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        io: &mut S,
        writer: &mut Writer,
        reads: bool,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        if self.poll_jobs(writer, cx).is_ready() {
            return Poll::Ready(());
        }
        if writer.has_unwritten() {
            let _blocked = self.poll_write(io, writer, cx);
        }
        if reads {
            if let Some(pause) = self.receiver.pause() {
                return self.poll_share(pause, cx);
            }
            if self.turn >= TURN && self.is_turn_over() {
                return self.poll_yield(cx);
            }
            if self.poll_read(io, writer, usize::MAX, cx).is_ready() {
                return Poll::Ready(());
            }
            self.leave_place();
            self.begin_turn();
            if self.failure.is_some() {
                // What came before the transport failed was received; nothing more is waited for.
                self.receiver.end_of_stream();
                return Poll::Ready(());
            }
        }
        self.poll_wait(io, writer, cx)
    }

    /// Writes what is queued, and watches the deadlines, while what is lent stays lent and nothing is read. Ready when the
    /// connection is over.
    pub(crate) fn poll_hold<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        io: &mut S,
        writer: &mut Writer,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        while !self.is_over() {
            if self.poll_batch(io, writer, false, cx).is_pending() {
                scratch::detach(&mut self.receiver, &mut writer.sender, &mut self.replies);
                return Poll::Pending;
            }
        }
        Poll::Ready(())
    }

    /// Behind the end: writes the Close, shuts down, reads on until the peer has closed.
    fn poll_end<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        io: &mut S,
        writer: &mut Writer,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        loop {
            while self.poll_jobs(writer, cx).is_ready() {}
            let written = self.poll_write(io, writer, cx);
            let mut wants = self.lifecycle.wants(&mut self.receiver, &mut writer.sender);
            if wants.shutdown && written.is_ready() {
                match Pin::new(&mut *io).poll_shutdown(cx) {
                    Poll::Ready(Ok(())) => self.lifecycle.shut(),
                    Poll::Ready(Err(_)) => self.lifecycle.transport_failed(&mut writer.sender),
                    Poll::Pending => {}
                }
                wants = self.lifecycle.wants(&mut self.receiver, &mut writer.sender);
            }
            if wants.read && self.poll_read(io, writer, usize::MAX, cx).is_ready() {
                self.receiver.buffer().clear();
                continue;
            }
            let jobs = wants.jobs && !writer.sender.is_abandoned(); // a Close that waits has nowhere to go
            if !(wants.read || wants.write || wants.shutdown || jobs) {
                return Poll::Ready(());
            }
            ready!(self.poll_wait(io, writer, cx));
        }
    }

    /// Reads once, at most so many bytes. Ready when there is something new: bytes, the end, or a failure.
    fn poll_read<S: AsyncRead + Unpin>(
        &mut self,
        io: &mut S,
        writer: &mut Writer,
        most: usize,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        scratch::attach(&mut self.receiver, &mut writer.sender, &mut self.replies);
        let (filling, joining) = (self.receiver.is_filling(), self.receiver.is_joining());
        let most = if joining { most.min(JOINING) } else { most };
        let read = pin!(io.read_buf(&mut self.receiver.buffer().limit(most))).poll(cx);
        match ready!(read) {
            Ok(0) => self.receiver.end_of_stream(),
            Ok(_) if joining => self.turn = TURN,
            Ok(len) => {
                let counted = if filling { len / FILLING } else { len };
                self.turn = self.turn.saturating_add(u32::try_from(counted).unwrap_or(u32::MAX));
            }
            Err(error) => {
                self.receiver.end_of_stream();
                self.lifecycle.transport_failed(&mut writer.sender);
                self.failure.get_or_insert(error);
            }
        }
        Poll::Ready(())
    }

    /// Writes what is queued: ready when all of it has left. When the transport fails, what waits is given up, and what
    /// the peer has sent before is still received.
    pub(crate) fn poll_write<S: AsyncWrite + Unpin>(
        &mut self,
        io: &mut S,
        writer: &mut Writer,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        self.note(writer);
        let written = writer.poll_write(io, cx);
        if let Some(remote) = &self.remote {
            let sender = &writer.sender;
            remote.note(match written {
                Poll::Ready(Ok(())) if !sender.is_closing() => Wire::Boundary,
                Poll::Ready(Ok(())) if !sender.is_close_waiting() && !sender.is_abandoned() => {
                    Wire::CloseSent
                }
                _ => Wire::Shut,
            });
        }
        if let Err(error) = ready!(written) {
            writer.sender.abandon();
            self.failure.get_or_insert(error);
        }
        Poll::Ready(())
    }

    /// Writes until fewer than `mark` bytes wait, or none. Ready with an error when that cannot be.
    #[inline(never)]
    pub(crate) fn poll_flush<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        io: &mut S,
        writer: &mut Writer,
        mark: usize,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Error>> {
        loop {
            while self.poll_jobs(writer, cx).is_ready() {}
            let written = self.poll_write(io, writer, cx);
            if let Some(error) = self.write_error() {
                return Poll::Ready(Err(error));
            }
            let deferred = self.jobs.as_ref().is_some_and(|jobs| jobs.has(Direction::Outgoing));
            if written.is_ready() && !deferred || writer.queued() < mark {
                scratch::detach_sender(&mut writer.sender);
                return Poll::Ready(Ok(()));
            }
            if self.poll_wait(io, writer, cx).is_pending() {
                scratch::detach(&mut self.receiver, &mut writer.sender, &mut self.replies);
                return Poll::Pending;
            }
        }
    }

    /// Why something that was queued did not leave and never will. The causes themselves are kept for the report.
    pub(crate) fn write_error(&self) -> Option<Error> {
        if let Some(error) = self.unmade() {
            return Some(Error::Send(error.clone()));
        }
        if let Some(failure) = &self.failure {
            return Some(Error::Io(io::Error::new(failure.kind(), failure.to_string())));
        }
        match self.receiver.ending()? {
            Ending::Expired(expired) => Some(Error::Expired(*expired)),
            Ending::Lost => Some(Error::Lost),
            Ending::Failed(fault) if self.lifecycle.is_dropped() => Some(Error::Failed(fault.clone())),
            _ => self.lifecycle.is_dropped().then_some(Error::Lost),
        }
    }

    /// Measures, if a ping leaves or its pong has been read.
    #[inline]
    pub(crate) fn note(&mut self, writer: &mut Writer) {
        if Lifecycle::has_news(&self.receiver, &writer.sender) {
            self.lifecycle.measure(Timer::now(), &mut self.receiver, &mut writer.sender);
        }
    }

    /// Whether the connection or its transport has ended, so that whoever waits for either should look.
    pub(crate) fn is_over(&self) -> bool {
        self.receiver.ending().is_some() || self.failure.is_some() || self.unmade().is_some()
    }

    /// How deferred work on a message to be sent failed.
    fn unmade(&self) -> Option<&SendError> {
        self.jobs.as_ref()?.unmade.as_ref()
    }

    /// Whether the end was reported already.
    pub(crate) fn is_reported(&self) -> bool {
        self.reported
    }

    /// How the connection has ended, as an error where it is one; once.
    pub(crate) fn report(&mut self) -> Option<Error> {
        if std::mem::replace(&mut self.reported, true) {
            return None;
        }
        match self.receiver.ending()? {
            Ending::Close(_) => self.jobs.as_mut()?.unmade.take().map(Error::Send),
            Ending::Failed(fault) => Some(Error::Failed(fault.clone())),
            Ending::Expired(expired) => Some(Error::Expired(*expired)),
            _ => Some(self.failure.take().map_or(Error::Lost, Error::Io)),
        }
    }
}
