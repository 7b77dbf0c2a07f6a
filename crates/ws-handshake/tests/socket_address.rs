//! Addresses of Unix sockets: `ws+unix:/path/to.sock:/url/path`.

use std::path::Path;

use proptest::prelude::*;
use ws_handshake::{ClientRequest, ClientRequestError, Key};

#[test]
fn a_socket_s_address_is_taken_apart() {
    for (address, socket, target) in [
        ("ws+unix:/run/chat.sock", "/run/chat.sock", "/"),
        ("ws+unix:/run/chat.sock:", "/run/chat.sock", "/"),
        ("ws+unix:/run/chat.sock:/", "/run/chat.sock", "/"),
        ("WS+Unix:/run/chat.sock:/room/1?a=b:c", "/run/chat.sock", "/room/1?a=b:c"),
        ("ws+unix:/run/chat.sock:?a", "/run/chat.sock", "/?a"),
        ("ws+unix:/run/chat.sock?a", "/run/chat.sock", "/?a"),
        ("ws+unix:///run/chat.sock:/x", "/run/chat.sock", "/x"),
        ("ws+unix:chat.sock:/x", "chat.sock", "/x"),
        ("ws+unix:./chat.sock:/x", "./chat.sock", "/x"),
        ("ws+unix:\\\\.\\pipe\\chat:/x", "\\\\.\\pipe\\chat", "/x"),
        ("ws+unix:/a%3Ab%3f%23%25 c@d:/x", "/a:b?#% c@d", "/x"),
        ("ws+unix:/stra\u{df}e:/stra\u{df}e", "/stra\u{df}e", "/stra%C3%9Fe"),
        ("ws+unix:/user:/pass@host", "/user", "/pass@host"),
    ] {
        let request = ClientRequest::new(address).unwrap();
        assert_eq!(request.socket_path(), Some(Path::new(socket)), "{address}");
        assert_eq!((request.is_tls(), request.host(), request.port()), (false, "localhost", 80));
        assert_eq!(request.uri().unwrap(), format!("ws://localhost{target}").as_str());
        let again = ClientRequest::new(&request.address()).unwrap();
        assert_eq!(
            (again.socket_path(), again.uri().unwrap()),
            (request.socket_path(), request.uri().unwrap())
        );
        let handshake = request.start(Key::from_bytes([7; 16]), None).unwrap();
        let head = format!("GET {target} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n");
        assert!(handshake.request_bytes().starts_with(head.as_bytes()), "{:?}", handshake.request_bytes());
    }
    assert_eq!(ClientRequest::new("ws://example.com").unwrap().socket_path(), None);
}

#[test]
fn a_socket_s_address_without_a_socket_is_refused() {
    for address in [
        "ws+unix:",
        "ws+unix::",
        "ws+unix::/url",
        "ws+unix:?a",
        "ws+unix://",
        "ws+unix://host/run/chat.sock",
        "ws+unix://user:secret@/run/chat.sock",
        "ws+unix:/run/a:b.sock:/url",
        "ws+unix:/run/chat.sock:url",
        "ws+unix:/a\0b",
        "ws+unix:/a%00b",
        "ws+unix:/a\r\nb",
        "ws+unix:/a:/b\r\nX: y",
        "ws+unix:/%ff",
    ] {
        let error = ClientRequest::new(address).unwrap_err();
        assert!(matches!(error, ClientRequestError::SocketPath), "{address:?}: {error:?}");
    }
    for address in ["ws+unix:/run/chat.sock#", "ws+unix:/run/chat.sock:/a#b", "ws+unix:#"] {
        let error = ClientRequest::new(address).unwrap_err();
        assert!(matches!(error, ClientRequestError::Fragment), "{address:?}: {error:?}");
    }
    assert!(matches!(
        ClientRequest::new("wss+unix:/a"),
        Err(ClientRequestError::Scheme | ClientRequestError::Uri(_))
    ));
}

#[test]
fn an_address_reads_as_it_was_given() {
    for (given, shown) in [
        ("http://user:secret@Example.com:80", "ws://example.com/"),
        ("https://[2001:DB8::1]:9000/a?b", "wss://[2001:db8::1]:9000/a?b"),
        ("ws+unix:///run/a%3Ab.sock", "ws+unix:/run/a%3Ab.sock:/"),
        ("ws+unix:////run/a.sock", "ws+unix:////run/a.sock:/"),
    ] {
        assert_eq!(ClientRequest::new(given).unwrap().address(), shown);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_path_of_a_socket_comes_through_an_address(path in "[^\0]{1,20}", target in "/[a-z:?%/]{0,9}") {
        let encoded: String = path.bytes().map(|b| format!("%{b:02X}")).collect();
        let request = ClientRequest::new(&format!("ws+unix:{encoded}:{target}")).unwrap();
        prop_assert_eq!(request.socket_path(), Some(Path::new(&path)));
        let again = ClientRequest::new(&request.address()).unwrap();
        prop_assert_eq!(again.socket_path(), Some(Path::new(&path)));
        prop_assert_eq!(again.uri().unwrap(), request.uri().unwrap());
    }
}
