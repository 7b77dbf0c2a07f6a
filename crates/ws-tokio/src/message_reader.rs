//! One incoming message as a byte stream.

use std::{
    fmt,
    future::poll_fn,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncBufRead, AsyncRead, AsyncWrite, ReadBuf};
use ws_endpoint::driver::{DataKind, Part};

use self::source::PartSource;
use crate::{Error, OwnedReader, WebSocket};

mod source;

/// One incoming message as a byte stream, for payloads that do not fit memory: bytes are read as they arrive, compressed or
/// not, and the stream ends where the message does.
///
/// It is made by [`WebSocket::next_message_reader`] (then it is an [`AsyncBufRead`], too, which copies nothing) or
/// [`OwnedReader::next_message_reader`]. Text is checked while it arrives and handed out cut between characters; what was read of
/// a message whose end is bad has been read. [`Limits::max_message_len`](ws_endpoint::driver::Limits::max_message_len) holds here, too:
/// raise it for what is longer than 64 MiB.
///
/// A message that is not read to its end may be left: when the reader is dropped, whatever is received next passes over
/// the rest of it, which still has to arrive.
///
/// # Errors
/// Reading fails when the connection ends inside of the message, a Close of the peer included; the [`Error`] is inside the
/// [`io::Error`], from where [`io::Error::downcast`] takes it.
///
/// ```no_run
/// # async fn example(mut ws: ws_tokio::WebSocket<tokio::net::TcpStream>) -> Result<(), Box<dyn std::error::Error>> {
/// while let Some(message) = ws.next_message_reader().await {
///     let mut file = tokio::io::sink(); // or a file
///     tokio::io::copy_buf(&mut message?, &mut file).await?;
/// }
/// # Ok(())
/// # }
/// ```
pub struct MessageReader<'a, R: PartSource> {
    source: &'a mut R,
    kind: DataKind,
    /// How much of the part that is lent has been read.
    at: usize,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// A part is lent.
    Lent,
    /// The next part is waited for.
    Waits,
    /// The last part was read.
    Ended,
    /// The connection ended before.
    Failed,
}

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    /// Waits for the next message to begin, and gives a reader for it. `None` after a clean close.
    ///
    /// # Errors
    /// As for [`recv`](Self::recv).
    ///
    /// # Cancel safety
    /// Safe: nothing is lost when the future is dropped.
    pub async fn next_message_reader(&mut self) -> Option<Result<MessageReader<'_, Self>, Error>> {
        MessageReader::open(self).await
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> OwnedReader<S> {
    /// Waits for the next message to begin, and gives a reader for it, while the other half sends. `None` after a clean close.
    ///
    /// # Errors
    /// As for [`recv`](Self::recv).
    ///
    /// # Cancel safety
    /// Safe: nothing is lost when the future is dropped.
    pub async fn next_message_reader(&mut self) -> Option<Result<MessageReader<'_, Self>, Error>> {
        MessageReader::open(self).await
    }
}

impl<'a, R: PartSource> MessageReader<'a, R> {
    async fn open(source: &'a mut R) -> Option<Result<Self, Error>> {
        if let Err(error) = source.check_between() {
            return Some(Err(error));
        }
        let kind = loop {
            if let Err(error) = poll_fn(|cx| source.poll_next_part(cx)).await? {
                return Some(Err(error));
            }
            if let Some(kind) = source.with_part(|part| part.map(|part| part.kind)) {
                break kind;
            }
        };
        Some(Ok(Self { source, kind, at: 0, state: State::Lent }))
    }

    /// Text or binary.
    #[must_use]
    pub fn kind(&self) -> DataKind {
        self.kind
    }

    /// Whether the whole message was read.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.state == State::Ended
    }

    /// Goes on until there are bytes to be read, or the message has ended.
    fn poll_bytes(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            match self.state {
                State::Ended => return Poll::Ready(Ok(())),
                State::Failed => return Poll::Ready(Err(Error::Truncated.into())),
                State::Lent => {
                    let at = self.at;
                    self.state = match self.source.with_part(|part| look(part, at)) {
                        State::Lent => return Poll::Ready(Ok(())),
                        state => state,
                    };
                }
                State::Waits => {
                    let error = match ready!(self.source.poll_next_part(cx)) {
                        Some(Ok(())) => {
                            (self.at, self.state) = (0, State::Lent);
                            continue;
                        }
                        Some(Err(error)) => error,
                        None => Error::Truncated,
                    };
                    self.state = State::Failed;
                    return Poll::Ready(Err(error.into()));
                }
            }
        }
    }
}

/// What the part that is lent comes to when this much of it was read.
fn look(part: Option<Part<'_>>, at: usize) -> State {
    match part {
        Some(part) if at < part.data.len() => State::Lent,
        Some(part) if part.last => State::Ended,
        _ => State::Waits,
    }
}

impl<R: PartSource> AsyncRead for MessageReader<'_, R> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if buf.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        ready!(this.poll_bytes(cx))?;
        if this.state == State::Lent {
            let at = this.at;
            this.at += this.source.with_part(|part| {
                let rest = part.and_then(|part| part.data.get(at..)).unwrap_or_default();
                let len = rest.len().min(buf.remaining());
                buf.put_slice(&rest[..len]);
                len
            });
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncBufRead for MessageReader<'_, WebSocket<S>> {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let this = self.get_mut();
        ready!(this.poll_bytes(cx))?;
        if this.state != State::Lent {
            return Poll::Ready(Ok(&[]));
        }
        let rest = this.source.link().part().and_then(|part| part.data.get(this.at..));
        Poll::Ready(Ok(rest.unwrap_or_default()))
    }

    fn consume(self: Pin<&mut Self>, amount: usize) {
        let this = self.get_mut();
        if this.state == State::Lent {
            this.at = this.at.saturating_add(amount);
        }
    }
}

impl<R: PartSource> Drop for MessageReader<'_, R> {
    fn drop(&mut self) {
        if self.state != State::Ended {
            self.source.skip_rest();
        }
    }
}

impl<R: PartSource> fmt::Debug for MessageReader<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageReader")
            .field("kind", &self.kind)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}
