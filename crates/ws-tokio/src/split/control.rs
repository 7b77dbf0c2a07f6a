//! What is not a message: pings, pauses, and the end, for the two halves of a connection.

use std::{future::poll_fn, time::Duration};

use tokio::io::{AsyncRead, AsyncWrite};
use ws_endpoint::driver::{CloseCode, Closed, Compress, Message};

use super::{OwnedReader, OwnedWriter, Shared};
use crate::{Error, Reader, SendError, link::Link, tasks::lock, timer::Timer};

impl<S: AsyncRead + AsyncWrite + Unpin> OwnedReader<S> {
    /// Receives nothing but control frames until the connection has ended, while the other half sends; see
    /// [`WebSocket::refuse_messages`](crate::WebSocket::refuse_messages).
    ///
    /// # Errors
    /// Once, when the connection ends without a closing handshake.
    ///
    /// # Cancel safety
    /// Safe: call it again to go on.
    pub async fn refuse_messages(&mut self) -> Result<Option<Closed>, Error> {
        let ended = poll_fn(|cx| {
            let Shared { socket, tasks } = &*self.shared;
            tasks.reader.park(cx);
            let (ended, changed) = lock(socket).link().poll_refuse_of_two(tasks);
            if changed {
                tasks.writer.wake();
            }
            ended
        });
        ended.await.map_or_else(|| Ok(self.closed()), Err)
    }

    /// How long the peer took to answer the last ping; see [`WebSocket::rtt`](crate::WebSocket::rtt).
    #[must_use]
    pub fn rtt(&self) -> Option<Duration> {
        lock(&self.shared.socket).rtt()
    }

    /// Stops receiving, while the other half sends on; see [`WebSocket::pause`](crate::WebSocket::pause).
    pub fn pause(&mut self) {
        lock(&self.shared.socket).pause();
    }

    /// Receives again.
    pub fn resume(&mut self) {
        lock(&self.shared.socket).resume();
    }

    /// Whether receiving is paused.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        lock(&self.shared.socket).is_paused()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> OwnedWriter<S> {
    /// Sends a message with a hint for extensions, whether to compress it.
    ///
    /// # Errors
    /// As for [`send`](Self::send).
    ///
    /// # Cancel safety
    /// As for [`send`](Self::send).
    pub async fn send_compressed(
        &mut self,
        message: impl Into<Message>,
        compress: Compress,
    ) -> Result<(), SendError> {
        self.queue_or_write(message.into(), compress).await?;
        self.flush().await.map_err(SendError::Ended)
    }

    /// Sends a ping of up to 125 bytes.
    ///
    /// # Errors
    /// As for [`WebSocket::ping`](crate::WebSocket::ping).
    ///
    /// # Cancel safety
    /// As for [`send`](Self::send).
    pub async fn ping(&mut self, payload: &[u8]) -> Result<(), Error> {
        lock(&self.shared.socket).link().writer.ping(payload)?;
        self.flush().await
    }

    /// Sends a pong of up to 125 bytes; see [`WebSocket::pong`](crate::WebSocket::pong).
    ///
    /// # Errors
    /// As for [`ping`](Self::ping).
    ///
    /// # Cancel safety
    /// As for [`send`](Self::send).
    pub async fn pong(&mut self, payload: &[u8]) -> Result<(), Error> {
        lock(&self.shared.socket).link().writer.pong(payload)?;
        self.flush().await
    }

    /// Sends a ping and waits for its pong: how long that took. The pong is read by the other half, whose task must
    /// receive meanwhile.
    ///
    /// A peer that does not answer is found out by the keepalive; where that is switched off, give this a deadline of
    /// your own.
    ///
    /// # Errors
    /// As for [`ping`](Self::ping); [`Error::Lost`] when the connection ends first, and the other half tells why.
    ///
    /// # Cancel safety
    /// Safe: the ping was sent once, and its pong counts for [`rtt`](OwnedReader::rtt).
    pub async fn round_trip(&mut self) -> Result<Duration, Error> {
        lock(&self.shared.socket).link().queue_ping()?;
        poll_fn(|cx| {
            let Shared { socket, tasks } = &*self.shared;
            tasks.writer.park(cx);
            let (answered, changed) = lock(socket).link().poll_pong_of_two(tasks);
            if changed {
                tasks.reader.wake();
            }
            if answered.is_ready() {
                tasks.writer.leave(); // it waits for nothing
            }
            answered
        })
        .await
    }

    /// Sends a Close. The other half receives what still comes, and then `None`.
    ///
    /// # Errors
    /// As for [`WebSocket::begin_close`](crate::WebSocket::begin_close).
    ///
    /// # Cancel safety
    /// The Close is queued by the first poll.
    pub async fn close(&mut self, code: CloseCode, reason: &str) -> Result<(), Error> {
        self.begin_close(code, reason)?;
        self.flush().await
    }

    /// Sends an empty Close, which the peer reports as 1005.
    ///
    /// # Errors
    /// As for [`WebSocket::flush`](crate::WebSocket::flush).
    ///
    /// # Cancel safety
    /// As for [`close`](Self::close).
    pub async fn close_without_code(&mut self) -> Result<(), Error> {
        lock(&self.shared.socket).link().writer.close_without_code();
        self.shared.tasks.reader.wake(); // it watches the deadline for the answer
        self.flush().await
    }

    /// Bytes that wait to be sent; see [`WebSocket::queued`](crate::WebSocket::queued).
    #[must_use]
    pub fn queued(&self) -> usize {
        lock(&self.shared.socket).queued()
    }

    /// Whether so much waits that [`feed`](Self::feed) would: the high-water mark is reached.
    #[must_use]
    pub fn is_above_mark(&self) -> bool {
        lock(&self.shared.socket).is_above_mark()
    }

    /// How long the peer took to answer the last ping; see [`WebSocket::rtt`](crate::WebSocket::rtt).
    #[must_use]
    pub fn rtt(&self) -> Option<Duration> {
        lock(&self.shared.socket).rtt()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Link<S> {
    /// Queues a ping whose payload is its own.
    fn queue_ping(&mut self) -> Result<(), Error> {
        let Link { reader: Reader { pump, .. }, writer, .. } = self;
        Ok(pump.lifecycle.ping(Timer::now(), &mut pump.receiver, &mut writer.sender)?)
    }
}
