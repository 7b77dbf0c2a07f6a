//! A connection as a byte stream.

use std::{
    fmt, io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncBufRead, AsyncRead, AsyncWrite, ReadBuf};
use ws_endpoint::driver::{CloseCode, Closed, DataKind, Delivery, Progress, SendError};

use crate::{Error, WebSocket, link::Link, scratch, tasks::Tasks};

/// A connection as a byte stream: what else speaks over a socket speaks over a WebSocket.
///
/// **Reading** joins the messages: bytes are handed out as they arrive, out of the read buffer, whatever the length of the
/// messages. While nobody reads, nothing is read from the transport, so that the peer is held back. **Writing** sends each
/// call's bytes as one binary message, cut at [`ByteStreamOptions::max_message_len`]. Messages leave with the next flush
/// or read, or when as much waits as [`ByteStreamOptions::high_water_mark`] says; at the mark writing waits.
///
/// **The end.** Shutting down sends a Close with 1000 and waits for the peer's. What the peer still sends before it stays to be
/// read, and holds the shutdown back until it was read; who wants it no longer calls [`close`](Self::close). A Close of the
/// peer ends the reading side, and lets writing fail with [`io::ErrorKind::BrokenPipe`]. When the connection ends in any other
/// way, or in the middle of a message, reading and writing fail; the [`Error`] is inside the [`io::Error`]. Dropping the stream
/// drops the transport, without a Close.
///
/// A Close ends both directions (RFC 6455 section 5.5.1): there is no half-closed WebSocket. Protocols that shut down one
/// direction and go on with the other one need another sign for it.
///
/// One task may read while another one writes, as behind [`tokio::io::split`].
///
/// ```no_run
/// # async fn example(ws: ws_tokio::WebSocket<tokio::net::TcpStream>) -> std::io::Result<()> {
/// // A tunnel: bytes both ways between a WebSocket and a TCP connection.
/// let mut tcp = tokio::net::TcpStream::connect("127.0.0.1:22").await?;
/// let mut stream = ws.into_byte_stream();
/// tokio::io::copy_bidirectional(&mut stream, &mut tcp).await?;
/// # Ok(())
/// # }
/// ```
pub struct ByteStream<S> {
    socket: WebSocket<S>,
    options: ByteStreamOptions,
    tasks: Tasks,
    /// How much of the part that is lent has been read; `None` when none is.
    at: Option<usize>,
    /// Whether the last part that was lent was not the last of its message.
    mid_message: bool,
    end: Option<End>,
}

/// How a [`ByteStream`] behaves.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ByteStreamOptions {
    /// What happens to text messages: their bytes are read like any others.
    pub text: TextMessages,
    /// The longest message that one write becomes, in bytes: 64 KiB. A longer write is taken in part. At least 1.
    pub max_message_len: usize,
    /// Bytes waiting to be sent at which writing waits: 64 KiB. At least 1.
    pub high_water_mark: usize,
}

/// What a [`ByteStream`] does with text messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TextMessages {
    /// Their bytes are read like those of binary messages.
    #[default]
    Bytes,
    /// They close the connection with 1003, and reading fails with [`io::ErrorKind::InvalidData`].
    Refused,
}

/// How the connection has ended.
#[derive(Debug)]
enum End {
    Clean,
    Failed(Error),
    /// A text message was refused.
    Text,
}

impl Default for ByteStreamOptions {
    fn default() -> Self {
        Self { text: TextMessages::Bytes, max_message_len: 64 * 1024, high_water_mark: 64 * 1024 }
    }
}

