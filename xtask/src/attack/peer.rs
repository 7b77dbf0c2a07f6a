//! A peer of our own making: it sends what it is told to, and notes what comes back.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use super::wire::REQUEST;

/// How bytes are cut into writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    Whole,
    /// Behind this many bytes.
    After(usize),
    /// Each byte for itself.
    Bytes,
}

impl Cut {
    fn pieces(self, bytes: &[u8]) -> Vec<&[u8]> {
        match self {
            Self::Whole => vec![bytes],
            Self::After(at) => <[_; 2]>::from(bytes.split_at(at.min(bytes.len()))).to_vec(),
            Self::Bytes => bytes.chunks(1).collect(),
        }
    }
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// A Close with this code, if it had one, and then the end of the stream.
    Close(Option<u16>),
    /// The end of the stream, without a Close.
    Ended,
    /// A reset.
    Reset,
    /// None, for as long as was waited.
    Open,
}

/// What came back on a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    /// The status of the answer to the request; 0 when there was none.
    pub(crate) status: u16,
    /// The head of that answer.
    pub(crate) head: String,
    /// Whether the answer says how long its body is, and is right.
    pub(crate) is_framed: bool,
    /// First byte and payload of each frame before the Close.
    pub(crate) frames: Vec<(u8, Vec<u8>)>,
    pub(crate) ending: Ending,
}

/// Connects, without delays of the system's.
///
/// # Errors
/// When nobody listens.
pub(crate) fn connect(address: SocketAddr) -> anyhow::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, Duration::from_secs(5)).context("cannot connect")?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Connects and opens a WebSocket, with this request.
///
/// # Errors
/// When the answer is not 101.
pub(crate) fn open_with(address: SocketAddr, request: &str) -> anyhow::Result<TcpStream> {
    let mut stream = connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    stream.write_all(request.as_bytes())?;
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).context("no answer to the request")?;
        head.push(byte[0]);
    }
    if !head.starts_with(b"HTTP/1.1 101 ") {
        bail!("not opened: {}", String::from_utf8_lossy(&head).lines().next().unwrap_or_default());
    }
    Ok(stream)
}

/// The same with a request that is right in everything.
///
/// # Errors
/// As for [`open_with`].
pub(crate) fn open(address: SocketAddr) -> anyhow::Result<TcpStream> {
    open_with(address, REQUEST)
}

/// Sends a request and what stands behind it, while noting what comes back until the end, `patience` at most.
///
/// # Errors
/// When there is no connection, or the answer cannot be read.
pub(crate) fn talk(
    address: SocketAddr,
    request: &[u8],
    rest: &[u8],
    cut: Cut,
    patience: Duration,
) -> anyhow::Result<Seen> {
    let mut stream = connect(address)?;
    let reader = stream.try_clone()?;
    let (received, ending) = thread::scope(|scope| {
        let reading = scope.spawn(move || drain(reader, patience));
        // What cannot be written any more has been refused already: the answer tells.
        let mut is_open = stream.write_all(request).is_ok();
        for piece in cut.pieces(rest) {
            is_open = is_open && stream.write_all(piece).is_ok();
        }
        reading.join().map_err(|_| anyhow::anyhow!("reading failed"))
    })?;
    seen(&received, ending)
}

/// Everything that comes until the end, and which end it is.
fn drain(mut stream: TcpStream, patience: Duration) -> (Vec<u8>, Ending) {
    let deadline = Instant::now() + patience;
    let mut received = Vec::new();
    let mut buf = vec![0; 64 << 10];
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() || stream.set_read_timeout(Some(left)).is_err() {
            return (received, Ending::Open);
        }
        match stream.read(&mut buf) {
            Ok(0) => return (received, Ending::Ended),
            Ok(len) => received.extend_from_slice(&buf[..len]),
            Err(error) => match error.kind() {
                ErrorKind::WouldBlock | ErrorKind::TimedOut => return (received, Ending::Open),
                ErrorKind::Interrupted => {}
                _ => return (received, Ending::Reset),
            },
        }
    }
}

