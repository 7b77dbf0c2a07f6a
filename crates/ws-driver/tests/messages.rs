//! Ways into a message and out of it, without a copy where one owns what is there.

use bytes::Bytes;
use ws_driver::{DataKind, Message, Payload, Text};

/// Longer than what a payload holds inline.
const LONG: &str =
    "a text that is too long to be held inline, so that where it stands in memory tells of a copy";

#[test]
fn a_text_and_a_payload_become_messages_of_their_kind_without_a_copy() {
    let shared = Bytes::from_static(LONG.as_bytes());
    let text = Text::from_utf8(shared.clone()).unwrap();
    let payload = Payload::from(shared.clone());
    for (message, kind) in [(Message::from(text), DataKind::Text), (Message::from(payload), DataKind::Binary)]
    {
        assert_eq!((message.kind(), message.as_bytes()), (kind, LONG.as_bytes()));
        assert_eq!(message.as_bytes().as_ptr(), shared.as_ptr(), "{kind:?}");
        assert_eq!(message.into_payload().as_ptr(), shared.as_ptr(), "{kind:?}");
    }
}

#[test]
fn a_text_is_a_str_wherever_one_is_asked_for() {
    fn characters(text: impl AsRef<str>) -> usize {
        text.as_ref().chars().count()
    }
    let text = Text::from("zwölf");
    assert_eq!(characters(text.clone()), 5);
    assert_eq!(text.strip_prefix("zw"), Some("ölf"));
    assert_eq!(text.into_payload(), Payload::from("zwölf".as_bytes()));
}
