//! `Stream` and `Sink`.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use futures_core::{FusedStream, Stream};
use futures_sink::Sink;
use tokio::io::{AsyncRead, AsyncWrite};
use ws_endpoint::driver::{CloseCode, Message};

use crate::{Error, OwnedReader, OwnedWriter, SendError, WebSocket, link::Link};

/// Messages as they come; see [`WebSocket::recv`].
///
/// Stream and Sink may be polled by two tasks, as they are behind the `split` of `futures`.
impl<S: AsyncRead + AsyncWrite + Unpin> Stream for WebSocket<S> {
    type Item = Result<Message, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let tasks = this.take_tasks();
        tasks.reader.park(cx);
        let mut changed = false;
        let received = this.home.poll(&mut Context::from_waker(&tasks.both), |link, cx| {
            let before = link.outlook();
            let received = link.poll_recv(cx);
            changed |= link.outlook() != before;
            received
        });
        if changed {
            tasks.writer.wake();
        }
        this.give_tasks(tasks);
        received
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> FusedStream for WebSocket<S> {
    fn is_terminated(&self) -> bool {
        self.home.look(|link| link.reader.pump.is_reported())
    }
}

/// Messages to be sent. Closing the sink is a closing handshake with 1000; messages that still arrive are dropped, as by
/// [`WebSocket::close`].
impl<S: AsyncRead + AsyncWrite + Unpin> Sink<Message> for WebSocket<S> {
    type Error = SendError;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        let this = self.get_mut();
        if !this.is_above_mark() {
            return Poll::Ready(Ok(()));
        }
        let mark = this.home.look(|link| link.writer.sender.limits().high_water_mark);
        this.poll_sink(mark, cx)
    }

    fn start_send(self: Pin<&mut Self>, message: Message) -> Result<(), SendError> {
        let mut message = Some(message);
        let queue = |link: &mut Link<S>| message.take().map_or(Ok(()), |message| link.writer.send(message));
        Ok(self.get_mut().home.with(queue)?)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        self.get_mut().poll_sink(0, cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        let this = self.get_mut();
        let tasks = this.take_tasks();
        tasks.writer.park(cx);
        let mut changed = false;
        let closed = this.home.poll(&mut Context::from_waker(&tasks.both), |link, cx| {
            link.writer.close(CloseCode::NORMAL, "").map_err(Error::Send)?;
            let before = link.outlook();
            let closed = link.poll_end(cx);
            changed |= link.outlook() != before;
            closed.map(|error| error.map_or(Ok(()), Err))
        });
        if closed.is_ready() || changed {
            tasks.reader.wake(); // only then: it may be the same task, which would never sleep
        }
        this.give_tasks(tasks);
        closed.map_err(SendError::Ended)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    fn poll_sink(&mut self, mark: usize, cx: &mut Context<'_>) -> Poll<Result<(), SendError>> {
        let tasks = self.take_tasks();
        tasks.writer.park(cx);
        let mut changed = false;
        let flushed = self.home.poll(&mut Context::from_waker(&tasks.both), |link, cx| {
            let before = link.outlook().but_for_queue();
            let flushed = link.poll_flush(mark, cx);
            changed |= link.outlook().but_for_queue() != before;
            flushed
        });
        if changed {
            tasks.reader.wake();
        }
        if flushed.is_ready() {
            tasks.writer.leave(); // it waits for nothing
        }
        self.give_tasks(tasks);
        flushed.map_err(SendError::Ended)
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