/// Takes apart what came back: the answer to the request, and the frames behind it.
///
/// # Errors
/// When it is none of both.
pub(crate) fn seen(received: &[u8], ending: Ending) -> anyhow::Result<Seen> {
    let mut seen = Seen { status: 0, head: String::new(), is_framed: false, frames: Vec::new(), ending };
    let Some(end) = received.windows(4).position(|window| window == b"\r\n\r\n") else {
        if !received.is_empty() {
            bail!("{} bytes came that are no answer", received.len());
        }
        return Ok(seen);
    };
    let (head, mut rest) = received.split_at(end + 4);
    seen.head = String::from_utf8_lossy(head).into_owned();
    seen.status = seen.head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    if seen.status != 101 {
        let len = header_value(&seen.head, "content-length").and_then(|len| len.parse().ok());
        seen.is_framed = len == Some(rest.len());
        return Ok(seen);
    }
    seen.is_framed = true;
    while !rest.is_empty() {
        let Some((first, payload, len)) = read_frame(rest) else { bail!("the last frame is cut short") };
        rest = &rest[len..];
        if first != super::wire::CLOSE {
            seen.frames.push((first, payload));
            continue;
        }
        if !rest.is_empty() {
            bail!("{} bytes came behind the Close", rest.len());
        }
        let code = payload.first_chunk().map(|code| u16::from_be_bytes(*code));
        match ending {
            Ending::Ended => seen.ending = Ending::Close(code),
            other => bail!("a Close with {code:?}, and then {other:?} instead of the end of the stream"),
        }
    }
    Ok(seen)
}

/// The value of a header, by its name in lower case.
pub(crate) fn header_value<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.split("\r\n")
        .filter_map(|line| line.split_once(':'))
        .find_map(|(found, value)| (found.to_ascii_lowercase() == name).then(|| value.trim()))
}

/// First byte, unmasked payload and length on the wire of the frame that the bytes begin with.
pub(crate) fn read_frame(bytes: &[u8]) -> Option<(u8, Vec<u8>, usize)> {
    let (&first, &second) = (bytes.first()?, bytes.get(1)?);
    let (len, mut at) = match second & 127 {
        126 => (u64::from(u16::from_be_bytes(*bytes.get(2..)?.first_chunk()?)), 4),
        127 => (u64::from_be_bytes(*bytes.get(2..)?.first_chunk()?), 10),
        len => (u64::from(len), 2),
    };
    let mut key = [0; 4];
    if second & 128 != 0 {
        key = *bytes.get(at..)?.first_chunk()?;
        at += 4;
    }
    let end = at.checked_add(usize::try_from(len).ok()?)?;
    let payload = bytes.get(at..end)?.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key).collect();
    Some((first, payload, end))
}

#[cfg(test)]
mod tests {
    use super::super::wire::{By, CLOSE, TEXT, close, frame};
    use super::*;

    #[test]
    fn frames_are_read_back() {
        for by in [By::Client, By::Server] {
            for len in [0, 5, 125, 126, 65_535, 65_536] {
                let bytes = frame(by, TEXT, vec![b'x'; len]);
                let read = read_frame(&[&bytes[..], b"more"].concat());
                assert_eq!(read, Some((TEXT, vec![b'x'; len], bytes.len())));
                assert_eq!(read_frame(&bytes[..bytes.len() - 1]), None);
            }
        }
    }

    #[test]
    fn an_answer_is_taken_apart() {
        let opened = b"HTTP/1.1 101 Switching Protocols\r\nA: b\r\n\r\n";
        let bytes = [&opened[..], &frame(By::Server, TEXT, "hi"), &close(By::Server, 1002, "no")].concat();
        let found = seen(&bytes, Ending::Ended).unwrap();
        assert_eq!((found.status, found.ending), (101, Ending::Close(Some(1002))));
        assert_eq!(found.frames, [(TEXT, b"hi".to_vec())]);
        assert_eq!(header_value(&found.head, "a"), Some("b"));

        assert!(seen(&[&bytes[..], b"\x81\0"].concat(), Ending::Ended).is_err(), "behind the Close");
        assert!(seen(&bytes, Ending::Reset).is_err(), "reset behind the Close");
        assert!(seen(&bytes[..bytes.len() - 1], Ending::Ended).is_err(), "cut short");
        let empty = [&opened[..], &frame(By::Server, CLOSE, "")].concat();
        assert_eq!(seen(&empty, Ending::Ended).unwrap().ending, Ending::Close(None));
        for (body, is_framed) in [("no", true), ("n", false), ("no!", false)] {
            let refused = format!("HTTP/1.1 400 Bad Request\r\ncontent-length: 2\r\n\r\n{body}");
            let found = seen(refused.as_bytes(), Ending::Ended).unwrap();
            assert_eq!((found.status, found.is_framed), (400, is_framed));
        }
        assert_eq!(seen(b"", Ending::Reset).unwrap().ending, Ending::Reset);
        assert!(seen(b"SSH-2.0", Ending::Ended).is_err());
    }

    #[test]
    fn bytes_are_cut() {
        assert_eq!(Cut::Bytes.pieces(b"abc").len(), 3);
        assert_eq!(Cut::After(1).pieces(b"abc"), [&b"a"[..], b"bc"]);
        assert_eq!(Cut::After(9).pieces(b"abc"), [&b"abc"[..], b""]);
        assert_eq!(Cut::Whole.pieces(b"abc"), [b"abc"]);
    }
}
