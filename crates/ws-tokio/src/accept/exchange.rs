//! A transport on which a handshake is under way.

use std::{
    future::poll_fn,
    io,
    mem::{self, MaybeUninit},
    pin::{Pin, pin},
    task::{Context, Poll, ready},
};

use bytes::{Bytes, BytesMut};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf},
    time::{self, Duration, Instant},
};
use ws_endpoint::{
    Accepted, ServerConfig,
    handshake::{Acceptance, Refusal, RequestError, RequestHead, write_response},
};

use super::AcceptError;
use crate::{WebSocket, home::Lending, timer::Timer};

/// How much is read at a time: requests of the usual length fit.
const ROOM: usize = 2048;

/// How long a refused client may take to read its answer.
const LINGER: Duration = Duration::from_secs(2);

/// How much of what a refused client still sends is read.
const LINGER_BYTES: usize = 64 * 1024;

/// A transport on which a handshake is under way.
#[derive(Debug)]
pub(crate) struct Exchange<S> {
    pub(crate) io: S,
    /// What was read: of the request first, then what came behind it.
    pub(crate) buf: BytesMut,
    deadline: Option<Instant>,
    /// Armed by the first wait; the connection goes on with it.
    timer: Timer,
}

/// Why no request was read.
#[derive(Debug)]
pub(crate) enum Unread {
    /// It is to be answered so.
    Refused(Refusal),
    /// There is nobody to answer.
    Failed(AcceptError),
}

impl<S: AsyncRead + AsyncWrite + Unpin> Exchange<S> {
    pub(crate) fn new(io: S, config: &ServerConfig) -> Self {
        Self::until(io, deadline(config))
    }

    pub(crate) fn until(io: S, deadline: Option<Instant>) -> Self {
        Self { io, buf: BytesMut::new(), deadline, timer: Timer::default() }
    }

