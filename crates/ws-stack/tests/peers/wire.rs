//! What passes on the wire: a relay between both sides that reads the heads of the frames.

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    task::JoinHandle,
};

use super::{Failure, within};

/// A relay for one connection.
#[derive(Debug)]
pub(crate) struct Relay {
    /// Where the client connects to.
    pub(crate) port: u16,
    passing: JoinHandle<Result<Wire, Failure>>,
}

/// The frames of both directions.
#[derive(Debug)]
pub(crate) struct Wire {
    pub(crate) from_client: Vec<Frame>,
    pub(crate) from_server: Vec<Frame>,
}

/// The head of a frame.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame {
    first: u8,
    /// The length of the payload.
    len: u64,
}

/// A message as it was on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sent {
    /// Whether RSV1 was set on its first frame.
    pub(crate) is_compressed: bool,
    /// The length of its payload in all frames.
    pub(crate) len: u64,
}

impl Relay {
    /// Waits for a client, and connects to a server for it.
    pub(crate) async fn start(server_port: u16) -> Result<Self, Failure> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let passing = tokio::spawn(async move {
            let (client, _) = within("the client at the relay", listener.accept()).await??;
            let server = TcpStream::connect(("127.0.0.1", server_port)).await?;
            client.set_nodelay(true)?;
            server.set_nodelay(true)?;
            let (from_client, to_client) = client.into_split();
            let (from_server, to_server) = server.into_split();
            let (from_client, from_server) =
                tokio::join!(pass(from_client, to_server), pass(from_server, to_client));
            Ok(Wire { from_client, from_server })
        });
        Ok(Self { port, passing })
    }

    /// What has passed, when both sides are gone.
    pub(crate) async fn wire(self) -> Result<Wire, Failure> {
        within("the relay", self.passing).await??
    }
}

/// Passes bytes on until one of the two has gone.
async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf) -> Vec<Frame> {
    let mut heads = Heads::default();
    let mut bytes = vec![0; 1 << 16];
    while let Ok(len @ 1..) = from.read(&mut bytes).await {
        heads.read(&bytes[..len]);
        if to.write_all(&bytes[..len]).await.is_err() {
            break;
        }
    }
    heads.frames
}

/// Finds the heads of frames in one direction, behind the head of the opening handshake.
#[derive(Debug, Default)]
struct Heads {
    /// The last four bytes of the opening handshake.
    last: u32,
    is_open: bool,
    /// What there is of a head.
    head: Vec<u8>,
    /// What there is still to come of a payload.
    rest: u64,
    frames: Vec<Frame>,
}

impl Heads {
    fn read(&mut self, mut bytes: &[u8]) {
        while let Some((&byte, behind)) = bytes.split_first() {
            if self.rest > 0 {
                let len = bytes.len().min(usize::try_from(self.rest).unwrap_or(usize::MAX));
                self.rest -= len as u64;
                bytes = &bytes[len..];
                continue;
            }
            bytes = behind;
            if self.is_open {
                self.head.push(byte);
                self.end_head();
            } else {
                self.last = self.last << 8 | u32::from(byte);
                self.is_open = self.last.to_be_bytes() == *b"\r\n\r\n";
            }
        }
    }

    /// Takes the head if it is whole (RFC 6455 section 5.2).
    fn end_head(&mut self) {
        let &[first, second, ref extended @ ..] = &*self.head else { return };
        let size = match second & 0x7f {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let key = if second & 0x80 == 0 { 0 } else { 4 };
        if extended.len() < size + key {
            return;
        }
        let short = if size == 0 { u64::from(second & 0x7f) } else { 0 };
        let len = extended[..size].iter().fold(short, |len, byte| len << 8 | u64::from(*byte));
        self.frames.push(Frame { first, len });
        self.rest = len;
        self.head.clear();
    }
}

/// The messages of one direction. Fails where a frame has a reserved bit that not even compression lets it have: RSV1
/// is for the first frame of a message (RFC 7692 section 6).
pub(crate) fn messages(frames: &[Frame]) -> Result<Vec<Sent>, Failure> {
    let mut messages: Vec<Sent> = Vec::new();
    for &Frame { first, len } in frames {
        let (opcode, rsv) = (first & 0x0f, first & 0x70);
        let is_first = matches!(opcode, 1 | 2);
        if rsv != 0 && (rsv != 0x40 || !is_first) {
            return Err(format!("a frame begins with {first:#x}").into());
        }
        if is_first {
            messages.push(Sent { is_compressed: rsv != 0, len });
        } else if opcode == 0 {
            messages.last_mut().ok_or("a continuation of nothing")?.len += len;
        }
    }
    Ok(messages)
}
