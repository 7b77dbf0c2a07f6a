//! The three receivers, each behind a function that gives it a stream in memory.

use std::io::{self, Read, Write};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use futures_core::Stream as _;
use other_judge::protocol::{Role as OtherRole, WebSocketConfig};
use other_judge::{Error as OtherError, Message as OtherMessage, WebSocket, error::ProtocolError};
use third_judge::proto::ProtocolError as ThirdProtocolError;
use third_judge::{ClientBuilder, Error as ThirdError, Limits, Message as ThirdMessage, ServerBuilder};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use ws_driver::{Config, Progress, Role};
use ws_testkit::{End, Endpoint, Seen};

use crate::Verdict;

/// What we say, and how many bytes were needed for it.
pub fn ours(role: Role, limit: usize, stream: &[u8]) -> (Verdict, usize) {
    let receiver = || {
        let mut config = Config::new(role);
        config.limits.max_message_len = limit;
        Endpoint::with(config)
    };
    let mut endpoint = receiver();
    let mut consumed = stream.len();
    if endpoint.read(stream) == Progress::Closed {
        let mut again = receiver();
        let at = stream.iter().position(|byte| again.read(&[*byte]) == Progress::Closed);
        consumed = at.expect("byte by byte the end is the same") + 1;
    }
    let _progress = endpoint.end_of_stream();
    (Verdict { end: endpoint.end(), seen: endpoint.seen }, consumed)
}

/// What the second receiver says.
pub fn second(role: Role, limit: usize, stream: &[u8]) -> Verdict {
    let config = WebSocketConfig::default()
        .read_buffer_size(2048)
        .max_message_size(Some(limit))
        .max_frame_size(Some(limit));
    let role = if role == Role::Server { OtherRole::Server } else { OtherRole::Client };
    let mut socket = WebSocket::from_raw_socket(Played(stream), role, Some(config));
    let mut seen = Vec::new();
    loop {
        let end = match socket.read() {
            Ok(OtherMessage::Text(text)) => {
                seen.push(Seen::text(text.as_str()));
                continue;
            }
            Ok(OtherMessage::Binary(data)) => {
                seen.push(Seen::binary(data));
                continue;
            }
            Ok(OtherMessage::Ping(data)) => {
                seen.push(Seen::ping(data));
                continue;
            }
            Ok(OtherMessage::Pong(data)) => {
                seen.push(Seen::pong(data));
                continue;
            }
            Ok(OtherMessage::Close(close)) => {
                End::Close(close.map(|close| (close.code.into(), close.reason.to_string())))
            }
            Ok(OtherMessage::Frame(_)) => unreachable!("frames are not read alone"),
            Err(OtherError::Protocol(ProtocolError::ResetWithoutClosingHandshake)) => End::Lost,
            Err(OtherError::Protocol(_)) => End::Failed(1002),
            Err(OtherError::Utf8(_)) => End::Failed(1007),
            Err(OtherError::Capacity(_)) => End::Failed(1009),
            Err(error) => panic!("no verdict: {error:?}"),
        };
        return Verdict { seen, end };
    }
}

/// What the third receiver says.
pub fn third(role: Role, limit: usize, stream: &[u8]) -> Verdict {
    let limits = Limits::default().max_payload_len(Some(limit));
    let mut socket = match role {
        Role::Server => ServerBuilder::new().limits(limits).serve(Played(stream)),
        Role::Client => ClientBuilder::new().limits(limits).take_over(Played(stream)),
    };
    let mut seen = Vec::new();
    loop {
        let Poll::Ready(next) = Pin::new(&mut socket).poll_next(&mut Context::from_waker(Waker::noop()))
        else {
            unreachable!("what is in memory is always ready")
        };
        let end = match next {
            None | Some(Err(ThirdError::Io(_))) => End::Lost,
            Some(Ok(message)) if message.is_close() => {
                let close = message.as_close().map(|(code, reason)| (code.into(), reason.to_owned()));
                // RFC 6455 section 7.1.5: 1005 stands for a Close without a code.
                End::Close(close.filter(|(code, _)| *code != 1005))
            }
            Some(Ok(message)) => {
                seen.push(note(&message));
                continue;
            }
            Some(Err(ThirdError::Protocol(ThirdProtocolError::InvalidUtf8))) => End::Failed(1007),
            Some(Err(ThirdError::Protocol(_))) => End::Failed(1002),
            Some(Err(ThirdError::PayloadTooLong { .. })) => End::Failed(1009),
            Some(Err(error)) => panic!("no verdict: {error:?}"),
        };
        return Verdict { seen, end };
    }
}

fn note(message: &ThirdMessage) -> Seen {
    let data = &message.as_payload()[..];
    match message {
        message if message.is_text() => Seen::text(data),
        message if message.is_binary() => Seen::binary(data),
        message if message.is_ping() => Seen::ping(data),
        _ => Seen::pong(data),
    }
}

/// A transport that plays a stream and then ends; what is written goes nowhere.
struct Played<'a>(&'a [u8]);

impl Read for Played<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read(buf)
    }
}

impl Write for Played<'_> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsyncRead for Played<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let (now, later) = self.0.split_at(self.0.len().min(buf.remaining()));
        buf.put_slice(now);
        self.0 = later;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Played<'_> {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
