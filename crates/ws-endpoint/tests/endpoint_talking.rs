//! What an endpoint sends and receives, from before it is open to its end.

mod support;

use http::{Response, StatusCode};
use support::talk::{client, client_of, open, request, server, server_of, talk};
use ws_endpoint::{
    ClientConfig, Event, ServerConfig, State, Subprotocols,
    driver::{CloseCode, Initiator, Limits, Message, Progress, SendError, Wants},
    handshake::Version,
};

#[test]
fn options_are_typed_and_reach_the_connection() {
    let mut config = ServerConfig::default();
    config.connection.limits.max_message_len = 3;
    config.subprotocols = Subprotocols::Supported(vec!["v1".to_owned()]);
    let ask = request("ws://a/").subprotocols(["v2", "v1"]).expect("subprotocols");
    let (mut client, mut server) = (client_of(ask, ClientConfig::default()), server_of(config));
    client.endpoint.start(client.now);
    client.endpoint.text("four").expect("queued");
    talk(&mut client, &mut server, 1000);
    assert_eq!(client.endpoint.subprotocol(), Some("v1"));
    assert_eq!(client.seen(), ["open", "closed 1009 message too long"]);
    assert_eq!(
        server.seen()[2..],
        ["failed: connection failed: message of 4 bytes or more is over the limit of 3 bytes", "closed 1006"]
    );
}

#[test]
fn states_go_from_not_started_to_closed() {
    let (mut client, mut server) = (client(), server());
    assert_eq!((client.endpoint.state() as i8, server.endpoint.state() as i8), (-1, 0));
    client.endpoint.start(client.now);
    assert_eq!(client.endpoint.state(), State::Connecting);
    talk(&mut client, &mut server, 1000);
    assert_eq!((client.endpoint.state(), server.endpoint.state()), (State::Open, State::Open));
    assert_eq!(client.endpoint.version(), Some(Version::V13));
    client.endpoint.close(CloseCode::NORMAL, "").expect("queued");
    assert_eq!((client.endpoint.state() as i8, server.endpoint.state() as i8), (2, 1));
    talk(&mut client, &mut server, 1000);
    assert_eq!((client.endpoint.state() as i8, server.endpoint.state() as i8), (3, 3));
}

#[test]
fn events_not_taken_stop_the_reading_and_bytes_not_written_the_sending() {
    let (mut client, mut server) = open();
    client.endpoint.text("one").expect("queued");
    let bytes = client.written();
    assert!(server.endpoint.wants().read);
    server.endpoint.receive(&bytes);
    assert!(!server.endpoint.wants().read, "what has arrived is to be used up first");
    server.listen();
    assert!(server.endpoint.wants().read);

    let mark = server.endpoint.limits().expect("it is open").high_water_mark;
    server.endpoint.binary(&vec![0; mark - 100]).expect("queued");
    assert!(!server.endpoint.is_above_mark());
    server.endpoint.binary(&[0; 200]).expect("queued");
    assert!(server.endpoint.is_above_mark());
    server.written();
    assert_eq!((server.endpoint.queued(), server.endpoint.is_above_mark()), (0, false));
}

#[test]
fn what_is_sent_before_open_leaves_right_behind_the_handshake() {
    let (mut client, mut server) = (client(), server());
    for talker in [&mut client, &mut server] {
        let endpoint = &mut talker.endpoint;
        endpoint.text("first").expect("queued");
        endpoint.ping(b"p").expect("queued");
        endpoint.binary(b"second").expect("queued");
        endpoint.pong(b"q").expect("queued");
        endpoint.send(Message::from("third")).expect("queued");
        assert!(matches!(endpoint.ping(&[0; 126]), Err(SendError::ControlTooLong(126))));
    }
    client.endpoint.start(client.now);
    talk(&mut client, &mut server, 1000);
    let messages = ["text first", "ping p", "binary second", "pong q unasked", "text third"];
    assert_eq!(client.seen(), [&["open"][..], &messages, &["pong p answers"]].concat());
    assert_eq!(
        server.seen(),
        [&["request GET /chat?x=1", "open"][..], &messages, &["pong p answers"]].concat()
    );
}

#[test]
fn what_waits_before_open_is_bounded() {
    let mut config = ClientConfig::default();
    config.connection.limits.high_water_mark = 1000;
    config.connection.limits.max_queued_beyond_mark = 1000;
    let mut client = client_of(request("ws://a/"), config);
    let mut sent = 0;
    let unsent = loop {
        match client.endpoint.send("") {
            Ok(()) => sent += 1,
            Err(unsent) => break unsent,
        }
    };
    assert!(matches!(unsent.error, SendError::Full { limit: 2000, .. }), "{unsent}");
    assert!((20..200).contains(&sent), "empty messages count as well: {sent}");
    assert!(client.endpoint.is_above_mark());
    let mut server = server();
    client.endpoint.start(client.now);
    talk(&mut client, &mut server, 1000);
    assert_eq!(server.seen().len(), 2 + sent, "all that was taken has arrived");
    assert_eq!(client.endpoint.limits().map(|limits| limits.max_queued_beyond_mark), Some(1000));
}

