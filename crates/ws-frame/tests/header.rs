//! Byte vectors and tables for the header codec: RFC 6455 section 5.

use ws_frame::{CloseCode, FrameError, Header, Masker, OpCode, Role, Rsv, Rules};

const SERVER: Rules = Rules { role: Role::Server, rsv: Rsv::NONE, message_open: false };
const CLIENT: Rules = Rules { role: Role::Client, rsv: Rsv::NONE, message_open: false };

fn header(fin: bool, opcode: OpCode, mask: Option<[u8; 4]>, len: u64) -> Header {
    Header { fin, rsv: Rsv::NONE, opcode, mask, len }
}

fn encoded(header: &Header) -> Vec<u8> {
    let mut out = [0; Header::MAX_LEN];
    let n = header.encode(&mut out);
    assert_eq!(n, header.encoded_len());
    out[..n].to_vec()
}

/// A header on the wire, the payload behind it, the rules, the header decoded, the payload unmasked.
type Example = (&'static [u8], &'static [u8], Rules, Header, &'static [u8]);

#[test]
fn examples_of_section_5_7() {
    const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
    let open = Rules { message_open: true, ..CLIENT };
    let hello = b"\x7f\x9f\x4d\x51\x58";
    let table: [Example; 8] = [
        (b"\x81\x05", b"Hello", CLIENT, header(true, OpCode::Text, None, 5), b"Hello"),
        (b"\x81\x85\x37\xfa\x21\x3d", hello, SERVER, header(true, OpCode::Text, Some(KEY), 5), b"Hello"),
        (b"\x01\x03", b"Hel", CLIENT, header(false, OpCode::Text, None, 3), b"Hel"),
        (b"\x80\x02", b"lo", open, header(true, OpCode::Continuation, None, 2), b"lo"),
        (b"\x89\x05", b"Hello", CLIENT, header(true, OpCode::Ping, None, 5), b"Hello"),
        (b"\x8a\x85\x37\xfa\x21\x3d", hello, SERVER, header(true, OpCode::Pong, Some(KEY), 5), b"Hello"),
        (b"\x82\x7e\x01\x00", b"", CLIENT, header(true, OpCode::Binary, None, 256), b""),
        (b"\x82\x7f\0\0\0\0\0\x01\0\0", b"", CLIENT, header(true, OpCode::Binary, None, 65_536), b""),
    ];
    for (bytes, payload, rules, expected, text) in table {
        let frame = [bytes, payload].concat();
        assert_eq!(Header::decode(&frame, rules), Ok(Some((expected, bytes.len()))), "{bytes:x?}");
        assert_eq!(encoded(&expected), bytes);
        let mut payload = payload.to_vec();
        if let Some(key) = expected.mask {
            Masker::new(key).apply(&mut payload);
        }
        assert_eq!(payload, text);
    }
}

/// Both ends of every form of length, with and without mask: form chosen, bytes, round trip, every cut.
#[test]
fn lengths_take_their_shortest_form() {
    let table: [(u64, &[u8]); 9] = [
        (0, b"\x00"),
        (1, b"\x01"),
        (125, b"\x7d"),
        (126, b"\x7e\x00\x7e"),
        (127, b"\x7e\x00\x7f"),
        (65_535, b"\x7e\xff\xff"),
        (65_536, b"\x7f\0\0\0\0\0\x01\0\0"),
        (1 << 32, b"\x7f\0\0\0\x01\0\0\0\0"),
        ((1 << 63) - 1, b"\x7f\x7f\xff\xff\xff\xff\xff\xff\xff"),
    ];
    for (len, bytes) in table {
        for (rules, key) in [(CLIENT, None), (SERVER, Some([0, 0, 0, 0])), (SERVER, Some([1, 2, 3, 0xff]))] {
            let mut wire = [b"\x82", bytes].concat();
            wire[1] |= if key.is_some() { 0x80 } else { 0 };
            wire.extend(key.iter().flatten());
            let header = header(true, OpCode::Binary, key, len);
            assert_eq!(encoded(&header), wire);
            for cut in 0..wire.len() {
                assert_eq!(Header::decode(&wire[..cut], rules), Ok(None), "{len} cut at {cut}");
            }
            assert_eq!(Header::decode(&wire, rules), Ok(Some((header, wire.len()))));
            let more = [&wire[..], b"payload"].concat();
            assert_eq!(Header::decode(&more, rules), Ok(Some((header, wire.len()))));
        }
    }
}

/// Lengths that are refused, each with the number of bytes after which it is.
#[test]
fn lengths_in_a_longer_form_and_over_63_bits_are_refused() {
    let table: [(&[u8], usize, FrameError); 8] = [
        (b"\x7e\x00\x00", 4, FrameError::NonMinimalLength),
        (b"\x7e\x00\x7d", 4, FrameError::NonMinimalLength),
        (b"\x7f\0\0\0\0\0\0\0\0", 8, FrameError::NonMinimalLength),
        (b"\x7f\0\0\0\0\0\0\x00\x7d", 8, FrameError::NonMinimalLength),
        (b"\x7f\0\0\0\0\0\0\x00\x7e", 8, FrameError::NonMinimalLength),
        (b"\x7f\0\0\0\0\0\0\xff\xff", 8, FrameError::NonMinimalLength),
        (b"\x7f\x80\0\0\0\0\0\0\0", 3, FrameError::LengthTopBit),
        (b"\x7f\xff\xff\xff\xff\xff\xff\xff\xff", 3, FrameError::LengthTopBit),
    ];
    for (bytes, enough, error) in table {
        for (rules, mask_bit) in [(CLIENT, 0), (SERVER, 0x80)] {
            let mut wire = [b"\x82", bytes, b"\x01\x02\x03\x04"].concat();
            wire[1] |= mask_bit;
            for cut in 0..=wire.len() {
                let expected = if cut < enough { Ok(None) } else { Err(error) };
                assert_eq!(Header::decode(&wire[..cut], rules), expected, "{bytes:x?} cut at {cut}");
            }
        }
    }
}

/// Every first byte under every set of rules, against the list of rules in their order.
#[test]
fn first_byte_is_judged_alone() {
    for (byte, rules) in (0..=u8::MAX).flat_map(|byte| all_rules().map(move |rules| (byte, rules))) {
        let expected = first_fault(byte, rules).map_or(Ok(None), Err);
        assert_eq!(Header::decode(&[byte], rules), expected, "{byte:#04x} {rules:?}");
    }
    assert_eq!(Header::decode(&[], SERVER), Ok(None));
}

/// Every pair of first bytes under every set of rules: the first byte's fault wins, then mask, then length.
#[test]
fn first_two_bytes_are_judged_without_the_rest() {
    for (first, rules) in (0..=u8::MAX).flat_map(|byte| all_rules().map(move |rules| (byte, rules))) {
        for second in 0..=u8::MAX {
            let wire = [first, second];
            let decoded = Header::decode(&wire, rules);
            if let Some(error) = first_fault(first, rules).or_else(|| second_fault(first, second, rules)) {
                assert_eq!(decoded, Err(error), "{wire:x?} {rules:?}");
                continue;
            }
            if second > 125 {
                assert_eq!(decoded, Ok(None), "a masking key or an extended length is missing");
                continue;
            }
            let header = Header {
                fin: first >= 0x80,
                rsv: Rsv::from_bits(first >> 4 & 7).unwrap(),
                opcode: OpCode::from_bits(first & 15).unwrap(),
                mask: None,
                len: u64::from(second),
            };
            assert_eq!(decoded, Ok(Some((header, 2))), "{wire:x?} {rules:?}");
        }
    }
}

#[test]
fn every_error_closes_with_1002_and_explains_itself() {
    let errors = [
        FrameError::ReservedBits(Rsv::RSV1 | Rsv::RSV2),
        FrameError::ReservedOpcode(11),
        FrameError::UnexpectedContinuation,
        FrameError::ExpectedContinuation,
        FrameError::FragmentedControl,
        FrameError::ExpectedMask,
        FrameError::UnexpectedMask,
        FrameError::ControlTooLong,
        FrameError::OneByteClose,
        FrameError::NonMinimalLength,
        FrameError::LengthTopBit,
    ];
    for error in errors {
        assert_eq!(error.close_code(), CloseCode::PROTOCOL_ERROR);
        let text = error.to_string();
        assert!(!text.ends_with('.') && text.starts_with(char::is_lowercase), "{text}");
    }
    assert!(errors[0].to_string().ends_with("RSV1 | RSV2"));
    assert!(errors[1].to_string().ends_with("0xb"));
}

#[test]
fn an_error_names_the_bits_that_are_not_owned() {
    let rules = Rules { rsv: Rsv::RSV1, ..CLIENT };
    let all = Rsv::RSV1 | Rsv::RSV2 | Rsv::RSV3;
    assert_eq!(Header::decode(b"\xf1", rules), Err(FrameError::ReservedBits(Rsv::RSV2 | Rsv::RSV3)));
    assert_eq!(Header::decode(b"\xf9", rules), Err(FrameError::ReservedBits(all)), "a ping owns none");
}

fn all_rules() -> impl Iterator<Item = Rules> {
    let roles = [Role::Client, Role::Server].into_iter();
    let with_open = roles.flat_map(|role| [false, true].map(|message_open| (role, message_open)));
    with_open.flat_map(|(role, message_open)| {
        (0..8).map(move |bits| Rules { role, rsv: Rsv::from_bits(bits).unwrap(), message_open })
    })
}

/// The rules of the first byte, written as a list: the first that is broken counts.
fn first_fault(byte: u8, rules: Rules) -> Option<FrameError> {
    let opcode = byte % 16;
    let rsv = byte / 16 % 8;
    let not_owned = if opcode == 1 || opcode == 2 { rsv & !rules.rsv.bits() } else { rsv };
    let faults = [
        (not_owned != 0, FrameError::ReservedBits(Rsv::from_bits(not_owned).unwrap())),
        ([3, 4, 5, 6, 7, 11, 12, 13, 14, 15].contains(&opcode), FrameError::ReservedOpcode(opcode)),
        (opcode >= 8 && byte < 0x80, FrameError::FragmentedControl),
        (opcode == 0 && !rules.message_open, FrameError::UnexpectedContinuation),
        ((opcode == 1 || opcode == 2) && rules.message_open, FrameError::ExpectedContinuation),
    ];
    faults.into_iter().find_map(|(broken, error)| broken.then_some(error))
}

/// The rules of the second byte.
fn second_fault(first: u8, second: u8, rules: Rules) -> Option<FrameError> {
    let opcode = first % 16;
    let (masked, len) = (second >= 0x80, second % 128);
    let faults = [
        (!masked && rules.role == Role::Server, FrameError::ExpectedMask),
        (masked && rules.role == Role::Client, FrameError::UnexpectedMask),
        (opcode >= 8 && len > 125, FrameError::ControlTooLong),
        (opcode == 8 && len == 1, FrameError::OneByteClose),
    ];
    faults.into_iter().find_map(|(broken, error)| broken.then_some(error))
}
