//! The table of opening handshakes that our client begins.

use serde_json::{Value, json};
use ws_stack::{
    ClientRequest, CloseCode, Connect, ConnectError,
    endpoint::ClientHandshakeError,
    handshake::{ClientError, ClientRequestError},
};

use super::{
    Failure, Language, Transport,
    matrix::address,
    noted::{Seen, check, json_headers},
    process::{Peer, Role},
    tls, within,
};

/// What a client of ours offers by default.
const OFFER: &str = "permessage-deflate; client_max_window_bits";

/// A handshake of our client.
struct Asking {
    name: &'static str,
    /// What stands behind the port.
    path: &'static str,
    request: fn(ClientRequest) -> Result<ClientRequest, ClientRequestError>,
    /// How the peer answers.
    answer: Value,
    seen: Seen,
}

/// Our client's handshakes with the peer's server.
pub(crate) async fn our_client_asks(language: &Language, transport: Transport) -> Result<(), Failure> {
    let Some(installed) = language.install()? else { return Ok(()) };
    let mut peer = Peer::start(&installed, Role::Server, transport == Transport::Tls).await?;
    for Asking { name, path, request, mut answer, seen } in asking() {
        answer["steps"] = json!([]);
        peer.expect(&answer).await?;
        let mut connect = Connect::new(&address(transport, "", peer.port, path))?;
        connect.request = request(connect.request)?;
        if transport == Transport::Tls {
            connect.tls = Some(tls::client_config(&installed.tls)?);
        }
        let ours = match within(name, connect.open()).await? {
            Ok(mut socket) => {
                within(name, socket.close(CloseCode::NORMAL, "")).await??;
                let headers = socket.response().map(|response| json_headers(response.headers()));
                let extensions = socket.extensions();
                json!({ "subprotocol": socket.subprotocol(), "extensions": extensions, "headers": headers })
            }
            Err(error) => note_refusal(&error, &answer),
        };
        check(name, &ours, &peer.report().await?, &seen)?;
    }
    Ok(())
}

/// Our client and a certificate that it has no reason to trust.
pub(crate) async fn our_client_distrusts(language: &Language) -> Result<(), Failure> {
    let Some(installed) = language.install()? else { return Ok(()) };
    let peer = Peer::start(&installed, Role::Server, true).await?;
    let connect = Connect::new(&address(Transport::Tls, "", peer.port, "/"))?;
    match within("our client", connect.open()).await? {
        Err(ConnectError::Tls { .. }) => Ok(()),
        result => Err(format!("not refused by TLS: {result:?}").into()),
    }
}

/// What an error of our client says, by its type.
fn note_refusal(error: &ConnectError, answer: &Value) -> Value {
    if let Some(response) = error.response() {
        // Of the headers, those that the case is about.
        let mut headers = json_headers(response.headers());
        if let (Some(headers), Some(asked)) =
            (headers.as_object_mut(), answer["refuse"]["headers"].as_object())
        {
            headers.retain(|name, _| asked.contains_key(name));
        }
        return json!({ "status": response.status().as_u16(), "headers": headers });
    }
    match error {
        ConnectError::Handshake(ClientHandshakeError::Response(ClientError::MissingSubprotocol)) => {
            json!({ "error": "missing subprotocol" })
        }
        error => json!({ "error": format!("{error:?}") }),
    }
}

fn asking() -> Vec<Asking> {
    let mut all = vec![
        Asking {
            name: "path and query",
            path: "/chat/%C3%A4?room=1&room=2",
            request: Ok,
            answer: json!({}),
            seen: vec![("/theirs/path", json!("/chat/%C3%A4?room=1&room=2"))],
        },
        Asking {
            name: "subprotocol",
            path: "/",
            request: |request| request.subprotocols(["b", "a"]),
            answer: json!({ "choose": "a" }),
            seen: vec![
                ("/theirs/headers/sec-websocket-protocol", json!("b, a")),
                ("/theirs/subprotocol", json!("a")),
                ("/ours/subprotocol", json!("a")),
            ],
        },
        Asking {
            name: "subprotocol that the server does not choose",
            path: "/",
            request: |request| request.subprotocols(["b"]),
            answer: json!({}),
            seen: vec![("/ours/error", json!("missing subprotocol"))],
        },
        Asking {
            name: "subprotocol that need not be chosen",
            path: "/",
            request: |request| Ok(request.subprotocols(["b"])?.require_subprotocol(false)),
            answer: json!({}),
            seen: vec![("/theirs/subprotocol", json!("")), ("/ours/subprotocol", Value::Null)],
        },
        Asking {
            name: "headers both ways",
            path: "/",
            request: |request| request.header("x-question", "why")?.header("cookie", "a=1; b=2"),
            answer: json!({ "headers": { "x-answer": "because" } }),
            seen: vec![
                ("/theirs/headers/x-question", json!("why")),
                ("/theirs/headers/cookie", json!("a=1; b=2")),
                ("/ours/headers/x-answer", json!("because")),
            ],
        },
        Asking {
            name: "origin",
            path: "/",
            request: |request| request.origin("https://example.com"),
            answer: json!({}),
            seen: vec![("/theirs/headers/origin", json!("https://example.com"))],
        },
        Asking {
            name: "basic authorization",
            path: "/",
            request: |request| request.basic_auth("alice", "se:cret"),
            answer: json!({}),
            seen: vec![("/theirs/headers/authorization", json!("Basic YWxpY2U6c2U6Y3JldA=="))],
        },
        Asking {
            name: "compression, offered unless told otherwise",
            path: "/",
            request: Ok,
            answer: json!({}),
            seen: vec![
                ("/theirs/headers/sec-websocket-extensions", json!(OFFER)),
                ("/theirs/headers/sec-websocket-version", json!("13")),
                ("/theirs/extensions", json!("permessage-deflate")),
                ("/ours/extensions", json!(["permessage-deflate"])),
            ],
        },
    ];
    for (name, status, header, value) in [
        ("refused with 401", 401, "www-authenticate", "Basic realm=\"ours\""),
        ("refused with 403", 403, "x-why", "no"),
        ("refused with 404", 404, "x-why", "nothing here"),
        ("redirected with 302", 302, "location", "ws://127.0.0.1:1/elsewhere"),
        ("redirected with 308", 308, "location", "/elsewhere"),
        ("refused with 503", 503, "retry-after", "120"),
    ] {
        let seen = vec![("/ours/status", json!(status)), ("/ours/headers", json!({ header: value }))];
        let answer = json!({ "refuse": { "status": status, "headers": { header: value } } });
        all.push(Asking { name, path: "/", request: Ok, answer, seen });
    }
    all
}
