//! What a server answers to requests: those that it accepts, those that break a rule, and those for something else.

mod support;

use std::sync::{Arc, Mutex};

use support::visitor::{REQUEST, Told, answer, ask, changed, pair, refused, tcp, with_line};
use tokio::io::AsyncWriteExt;
use ws_testkit::Frame;
use ws_tokio::{
    AcceptError, Answer, Server, ServerBuilder, Upgrade,
    endpoint::{
        ServerConfig,
        extensions::{Extension, Offer, Params, Registry, Session, SessionOptions},
        frame::{Role, Rsv},
        handshake::{Refusal, RequestError},
    },
    http::{HeaderName, HeaderValue, Request, Response, StatusCode},
};

const LOCAL: &str = "127.0.0.1:0";

async fn bound<T: Send + 'static>(builder: ServerBuilder<T>) -> Server<T> {
    builder.bind(LOCAL).await.expect("it listens")
}

/// V7, and what section 4 of the table adds: each with its status, framed, over a real socket.
#[tokio::test]
async fn each_bad_request_is_refused_with_its_status() {
    let server = bound(Server::builder().path("/chat")).await;
    let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
    let cases = [
        (changed("Upgrade: ", ""), 426, "\r\nUpgrade: websocket\r\n"),
        (changed("Upgrade: ", ""), 426, "\r\nSec-WebSocket-Version: 13, 8\r\n"),
        (changed("Upgrade: ", "Upgrade: h2c\r\n"), 400, "Upgrade"),
        (changed("Connection: ", "Connection: close\r\n"), 400, "Connection"),
        (changed("GET ", "POST /chat HTTP/1.1\r\n"), 405, "\r\nAllow: GET\r\n"),
        (changed("GET ", "GET /chat HTTP/1.0\r\n"), 505, "HTTP/1.1"),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(), 505, "HTTP/1.1"),
        (changed("Sec-WebSocket-Key: ", ""), 400, "Sec-WebSocket-Key"),
        (changed("Sec-WebSocket-Key: ", "Sec-WebSocket-Key: short\r\n"), 400, "Sec-WebSocket-Key"),
        (changed("Sec-WebSocket-Key: ", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n"), 400, "Key"),
        (with_line(key), 400, "Sec-WebSocket-Key"),
        (changed("Sec-WebSocket-Version: ", "Sec-WebSocket-Version: 12\r\n"), 400, "Version: 13, 8\r\n"),
        (with_line("Sec-WebSocket-Version: 13"), 400, "Version"),
        (changed("GET ", "GET /elsewhere HTTP/1.1\r\n"), 404, "path"),
        (changed("GET ", "GET /chat/ HTTP/1.1\r\n"), 404, "path"),
        (changed("Host: ", ""), 400, "Host"),
        (with_line("Host: example.com"), 400, "Host"),
        (changed("Host: ", "Host: exa mple\r\n"), 400, "Host"),
        (with_line("Content-Length: 5"), 400, "body"),
        (with_line("Transfer-Encoding: chunked"), 400, "body"),
        (with_line("Origin: http://a\r\nOrigin: http://a"), 400, "origin"),
        (with_line("Origin: https://evil.example"), 403, "origin"),
        (with_line("Sec-WebSocket-Extensions: x;;"), 400, "Sec-WebSocket-Extensions"),
        (with_line(&format!("X: {}", "x".repeat(20_000))), 431, ""),
        (with_line("X: x\r\n".repeat(101).trim_end()), 431, ""),
        (changed("GET ", &format!("GET /{} HTTP/1.1\r\n", "x".repeat(9000))), 414, ""),
        ("nonsense\r\n\r\n".to_owned(), 400, ""),
        ("GET /chat HTTP/1.1\nHost: a\n\n\r\n\r\n".to_owned(), 400, ""),
    ];
    for (request, status, says) in cases {
        let body = refused(&ask(&server, &request).await, status, says);
        assert!(body.len() > 10, "{body}");
    }
    let (answer, accepted) = tokio::join!(ask(&server, REQUEST), server.accept());
    assert!(answer.starts_with("HTTP/1.1 101 ") && accepted.is_some(), "the server has stopped: {answer}");
}

/// V12
#[tokio::test]
async fn subprotocols_are_tokens_without_empty_or_doubled_ones() {
    let server = bound(Server::builder()).await;
    for list in ["", ",", "a,,b", "a,", "a b", "a,a", "a;b", "\"a\""] {
        let request = changed("Sec-WebSocket-Protocol: ", &format!("Sec-WebSocket-Protocol: {list}\r\n"));
        refused(&ask(&server, request).await, 400, "Sec-WebSocket-Protocol");
    }
    let request = changed("Sec-WebSocket-Protocol: ", "Sec-WebSocket-Protocol: a\t,\t b\r\n");
    let (answer, conn) = tokio::join!(ask(&server, request), server.accept());
    assert!(answer.contains("\r\nSec-WebSocket-Protocol: a\r\n"), "{answer}");
    assert!(conn.is_some());
}

/// V22
#[tokio::test]
async fn the_101_has_its_headers_in_their_order() {
    let (name, value) = (HeaderName::from_static("x-served-by"), HeaderValue::from_static("ws"));
    let server = bound(Server::builder().header(name, value)).await;
    let (answer, _conn) = tokio::join!(ask(&server, REQUEST), server.accept());
    assert_eq!(
        answer,
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: chat.v1\r\n\
         X-Served-By: ws\r\n\r\n"
    );
}

/// V13
#[cfg(feature = "deflate")]
#[tokio::test]
async fn compression_is_off_until_it_is_switched_on() {
    use ws_tokio::endpoint::deflate::Options;

    let request = with_line("Sec-WebSocket-Extensions: permessage-deflate");
    let server = bound(Server::builder()).await;
    let (answer, _conn) = tokio::join!(ask(&server, &request), server.accept());
    assert!(answer.starts_with("HTTP/1.1 101 ") && !answer.contains("Extensions"), "{answer}");
    let server = bound(Server::builder().deflate(Options::default())).await;
    let (answer, conn) = tokio::join!(ask(&server, &request), server.accept());
    assert!(answer.contains("\r\nSec-WebSocket-Extensions: permessage-deflate"), "{answer}");
    assert_eq!(conn.expect("a connection").socket.extensions(), ["permessage-deflate"]);
}

/// V14
#[tokio::test]
async fn a_hook_adds_headers_to_the_answer_that_accepts() {
    let server = bound(Server::builder().add_headers(|request, headers| {
        let room = request.uri().query().unwrap_or_default();
        headers.append("set-cookie", HeaderValue::try_from(room).expect("a value"));
        headers.append("set-cookie", HeaderValue::from_static("b=2"));
    }))
    .await;
    let (answer, _conn) = tokio::join!(ask(&server, REQUEST), server.accept());
    assert!(answer.contains("\r\nSet-Cookie: room=1\r\nSet-Cookie: b=2\r\n"), "{answer}");
}

/// V11
#[tokio::test]
async fn a_hook_chooses_the_subprotocol() {
    let server = bound(Server::builder().handle_protocols(|requested, request| {
        assert_eq!(requested, ["chat.v1", "chat.v2"]);
        match request.uri().path() {
            "/none" => None,
            "/other" => Some("chat.v9".to_owned()),
            _ => requested.last().cloned(),
        }
    }))
    .await;
    let (answer, conn) = tokio::join!(ask(&server, REQUEST), server.accept());
    assert!(answer.contains("\r\nSec-WebSocket-Protocol: chat.v2\r\n"), "{answer}");
    assert_eq!(conn.expect("a connection").socket.subprotocol(), Some("chat.v2"));

    let request = changed("GET ", "GET /none HTTP/1.1\r\n");
    let (answer, conn) = tokio::join!(ask(&server, request), server.accept());
    assert!(!answer.contains("Protocol:"), "{answer}");
    assert_eq!(conn.expect("a connection").socket.subprotocol(), None);

    // It is not asked where none was requested: it would have panicked.
    let (answer, conn) = tokio::join!(ask(&server, changed("Sec-WebSocket-Protocol: ", "")), server.accept());
    assert!(answer.starts_with("HTTP/1.1 101 ") && conn.is_some(), "{answer}");

    // One that was not requested cannot be answered.
    refused(&ask(&server, changed("GET ", "GET /other HTTP/1.1\r\n")).await, 500, "");
}

#[tokio::test]
async fn of_the_supported_subprotocols_the_client_s_first_is_chosen() {
    for (supported, chosen) in
        [(["chat.v2", "chat.v1"], Some("chat.v1")), (["x", "chat.v2"], Some("chat.v2")), (["x", "y"], None)]
    {
        let server = bound(Server::builder().subprotocols(supported)).await;
        let (_answer, conn) = tokio::join!(ask(&server, REQUEST), server.accept());
        assert_eq!(conn.expect("a connection").socket.subprotocol(), chosen);
    }
}

/// V10
#[tokio::test]
async fn a_hook_refuses_with_any_answer() {
    let server = bound(Server::builder().authorize(|request, _| async move {
        match request.uri().query() {
            Some("status") => Err(Answer::from(StatusCode::FORBIDDEN)),
            Some("refusal") => {
                let refusal = Refusal::new(StatusCode::UNAUTHORIZED, "log in first");
                Err(refusal.header("www-authenticate", "Basic").expect("a header").into())
            }
            Some("response") => {
                let response = Response::builder().status(302).header("location", "/login").body("{}");
                Err(response.expect("a response").into())
            }
            other => Ok(other.map(str::to_owned)),
        }
    }))
    .await;
    for (query, status, says) in [
        ("status", 403, "Forbidden"),
        ("refusal", 401, "\r\nWww-Authenticate: Basic\r\n"),
        ("refusal", 401, "log in first"),
        ("response", 302, "\r\nLocation: /login\r\n"),
    ] {
        let request = changed("GET ", &format!("GET /chat?{query} HTTP/1.1\r\n"));
        refused(&ask(&server, request).await, status, says);
    }
    let (_answer, conn) = tokio::join!(ask(&server, REQUEST), server.accept());
    assert_eq!(conn.expect("a connection").data.as_deref(), Some("room=1"));
}

/// V6: whoever breaks a rule is refused before anybody is asked.
#[tokio::test]
async fn authorization_comes_last() {
    let asked = Arc::new(Mutex::new(0));
    let counter = Arc::clone(&asked);
    let server = bound(Server::builder().path("/chat").authorize(move |_, _| {
        *counter.lock().expect("no panic") += 1;
        async { Err::<(), _>(StatusCode::IM_A_TEAPOT) }
    }))
    .await;
    for (request, status) in [
        (changed("GET ", "GET /elsewhere HTTP/1.1\r\n"), 404),
        (changed("Sec-WebSocket-Protocol: ", "Sec-WebSocket-Protocol: a,a\r\n"), 400),
        (with_line("Sec-WebSocket-Extensions: x;;"), 400),
        (with_line("Origin: https://evil.example"), 403),
    ] {
        refused(&ask(&server, request).await, status, "");
    }
    assert_eq!(*asked.lock().expect("no panic"), 0);
    refused(&ask(&server, REQUEST).await, 418, "");
    assert_eq!(*asked.lock().expect("no panic"), 1);
}

/// V8
#[tokio::test]
async fn a_hook_sees_client_errors_and_may_answer_them() {
    let told = Told::default();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let notes = Arc::clone(&seen);
    let builder = Server::builder().on_error(told.listen()).on_client_error(move |error| {
        assert!(error.peer_addr.ip().is_some_and(|ip| ip.is_loopback()));
        let path = error.request.map(|request| request.uri().path().to_owned());
        notes.lock().expect("no panic").push((error.refusal.cause(), path));
        (error.refusal.cause() == Some(RequestError::InvalidKey))
            .then(|| Response::builder().status(422).body("what a key").expect("a response").into())
    });
    let server = bound(builder.authorize(|request, _| async move {
        if request.uri().query().is_some() { Ok(()) } else { Err(StatusCode::FORBIDDEN) }
    }))
    .await;
    refused(&ask(&server, changed("Sec-WebSocket-Key: ", "")).await, 422, "what a key");
    refused(&ask(&server, changed("Upgrade: ", "Upgrade: x\r\n")).await, 400, "Upgrade");
    refused(&ask(&server, "nonsense\r\n\r\n").await, 400, "");
    refused(&ask(&server, with_line("Sec-WebSocket-Extensions: ;")).await, 400, "");
    // A refusal of the application's own is no client error.
    refused(&ask(&server, changed("GET ", "GET /plain HTTP/1.1\r\n")).await, 403, "");
    let seen = seen.lock().expect("no panic");
    let chat = Some("/chat".to_owned());
    assert_eq!(seen[0], (Some(RequestError::InvalidKey), chat.clone()));
    assert_eq!(seen[1], (Some(RequestError::InvalidUpgrade), chat.clone()));
    assert!(matches!(seen[2], (Some(RequestError::Head(_)), None)), "{seen:?}");
    assert_eq!(seen[3], (None, chat));
    assert_eq!(seen.len(), 4);
    assert_eq!(told.all().len(), 4, "{:?}", told.all());
}

/// V9
#[tokio::test]
async fn the_path_is_compared_exactly_and_without_the_query() {
    let server = bound(Server::builder().path("/chat")).await;
    for (target, status) in [
        ("/chat", "101"),
        ("/chat?x=/other", "101"),
        ("http://example.com/chat", "101"),
        ("/Chat", "404"),
        ("/chat/x", "404"),
        ("/%63hat", "404"),
        ("/", "404"),
    ] {
        let request = changed("GET ", &format!("GET {target} HTTP/1.1\r\n"));
        let answer = ask(&server, request).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{target}: {answer}");
    }
}

/// V3
#[tokio::test]
async fn a_plain_request_gets_426_or_a_page() {
    let plain = "GET /page HTTP/1.1\r\nHost: example.com\r\n\r\n";
    let server = bound(Server::builder()).await;
    let body = refused(&ask(&server, plain).await, 426, "\r\nUpgrade: websocket\r\n");
    assert!(body.contains("WebSocket"), "{body}");

    let server = bound(Server::builder().pages(|request, _| async move {
        (request.uri().path() == "/page").then(|| Response::new("<h1>Chat</h1>"))
    }))
    .await;
    assert_eq!(refused(&ask(&server, plain).await, 200, "text/plain"), "<h1>Chat</h1>");
    let head = ask(&server, plain.replace("GET", "HEAD")).await;
    assert!(head.ends_with("Content-Length: 13\r\n\r\n"), "{head}");
    refused(&ask(&server, plain.replace("/page", "/other")).await, 426, "");
    // A page with a body behind its request is answered all the same.
    let post =
        "POST /page HTTP/1.1\r\nHost: a\r\nContent-Length: 70000\r\n\r\n".to_owned() + &"x".repeat(70_000);
    refused(&ask(&server, post).await, 200, "");
}

#[tokio::test]
async fn the_default_origin_is_our_own_host() {
    let server = bound(Server::builder()).await;
    let named = bound(Server::builder().origins(["https://a.example", "https://b.example"])).await;
    let any = bound(Server::builder().any_origin()).await;
    for (origin, own, listed) in [
        (None, true, true),
        (Some("http://example.com"), true, false),
        (Some("https://example.com"), true, false), // TLS may end at a proxy
        (Some("https://a.example"), false, true),
        (Some("http://a.example"), false, false),
        (Some("https://a.example.evil.example"), false, false),
        (Some("http://example.com:8080"), false, false),
        (Some("null"), false, false),
    ] {
        let request = match origin {
            Some(origin) => with_line(&format!("Origin: {origin}")),
            None => REQUEST.to_owned(),
        };
        for (server, passes) in [(&server, own), (&named, listed), (&any, true)] {
            let answer = ask(server, &request).await;
            let status = if passes { "101" } else { "403" };
            assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{origin:?}: {answer}");
        }
    }
}

/// Frames that come with the request are not lost.
#[tokio::test]
async fn what_comes_behind_the_request_is_received() {
    let server = bound(Server::builder()).await;
    let mut stream = tcp(&server).await;
    let mut bytes = REQUEST.as_bytes().to_vec();
    bytes.extend(Frame::text("early").by(Role::Client));
    stream.write_all(&bytes).await.expect("written");
    let (answer, conn) = tokio::join!(answer(&mut stream), server.accept());
    assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
    let message = conn.expect("a connection").socket.recv().await.expect("not the end").expect("a message");
    assert_eq!(message.as_text(), Some("early"));
}

fn parsed(path: &str) -> Request<()> {
    let request = Request::get(path).header("host", "example.com").header("upgrade", "websocket");
    let request = request.header("connection", "Upgrade").header("sec-websocket-version", "13");
    request.header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==").body(()).expect("a request")
}

/// V5
#[tokio::test]
async fn a_request_that_another_server_has_read_is_upgraded() {
    let config = Arc::new(ServerConfig::default());
    let (mut near, far) = tokio::io::duplex(1 << 16);
    let behind = Frame::text("early").by(Role::Client);
    let upgrade = Upgrade::from_request(far, parsed("/chat"), &behind, &config).expect("a good request");
    assert_eq!(upgrade.request().uri(), "/chat");
    let mut ws = upgrade.accept().await.expect("accepted");
    assert!(answer(&mut near).await.starts_with("HTTP/1.1 101 "));
    assert_eq!(ws.recv().await.expect("not the end").expect("a message").as_text(), Some("early"));

    // A refusal gives everything back, and nothing was written.
    let mut policy = ServerConfig::default();
    policy.policy.path = Some("/chat".to_owned());
    let (mut near, far) = tokio::io::duplex(1 << 16);
    let refusal = Upgrade::from_request(far, parsed("/other"), &[], &Arc::new(policy)).expect_err("not ours");
    assert_eq!((refusal.request.uri().path(), refusal.refusal.status().as_u16()), ("/other", 404));
    let (answer, refused) = tokio::join!(async move { answer(&mut near).await }, refusal.respond::<()>());
    assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
    assert!(matches!(refused, Err(AcceptError::Refused(_))));
}

/// An extension that panics while it negotiates.
struct Panics;

impl Extension for Panics {
    fn name(&self) -> &'static str {
        "x-panics"
    }

    fn rsv(&self) -> Rsv {
        Rsv::NONE
    }

    fn offer(&self, _: &SessionOptions) -> Option<Box<dyn Offer>> {
        None
    }

    fn accept(&self, _: &[Params], _: &SessionOptions) -> Option<(Params, Session)> {
        panic!("an extension's fault")
    }
}

