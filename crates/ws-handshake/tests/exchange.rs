//! Both roles against each other, and whatever a caller sets against the wire.

use bytes::BytesMut;
use http::{Method, Request, Response};
use proptest::prelude::*;
use ws_handshake::{
    ClientRequest, HeadLimits, HeadReader, Key, Refusal, ServerPolicy, Version, check, is_upgrade,
    write_request, write_response,
};

/// A head is text lines that end with CR LF: no CR, LF or NUL stands anywhere else, and only one empty line, at its end.
fn assert_clean_head(wire: &[u8]) {
    let text = String::from_utf8_lossy(wire);
    let (head, _) = text.split_once("\r\n\r\n").expect("an empty line");
    for line in head.split("\r\n") {
        assert!(!line.contains(['\r', '\n', '\0']), "{text:?}");
    }
}

/// How many lines the head has.
fn lines(wire: &[u8]) -> usize {
    let end = wire.windows(4).position(|part| part == b"\r\n\r\n").expect("an empty line");
    wire[..end].windows(2).filter(|part| part == b"\r\n").count() + 1
}

/// Text with a good share of what does harm.
fn nasty() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => "[a-zA-Z0-9/:.,;=@?&% -]{0,6}",
        1 => Just("\r\n".to_owned()),
        1 => Just("\r\nX-Evil: 1\r\n\r\n".to_owned()),
        1 => prop::sample::select(vec!["\r", "\n", "\0", "\t", "\u{7f}", "\u{e4}", "\u{2028}", "#", "\u{85}"])
            .prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..4).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_a_client_s_caller_sets_no_line_break_reaches_the_wire(
        path in nasty(), name in nasty(), value in nasty(), subprotocol in nasty(), origin in nasty(),
        user in nasty(), password in nasty(), host in nasty(), extensions in nasty(),
    ) {
        // Each refused setting is left out, as if the caller had gone on without it.
        let mut request = ClientRequest::new(&format!("ws://example.com/{path}"))
            .or_else(|_| ClientRequest::new("ws://example.com/"))
            .unwrap();
        request = request.clone().header(name.as_str(), value.as_str()).unwrap_or(request);
        request = request.clone().header("x-value", value.as_str()).unwrap_or(request);
        request = request.clone().header("host", host.as_str()).unwrap_or(request);
        request = request.clone().subprotocols([subprotocol]).unwrap_or(request);
        request = request.clone().origin(&origin).unwrap_or(request);
        request = request.clone().basic_auth(&user, &password).unwrap_or(request);
        let key = Key::from_bytes([7; 16]);
        let handshake = request.clone().start(key, Some(extensions)).or_else(|_| request.start(key, None)).unwrap();
        let wire = handshake.request_bytes();
        assert_clean_head(wire);
        // Each header is one line, so none was smuggled in.
        prop_assert_eq!(lines(wire), handshake.request().headers().len() + 1);

        // And what we send, we read.
        let read = HeadReader::new(HeadLimits::default()).read_request(&mut BytesMut::from(&wire[..])).unwrap().unwrap();
        let upgrade = check(&read, &ServerPolicy::default());
        prop_assert!(upgrade.is_ok(), "{:?}", upgrade);
    }

    #[test]
    fn whatever_an_address_or_a_redirect_says_no_line_break_reaches_the_wire(
        user in nasty(), password in nasty(), host in nasty(), path in nasty(), location in nasty(),
    ) {
        let addresses = [
            format!("ws://{user}:{password}@example.com/{path}"),
            format!("wss://{host}/{path}"),
            format!("ws+unix:{path}:/{host}"),
            format!("ws+unix:/run/{user}:{path}"),
            "ws+unix:/run/a.sock:/b".to_owned(),
            "ws://example.com/a/b?c".to_owned(),
        ];
        let answer = Response::builder().status(302).header("location", location.as_str()).body(());
        for request in addresses.iter().filter_map(|address| ClientRequest::new(address).ok()) {
            let redirected = answer.as_ref().ok().and_then(|answer| request.redirected(answer).ok());
            for request in redirected.map(|redirect| redirect.request).into_iter().chain([request]) {
                let handshake = request.start(Key::from_bytes([7; 16]), None).unwrap();
                let wire = handshake.request_bytes();
                assert_clean_head(wire);
                prop_assert_eq!(lines(wire), handshake.request().headers().len() + 1);
                let read = HeadReader::new(HeadLimits::default()).read_request(&mut BytesMut::from(&wire[..]));
                prop_assert!(check(&read.unwrap().unwrap(), &ServerPolicy::default()).is_ok());
            }
        }
    }

    #[test]
    fn whatever_a_server_s_caller_sets_no_line_break_reaches_the_wire(
        name in nasty(), value in nasty(), subprotocol in nasty(), extensions in nasty(), reason in nasty(),
        status in 100..1000u16,
    ) {
        let request = ClientRequest::new("ws://example.com/").unwrap().subprotocols(["chat"]).unwrap();
        let handshake = request.start(Key::from_bytes([7; 16]), Some("foo".to_owned())).unwrap();
        let upgrade = check(handshake.request(), &ServerPolicy::default()).unwrap();
        let mut answer = upgrade.accept();
        answer = answer.clone().header(name.as_str(), value.as_str()).unwrap_or(answer);
        answer = answer.clone().header("x-value", value.as_str()).unwrap_or(answer);
        answer = answer.clone().subprotocol(&subprotocol).unwrap_or(answer);
        answer = answer.clone().extensions(&extensions).unwrap_or(answer);
        let answer = answer.response();
        let wire = write_response(&answer);
        assert_clean_head(&wire);
        prop_assert_eq!(lines(&wire), answer.headers().len() + 1);

        let mut refusal = Refusal::new(status.try_into().unwrap(), reason);
        if let Ok(other) = Refusal::new(refusal.status(), "why").header(name.as_str(), value.as_str()) {
            refusal = other;
        }
        assert_clean_head(&write_response(refusal.response()));
    }

    #[test]
    fn the_writers_alone_keep_line_breaks_out(uri in nasty(), method in nasty(), value in nasty(), body in nasty()) {
        let method = Method::from_bytes(method.as_bytes()).unwrap_or(Method::GET);
        if let Ok(request) = Request::builder().method(method).uri(uri).header("x-a", value.as_str()).body(()) {
            assert_clean_head(&write_request(&request));
        }
        if let Ok(response) = Response::builder().header("x-a", value).body(body.clone()) {
            let wire = write_response(&response);
            assert_clean_head(&wire);
            prop_assert!(wire.ends_with(body.as_bytes()));
        }
    }

    #[test]
    fn no_bytes_from_the_wire_panic_and_the_cutting_does_not_matter(
        bytes in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..200),
            nasty().prop_map(String::into_bytes),
            nasty().prop_map(|text| format!("GET /{text} HTTP/1.1\r\nHost: a\r\n{text}: {text}\r\n\r\n").into_bytes()),
            nasty().prop_map(|text| format!("HTTP/1.1 101 {text}\r\nUpgrade: {text}\r\n\r\n").into_bytes()),
        ],
        cut in any::<prop::sample::Index>(),
    ) {
        let cut = cut.index(bytes.len() + 1);
        let results = [vec![&bytes[..]], vec![&bytes[..cut], &bytes[cut..]], bytes.chunks(1).collect()].map(|parts| {
            let (mut reader, mut buf) = (HeadReader::new(HeadLimits::default()), BytesMut::new());
            let mut result = Ok(None);
            for part in parts {
                buf.extend_from_slice(part);
                if matches!(result, Ok(None)) {
                    result = reader.read_request(&mut buf);
                }
            }
            if let Ok(Some(request)) = &result {
                let _ = check(request, &ServerPolicy::default());
            }
            let mut answer = BytesMut::from(&bytes[..]);
            let client = ClientRequest::new("ws://a").unwrap().start(Key::from_bytes([7; 16]), None).unwrap().receive(&mut answer);
            (format!("{result:?}"), result.is_ok().then_some(buf), format!("{client:?}"))
        });
        prop_assert_eq!(&results[0], &results[1]);
        prop_assert_eq!(&results[0], &results[2]);
    }
}

