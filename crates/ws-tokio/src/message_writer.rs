//! One outgoing message as a byte stream.

use std::{
    fmt,
    future::poll_fn,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite};
use ws_endpoint::{
    driver::{CloseCode, Compress, DataKind, SendError},
    frame::Utf8Validator,
};

use self::sink::PartSink;
use crate::{Error, OwnedWriter, WebSocket};

mod sink;

/// The first fragments of a long message.
const SHORTEST: usize = 64 * 1024;

/// The longest fragments.
const LONGEST: usize = 1024 * 1024;

/// How many fragments a message has before they become longer.
const MANY: u64 = 1024;

/// One outgoing message as a byte stream, for payloads that do not fit memory, or whose length is not known.
///
/// What is written is collected and leaves in fragments of 64 KiB, and of up to 1 MiB when the message becomes long, so
/// that a gigabyte is about 4,000 of them. A message that is shorter leaves in one frame. Shutting the stream down ends
/// the message, as [`finish`](Self::finish) does, not the connection. Above the high-water mark writing waits; it holds
/// two fragments beside the queue at most.
///
/// It is made by [`WebSocket::message_writer`] or [`OwnedWriter::message_writer`]. The first receives nothing meanwhile, so
/// pings stay unanswered: where that takes longer than a peer may wait, split the connection and receive in another task.
///
/// # A message that is not finished
/// When the writer is dropped before it has finished, and part of the message has left, the connection is closed with
/// 1011: the peer never takes it for the whole. When nothing has left yet, nothing is sent.
///
/// # Errors
/// Text that is not UTF-8 is refused where it is written, with [`io::ErrorKind::InvalidData`]; nothing of that call is taken.
/// Otherwise what [`WebSocket::send`] gives: the [`Error`] is inside the [`io::Error`].
///
/// ```no_run
/// # async fn example(mut ws: ws_tokio::WebSocket<tokio::net::TcpStream>) -> Result<(), Box<dyn std::error::Error>> {
/// use ws_tokio::endpoint::driver::DataKind;
///
/// let mut file = tokio::io::empty(); // or a file
/// let mut message = ws.message_writer(DataKind::Binary)?;
/// tokio::io::copy(&mut file, &mut message).await?;
/// message.finish().await?;
/// # Ok(())
/// # }
/// ```
pub struct MessageWriter<'a, W: PartSink> {
    sink: &'a mut W,
    kind: DataKind,
    compress: Compress,
    /// Follows the text that was taken.
    utf8: Option<Utf8Validator>,
    /// What was taken and has not left.
    fragment: Vec<u8>,
    /// Bytes that have left.
    left: u64,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing has left.
    Fresh,
    /// Fragments have left.
    Open,
    Finished,
}

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    /// A writer for one message.
    ///
    /// # Errors
    /// [`Error::Send`] when a message in parts is open, or the connection is closing.
    pub fn message_writer(&mut self, kind: DataKind) -> Result<MessageWriter<'_, Self>, Error> {
        MessageWriter::open(self, kind)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> OwnedWriter<S> {
    /// A writer for one message, while the other half receives and answers pings.
    ///
    /// # Errors
    /// As for [`WebSocket::message_writer`].
    pub fn message_writer(&mut self, kind: DataKind) -> Result<MessageWriter<'_, Self>, Error> {
        MessageWriter::open(self, kind)
    }
}

impl<'a, W: PartSink> MessageWriter<'a, W> {
    fn open(sink: &'a mut W, kind: DataKind) -> Result<Self, Error> {
        sink.with_sender(|sender| {
            if sender.is_closing() || sender.is_abandoned() {
                Err(SendError::Closed)
            } else if sender.is_mid_message() {
                Err(SendError::MessageOpen)
            } else {
                Ok(())
            }
        })?;
        let utf8 = (kind == DataKind::Text).then(Utf8Validator::default);
        let (fragment, compress) = (Vec::new(), Compress::Default);
        Ok(Self { sink, kind, compress, utf8, fragment, left: 0, state: State::Fresh })
    }

