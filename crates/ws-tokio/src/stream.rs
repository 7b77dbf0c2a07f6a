//! `Stream` and `Sink`.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_core::{FusedStream, Stream};
use futures_sink::Sink;
use tokio::io::{AsyncRead, AsyncWrite};
use ws_endpoint::driver::{CloseCode, Message, Progress};

use crate::{Error, OwnedReader, OwnedWriter, SendError, WebSocket};

/// Messages as they come; see [`WebSocket::recv`].
impl<S: AsyncRead + AsyncWrite + Unpin> Stream for WebSocket<S> {
    type Item = Result<Message, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_recv(cx)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> FusedStream for WebSocket<S> {
    fn is_terminated(&self) -> bool {
        self.reader.pump.is_reported()
    }
}

/// Messages to be sent. Closing the sink is a closing handshake with 1000.
impl<S: AsyncRead + AsyncWrite + Unpin> Sink<Message> for WebSocket<S> {
    type Error = SendError;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        let this = self.get_mut();
        if !this.writer.sender.is_above_mark() {
            return Poll::Ready(Ok(()));
        }
        let mark = this.writer.sender.limits_mut().high_water_mark;
        this.reader.poll_flush(&mut this.writer, mark, cx).map_err(SendError::Ended)
    }

    fn start_send(self: Pin<&mut Self>, message: Message) -> Result<(), SendError> {
        Ok(self.get_mut().writer.send(message)?)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        let this = self.get_mut();
        this.reader.poll_flush(&mut this.writer, 0, cx).map_err(SendError::Ended)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        let this = self.get_mut();
        this.writer.close(CloseCode::NORMAL, "").map_err(Error::Send)?;
        while let Progress::Ready =
            ready!(this.reader.pump.poll_event(&mut this.reader.io, &mut this.writer, cx))
        {}
        Poll::Ready(this.reader.pump.report().map_or(Ok(()), |error| Err(error.into())))
    }
}

/// Messages as they come; see [`OwnedReader::recv`].
impl<S: AsyncRead + AsyncWrite + Unpin> Stream for OwnedReader<S> {
    type Item = Result<Message, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_recv(cx)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> FusedStream for OwnedReader<S> {
    fn is_terminated(&self) -> bool {
        self.is_reported()
    }
}

/// Messages to be sent. Closing the sink sends a Close with 1000; the other half receives what still comes.
impl<S: AsyncRead + AsyncWrite + Unpin> Sink<Message> for OwnedWriter<S> {
    type Error = SendError;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        self.get_mut().poll_room(cx).map_err(SendError::Ended)
    }

    fn start_send(self: Pin<&mut Self>, message: Message) -> Result<(), SendError> {
        Ok(self.get_mut().queue(message)?)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        OwnedWriter::poll_flush(self.get_mut(), 0, cx).map_err(SendError::Ended)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        let this = self.get_mut();
        this.begin_close(CloseCode::NORMAL, "")?;
        OwnedWriter::poll_flush(this, 0, cx).map_err(SendError::Ended)
    }
}
