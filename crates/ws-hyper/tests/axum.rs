//! The extractor inside an application of axum.
#![cfg(feature = "axum")]

mod support;

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Extension, Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::{any, get},
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc::{UnboundedSender, unbounded_channel},
    time::Duration,
};
use ws_hyper::{
    Address, Clients, Error, WebSocketLayer,
    axum::{WebSocketUpgrade, WebSocketUpgradeRejection},
    endpoint::{
        ServerConfig,
        driver::{CloseCode, Limits, Timeouts},
        handshake::{ClientRequest, OriginPolicy, RequestError},
    },
    http::{self, StatusCode, header},
};
use ws_tokio::{Connect, WebSocket};

use self::support::{Http, UPGRADE, client, echo, exchange};

async fn serve(app: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

async fn open(address: SocketAddr, path: &str, subprotocols: &[&str]) -> WebSocket<TcpStream> {
    let url = format!("ws://localhost{path}");
    let mut connect = Connect::new(&url).unwrap();
    if !subprotocols.is_empty() {
        let request = ClientRequest::new(&url).unwrap();
        connect.request = request.subprotocols(subprotocols.iter().copied()).unwrap();
    }
    connect.over(TcpStream::connect(address).await.unwrap()).await.unwrap()
}

#[tokio::test]
async fn an_application_has_pages_and_sockets() {
    let app = Router::new()
        .route("/", get(|| async { "a page\n" }))
        .route("/echo", any(|upgrade: WebSocketUpgrade| async { upgrade.on_upgrade(echo) }))
        .route(
            "/tcp",
            any(|upgrade: WebSocketUpgrade| async {
                upgrade.on_upgrade(|ws| async move { assert!(ws.get_ref().tcp().is_some()) })
            }),
        );
    let address = serve(app).await;
    let mut http = Http::connect(address).await;
    assert_eq!(http.get("/").await.body, "a page\n");
    let mut ws = client("ws://localhost/echo", http.0.into_inner()).await;
    assert_eq!(exchange(&mut ws, "hello").await.as_text(), Some("hello"));
    // It is dropped without a Close, but not before it was opened.
    assert!(open(address, "/tcp", &[]).await.recv().await.unwrap().is_err());
}

#[tokio::test]
async fn rejections_have_types_and_statuses() {
    async fn handler(upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>) -> Response {
        let rejection = match upgrade {
            Ok(upgrade) => return upgrade.on_upgrade(echo),
            Err(rejection) => rejection,
        };
        let WebSocketUpgradeRejection::Refused(refusal) = &rejection else { panic!("{rejection}") };
        let cause = format!("{:?}", refusal.cause().expect("a rule"));
        let mut response = rejection.into_response();
        response.headers_mut().insert("x-cause", cause.parse().unwrap());
        response
    }
    let address = serve(Router::new().route("/chat", any(handler))).await;
    for (change, to, status, cause) in [
        ("Upgrade: websocket", "X: y", 426, RequestError::MissingUpgrade),
        ("Upgrade: websocket", "Upgrade: h2c", 400, RequestError::InvalidUpgrade),
        ("GET", "POST", 405, RequestError::Method),
        ("Version: 13", "Version: 12", 400, RequestError::UnsupportedVersion),
        ("dGhl", "", 400, RequestError::InvalidKey),
        ("HTTP/1.1", "HTTP/1.0", 505, RequestError::HttpVersion),
    ] {
        let mut http = Http::connect(address).await;
        http.send(UPGRADE.replacen(change, to, 1)).await;
        let answer = http.answer().await;
        assert_eq!(answer.status, status, "{change} -> {to}");
        assert!(answer.has(&format!("x-cause: {cause:?}")), "{answer:?}");
    }
}

#[tokio::test]
async fn a_connection_that_cannot_be_handed_over_is_rejected() {
    use axum::extract::FromRequestParts as _;

    let request = http::Request::get("/chat")
        .header(header::HOST, "localhost")
        .header(header::CONNECTION, "upgrade")
        .header(header::UPGRADE, "websocket")
        .header(header::SEC_WEBSOCKET_VERSION, "13")
        .header(header::SEC_WEBSOCKET_KEY, "dGhlIHNhbXBsZSBub25jZQ==");
    let (mut parts, ()) = request.body(()).unwrap().into_parts();
    let rejection = WebSocketUpgrade::from_request_parts(&mut parts, &()).await.unwrap_err();
    assert!(matches!(rejection, WebSocketUpgradeRejection::ConnectionNotUpgradable));
    assert_eq!(rejection.into_response().status(), StatusCode::INTERNAL_SERVER_ERROR);
}

#[tokio::test]
async fn a_path_may_have_a_page_for_who_does_not_upgrade() {
    async fn handler(upgrade: Option<WebSocketUpgrade>) -> Response {
        match upgrade {
            Some(upgrade) => upgrade.on_upgrade(echo),
            None => "a page\n".into_response(),
        }
    }
    let address = serve(Router::new().route("/chat", any(handler))).await;
    let mut http = Http::connect(address).await;
    assert_eq!(http.get("/chat").await.body, "a page\n");
    http.send(UPGRADE).await;
    assert_eq!(http.answer().await.status, 101);
}

#[tokio::test]
async fn subprotocols_are_chosen() {
    async fn supported(upgrade: WebSocketUpgrade) -> Response {
        let upgrade = upgrade.protocols(["b", "a"]);
        let asked: Vec<_> = upgrade.requested_protocols().map(str::to_owned).collect();
        let selected = upgrade.selected_protocol().map(str::to_owned);
        upgrade.on_upgrade(move |mut ws| async move {
            assert_eq!(ws.subprotocol(), selected.as_deref());
            ws.send(asked.join(" ")).await.unwrap();
        })
    }
    async fn by_name(mut upgrade: WebSocketUpgrade) -> Response {
        upgrade.set_selected_protocol("unasked").unwrap_err();
        upgrade.set_selected_protocol("c").unwrap();
        assert_eq!(upgrade.selected_protocol(), Some("c"));
        upgrade.on_upgrade(echo)
    }
    async fn by_default(upgrade: WebSocketUpgrade) -> Response {
        assert_eq!(upgrade.selected_protocol(), upgrade.facts().subprotocols().first().map(|name| &**name));
        upgrade.on_upgrade(echo)
    }
    let app = Router::new()
        .route("/supported", any(supported))
        .route("/name", any(by_name))
        .route("/default", any(by_default));
    let address = serve(app).await;
    let mut ws = open(address, "/supported", &["c", "a", "b"]).await;
    assert_eq!(ws.subprotocol(), Some("a"), "the client's order counts");
    assert_eq!(ws.recv().await.unwrap().unwrap().as_text(), Some("c a b"));
    assert_eq!(open(address, "/name", &["a", "c"]).await.subprotocol(), Some("c"));
    assert_eq!(open(address, "/default", &["z", "c"]).await.subprotocol(), Some("z"));
    assert_eq!(open(address, "/default", &[]).await.subprotocol(), None);
}

#[tokio::test]
async fn limits_hold() {
    async fn handler(
        upgrade: WebSocketUpgrade,
        State(sized): State<UnboundedSender<(usize, usize)>>,
    ) -> Response {
        let upgrade = upgrade.max_message_size(10).write_buffer_size(100).max_write_buffer_size(300);
        upgrade.on_upgrade(async move |mut ws| {
            // Nothing is written while the queue grows: the hard limit is what stops it.
            let writer = ws.halves().1;
            let fed = (0..100).take_while(|_| writer.send(vec![0; 98]).is_ok()).count();
            sized.send((fed, ws.queued())).unwrap();
            echo(ws).await;
        })
    }
    let (sized, mut sizes) = unbounded_channel();
    let address = serve(Router::new().route("/", any(handler)).with_state(sized)).await;
    let mut ws = open(address, "/", &[]).await;
    let (fed, queued) = sizes.recv().await.unwrap();
    assert!((2..=4).contains(&fed) && (100..=400).contains(&queued), "{fed} {queued}");
    ws.send("0123456789").await.unwrap();
    for _ in 0..fed {
        assert_eq!(ws.recv().await.unwrap().unwrap().as_bytes().len(), 98);
    }
    assert_eq!(ws.recv().await.unwrap().unwrap().as_text(), Some("0123456789"));
    ws.send("0123456789a").await.unwrap();
    assert!(ws.recv().await.is_none_or(|message| message.is_err()));
    assert_eq!(ws.closed().unwrap().code, 1009);
}

#[tokio::test]
async fn frames_have_a_limit_of_their_own() {
    let handler = |upgrade: WebSocketUpgrade| async { upgrade.max_frame_size(5).on_upgrade(echo) };
    let address = serve(Router::new().route("/", any(handler))).await;
    let mut ws = open(address, "/", &[]).await;
    ws.send("123456").await.unwrap();
    assert!(ws.recv().await.is_none_or(|message| message.is_err()));
    assert_eq!(ws.closed().unwrap().code, 1009);
}

#[tokio::test]
async fn a_silent_client_is_sent_pings_as_often_as_told() {
    let handler = |upgrade: WebSocketUpgrade| async {
        upgrade.heartbeat(Duration::from_millis(5), Duration::from_secs(20)).on_upgrade(echo)
    };
    let address = serve(Router::new().route("/chat", any(handler))).await;
    let mut http = Http::connect(address).await;
    http.send(UPGRADE).await;
    assert_eq!(http.answer().await.status, 101);
    assert_eq!(http.bytes::<1>().await, [0x89], "a ping");
}

#[tokio::test]
async fn all_limits_and_timeouts_can_be_set_at_once() {
    let handler = |upgrade: WebSocketUpgrade| async {
        let mut limits = Limits::default();
        limits.max_message_len = 3;
        let mut timeouts = Timeouts::NONE;
        timeouts.max_age = Some(Duration::from_millis(5));
        upgrade.limits(limits).timeouts(timeouts).on_upgrade(echo)
    };
    let address = serve(Router::new().route("/", any(handler))).await;
    let mut ws = open(address, "/", &[]).await;
    assert!(ws.recv().await.is_none());
    assert_eq!(ws.closed().unwrap().code, 1001, "it is too old");
}

#[tokio::test]
async fn a_config_for_all_endpoints_is_begun_with() {
    let mut config = ServerConfig::default();
    config.policy.origins = OriginPolicy::SameHost;
    config.connection.limits.max_message_len = 3;
    let handler = |upgrade: WebSocketUpgrade| async { upgrade.on_upgrade(echo) };
    let app = Router::new().route("/chat", any(handler)).layer(Extension(Arc::new(config)));
    let address = serve(app).await;
    let mut http = Http::connect(address).await;
    http.send(UPGRADE.replace("Host:", "Origin: https://evil.example\r\nHost:")).await;
    assert_eq!(http.answer().await.status, 403);
    let mut ws = open(address, "/chat", &[]).await;
    ws.send("1234").await.unwrap();
    assert!(ws.recv().await.is_none_or(|message| message.is_err()));
    assert_eq!(ws.closed().unwrap().code, 1009);
}

#[tokio::test]
async fn headers_can_be_added_to_the_answer() {
    let handler = |upgrade: WebSocketUpgrade| async {
        assert_eq!(upgrade.request().uri().path(), "/chat");
        ([(header::SET_COOKIE, "a=b")], upgrade.on_upgrade(echo))
    };
    let address = serve(Router::new().route("/chat", any(handler))).await;
    let mut http = Http::connect(address).await;
    http.send(UPGRADE).await;
    let answer = http.answer().await;
    assert_eq!((answer.status, answer.has("set-cookie: a=b")), (101, true), "{answer:?}");
}

#[tokio::test]
async fn who_asks_is_told_of_connections_that_do_not_open() {
    async fn handler(
        upgrade: WebSocketUpgrade,
        State(failed): State<UnboundedSender<Error>>,
    ) -> &'static str {
        let upgrade = upgrade.on_failed_upgrade(move |error| failed.send(error).unwrap());
        let _response = upgrade.on_upgrade(echo);
        "another answer\n"
    }
    let (failed, mut failures) = unbounded_channel();
    let address = serve(Router::new().route("/chat", any(handler)).with_state(failed)).await;
    let mut http = Http::connect(address).await;
    http.send(UPGRADE).await;
    assert_eq!(http.answer().await.body, "another answer\n");
    drop(http);
    let error = failures.recv().await.unwrap();
    assert!(matches!(error, Error::NotHandedOver(_) | Error::Left), "{error:?}");
}