    /// The same with a hint for extensions, whether to compress this message. It counts until something has left.
    #[must_use]
    pub fn with_compress(mut self, compress: Compress) -> Self {
        self.compress = compress;
        self
    }

    /// Text or binary.
    #[must_use]
    pub fn kind(&self) -> DataKind {
        self.kind
    }

    /// Ends the message, and writes everything that is queued. Once is enough; it can be called again to go on waiting.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidData`] when the text ends inside of a character; otherwise as for [`WebSocket::send`], the
    /// [`Error`] inside.
    ///
    /// # Cancel safety
    /// Safe: call it again.
    pub async fn finish(&mut self) -> io::Result<()> {
        poll_fn(|cx| self.poll_finish(cx)).await
    }

    fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.state != State::Finished {
            if let Some(utf8) = &self.utf8 {
                utf8.finish().map_err(invalid)?;
            }
            ready!(self.sink.poll_room(cx))?;
            let (fresh, kind, compress) = (self.state == State::Fresh, self.kind, self.compress);
            let fragment = &self.fragment;
            self.sink
                .with_sender(|sender| match fresh {
                    true => sender.write_compressed(kind, fragment, compress),
                    false => sender.finish_with(fragment),
                })
                .map_err(Error::Send)?;
            self.state = State::Finished;
            self.fragment = Vec::new();
        }
        self.sink.poll_written(cx).map(|written| Ok(written?))
    }

    /// Lets what was collected leave, once there is room.
    fn poll_fragment(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.fragment.is_empty() {
            ready!(self.sink.poll_room(cx))?;
            let fragment = std::mem::take(&mut self.fragment);
            let appended = self.append(&fragment);
            self.fragment = fragment; // the memory serves the next one
            appended?;
            self.fragment.clear();
        }
        Poll::Ready(Ok(()))
    }

    fn append(&mut self, fragment: &[u8]) -> io::Result<()> {
        let (fresh, kind, compress) = (self.state == State::Fresh, self.kind, self.compress);
        let appended = self.sink.with_sender(|sender| {
            if fresh {
                sender.start_compressed(kind, compress)?;
            }
            Ok(sender.append(fragment))
        });
        let appended = appended.map_err(Error::Send)?;
        self.state = State::Open;
        appended.map_err(Error::Send)?;
        self.left += fragment.len() as u64;
        Ok(())
    }

    /// How long the fragment in progress becomes.
    fn fragment_len(&self) -> usize {
        usize::try_from(self.left / MANY).unwrap_or(LONGEST).clamp(SHORTEST, LONGEST)
    }

    fn poll_take(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.state == State::Finished {
            return Poll::Ready(Err(Error::Send(SendError::NoMessageOpen).into()));
        }
        let len = self.fragment_len();
        if self.fragment.len() >= len {
            ready!(self.poll_fragment(cx))?;
        }
        let whole = self.fragment.is_empty() && bytes.len() >= len && self.state == State::Open;
        if whole {
            ready!(self.sink.poll_room(cx))?; // it leaves without a stop here
        }
        let taken = bytes.len().min(len - self.fragment.len());
        let bytes = &bytes[..taken];
        if let Some(utf8) = &mut self.utf8 {
            let mut checked = utf8.clone();
            checked.push(bytes).map_err(invalid)?;
            *utf8 = checked;
        }
        if whole {
            self.append(bytes)?;
        } else {
            self.fragment.extend_from_slice(bytes);
        }
        Poll::Ready(Ok(taken))
    }
}

fn invalid(error: impl std::error::Error + Send + Sync + 'static) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

impl<W: PartSink> AsyncWrite for MessageWriter<'_, W> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.get_mut().poll_take(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.state != State::Finished {
            ready!(this.poll_fragment(cx))?;
        }
        this.sink.poll_written(cx).map(|written| Ok(written?))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().poll_finish(cx)
    }
}

impl<W: PartSink> Drop for MessageWriter<'_, W> {
    fn drop(&mut self) {
        if self.state == State::Open {
            self.sink.give_up(CloseCode::INTERNAL_ERROR, "message given up");
        }
    }
}

impl<W: PartSink> fmt::Debug for MessageWriter<'_, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageWriter")
            .field("kind", &self.kind)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}