#[test]
fn both_roles_agree_in_every_combination() {
    for version in [Version::V13, Version::V8] {
        for subprotocols in [&[][..], &["chat"], &["v2", "chat"]] {
            for extensions in [None, Some("permessage-deflate; client_max_window_bits, foo")] {
                let request = ClientRequest::new("wss://user:pw@example.com:8443/chat?room=1").unwrap();
                let request = request.subprotocols(subprotocols.iter().copied()).unwrap().version(version);
                let request = request.origin("https://example.com:8443").unwrap();
                let mut client =
                    request.start(Key::generate().unwrap(), extensions.map(str::to_owned)).unwrap();

                let mut wire = BytesMut::from(&client.request_bytes()[..]);
                wire.extend_from_slice(b"early");
                let read = HeadReader::new(HeadLimits::default()).read_request(&mut wire).unwrap().unwrap();
                assert_eq!(wire, "early");
                assert!(is_upgrade(&read));
                let upgrade = check(&read, &ServerPolicy::default()).unwrap();
                assert_eq!(upgrade.version(), version);
                assert_eq!(upgrade.subprotocols(), subprotocols);
                assert_eq!(upgrade.extensions(), extensions);
                assert_eq!(upgrade.origin(), Some("https://example.com:8443"));
                assert_eq!(upgrade.host(), "example.com:8443");

                let mut answer = upgrade.accept();
                if let Some(chosen) = subprotocols.last() {
                    answer = answer.subprotocol(chosen).unwrap();
                }
                if extensions.is_some() {
                    answer = answer.extensions("permessage-deflate").unwrap();
                }
                let mut wire = BytesMut::from(&write_response(&answer.response())[..]);
                wire.extend_from_slice(b"frames");
                let opened = client.receive(&mut wire).unwrap().unwrap();
                assert_eq!(opened.subprotocol.as_deref(), subprotocols.last().copied());
                assert_eq!(opened.extensions.as_deref(), extensions.map(|_| "permessage-deflate"));
                assert_eq!(wire, "frames");
            }
        }
    }
}
