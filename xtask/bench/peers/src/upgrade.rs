//! The least an opening handshake can do, for libraries that start from an upgraded stream, and for the floor.

use std::io;

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::{Takeover, accept_key};

/// No request of the load generator is longer.
const LONGEST_HEAD: usize = 1024;

/// Reads a request's head and answers it with 101 (RFC 6455 section 4.2).
///
/// It trusts that the client sends no frame before the answer, which is how the load generator behaves.
///
/// # Errors
/// When the head is too long or has no key, or the connection is lost.
pub async fn upgrade(stream: &mut TcpStream) -> io::Result<()> {
    upgrade_with(stream, None).await
}

/// The same, and agrees to compression: it trusts that the client has offered it in this form.
///
/// # Errors
/// As [`upgrade`].
pub async fn upgrade_with(stream: &mut TcpStream, takeover: Option<Takeover>) -> io::Result<()> {
    let mut head = Vec::new();
    let response = loop {
        stream.readable().await?;
        if let Some(response) = answer(stream, &mut head, takeover)? {
            break response;
        }
    };
    drop(head);
    stream.write_all(response.as_bytes()).await
}

/// Reads once, and answers when the head is whole; `head` keeps what came before.
///
/// The room to read into is on the stack of this call: across an await it would stay in the connection's task.
fn answer(stream: &TcpStream, head: &mut Vec<u8>, takeover: Option<Takeover>) -> io::Result<Option<String>> {
    let mut room = [0; LONGEST_HEAD];
    let received = match stream.try_read(&mut room) {
        Ok(0) => return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the request's head is not whole")),
        Ok(len) => &room[..len],
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
        Err(error) => return Err(error),
    };
    if head.is_empty() && received.ends_with(b"\r\n\r\n") {
        return response(received, takeover).map(Some);
    }
    head.extend_from_slice(received);
    match head.ends_with(b"\r\n\r\n") {
        true => response(head, takeover).map(Some),
        false if head.len() < LONGEST_HEAD => Ok(None),
        false => Err(io::Error::new(io::ErrorKind::InvalidData, "the request's head is too long")),
    }
}

/// The answer to a whole head.
fn response(head: &[u8], takeover: Option<Takeover>) -> io::Result<String> {
    let key = key(head).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "no Sec-WebSocket-Key"))?;
    let extensions =
        takeover.map(|takeover| format!("Sec-WebSocket-Extensions: {}\r\n", takeover.parameters()));
    Ok(format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {}\r\n{}\r\n",
        accept_key(key),
        extensions.unwrap_or_default(),
    ))
}

/// The value of the header `Sec-WebSocket-Key`.
fn key(head: &[u8]) -> Option<&[u8]> {
    head.split(|&byte| byte == b'\n').find_map(|line| {
        let colon = line.iter().position(|&byte| byte == b':')?;
        let (name, value) = (&line[..colon], &line[colon + 1..]);
        name.eq_ignore_ascii_case(b"sec-websocket-key").then(|| value.trim_ascii())
    })
}

#[cfg(test)]
mod tests {
    use super::{Takeover, key, response};

    #[test]
    fn finds_the_key_whatever_the_case_of_its_name() {
        let head = b"GET / HTTP/1.1\r\nHost: a\r\nSEC-WEBSOCKET-KEY:  abc \r\n\r\n";
        assert_eq!(key(head), Some(&b"abc"[..]));
        assert_eq!(key(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"), None);
    }

    #[test]
    fn answers_with_the_key_of_rfc_6455_section_1_3() {
        let head = b"GET / HTTP/1.1\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        let response = response(head, None).expect("a key");
        assert!(
            response.ends_with("\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"),
            "{response}"
        );
        assert!(super::response(b"GET / HTTP/1.1\r\n\r\n", None).is_err());
        let response = super::response(head, Some(Takeover::Keep)).expect("a key");
        assert!(response.ends_with("\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"), "{response}");
    }
}
