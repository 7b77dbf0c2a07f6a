//! A transport that counts, and does what it is told.

use std::{
    collections::VecDeque,
    io::{self, IoSlice},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard},
    task::{Context, Poll, Waker},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A transport in memory. Its other end is the [`Wire`].
#[derive(Debug)]
pub struct Mock(Arc<Mutex<State>>);

/// The other end of a [`Mock`]: what is read, what was written, and how often.
#[derive(Clone)]
pub struct Wire(Arc<Mutex<State>>);

#[derive(Debug, Default)]
pub struct State {
    /// What reads give, each at most one of these.
    incoming: VecDeque<Vec<u8>>,
    end: Option<Result<(), io::ErrorKind>>,
    /// What was written.
    pub written: Vec<u8>,
    /// How many bytes are still taken.
    room: usize,
    /// The most bytes that one write takes.
    pub step: usize,
    fails: Option<io::ErrorKind>,
    /// Whether each call is pending once before it does anything.
    pub stutters: bool,
    ready: [bool; 4],
    /// Reads that gave bytes.
    pub reads: usize,
    /// Writes that took bytes.
    pub writes: usize,
    /// How many slices each of these writes was offered.
    pub slices: Vec<usize>,
    pub shut: bool,
    pub dropped: bool,
    pub reader: Option<Waker>,
    writer: Option<Waker>,
}

pub fn mock() -> (Mock, Wire) {
    let state = State { room: usize::MAX, step: usize::MAX, ..State::default() };
    let state = Arc::new(Mutex::new(state));
    (Mock(Arc::clone(&state)), Wire(state))
}

impl Wire {
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no test panics under the lock")
    }

    /// What the next read gives.
    pub fn push(&self, bytes: impl Into<Vec<u8>>) {
        let mut state = self.state();
        state.incoming.push_back(bytes.into());
        state.reader.take().into_iter().for_each(Waker::wake);
    }

    /// Whether the transport is gone, if this is its only wire.
    pub fn is_dropped(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }

    /// Ends the stream behind what was pushed: without an error, or with one.
    pub fn end(&self, end: Result<(), io::ErrorKind>) {
        let mut state = self.state();
        state.end = Some(end);
        state.reader.take().into_iter().for_each(Waker::wake);
    }

    /// Lets writes take so many bytes more, and no more.
    pub fn take(&self, room: usize) {
        let mut state = self.state();
        state.room = room;
        state.writer.take().into_iter().for_each(Waker::wake);
    }

    /// Fails all writes from now on.
    pub fn fail_writes(&self, kind: io::ErrorKind) {
        let mut state = self.state();
        state.fails = Some(kind);
        state.writer.take().into_iter().for_each(Waker::wake);
    }

    /// Reads and writes since the last time.
    pub fn counts(&self) -> (usize, usize) {
        let mut state = self.state();
        (std::mem::take(&mut state.reads), std::mem::take(&mut state.writes))
    }

    /// What was written since the last time.
    pub fn written(&self) -> Vec<u8> {
        std::mem::take(&mut self.state().written)
    }
}

impl State {
    /// Whether this call comes too early.
    fn stutter(&mut self, call: usize, cx: &Context<'_>) -> bool {
        if !self.stutters {
            return false;
        }
        self.ready[call] = !self.ready[call];
        if self.ready[call] {
            cx.waker().wake_by_ref();
        }
        self.ready[call]
    }

    fn write<'a>(
        &mut self,
        bytes: impl Iterator<Item = &'a [u8]>,
        slices: usize,
        cx: &Context<'_>,
    ) -> Poll<io::Result<usize>> {
        if let Some(kind) = self.fails {
            return Poll::Ready(Err(kind.into()));
        }
        if self.shut {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        if self.stutter(1, cx) {
            return Poll::Pending;
        }
        let most = self.room.min(self.step);
        if most == 0 {
            self.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let before = self.written.len();
        for slice in bytes {
            let left = most - (self.written.len() - before);
            self.written.extend_from_slice(&slice[..slice.len().min(left)]);
        }
        let taken = self.written.len() - before;
        if self.room != usize::MAX {
            self.room -= taken;
        }
        self.writes += 1;
        self.slices.push(slices);
        Poll::Ready(Ok(taken))
    }
}

impl Mock {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no test panics under the lock")
    }
}

impl Drop for Mock {
    fn drop(&mut self) {
        self.state().dropped = true;
    }
}

impl AsyncRead for Mock {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut state = self.state();
        if state.stutter(0, cx) {
            return Poll::Pending;
        }
        if let Some(mut bytes) = state.incoming.pop_front() {
            let rest = bytes.split_off(bytes.len().min(buf.remaining()));
            if !rest.is_empty() {
                state.incoming.push_front(rest);
            }
            buf.put_slice(&bytes);
            state.reads += 1;
            return Poll::Ready(Ok(()));
        }
        match state.end {
            Some(end) => Poll::Ready(end.map_err(Into::into)),
            None => {
                state.reader = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl AsyncWrite for Mock {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.state().write(std::iter::once(buf), 1, cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.state().write(bufs.iter().map(|slice| &**slice), bufs.len(), cx)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.state().stutter(2, cx) { Poll::Pending } else { Poll::Ready(Ok(())) }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut state = self.state();
        if state.stutter(3, cx) {
            return Poll::Pending;
        }
        state.shut = true;
        Poll::Ready(Ok(()))
    }
}
