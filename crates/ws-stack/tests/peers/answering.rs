//! The table of opening handshakes that our server answers.

use serde_json::{Value, json};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
};
use ws_stack::{
    AcceptError, CloseCode, Refusal, ServerConfig, Subprotocols, Upgrade,
    deflate::Options,
    handshake::OriginPolicy,
    http::{HeaderName, HeaderValue, StatusCode},
};

use super::{
    Failure, Language, Transport,
    matrix::address,
    noted::{Seen, check, json_headers},
    process::{Peer, Role},
    tls, within,
};

/// What both peers offer.
const OFFER: &str = "permessage-deflate; client_max_window_bits";

/// What a server of ours answers that keeps no contexts.
const ANSWER: &str = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

/// A handshake of our server.
struct Answering {
    name: &'static str,
    /// What the peer asks for; the address is filled in.
    request: Value,
    config: fn(&mut ServerConfig),
    answer: Answer,
    seen: Seen,
}

/// What our server does with a request that has passed its policy.
#[derive(Clone, Copy)]
enum Answer {
    Accept,
    /// Accepts with a subprotocol and a header.
    With(&'static str, [&'static str; 2]),
    /// Refuses with a header.
    Refuse(StatusCode, [&'static str; 2]),
}

/// The peer's client's handshakes with our server.
pub(crate) async fn our_server_is_asked(language: &Language, transport: Transport) -> Result<(), Failure> {
    let Some(installed) = language.install()? else { return Ok(()) };
    let mut peer = Peer::start(&installed, Role::Client, transport == Transport::Tls).await?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    for case in answering() {
        let mut job = case.request.clone();
        let text = |name: &str| case.request[name].as_str().unwrap_or_default().to_owned();
        let path = text("path");
        let path = if path.is_empty() { "/" } else { &path };
        job["url"] = address(transport, &text("user"), port, path).into();
        job["steps"] = json!([]);
        peer.connect(&job).await?;
        let (tcp, _) = within(case.name, listener.accept()).await??;
        let ours = match transport {
            Transport::Tcp => within(case.name, answer(tcp, &case)).await??,
            Transport::Tls => {
                let stream = within(case.name, tls::acceptor(&installed.tls)?.accept(tcp)).await??;
                within(case.name, answer(stream, &case)).await??
            }
        };
        check(case.name, &ours, &peer.report().await?, &case.seen)?;
    }
    Ok(())
}

/// Our server's side of a handshake, and of the connection if it comes to one.
async fn answer<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    case: &Answering,
) -> Result<Value, Failure> {
    let mut config = ServerConfig::default();
    (case.config)(&mut config);
    let refused = |refusal: &Refusal| json!({ "status": refusal.status().as_u16() });
    let mut upgrade = match Upgrade::read(stream, &config.into()).await {
        Ok(upgrade) => upgrade,
        Err(AcceptError::Refused(refusal)) => return Ok(refused(&refusal)),
        Err(error) => return Err(error.into()),
    };
    let mut ours = json!({
        "path": upgrade.request().uri().to_string(),
        "headers": json_headers(upgrade.request().headers()),
        "origin": upgrade.facts().origin(),
    });
    match case.answer {
        Answer::Accept => {}
        Answer::With(subprotocol, [name, value]) => {
            upgrade.choose_subprotocol(Some(subprotocol))?;
            upgrade.add_header(HeaderName::from_static(name), HeaderValue::from_static(value))?;
        }
        Answer::Refuse(status, [name, value]) => {
            let refusal = Refusal::new(status, "not today").header(name, value)?;
            return match upgrade.refuse::<()>(refusal).await {
                Err(AcceptError::Refused(refusal)) => Ok(refused(&refusal)),
                result => Err(format!("a refusal is told as one: {result:?}").into()),
            };
        }
    }
    let mut socket = upgrade.accept().await?;
    ours["subprotocol"] = json!(socket.subprotocol());
    ours["extensions"] = json!(socket.extensions());
    socket.close(CloseCode::NORMAL, "").await?;
    Ok(ours)
}