#[tokio::test]
async fn a_panic_in_a_hook_is_answered_500_and_nobody_else_notices() {
    let told = Told::default();
    let builder = Server::builder()
        .on_error(told.listen())
        .configure(|config| {
            config.extensions = Registry::new();
            config.extensions.register(Panics).expect("a name");
        })
        .pages(|request, _| async move {
            assert!(request.uri().path() != "/page", "a page's fault");
            None::<Answer>
        })
        .handle_protocols(|requested, request| {
            assert!(request.uri().path() != "/protocol", "a chooser's fault");
            requested.first().cloned()
        })
        .on_client_error(|error| {
            assert!(error.refusal.cause() != Some(RequestError::InvalidKey), "a client error's fault");
            None
        });
    let server = bound(builder.authorize(|request, _| {
        assert!(request.uri().path() != "/sync", "a closure's fault");
        async move {
            assert!(request.uri().path() != "/async", "a future's fault");
            Ok::<_, StatusCode>(())
        }
    }))
    .await;
    let (mut client, mut conn) = pair(&server).await;
    for (request, status, says) in [
        (changed("GET ", "GET /sync HTTP/1.1\r\n"), 500, "a closure's fault"),
        (changed("GET ", "GET /async HTTP/1.1\r\n"), 500, "a future's fault"),
        (changed("GET ", "GET /protocol HTTP/1.1\r\n"), 500, "a chooser's fault"),
        ("GET /page HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(), 500, "a page's fault"),
        (changed("Sec-WebSocket-Key: ", ""), 400, "a client error's fault"),
        (with_line("Sec-WebSocket-Extensions: x-panics"), 500, "an extension's fault"),
    ] {
        refused(&ask(&server, request).await, status, "");
        told.until(says).await;
    }
    client.send("still here").await.expect("sent");
    assert_eq!(
        conn.socket.recv().await.expect("not the end").expect("a message").as_text(),
        Some("still here")
    );
}
