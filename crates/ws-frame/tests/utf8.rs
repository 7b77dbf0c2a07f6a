//! The UTF-8 validators against that of `core`, for every cutting.

use proptest::prelude::*;
use ws_frame::{CloseCode, Utf8Error, Utf8Validator, as_str, validate_utf8};

/// Where the first bad byte is, by definition: the shortest prefix that `core` finds wrong, not merely incomplete, ends
/// with it.
fn first_bad(bytes: &[u8]) -> Option<u64> {
    let wrong =
        |len: &usize| std::str::from_utf8(&bytes[..*len]).is_err_and(|error| error.error_len().is_some());
    (1..=bytes.len()).find(wrong).map(|len| len as u64 - 1)
}

/// How many bytes of an incomplete character a text ends with that is good so far.
fn incomplete(bytes: &[u8]) -> usize {
    std::str::from_utf8(bytes).map_or_else(|error| bytes.len() - error.valid_up_to(), |_| 0)
}

/// Validates `parts` one after the other; what comes back is the answer of the last call that was made.
fn check_parts<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Result<(), Utf8Error> {
    let mut text = Utf8Validator::default();
    let mut before = Vec::new();
    for part in parts {
        let pushed = text.push(part);
        before.extend_from_slice(part);
        let expected = first_bad(&before).map_or(Ok(()), |offset| Err(Utf8Error { offset }));
        assert_eq!(
            pushed, expected,
            "{before:x?}: a bad byte is found in the call that brings it, and no other"
        );
        if let Err(error) = pushed {
            assert_eq!(text.finish(), Err(error));
            assert_eq!(text.push(b""), Err(error), "errors stick");
            assert_eq!(text.push(b"more"), Err(error), "errors stick");
            assert_eq!(text.pending(), 0);
            return pushed;
        }
        assert_eq!(text.pending(), incomplete(&before), "{before:x?}");
    }
    text.finish()
}

/// Checks one text whole, byte by byte, and cut in two everywhere.
fn check_all_ways(bytes: &[u8]) {
    let end = if incomplete(bytes) == 0 { Ok(()) } else { Err(Utf8Error { offset: bytes.len() as u64 }) };
    let expected = first_bad(bytes).map_or(end, |offset| Err(Utf8Error { offset }));
    assert_eq!(validate_utf8(bytes), expected, "{bytes:x?}");
    assert_eq!(as_str(bytes).map(str::as_bytes), expected.map(|()| bytes));
    assert_eq!(check_parts([bytes]), expected);
    assert_eq!(check_parts(bytes.chunks(1)), expected, "{bytes:x?} byte by byte");
    for cut in 0..=bytes.len() {
        assert_eq!(check_parts([&bytes[..cut], &bytes[cut..]]), expected, "{bytes:x?} cut at {cut}");
    }
}

/// Texts and where their first bad byte is.
const TABLE: [(&[u8], Option<u64>); 30] = [
    (b"", None),
    (b"Hello", None),
    ("κόσμε".as_bytes(), None),
    (b"\x7f", None),
    (b"\xc2\x80", None),
    (b"\xdf\xbf", None),
    (b"\xe0\xa0\x80", None),
    (b"\xed\x9f\xbf", None),
    (b"\xee\x80\x80", None),
    (b"\xef\xbf\xbf", None),
    (b"\xf0\x90\x80\x80", None),
    (b"\xf4\x8f\xbf\xbf", None),
    // No character starts with these.
    (b"a\x80", Some(1)),
    (b"a\xbf", Some(1)),
    (b"a\xc0\x80", Some(1)),
    (b"a\xc1\xbf", Some(1)),
    (b"a\xf5\x80\x80\x80", Some(1)),
    (b"a\xff", Some(1)),
    // Overlong forms, surrogates, more than U+10FFFF: bad from the second byte on.
    (b"a\xe0\x80\x80", Some(2)),
    (b"a\xe0\x9f\xbf", Some(2)),
    (b"a\xf0\x80\x80\x80", Some(2)),
    (b"a\xf0\x8f\xbf\xbf", Some(2)),
    (b"a\xed\xa0\x80", Some(2)),
    (b"a\xed\xbf\xbf", Some(2)),
    (b"a\xf4\x90\x80\x80", Some(2)),
    // Characters that are left too early.
    (b"a\xc2a", Some(2)),
    (b"a\xe2\x82a", Some(3)),
    (b"a\xf0\x9f\x98a", Some(4)),
    (b"a\xf0\x9f\xf0", Some(3)),
    (b"a\xe2\xe2\x82\xac", Some(2)),
];