fn answering() -> Vec<Answering> {
    let plain = |name, request, seen| {
        let config = |_: &mut ServerConfig| {};
        Answering { name, request, config, answer: Answer::Accept, seen }
    };
    let chat = json!({ "subprotocols": ["b", "a"] });
    vec![
        plain(
            "path and query",
            json!({ "path": "/chat/%C3%A4?room=1" }),
            vec![("/ours/path", json!("/chat/%C3%A4?room=1"))],
        ),
        plain(
            "first subprotocol requested",
            chat.clone(),
            vec![("/ours/subprotocol", json!("b")), ("/theirs/subprotocol", json!("b"))],
        ),
        Answering {
            config: |config| config.subprotocols = Subprotocols::Supported(vec!["c".into(), "a".into()]),
            ..plain(
                "first subprotocol that is supported",
                chat.clone(),
                vec![("/ours/subprotocol", json!("a")), ("/theirs/subprotocol", json!("a"))],
            )
        },
        Answering {
            answer: Answer::With("a", ["x-answer", "because"]),
            ..plain(
                "chosen by hand, with a header",
                chat,
                vec![
                    ("/theirs/subprotocol", json!("a")),
                    ("/theirs/headers/x-answer", json!("because")),
                    ("/theirs/headers/sec-websocket-extensions", Value::Null),
                ],
            )
        },
        plain(
            "compression, declined unless switched on",
            json!({}),
            vec![
                ("/ours/headers/sec-websocket-extensions", json!(OFFER)),
                ("/ours/extensions", json!([])),
                ("/theirs/extensions", json!("")),
                ("/theirs/headers/sec-websocket-extensions", Value::Null),
            ],
        ),
        Answering {
            config: |config| config.set_deflate(Options::new()),
            ..plain(
                "compression, switched on",
                json!({}),
                vec![
                    ("/ours/extensions", json!(["permessage-deflate"])),
                    ("/theirs/extensions", json!("permessage-deflate")),
                    ("/theirs/headers/sec-websocket-extensions", json!(ANSWER)),
                ],
            )
        },
        plain(
            "headers",
            json!({ "headers": { "X-Question": "why", "Cookie": "a=1; b=2" } }),
            vec![("/ours/headers/x-question", json!("why")), ("/ours/headers/cookie", json!("a=1; b=2"))],
        ),
        plain(
            "basic authorization",
            json!({ "user": "alice:secret@" }),
            vec![("/ours/headers/authorization", json!("Basic YWxpY2U6c2VjcmV0"))],
        ),
        Answering {
            config: |config| {
                config.policy.origins = OriginPolicy::Listed(vec!["https://example.com".into()]);
            },
            ..plain(
                "origin that is permitted",
                json!({ "origin": "https://example.com" }),
                vec![("/ours/origin", json!("https://example.com"))],
            )
        },
        Answering {
            config: |config| config.policy.origins = OriginPolicy::SameHost,
            ..plain(
                "origin that is not permitted",
                json!({ "origin": "https://evil.example" }),
                vec![("/ours/status", json!(403)), ("/theirs/refused/status", json!(403))],
            )
        },
        Answering {
            config: |config| config.policy.path = Some("/chat".into()),
            ..plain(
                "path that is not served",
                json!({ "path": "/cat" }),
                vec![("/ours/status", json!(404)), ("/theirs/refused/status", json!(404))],
            )
        },
        Answering {
            answer: Answer::Refuse(StatusCode::UNAUTHORIZED, ["www-authenticate", "Basic realm=\"ours\""]),
            ..plain(
                "refused with 401",
                json!({}),
                vec![
                    ("/theirs/refused/status", json!(401)),
                    ("/theirs/refused/headers/www-authenticate", json!("Basic realm=\"ours\"")),
                ],
            )
        },
        Answering {
            answer: Answer::Refuse(StatusCode::SERVICE_UNAVAILABLE, ["retry-after", "120"]),
            ..plain(
                "refused with 503",
                json!({}),
                vec![
                    ("/theirs/refused/status", json!(503)),
                    ("/theirs/refused/headers/retry-after", json!("120")),
                ],
            )
        },
    ]
}
