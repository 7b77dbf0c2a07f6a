//! A transport on which a handshake is under way.

use std::{
    future::poll_fn,
    io,
    pin::{Pin, pin},
    task::Poll,
};

use bytes::{Bytes, BytesMut};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    time::{self, Duration, Instant},
};
use ws_endpoint::{
    ServerConfig,
    handshake::{Refusal, RequestError, write_response},
};

use super::AcceptError;
use crate::race::unless;

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
    pub(crate) deadline: Option<Instant>,
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
        Self { io, buf: BytesMut::new(), deadline: deadline(config) }
    }

    /// Reads until `parse` finds a request, or `interrupt` says why there will be none.
    pub(crate) async fn read<R>(
        &mut self,
        mut parse: impl FnMut(&mut BytesMut) -> Result<Option<R>, Refusal>,
        mut interrupt: Pin<&mut impl Future<Output = RequestError>>,
    ) -> Result<R, Unread> {
        loop {
            match unless(self.fill(), interrupt.as_mut()).await {
                Ok(Ok(Some(0))) => return Err(Unread::Failed(AcceptError::Left)),
                Ok(Ok(Some(_))) => {}
                Ok(Ok(None)) => return Err(Unread::Refused(RequestError::Timeout.into())),
                Ok(Err(error)) => return Err(Unread::Failed(error.into())),
                Err(interrupted) => return Err(Unread::Refused(interrupted.into())),
            }
            match parse(&mut self.buf) {
                Ok(Some(request)) => return Ok(request),
                Ok(None) => {}
                Err(refusal) => return Err(Unread::Refused(refusal)),
            }
        }
    }

    /// The same without an interrupt, and a refusal is sent.
    pub(super) async fn read_or_refuse<R>(
        mut self,
        parse: impl FnMut(&mut BytesMut) -> Result<Option<R>, Refusal>,
    ) -> Result<(Self, R), AcceptError> {
        match self.read(parse, pin!(std::future::pending())).await {
            Ok(request) => Ok((self, request)),
            Err(Unread::Refused(refusal)) => self.refuse(refusal).await,
            Err(Unread::Failed(error)) => Err(error),
        }
    }

    /// Reads once; `None` when the time is up.
    async fn fill(&mut self) -> io::Result<Option<usize>> {
        self.buf.reserve(1024);
        let read = self.io.read_buf(&mut self.buf);
        match self.deadline {
            None => read.await.map(Some),
            Some(deadline) => time::timeout_at(deadline, read).await.ok().transpose(),
        }
    }

    /// Whether the client has ended its side already, which is asked without waiting; bytes that are found are kept. It
    /// will not send the Close that ends a connection, nor anything else: there is no point in opening one.
    pub(super) async fn has_left(&mut self) -> io::Result<bool> {
        self.buf.reserve(1024);
        poll_fn(|cx| match pin!(self.io.read_buf(&mut self.buf)).poll(cx) {
            Poll::Ready(read) => Poll::Ready(read.map(|read| read == 0)),
            Poll::Pending => Poll::Ready(Ok(false)),
        })
        .await
    }

    pub(super) async fn write(&mut self, bytes: &Bytes) -> Result<(), AcceptError> {
        let write = async {
            self.io.write_all(bytes).await?;
            self.io.flush().await
        };
        match self.deadline {
            None => write.await?,
            Some(deadline) => time::timeout_at(deadline, write).await.map_err(|_| AcceptError::Left)??,
        }
        Ok(())
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
