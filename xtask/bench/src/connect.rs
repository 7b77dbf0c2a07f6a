//! Opening a connection by hand.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};

use crate::takeover::{Takeover, Terms};
use crate::tls::{Tls, TlsStream};
use crate::traffic::Dialect;

/// The key of RFC 6455 section 1.3, and the answer to it that is given there.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// A server that takes longer than this has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);
const LONGEST_HEAD: usize = 4096;
/// What an HTTP head ends with.
pub(crate) const HEAD_END: &[u8] = b"\r\n\r\n";

/// Connections, and on what terms they compress if they do.
pub(crate) type Opened = (Vec<TcpStream>, Option<Terms>);

/// Opens so many connections, all with the same answer to the offer.
pub(crate) fn open_all(
    address: SocketAddr,
    dialect: Dialect,
    offer: Option<Takeover>,
    count: usize,
) -> Result<Opened> {
    let (mut streams, mut terms) = (Vec::with_capacity(count), None);
    for index in 0..count {
        let (stream, own) = open(address, dialect, offer).with_context(|| format!("connection {index}"))?;
        ensure!(index == 0 || terms == own, "the server's answers to one offer differ");
        terms = own;
        streams.push(stream);
    }
    Ok((streams, terms))
}

/// Connects, and upgrades unless the server speaks bare TCP.
fn open(
    address: SocketAddr,
    dialect: Dialect,
    offer: Option<Takeover>,
) -> Result<(TcpStream, Option<Terms>)> {
    let mut stream = connect(address)?;
    let terms = upgrade(&mut stream, address, dialect, offer)?;
    Ok((stream, terms))
}

/// Opens so many connections over TLS.
pub(crate) fn open_all_tls(address: SocketAddr, dialect: Dialect, count: usize) -> Result<Vec<TlsStream>> {
    let tls = Tls::new()?;
    let open = |index| {
        let mut stream = tls.over(connect(address)?)?;
        upgrade(&mut stream, address, dialect, None).with_context(|| format!("connection {index}"))?;
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock).context("no handshake of TLS")?;
        }
        Ok(stream)
    };
    (0..count).map(open).collect()
}

/// A connection with `TCP_NODELAY` that blocks for [`PATIENCE`] at most.
fn connect(address: SocketAddr) -> Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, PATIENCE).context("cannot connect")?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// The opening handshake, unless the server speaks bare TCP.
fn upgrade(
    stream: &mut (impl Read + Write),
    address: SocketAddr,
    dialect: Dialect,
    offer: Option<Takeover>,
) -> Result<Option<Terms>> {
    if dialect == Dialect::Tcp {
        return Ok(None);
    }
    stream.write_all(request(address, offer).as_bytes()).context("cannot send the request")?;
    response(stream, offer)
}

/// The client's half of the opening handshake (RFC 6455 section 4.1).
pub(crate) fn request(address: SocketAddr, offer: Option<Takeover>) -> String {
    let extensions = offer.map(|takeover| format!("Sec-WebSocket-Extensions: {}\r\n", takeover.offer()));
    let extensions = extensions.unwrap_or_default();
    format!(
        "GET / HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n{extensions}\r\n"
    )
}

/// Reads and checks the server's half. Nothing may follow it yet: no message was sent.
fn response(stream: &mut impl Read, offer: Option<Takeover>) -> Result<Option<Terms>> {
    let mut head = [0; LONGEST_HEAD];
    let mut len = 0;
    while !head[..len].ends_with(HEAD_END) {
        match stream.read(&mut head[len..]).context("no answer to the handshake")? {
            0 => bail!("the answer to the handshake ends after {len} bytes"),
            more => len += more,
        }
    }
    check(&head[..len], offer)
}

/// Whether this is the answer to our key and our offer, and nothing but it.
pub(crate) fn check(head: &[u8], offer: Option<Takeover>) -> Result<Option<Terms>> {
    let head = std::str::from_utf8(head).context("the answer to the handshake is not text")?;
    let (head, behind) = head.split_once("\r\n\r\n").context("the answer to the handshake has no end")?;
    ensure!(behind.is_empty(), "the server sent something behind its handshake");
    let mut lines = head.lines();
    let status = lines.next().unwrap_or_default();
    ensure!(status.starts_with("HTTP/1.1 101"), "the server answered {status:?}");
    let headers: Vec<_> = lines.filter_map(|line| line.split_once(':')).collect();
    let value = |wanted: &str| {
        headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.trim())
    };
    ensure!(value("sec-websocket-accept") == Some(ACCEPT), "the server's Sec-WebSocket-Accept is wrong");
    match (offer, value("sec-websocket-extensions")) {
        (None, None) => Ok(None),
        (None, Some(_)) => bail!("the server uses an extension that was not offered"),
        (Some(_), None) => bail!("the server does not compress"),
        (Some(takeover), Some(answer)) => takeover.agree(answer).map(Some),
    }
}

#[cfg(test)]
mod tests {
    use super::{ACCEPT, Takeover, check};

    #[test]
    fn takes_the_answer_to_its_key_and_nothing_else() {
        let answer = format!("HTTP/1.1 101 Switching Protocols\r\nsec-websocket-accept: {ACCEPT}\r\n\r\n");
        assert_eq!(check(answer.as_bytes(), None).expect("an answer"), None);
        assert!(check(answer.as_bytes(), Some(Takeover::Keep)).is_err());
        for wrong in [
            answer.replace("101", "200"),
            answer.replace("s3p", "s3q"),
            answer.replace("\r\n\r\n", "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"),
            format!("{answer}\u{1}"),
        ] {
            assert!(check(wrong.as_bytes(), None).is_err(), "{wrong}");
        }
    }

    #[test]
    fn takes_compression_when_it_was_offered() {
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nsec-websocket-accept: {ACCEPT}\r\n\
             Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
        );
        assert!(check(answer.as_bytes(), Some(Takeover::Keep)).expect("terms").is_some());
        assert!(check(answer.as_bytes(), Some(Takeover::Reset)).is_err());
        assert!(check(answer.as_bytes(), None).is_err());
    }
}
