//! Properties of the header codec.

use proptest::prelude::*;
use ws_frame::{Header, OpCode, Role, Rsv, Rules};

fn rsv() -> impl Strategy<Value = Rsv> {
    (0..8u8).prop_map(|bits| Rsv::from_bits(bits).unwrap())
}

fn rules() -> impl Strategy<Value = Rules> {
    let role = prop_oneof![Just(Role::Client), Just(Role::Server)];
    (role, rsv(), any::<bool>()).prop_map(|(role, rsv, message_open)| Rules { role, rsv, message_open })
}

/// Lengths of every magnitude.
fn len() -> impl Strategy<Value = u64> {
    (any::<u64>(), 1..64u32).prop_map(|(bits, shift)| bits >> shift)
}

/// Headers that keep the rules they come with.
fn legal() -> impl Strategy<Value = (Header, Rules)> {
    let opcode = prop_oneof![
        Just(OpCode::Continuation),
        Just(OpCode::Text),
        Just(OpCode::Binary),
        Just(OpCode::Close),
        Just(OpCode::Ping),
        Just(OpCode::Pong),
    ];
    (opcode, any::<bool>(), len(), any::<[u8; 4]>(), rules()).prop_map(|(opcode, fin, len, key, rules)| {
        let mask = (rules.role == Role::Server).then_some(key);
        if opcode.is_control() {
            let len = if len % 126 == 1 { 2 } else { len % 126 };
            return (Header { fin: true, rsv: Rsv::NONE, opcode, mask, len }, rules);
        }
        let begins = opcode != OpCode::Continuation;
        let rsv = if begins { rules.rsv } else { Rsv::NONE };
        (Header { fin, rsv, opcode, mask, len }, Rules { message_open: !begins, ..rules })
    })
}

/// Bytes that look enough like a header to reach every check.
fn wire() -> impl Strategy<Value = Vec<u8>> {
    let first =
        prop_oneof![any::<u8>(), proptest::sample::select(vec![0x81u8, 0x82, 0x01, 0x00, 0x88, 0x89])];
    let second = prop_oneof![any::<u8>(), proptest::sample::select(vec![0x7eu8, 0x7f, 0xfe, 0xff])];
    let byte = prop_oneof![3 => Just(0u8), 1 => any::<u8>()];
    (first, second, prop::collection::vec(byte, 0..16))
        .prop_map(|(first, second, rest)| [&[first, second], &rest[..]].concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, ..ProptestConfig::default() })]

    #[test]
    fn what_was_encoded_is_decoded((header, rules) in legal(), behind in prop::collection::vec(any::<u8>(), 0..20)) {
        let mut out = [0xAA; Header::MAX_LEN];
        let n = header.encode(&mut out);
        prop_assert_eq!(n, header.encoded_len());
        prop_assert!(out[n..].iter().all(|&byte| byte == 0xAA), "bytes behind the header were touched");
        let buf = [&out[..n], &behind].concat();
        prop_assert_eq!(Header::decode(&buf, rules), Ok(Some((header, n))));
        for cut in 0..n {
            prop_assert_eq!(Header::decode(&out[..cut], rules), Ok(None));
        }
    }

    #[test]
    fn what_was_decoded_is_encoded_alike(wire in wire(), rules in rules()) {
        if let Ok(Some((header, n))) = Header::decode(&wire, rules) {
            let mut out = [0; Header::MAX_LEN];
            prop_assert_eq!(header.encode(&mut out), n);
            prop_assert_eq!(&out[..n], &wire[..n]);
        }
    }

    /// Once a prefix has an answer, every longer one has the same.
    #[test]
    fn a_cut_never_changes_the_answer(wire in wire(), rules in rules()) {
        let whole = Header::decode(&wire, rules);
        let mut answered = false;
        for cut in 0..=wire.len() {
            let decoded = Header::decode(&wire[..cut], rules);
            answered |= decoded != Ok(None);
            prop_assert_eq!(decoded, if answered { whole } else { Ok(None) }, "cut at {}", cut);
        }
    }
}
