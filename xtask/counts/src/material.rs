//! What the workloads work on.

use ws_endpoint::frame::{DataKind, Header, Masker, Role, Rsv};

/// The masking key of everything that is masked beforehand.
pub(crate) const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// Writing in several alphabets: characters of one, two, three and four bytes.
const MIXED: &str = "Ἀγαθὴ τύχη, пожелал он; 万事如意 и до встречи \u{1f600} — à bientôt. ";

/// A text of exactly `len` bytes, ASCII alone or `mixed`.
pub(crate) fn text(len: usize, mixed: bool) -> Vec<u8> {
    let sample = if mixed { MIXED } else { "The quick brown fox jumps over the lazy dog. " };
    let mut text = String::with_capacity(len);
    for c in sample.chars().cycle() {
        if text.len() + c.len_utf8() > len {
            break;
        }
        text.push(c);
    }
    while text.len() < len {
        text.push('.');
    }
    text.into_bytes()
}

/// Bytes that are no text.
pub(crate) fn binary(len: usize) -> Vec<u8> {
    (0..len).map(|n| (n * 167 + 43) as u8).collect()
}

/// A frame that is a whole message to the end that has this `role`: masked for a server.
pub(crate) fn frame(role: Role, kind: DataKind, payload: &[u8]) -> Vec<u8> {
    let mask = role.peer().masks().then_some(KEY);
    let header = Header { fin: true, rsv: Rsv::NONE, opcode: kind.opcode(), mask, len: payload.len() as u64 };
    let mut bytes = [0; Header::MAX_LEN];
    let header_len = header.encode(&mut bytes);
    let mut frame = bytes[..header_len].to_vec();
    frame.extend_from_slice(payload);
    if let Some(key) = mask {
        Masker::new(key).apply(&mut frame[header_len..]);
    }
    frame
}

/// Quotes in JSON, as a feed would send them: `len` bytes of them, others for each `number`.
pub(crate) fn quotes(number: u64, len: usize) -> Vec<u8> {
    const NAMES: [&str; 8] = ["ACME", "INITECH", "GLOBEX", "UMBRA", "STARK", "WAYNE", "HOOLI", "VANDELAY"];
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state >> 20
    };
    let mut text = format!("{{\"sequence\":{number},\"quotes\":[");
    while text.len() < len {
        let name = NAMES[random() as usize % NAMES.len()];
        let (bid, volume) = (random() % 100_000, random() % 5_000);
        text +=
            &format!("{{\"symbol\":\"{name}\",\"bid\":{}.{:02},\"volume\":{volume}}},", bid / 100, bid % 100);
    }
    text.truncate(len);
    text.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_utf8_of_the_length_asked_for() {
        for len in [0, 1, 16, 125, 1024] {
            assert_eq!(text(len, false).len(), len);
            assert!(text(len, false).is_ascii());
            let mixed = text(len, true);
            assert_eq!(mixed.len(), len);
            assert!(std::str::from_utf8(&mixed).is_ok());
            assert_eq!(mixed.is_ascii(), len < 2);
        }
    }

    #[test]
    fn a_frame_is_masked_for_a_server_alone() {
        assert_eq!(
            frame(Role::Server, DataKind::Text, b"Hello"),
            b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"
        );
        assert_eq!(frame(Role::Client, DataKind::Text, b"Hello"), b"\x81\x05Hello");
    }
}
