//! The least an opening handshake can do, for libraries that start from an upgraded stream, and for the floor.

use std::io;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::accept_key;

/// No request of the load generator is longer.
const LONGEST_HEAD: usize = 1024;

/// Reads a request's head and answers it with 101 (RFC 6455 section 4.2).
///
/// It trusts that the client sends no frame before the answer, which is how the load generator behaves.
///
/// # Errors
/// When the head is too long or has no key, or the connection is lost.
pub async fn upgrade(stream: &mut TcpStream) -> io::Result<()> {
    let mut head = [0; LONGEST_HEAD];
    let mut len = 0;
    while !head[..len].ends_with(b"\r\n\r\n") {
        match stream.read(&mut head[len..]).await? {
            0 => return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the request's head is not whole")),
            more => len += more,
        }
    }
    let key = key(&head[..len])
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "no Sec-WebSocket-Key"))?;
    let response = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {}\r\n\r\n",
        accept_key(key)
    );
    stream.write_all(response.as_bytes()).await
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
    use super::key;

    #[test]
    fn finds_the_key_whatever_the_case_of_its_name() {
        let head = b"GET / HTTP/1.1\r\nHost: a\r\nSEC-WEBSOCKET-KEY:  abc \r\n\r\n";
        assert_eq!(key(head), Some(&b"abc"[..]));
        assert_eq!(key(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"), None);
    }
}
