//! Keys as a log or an error shows them.

use ws_handshake::{AcceptKey, Key, accept_key};

#[test]
fn keys_are_shown_as_they_stand_in_the_header() {
    let key: Key = "dGhlIHNhbXBsZSBub25jZQ==".parse().unwrap();
    let accept: AcceptKey = accept_key(&key);
    assert_eq!(key.to_string(), "dGhlIHNhbXBsZSBub25jZQ==");
    assert_eq!(accept.to_string(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    assert_eq!(format!("{key:?}"), r#"Key("dGhlIHNhbXBsZSBub25jZQ==")"#);
    assert_eq!(format!("{accept:?}"), r#"AcceptKey("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")"#);
}