#[test]
fn table_of_good_and_bad_texts_behind_every_length() {
    for (text, bad) in TABLE {
        assert_eq!(first_bad(text), bad, "{text:x?}");
        // The lengths around the blocks of 16, 32 and 64 bytes of a validator that uses SIMD.
        for before in (0..4).chain(14..18).chain(28..36).chain(60..68).chain(124..132) {
            let bytes = ["x".repeat(before).as_bytes(), text, b"yz"].concat();
            assert_eq!(validate_utf8(&bytes).err().map(|e| e.offset), bad.map(|at| before as u64 + at));
            check_all_ways(&[&bytes[..before], text].concat());
        }
    }
}

#[test]
fn every_sequence_of_two_bytes() {
    for first in 0..=u8::MAX {
        for second in 0..=u8::MAX {
            check_all_ways(&[first, second]);
        }
    }
}

#[test]
fn every_boundary_of_three_and_four_bytes() {
    let lead = [0x7f, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5];
    let next = [0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff];
    for first in lead {
        for second in next {
            for third in next {
                check_all_ways(&[first, second, third]);
                for fourth in [0x7f, 0x80, 0xbf, 0xc0] {
                    check_all_ways(&[first, second, third, fourth]);
                }
            }
        }
    }
}

#[test]
fn a_bad_byte_is_found_at_every_place_of_every_length() {
    for len in 1..300 {
        let mut bytes = vec![b'a'; len];
        assert_eq!(validate_utf8(&bytes), Ok(()));
        for at in 0..len {
            bytes[at] = 0x80;
            let expected = Err(Utf8Error { offset: at as u64 });
            assert_eq!(validate_utf8(&bytes), expected);
            assert_eq!(Utf8Validator::default().push(&bytes), expected);
            bytes[at] = 0x7f;
        }
    }
}

#[test]
fn every_character_is_taken_in_every_cutting() {
    let mut bytes = [0; 4];
    for character in char::MIN..=char::MAX {
        let encoded = character.encode_utf8(&mut bytes).as_bytes();
        for cut in 0..encoded.len() {
            let mut text = Utf8Validator::default();
            text.push(&encoded[..cut]).unwrap();
            assert_eq!(text.pending(), cut);
            text.push(&encoded[cut..]).unwrap();
            assert_eq!((text.pending(), text.finish()), (0, Ok(())));
        }
    }
}

#[test]
fn offsets_count_from_the_start_of_the_message() {
    let mut text = Utf8Validator::default();
    for _ in 0..1000 {
        text.push("κόσμε".as_bytes()).unwrap(); // 10 bytes
    }
    assert_eq!(text.push(b"ab\xff"), Err(Utf8Error { offset: 10_002 }));
    text.reset();
    assert_eq!(text.finish(), Ok(()));
    assert_eq!(text.push(b"\xff"), Err(Utf8Error { offset: 0 }));
}

#[test]
fn an_end_inside_a_character_may_still_be_completed() {
    let mut text = Utf8Validator::default();
    text.push(b"\xf0\x9f").unwrap();
    assert_eq!(text.finish(), Err(Utf8Error { offset: 2 }));
    text.push(b"").unwrap();
    text.push(b"\x98\x80").unwrap();
    assert_eq!(text.finish(), Ok(()));
}

#[test]
fn bad_text_closes_with_1007() {
    let error = Utf8Error { offset: 7 };
    assert_eq!(error.close_code(), CloseCode::INVALID_PAYLOAD);
    assert_eq!(error.to_string(), "text is not valid UTF-8 at byte 7");
}

/// Mostly text, of all lengths of characters, with now and then a byte that may be anything.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let text = prop_oneof![
        8 => "[ -~]{0,40}".prop_map(String::into_bytes),
        4 => any::<char>().prop_map(|character| character.to_string().into_bytes()),
        1 => any::<u8>().prop_map(|byte| vec![byte]),
        1 => (0xC0..=0xF8u8).prop_map(|byte| vec![byte]),
    ];
    prop::collection::vec(text, 0..12).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn any_cutting_agrees_with_core(bytes in bytes(), cuts in prop::collection::vec(1..40usize, 1..40)) {
        check_all_ways(&bytes);
        let mut parts = Vec::new();
        let mut rest = &bytes[..];
        for &len in cuts.iter().cycle() {
            let (part, behind) = rest.split_at(len.min(rest.len()));
            parts.push(part);
            rest = behind;
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(check_parts(parts), validate_utf8(&bytes));
    }
}