/// It is called in the task of the connection that has not opened.
#[tokio::test]
async fn who_panics_when_told_of_a_connection_that_did_not_open_harms_no_other() {
    async fn handler(upgrade: WebSocketUpgrade, State(called): State<UnboundedSender<()>>) -> &'static str {
        let upgrade = upgrade.on_failed_upgrade(move |error: Error| {
            called.send(()).unwrap();
            panic!("told to: {error}");
        });
        let _response = upgrade.on_upgrade(echo);
        "another answer\n"
    }
    let (called, mut calls) = unbounded_channel();
    let app = Router::new().route("/chat", any(handler)).with_state(called);
    let app = app.route("/echo", any(|upgrade: WebSocketUpgrade| async { upgrade.on_upgrade(echo) }));
    let address = serve(app).await;
    let mut other = open(address, "/echo", &[]).await;
    for _ in 0..3 {
        let mut http = Http::connect(address).await;
        http.send(UPGRADE).await;
        assert_eq!(http.answer().await.body, "another answer\n");
        drop(http);
        let call = tokio::time::timeout(Duration::from_secs(20), calls.recv()).await.expect("in time");
        assert!(call.is_some());
        assert_eq!(exchange(&mut other, "still here").await.as_text(), Some("still here"));
    }
}

#[tokio::test]
async fn who_does_not_ask_is_not_told_and_goes_on_serving() {
    async fn handler(upgrade: WebSocketUpgrade, State(opened): State<UnboundedSender<()>>) -> &'static str {
        let _response = upgrade.on_upgrade(async move |_| opened.send(()).unwrap());
        "another answer\n"
    }
    let (opened, mut connections) = unbounded_channel();
    let address = serve(Router::new().route("/chat", any(handler)).with_state(opened)).await;
    let senders = connections.sender_strong_count();
    for _ in 0..2 {
        let mut http = Http::connect(address).await;
        http.send(UPGRADE).await;
        assert_eq!(http.answer().await.body, "another answer\n");
    }
    // What would have been done with them is dropped.
    while connections.sender_strong_count() > senders {
        tokio::task::yield_now().await;
    }
    assert!(connections.try_recv().is_err(), "none has opened");
}

