//! Bytes as they go over the wire, right and wrong ones.

/// The first byte of frames.
pub(crate) const TEXT: u8 = 0x81;
pub(crate) const BINARY: u8 = 0x82;
pub(crate) const CLOSE: u8 = 0x88;
pub(crate) const PING: u8 = 0x89;
pub(crate) const PONG: u8 = 0x8A;
/// The first fragment of a text, of a binary message; one in the middle; the last one.
pub(crate) const TEXT_BEGINS: u8 = 0x01;
pub(crate) const BINARY_BEGINS: u8 = 0x02;
pub(crate) const GOES_ON: u8 = 0x00;
pub(crate) const ENDS: u8 = 0x80;
/// RSV1, for compressed messages.
pub(crate) const RSV1: u8 = 0x40;

/// The sender of a frame, who masks or does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    Client,
    Server,
}

/// The key of every masked frame here; a predictable one is fine for an attacker.
const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// A header with the length in its shortest form.
pub(crate) fn header(by: By, first: u8, len: u64) -> Vec<u8> {
    let mask = if by == By::Client { 0x80 } else { 0 };
    let mut bytes = vec![first];
    match (u8::try_from(len), u16::try_from(len)) {
        (Ok(len), _) if len < 126 => bytes.push(mask | len),
        (_, Ok(len)) => {
            bytes.push(mask | 126);
            bytes.extend(len.to_be_bytes());
        }
        _ => {
            bytes.push(mask | 127);
            bytes.extend(len.to_be_bytes());
        }
    }
    if by == By::Client {
        bytes.extend(KEY);
    }
    bytes
}

/// A frame.
pub(crate) fn frame(by: By, first: u8, payload: impl AsRef<[u8]>) -> Vec<u8> {
    let payload = payload.as_ref();
    let mut bytes = header(by, first, payload.len() as u64);
    match by {
        By::Client => bytes.extend(payload.iter().zip(KEY.iter().cycle()).map(|(byte, key)| byte ^ key)),
        By::Server => bytes.extend(payload),
    }
    bytes
}

/// A Close with a code and a reason.
pub(crate) fn close(by: By, code: u16, reason: impl AsRef<[u8]>) -> Vec<u8> {
    frame(by, CLOSE, [&code.to_be_bytes(), reason.as_ref()].concat())
}

/// A request that is right in everything.
pub(crate) const REQUEST: &str = "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

/// The same with another line at its end.
pub(crate) fn request_with(line: &str) -> String {
    format!("{}{line}\r\n\r\n", &REQUEST[..REQUEST.len() - 2])
}

/// The same with the line that begins so replaced; by nothing, when `line` is empty.
pub(crate) fn request_changed(beginning: &str, line: &str) -> String {
    let mut lines: Vec<_> = REQUEST.trim_end().split("\r\n").map(str::to_owned).collect();
    if let Some(place) = lines.iter_mut().find(|found| found.starts_with(beginning)) {
        line.clone_into(place);
    }
    lines.retain(|line| !line.is_empty());
    format!("{}\r\n\r\n", lines.join("\r\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_those_of_the_rfc() {
        // RFC 6455 section 5.7.
        assert_eq!(frame(By::Server, TEXT, "Hello"), b"\x81\x05Hello");
        assert_eq!(frame(By::Client, TEXT, "Hello"), b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58");
        assert_eq!(header(By::Server, BINARY, 256), b"\x82\x7e\x01\x00");
        assert_eq!(header(By::Server, BINARY, 65_536), b"\x82\x7f\0\0\0\0\0\x01\0\0");
        assert_eq!(close(By::Server, 1000, "x"), b"\x88\x03\x03\xe8x");
    }

    #[test]
    fn lines_of_the_request_are_changed() {
        assert!(request_with("A: b").ends_with("Version: 13\r\nA: b\r\n\r\n"));
        assert_eq!(request_changed("Host", "Host: a"), REQUEST.replace("localhost", "a"));
        assert!(!request_changed("Host", "").contains("Host"));
    }
}
