//! The ways to go. Most close as they should; the others leave the server to find out.

use std::{
    io::{self, ErrorKind},
    time::Duration,
};

use tokio::{net::TcpStream, time::timeout};
use ws_stack::{BoxError, CloseCode, Message, WebSocket};
use ws_testkit::Rng;

use super::{message, stop::Stop, talk::PATIENCE};

/// How to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// With a closing handshake.
    Close,
    /// Without one, and with a question that will not be heard the answer to.
    Vanish,
    /// The same, by a reset.
    Reset,
    /// The sending half ends without a Close, and what still comes is read.
    HalfClose,
    /// In the middle of a frame.
    CutShort,
    /// With a frame that no peer may send, and an answer to the Close that comes for it.
    Violate,
    /// The same without an answer: the server must not wait for ever.
    Ignore,
    /// Still there, but no ping is answered: the heartbeat must find out.
    FallSilent,
    /// Asks for more than is ever read.
    LeaveUnread,
}

/// How many of a thousand go which way.
const WAYS: [(usize, Way); 9] = [
    (600, Way::Close),
    (100, Way::Vanish),
    (100, Way::Reset),
    (60, Way::HalfClose),
    (60, Way::CutShort),
    (50, Way::Violate),
    (20, Way::Ignore),
    (7, Way::FallSilent),
    (3, Way::LeaveUnread),
];

/// A text of 100 bytes, masked with zeros, of which only so much comes.
const CUT: &[u8] = &[0x81, 0x80 | 100, 0, 0, 0, 0, b'a', b'b', b'c'];

/// A frame with an opcode that is reserved (RFC 6455 section 5.2).
const RESERVED: &[u8] = &[0x83, 0x80, 0, 0, 0, 0];

/// By when a server is gone that waits for the answer to its Close: 5 s, and what a busy machine adds.
const CLOSED: Duration = Duration::from_secs(30);

/// By when it is gone when its pings are not answered: 25 s of silence, 20 s for the pong.
const FOUND_OUT: Duration = Duration::from_secs(90);

/// How long to leave unread what is sent: a server waits for 30 s.
const UNREAD: Duration = Duration::from_secs(40);

/// How much is asked for without being read: more than the sockets take, less than the server's high-water mark.
const UNREAD_LEN: usize = 100_000;

impl Way {
    pub(crate) fn choose(rng: &mut Rng) -> Self {
        let mut number = rng.below(WAYS.iter().map(|(share, _)| share).sum());
        for (share, way) in WAYS {
            if number < share {
                return way;
            }
            number -= share;
        }
        Self::Close
    }
}

/// Goes this way.
pub(crate) async fn leave(
    mut ws: WebSocket<TcpStream>,
    way: Way,
    rng: &mut Rng,
    mut stop: Stop,
) -> Result<(), BoxError> {
    match way {
        Way::Close => {
            let closed = timeout(PATIENCE, ws.close(CloseCode::NORMAL, "done")).await;
            let closed = closed.map_err(|_| "the Close was not answered")??.ok_or("it did not end")?;
            if !closed.is_clean() {
                return Err(format!("the Close was answered with {}", closed.code).into());
            }
        }
        Way::Vanish => ws.send(message::message(rng)).await?,
        Way::Reset => {
            ws.send(message::message(rng)).await?;
            // A linger of zero sends no more than a reset, and does not block.
            #[allow(
                deprecated,
                reason = "of other times it would block; TcpSocket's is set before connecting"
            )]
            ws.get_ref().set_linger(Some(Duration::ZERO))?;
        }
        Way::HalfClose => {
            ws.send(message::message(rng)).await?;
            end_sending(ws.get_ref())?;
            drain(ws.get_ref(), CLOSED, &mut stop).await?;
        }
        Way::CutShort => write(ws.get_ref(), &CUT[..1 + rng.below(CUT.len())]).await?,
        Way::Violate => {
            write(ws.get_ref(), RESERVED).await?;
            while timeout(PATIENCE, ws.recv()).await.map_err(|_| "no Close came")?.is_some() {}
            let code = ws.closed().ok_or("it did not end")?.code;
            if code != CloseCode::PROTOCOL_ERROR.get() {
                return Err(format!("an opcode that is reserved was answered with {code}").into());
            }
        }
        Way::Ignore => {
            write(ws.get_ref(), RESERVED).await?;
            drain(ws.get_ref(), CLOSED, &mut stop).await?;
        }
        Way::FallSilent => drain(ws.get_ref(), FOUND_OUT, &mut stop).await?,
        Way::LeaveUnread => {
            for _ in 0..4 {
                ws.feed(Message::binary(vec![rng.below(256) as u8; UNREAD_LEN])).await?;
            }
            if stop.pause(UNREAD).await {
                drain(ws.get_ref(), CLOSED, &mut stop).await?;
            }
        }
    }
    Ok(())
}

/// Ends the sending half of a connection that is lent.
#[cfg(unix)]
fn end_sending(tcp: &TcpStream) -> io::Result<()> {
    use std::os::fd::AsFd as _;

    std::net::TcpStream::from(tcp.as_fd().try_clone_to_owned()?).shutdown(std::net::Shutdown::Write)
}

#[cfg(not(unix))]
fn end_sending(_: &TcpStream) -> io::Result<()> {
    Err(ErrorKind::Unsupported.into())
}

/// Writes bytes past the connection, which has nothing queued.
async fn write(tcp: &TcpStream, bytes: &[u8]) -> Result<(), BoxError> {
    tcp.writable().await?;
    let written = tcp.try_write(bytes)?;
    if written == bytes.len() { Ok(()) } else { Err("the socket takes nothing".into()) }
}

/// Reads past the connection until the server has ended it, which must be in time.
async fn drain(tcp: &TcpStream, within: Duration, stop: &mut Stop) -> Result<(), BoxError> {
    let ended = async {
        let mut buf = [0; 4_096];
        loop {
            tcp.readable().await?;
            match tcp.try_read(&mut buf) {
                Ok(0) => return Ok(()),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return Ok(()),
                Err(error) => return Err(error.into()),
            }
        }
    };
    tokio::select! {
        ended = timeout(within, ended) => ended.map_err(|_| "the server did not end it")?,
        () = stop.come() => Ok(()),
    }
}