#[test]
fn a_pong_names_the_ping_that_it_answers_and_every_pong_is_reported() {
    let (mut client, mut server) = open();
    let ids = [b"a", b"b"].map(|payload| client.endpoint.ping(payload).expect("queued"));
    server.endpoint.pong(b"unasked").expect("queued");
    server.receive(&client.written(), 1000);
    client.endpoint.receive(&server.written());
    let mut pongs = Vec::new();
    while let Progress::Ready = client.endpoint.advance(client.now) {
        if let Event::Pong(pong) = client.endpoint.event() {
            pongs.push((pong.payload.to_vec(), pong.ping));
        }
    }
    let expected = [(&b"unasked"[..], None), (b"a", Some(ids[0])), (b"b", Some(ids[1]))];
    assert_eq!(pongs, expected.map(|(payload, ping)| (payload.to_vec(), ping)));
}

#[test]
fn a_close_leaves_behind_everything_that_was_sent() {
    let (mut client, mut server) = open();
    client.endpoint.text("last").expect("queued");
    client.endpoint.close(CloseCode::NORMAL, "bye").expect("queued");
    assert!(matches!(client.endpoint.text("late"), Err(SendError::Closed)));
    assert!(matches!(client.endpoint.ping(b"late"), Err(SendError::Closed)));
    assert!(client.endpoint.close(CloseCode::GOING_AWAY, "again").is_ok(), "a second one sends nothing");
    talk(&mut client, &mut server, 1000);
    assert_eq!(server.seen(), ["text last", "closed 1000 bye"]);
    assert_eq!(client.seen(), ["closed 1000 bye"]);
    assert!(client.endpoint.closed().is_some_and(|closed| closed.is_clean()));
    assert_eq!(client.endpoint.wants(), Wants::NOTHING);
}

#[test]
fn a_close_without_a_code_is_empty() {
    let (mut client, mut server) = open();
    client.endpoint.close_without_code();
    talk(&mut client, &mut server, 1000);
    assert_eq!(
        (client.seen(), server.seen()),
        (vec!["closed 1005".to_owned()], vec!["closed 1005".to_owned()])
    );
}

#[test]
fn a_close_before_open_ends_it_locally() {
    let mut never = client();
    never.endpoint.text("dropped").expect("queued");
    let too_long = never.endpoint.close(CloseCode::NORMAL, &"x".repeat(124));
    assert!(matches!(too_long, Err(SendError::ReasonTooLong(124))));
    never.endpoint.close(CloseCode::NORMAL, "").expect("closed");
    never.listen();
    assert_eq!((never.progress, never.seen()), (Progress::Closed, vec!["closed 1006".to_owned()]));
    assert!(!never.endpoint.start(never.now));
    assert!(matches!(never.endpoint.text("late"), Err(SendError::Closed)));
    let closed = never.endpoint.closed().expect("closed");
    assert_eq!((closed.initiator, closed.sent), (Initiator::Local, None));

    let (mut client, mut server) = (client(), server());
    server.answers = false;
    client.endpoint.start(client.now);
    talk(&mut client, &mut server, 1000);
    server.endpoint.close(CloseCode::GOING_AWAY, "").expect("closed");
    talk(&mut client, &mut server, 1000);
    assert_eq!(client.endpoint.response().map(Response::status), Some(StatusCode::SERVICE_UNAVAILABLE));
}

#[test]
fn what_is_wrong_with_a_close_is_answered_with_its_code() {
    for (payload, code) in [
        (&b"\x03\xe8"[..], 1000),
        (b"", 1005),
        (b"\x03", 1002),
        (b"\x03\xed", 1002),
        (b"\x03\xf4", 1012),
        (b"\x03\xe8\xff", 1007),
    ] {
        let (mut client, mut server) = open();
        let mut frame = vec![0x88, u8::try_from(payload.len()).expect("short")];
        frame.extend_from_slice(payload);
        client.receive(&frame, 1);
        server.receive(&client.written(), 1000);
        let told = if code == 1002 || code == 1007 {
            format!("closed {code} protocol error")
        } else {
            format!("closed {code}")
        };
        assert_eq!(server.seen(), [told], "{payload:?}");
    }
}

#[test]
fn the_limits_of_the_queue_hold_from_the_first_byte() {
    let client = client();
    assert_eq!(
        client.endpoint.limits().map(|limits| limits.high_water_mark),
        Some(Limits::default().high_water_mark)
    );
    let (client, _) = open();
    assert_eq!(
        client.endpoint.limits().map(|limits| limits.high_water_mark),
        Some(Limits::default().high_water_mark)
    );
}