impl End {
    fn result(&self) -> io::Result<()> {
        match self {
            Self::Clean => Ok(()),
            Self::Failed(error) => Err(error.again().into()),
            Self::Text => {
                Err(io::Error::new(io::ErrorKind::InvalidData, "text message on a stream of binary messages"))
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    /// The connection as a byte stream. Of a message that was received in part the rest is read; a pause ends.
    pub fn into_byte_stream(self) -> ByteStream<S> {
        self.into_byte_stream_with(ByteStreamOptions::default())
    }

    /// The same with options.
    pub fn into_byte_stream_with(mut self, options: ByteStreamOptions) -> ByteStream<S> {
        self.resume();
        let mid_message = self.link().reader.pump.receiver.is_mid_message();
        let tasks = Tasks::default();
        ByteStream { socket: self, options, tasks, at: None, mid_message, end: None }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> ByteStream<S> {
    /// Closes the connection: sends a Close, and waits for the peer's under the close deadline. What still arrives is dropped.
    ///
    /// # Errors
    /// As for [`WebSocket::close`].
    ///
    /// # Cancel safety
    /// The Close is queued by the first poll; call it again to go on waiting.
    pub async fn close(&mut self, code: CloseCode, reason: &str) -> io::Result<Option<Closed>> {
        self.at = None;
        let closed = self.socket.close(code, reason).await?;
        self.end.get_or_insert(End::Clean);
        Ok(closed)
    }

    /// How the connection ended, once it has.
    #[must_use]
    pub fn closed(&self) -> Option<Closed> {
        self.socket.closed()
    }

    /// What has arrived of a message and was not read yet; more may stand behind it.
    pub fn buffer(&mut self) -> &[u8] {
        let Some(at) = self.at else { return &[] };
        self.socket.link().part().and_then(|part| part.data.get(at..)).unwrap_or_default()
    }

    /// The connection as it was. Of a message that was read in part the rest comes with
    /// [`recv_part`](WebSocket::recv_part); what stands in [`buffer`](Self::buffer) is lost.
    pub fn into_inner(self) -> WebSocket<S> {
        self.socket
    }

    /// The connection.
    pub fn get_ref(&self) -> &WebSocket<S> {
        &self.socket
    }

    /// Goes on until there are bytes to be read, or the connection has ended.
    fn poll_bytes(&mut self, cx: &Context<'_>) -> Poll<io::Result<()>> {
        if self.has_bytes() {
            return Poll::Ready(Ok(()));
        }
        self.tasks.reader.park(cx);
        let before = self.socket.link().outlook();
        let result = self.poll_arrival();
        if self.socket.link().outlook() != before || self.end.is_some() {
            self.tasks.writer.wake();
        }
        if result.is_ready() {
            self.tasks.reader.leave();
        }
        result
    }

    fn has_bytes(&mut self) -> bool {
        !self.buffer().is_empty()
    }

    /// The same for whichever task looks.
    fn poll_arrival(&mut self) -> Poll<io::Result<()>> {
        let mut cx = Context::from_waker(&self.tasks.both);
        loop {
            if let Some(end) = &self.end {
                return Poll::Ready(end.result());
            }
            if let Some(at) = self.at.take()
                && self.socket.link().part().is_some_and(|part| at < part.data.len())
            {
                self.at = Some(at);
                return Poll::Ready(Ok(()));
            }
            let Link { reader, writer, .. } = self.socket.link();
            reader.pump.receiver.set_delivery(Delivery::Parts);
            match ready!(reader.pump.poll_event(&mut reader.io, writer, &mut cx)) {
                Progress::Ready => {}
                _ => {
                    self.end = Some(match reader.pump.report() {
                        Some(error) => End::Failed(error),
                        None if self.mid_message => End::Failed(Error::Truncated),
                        None => End::Clean,
                    });
                    continue;
                }
            }
            let Some(part) = self.socket.link().part() else { continue };
            let (kind, last) = (part.kind, part.last);
            if kind == DataKind::Text && self.options.text == TextMessages::Refused {
                self.end = Some(End::Text);
                let Link { reader, writer, .. } = self.socket.link();
                let _fits = writer.close(CloseCode::UNSUPPORTED_DATA, "binary messages only");
                let _written = reader.poll_flush(writer, 0, &mut cx);
                continue;
            }
            (self.at, self.mid_message) = (Some(0), !last);
        }
    }

    fn poll_send(&mut self, cx: &Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if bytes.is_empty() {
            return Poll::Ready(Ok(0));
        }
        if let Some(end) = &self.end {
            end.result()?;
            return Poll::Ready(Err(Error::Send(SendError::Closed).into()));
        }
        let mark = self.options.high_water_mark.max(1);
        if self.socket.queued() >= mark {
            ready!(self.poll_written(cx, mark))?;
        }
        let bytes = &bytes[..bytes.len().min(self.options.max_message_len.max(1))];
        let sender = &mut self.socket.link().writer.sender;
        scratch::attach_sender(sender);
        sender.write(DataKind::Binary, bytes).map_err(Error::Send)?;
        Poll::Ready(Ok(bytes.len()))
    }

    /// Writes until fewer than `mark` bytes wait, or none.
    fn poll_written(&mut self, cx: &Context<'_>, mark: usize) -> Poll<io::Result<()>> {
        self.tasks.writer.park(cx);
        let (written, changed) = self.socket.link().poll_flush_of_two(mark, &self.tasks);
        if changed {
            self.tasks.reader.wake();
        }
        if written.is_ready() {
            self.tasks.writer.leave();
        }
        written.map(|written| Ok(written?))
    }

    /// Waits for the end of the closing handshake. What has arrived and was not read holds it back, under the deadline.
    fn poll_closed(&mut self, cx: &Context<'_>) -> Poll<io::Result<()>> {
        if self.end.is_none() {
            self.socket.link().writer.close(CloseCode::NORMAL, "").map_err(Error::Send)?;
        }
        self.tasks.writer.park(cx);
        if !self.has_bytes() {
            let before = self.socket.link().outlook();
            let arrived = self.poll_arrival();
            if arrived.is_ready() || self.socket.link().outlook() != before {
                self.tasks.reader.wake();
            }
            ready!(arrived)?;
        }
        if let Some(end) = &self.end {
            self.tasks.writer.leave();
            return Poll::Ready(end.result());
        }
        let Link { reader, writer, .. } = self.socket.link();
        let mut cx = Context::from_waker(&self.tasks.both);
        ready!(reader.pump.poll_hold(&mut reader.io, writer, &mut cx));
        let error = reader.pump.write_error().unwrap_or(Error::Lost);
        Poll::Ready(Err(error.into()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for ByteStream<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if buf.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        let mut this = self;
        let bytes = ready!(this.as_mut().poll_fill_buf(cx))?;
        let len = bytes.len().min(buf.remaining());
        buf.put_slice(&bytes[..len]);
        this.consume(len);
        Poll::Ready(Ok(()))
    }
}

/// Bytes lent from the buffer that they arrived in.
impl<S: AsyncRead + AsyncWrite + Unpin> AsyncBufRead for ByteStream<S> {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.get_mut();
        ready!(this.poll_bytes(cx))?;
        Poll::Ready(Ok(this.buffer()))
    }

    fn consume(self: Pin<&mut Self>, amount: usize) {
        let this = self.get_mut();
        let Some(at) = this.at else { return };
        this.at = Some(at.saturating_add(amount));
        if !this.has_bytes() {
            this.tasks.writer.wake(); // a shutdown may have waited for this
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for ByteStream<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.get_mut().poll_send(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if let Some(end) = &this.end {
            return Poll::Ready(end.result());
        }
        this.poll_written(cx, 0)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().poll_closed(cx)
    }
}

impl<S> fmt::Debug for ByteStream<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ByteStream")
            .field("options", &self.options)
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}