#[tokio::test]
async fn a_layer_works_in_an_application_too() {
    let layer = WebSocketLayer::new("/echo", Arc::default(), |ws, _| echo(ws));
    let app = Router::new().fallback(|| async { "a page\n" }).layer(layer);
    let address = serve(app).await;
    let mut http = Http::connect(address).await;
    assert_eq!(http.get("/").await.body, "a page\n");
    let mut ws = client("ws://localhost/echo", http.0.into_inner()).await;
    assert_eq!(exchange(&mut ws, "hello").await.as_text(), Some("hello"));
}

#[cfg(feature = "deflate")]
#[tokio::test]
async fn messages_are_compressed() {
    use ws_hyper::endpoint::{deflate, extensions::Registry};

    let mut registry = Registry::new();
    registry.register(deflate::PermessageDeflate::new(deflate::Options::new())).unwrap();
    let app = Router::new()
        .route(
            "/on",
            any(|upgrade: WebSocketUpgrade| async { upgrade.permessage_deflate().on_upgrade(echo) }),
        )
        .route(
            "/registry",
            any(|upgrade: WebSocketUpgrade| async { upgrade.extensions(registry).on_upgrade(echo) }),
        )
        .route("/off", any(|upgrade: WebSocketUpgrade| async { upgrade.on_upgrade(echo) }));
    let address = serve(app).await;
    for (path, extensions) in
        [("/on", &["permessage-deflate"][..]), ("/registry", &["permessage-deflate"]), ("/off", &[])]
    {
        let mut ws = open(address, path, &[]).await;
        assert_eq!(ws.extensions(), extensions, "{path}");
        let text = "again and ".repeat(1000);
        assert_eq!(exchange(&mut ws, &text).await.as_text(), Some(&*text));
    }
}

