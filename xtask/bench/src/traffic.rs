//! The bytes of a burst, made beforehand: what is sent, and what must come back.

use crate::json;
use crate::random::Random;
use crate::scenario::{Content, Echo};

/// Text of which most characters take more than one byte.
const MIXED: &str =
    "Grüße aus Zürich, naïve façade, Добрый день, καλημέρα, こんにちは世界, 안녕하세요, 🦀🌍 ";
/// Text of one byte for each character.
const ASCII: &str =
    r#"{"id":48213,"kind":"trade","symbol":"ABCD","price":"104.25","size":300,"side":"buy"} "#;

/// What a server sends back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// Messages, unmasked.
    WebSocket,
    /// The bytes as they came.
    Tcp,
}

/// One burst of masked frames, and the reply to it.
#[derive(Debug)]
pub(crate) struct Traffic {
    pub(crate) sent: Vec<u8>,
    pub(crate) expected: Vec<u8>,
    pub(crate) messages: usize,
}

impl Traffic {
    /// A burst for a scenario. Every message has a payload and a masking key of its own.
    pub(crate) fn new(echo: &Echo, dialect: Dialect) -> Self {
        let mut random = Random::new();
        let (mut sent, mut expected) = (Vec::new(), Vec::new());
        let opcode = if echo.content == Content::Binary { 2 } else { 1 };
        for index in 0..echo.depth {
            let payload = payload(echo.content, echo.size, index, &mut random);
            let key = (random.next() as u32).to_be_bytes();
            frame(&mut sent, opcode, Some(key), &payload);
            frame(&mut expected, opcode, None, &payload);
        }
        if dialect == Dialect::Tcp {
            expected.clone_from(&sent);
        }
        Self { sent, expected, messages: echo.depth }
    }
}

/// Appends one final frame (RFC 6455 section 5.2); `opcode` has the reserved bits before it.
pub(crate) fn frame(out: &mut Vec<u8>, opcode: u8, key: Option<[u8; 4]>, payload: &[u8]) {
    let mask = if key.is_some() { 0x80 } else { 0 };
    out.push(0x80 | opcode);
    match payload.len() {
        len @ 0..126 => out.push(mask | len as u8),
        len @ 126..65_536 => {
            out.push(mask | 126);
            out.extend((len as u16).to_be_bytes());
        }
        len => {
            out.push(mask | 127);
            out.extend((len as u64).to_be_bytes());
        }
    }
    match key {
        None => out.extend(payload),
        Some(key) => {
            out.extend(key);
            out.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
        }
    }
}

/// The payload of message `index`: exactly `size` bytes, and valid UTF-8 in a text frame.
fn payload(content: Content, size: usize, index: usize, random: &mut Random) -> Vec<u8> {
    let text = match content {
        Content::Binary => return (0..size).map(|_| random.next() as u8).collect(),
        Content::Json(_) => return json::message(size, random),
        Content::Text => ASCII,
        Content::Utf8 => MIXED,
    };
    let mut payload = String::with_capacity(size);
    for character in text.chars().cycle().skip(index % text.chars().count()) {
        if payload.len() + character.len_utf8() > size {
            break;
        }
        payload.push(character);
    }
    let mut payload = payload.into_bytes();
    payload.resize(size, b'.');
    payload
}

#[cfg(test)]
mod tests {
    use super::{Content, Dialect, Echo, Traffic, frame};

    #[test]
    fn frames_are_those_of_rfc_6455_section_5_7() {
        let mut bytes = Vec::new();
        frame(&mut bytes, 1, Some([0x37, 0xfa, 0x21, 0x3d]), b"Hello");
        assert_eq!(bytes, [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58]);
        bytes.clear();
        frame(&mut bytes, 1, None, b"Hello");
        assert_eq!(bytes, [0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f]);
        bytes.clear();
        frame(&mut bytes, 2, None, &[0; 256]);
        assert_eq!(bytes[..4], [0x82, 0x7e, 0x01, 0x00]);
        bytes.clear();
        frame(&mut bytes, 2, None, &[0; 65_536]);
        assert_eq!(bytes[..10], [0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0]);
    }

    #[test]
    fn text_is_valid_and_of_the_wanted_length() {
        for content in [Content::Text, Content::Utf8] {
            for size in 0..400 {
                let echo = Echo { content, size, connections: 1, depth: 1 };
                let traffic = Traffic::new(&echo, Dialect::WebSocket);
                let head = if size < 126 { 2 } else { 4 };
                assert_eq!(traffic.expected.len(), head + size);
                assert!(std::str::from_utf8(&traffic.expected[head..]).is_ok());
            }
        }
    }

    #[test]
    fn messages_of_a_burst_differ() {
        let echo = Echo { content: Content::Utf8, size: 64, connections: 1, depth: 2 };
        let traffic = Traffic::new(&echo, Dialect::WebSocket);
        let (first, second) = traffic.expected.split_at(66);
        assert_ne!(first, second);
        assert_eq!(Traffic::new(&echo, Dialect::Tcp).expected, Traffic::new(&echo, Dialect::Tcp).sent);
    }
}
