//! A peer that is driven by hand.

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use ws_testkit::{Frame, read_frames};
use ws_tokio::endpoint::{frame::Role, handshake::accept_key};

/// A peer that does what it is told, frame by frame, and nothing by itself.
pub struct Raw<S> {
    pub io: S,
    role: Role,
    buf: Vec<u8>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Raw<S> {
    /// `role` is that of this side.
    pub fn new(io: S, role: Role) -> Self {
        Self { io, role, buf: Vec::new() }
    }

    /// Reads a client's request and answers 101 with nothing but what it must say.
    pub async fn accept(&mut self) {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            assert!(self.io.read_buf(&mut head).await.expect("a request") > 0, "not the end");
        }
        let head = String::from_utf8(head).expect("text");
        let key = head.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).expect("a key");
        let accept = accept_key(&key.parse().expect("a valid key"));
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {}\r\n\r\n",
            accept.as_str()
        );
        self.io.write_all(answer.as_bytes()).await.expect("the transport takes the answer");
    }

    pub async fn send(&mut self, frame: Frame) {
        self.io.write_all(&frame.by(self.role)).await.expect("the transport takes a frame");
    }

    /// Writes these frames at once.
    pub async fn send_all(&mut self, frames: &[Frame]) {
        let bytes: Vec<u8> = frames.iter().flat_map(|frame| frame.by(self.role)).collect();
        self.io.write_all(&bytes).await.expect("the transport takes the frames");
    }

    /// The next frame; `None` when the stream has ended between two frames.
    pub async fn recv(&mut self) -> Option<Frame> {
        loop {
            if let Some(len) = frame_len(&self.buf).filter(|len| *len <= self.buf.len()) {
                let bytes: Vec<u8> = self.buf.drain(..len).collect();
                return read_frames(self.role.peer(), &bytes).pop();
            }
            if self.io.read_buf(&mut self.buf).await.ok()? == 0 {
                assert!(self.buf.is_empty(), "the stream ends inside of a frame");
                return None;
            }
        }
    }

    /// All frames until the stream ends.
    pub async fn rest(&mut self) -> Vec<Frame> {
        let mut frames = Vec::new();
        while let Some(frame) = self.recv().await {
            frames.push(frame);
        }
        frames
    }

    /// Ends this side's half of the transport.
    pub async fn shutdown(&mut self) {
        self.io.shutdown().await.expect("a transport that can be shut down");
    }
}

/// How long the frame at the start of `bytes` is, once that is known.
fn frame_len(bytes: &[u8]) -> Option<usize> {
    let second = *bytes.get(1)?;
    let mask = if second & 0x80 == 0 { 0 } else { 4 };
    let (len, header) = match second & 0x7F {
        126 => (usize::from(u16::from_be_bytes(*bytes.get(2..)?.first_chunk()?)), 4),
        127 => (usize::try_from(u64::from_be_bytes(*bytes.get(2..)?.first_chunk()?)).ok()?, 10),
        len => (usize::from(len), 2),
    };
    Some(header + mask + len)
}