#[tokio::test]
async fn an_application_s_connections_can_be_shut_down() {
    async fn handler(upgrade: WebSocketUpgrade, State(clients): State<Clients>) -> Response {
        upgrade.clients(&clients).on_upgrade(echo)
    }
    let clients = Clients::default();
    let app = Router::new().route("/", any(handler)).with_state(clients.clone());
    // Behind a proxy, whoever reads its headers says who the client is.
    let app = app.layer(Extension(Address::Other("the client".into())));
    let address = serve(app).await;
    let mut ws = open(address, "/", &[]).await;
    assert_eq!(exchange(&mut ws, "hello").await.as_text(), Some("hello"));
    assert_eq!(clients.iter().next().unwrap().peer_addr().to_string(), "the client");
    let deadline = Duration::from_secs(5);
    let (shutdown, received) =
        tokio::join!(clients.shutdown(CloseCode::GOING_AWAY, "bye", deadline), ws.recv());
    assert!(received.is_none());
    assert_eq!((shutdown.answered, shutdown.unanswered.len()), (1, 0));
    assert!(clients.is_empty());
}

#[tokio::test]
async fn a_handler_that_panics_tells_its_client() {
    let handler = |upgrade: WebSocketUpgrade| async {
        upgrade.on_upgrade(async move |mut ws| {
            let message = ws.recv().await;
            panic!("told to: {message:?}, {ws:?}");
        })
    };
    let address = serve(Router::new().route("/", any(handler))).await;
    let mut ws = open(address, "/", &[]).await;
    ws.send("panic").await.unwrap();
    assert!(ws.recv().await.is_none());
    assert_eq!(ws.closed().unwrap().code, 1011);
}