    /// Reads until `parse` finds a request, or `interrupt` says why there will be none.
    pub(crate) async fn read<R>(
        &mut self,
        mut parse: impl FnMut(&mut BytesMut) -> Result<Option<R>, Refusal>,
        mut interrupt: Pin<&mut impl Future<Output = RequestError>>,
    ) -> Result<R, Unread> {
        poll_fn(|cx| {
            loop {
                match self.poll_fill(cx) {
                    Poll::Ready(Ok(0)) => return Poll::Ready(Err(Unread::Failed(AcceptError::Left))),
                    Poll::Ready(Ok(_)) => {}
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(Unread::Failed(error.into()))),
                    Poll::Pending if self.poll_deadline(cx).is_ready() => {
                        return Poll::Ready(Err(Unread::Refused(RequestError::Timeout.into())));
                    }
                    Poll::Pending => {
                        let interrupted = interrupt.as_mut().poll(cx);
                        return interrupted.map(|why| Err(Unread::Refused(why.into())));
                    }
                }
                match parse(&mut self.buf) {
                    Ok(Some(request)) => return Poll::Ready(Ok(request)),
                    Ok(None) => {}
                    Err(refusal) => return Poll::Ready(Err(Unread::Refused(refusal))),
                }
            }
        })
        .await
    }

    /// The same without an interrupt.
    pub(super) async fn read_all<R>(
        &mut self,
        parse: impl FnMut(&mut BytesMut) -> Result<Option<R>, Refusal>,
    ) -> Result<R, Unread> {
        self.read(parse, pin!(std::future::pending())).await
    }

    /// Answers what was no request, if there is anybody to answer. In a box of its own, as everything rare here, so that what is
    /// usual stays small.
    pub(super) fn give_up<T>(self, why: Unread) -> Pin<Box<impl Future<Output = Result<T, AcceptError>>>> {
        Box::pin(async move {
            match why {
                Unread::Refused(refusal) => self.refuse(refusal).await,
                Unread::Failed(error) => Err(error),
            }
        })
    }

    /// Ready when the time is up.
    fn poll_deadline(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.timer.poll(self.deadline.map(Instant::into_std), cx)
    }

    /// Reads once, by way of the stack: who waits for a client has no buffer yet, and one of the request's own length then.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut room = [const { MaybeUninit::uninit() }; ROOM];
        let mut room = ReadBuf::uninit(&mut room);
        ready!(Pin::new(&mut self.io).poll_read(cx, &mut room))?;
        let filled = room.filled();
        if self.buf.is_empty() {
            self.buf = BytesMut::from(filled); // cheaper than to ask an empty one to grow
        } else {
            self.buf.extend_from_slice(filled);
        }
        Poll::Ready(Ok(filled.len()))
    }

    /// Whether the client has ended its side already, which is asked without waiting; bytes that are found are kept. It
    /// will not send the Close that ends a connection, nor anything else: there is no point in opening one.
    fn has_left(&mut self, cx: &mut Context<'_>) -> io::Result<bool> {
        match self.poll_fill(cx) {
            Poll::Ready(read) => Ok(read? == 0),
            Poll::Pending => Ok(false),
        }
    }

    /// Writes the answer, unless the client has left.
    pub(crate) async fn send(&mut self, answer: &Acceptance) -> Result<(), AcceptError> {
        let (mut asked, mut written) = (false, 0);
        poll_fn(|cx| {
            if !mem::replace(&mut asked, true) && self.has_left(cx)? {
                return Poll::Ready(Err(AcceptError::Left));
            }
            match answer.lend_bytes(|bytes| self.poll_write(bytes, &mut written, cx)) {
                Poll::Ready(result) => Poll::Ready(Ok(result?)),
                Poll::Pending => self.poll_deadline(cx).map(|()| Err(AcceptError::Left)),
            }
        })
        .await
    }

    fn poll_write(
        &mut self,
        bytes: &[u8],
        written: &mut usize,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        while let Some(rest @ [_, ..]) = bytes.get(*written..) {
            match ready!(Pin::new(&mut self.io).poll_write(cx, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                len => *written += len,
            }
        }
        Pin::new(&mut self.io).poll_flush(cx)
    }

    /// The connection, once the answer has been written, and the request.
    #[inline]
    pub(crate) fn into_socket(
        self,
        accepted: Accepted,
        lending: Option<Lending<S>>,
    ) -> (WebSocket<S>, RequestHead) {
        let mut opened = accepted.open(Timer::now());
        let request = mem::take(&mut opened.handshake.request);
        let mut socket = WebSocket::opened(self.io, opened, &self.buf, false, lending);
        socket.link().reader.pump.timer = self.timer;
        (socket, request)
    }

    pub(crate) async fn refuse<T>(self, refusal: Refusal) -> Result<T, AcceptError> {
        self.end(&write_response(refusal.response())).await?;
        Err(refusal.into())
    }

    /// Writes the last bytes, and ends the transport.
    pub(crate) async fn end(self, bytes: &Bytes) -> io::Result<()> {
        say_last(self.io, bytes).await.map(drop)
    }
}

/// When a handshake that begins now must be over.
pub(crate) fn deadline(config: &ServerConfig) -> Option<Instant> {
    config.handshake_timeout.and_then(|timeout| Instant::now().checked_add(timeout))
}

/// Writes the last bytes, shuts down, and reads on for a moment: a transport that is dropped with unread bytes may forget
/// what was written. How the client leaves then is its own affair; says whether it has left in that time.
pub(crate) async fn say_last<S: AsyncRead + AsyncWrite + Unpin>(mut io: S, bytes: &[u8]) -> io::Result<bool> {
    let end = async {
        io.write_all(bytes).await?;
        io.flush().await?;
        let mut left = if io.shutdown().await.is_ok() { LINGER_BYTES } else { 0 };
        let mut buf = BytesMut::new();
        while left > 0 {
            buf.clear();
            buf.reserve(4096);
            match io.read_buf(&mut buf).await {
                Ok(0) => return Ok(true),
                Ok(read) => left -= read.min(left),
                Err(_) => break,
            }
        }
        Ok(false)
    };
    time::timeout(LINGER, end).await.unwrap_or(Ok(false))
}
