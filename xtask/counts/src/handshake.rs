//! The opening handshake, from the bytes of a browser's request to the connection and the answer.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context as _;
use bytes::BytesMut;
use ws_endpoint::deflate::Options;
use ws_endpoint::handshake::{AcceptKey, ClientRequest, Key, accept_key};
use ws_endpoint::{ClientConfig, ClientHandshake, ServerConfig, ServerHandshake};

use crate::case::{Case, Run, repeat};

const TIMES: usize = 32;

/// What a browser sends, with its cookies and the rest.
const REQUEST: &str = "GET /chat?room=7 HTTP/1.1\r\n\
    Host: chat.example.com\r\n\
    Connection: Upgrade\r\n\
    Pragma: no-cache\r\n\
    Cache-Control: no-cache\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0\r\n\
    Upgrade: websocket\r\n\
    Origin: https://chat.example.com\r\n\
    Sec-WebSocket-Version: 13\r\n\
    Accept-Encoding: gzip, deflate, br, zstd\r\n\
    Accept-Language: en-GB,en;q=0.9,de;q=0.8\r\n\
    Cookie: session=0f1e2d3c4b5a69788796a5b4c3d2e1f0; theme=dark; consent=yes\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n";

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::new("handshake/accept-key", || {
            let key = Key::generate()?;
            Ok(repeat(TIMES, move || {
                let _: AcceptKey = black_box(accept_key(black_box(&key)));
            }))
        }),
        Case::new("handshake/server/plain", || server(ServerConfig::default())),
        Case::new("handshake/server/deflate", || {
            let mut config = ServerConfig::default();
            config.set_deflate(Options::new());
            server(config)
        }),
        Case::new("handshake/both", both),
    ]
}

/// A server that reads the request, answers it, and has a connection.
fn server(config: ServerConfig) -> anyhow::Result<Run> {
    let (config, now) = (Arc::new(config), Instant::now());
    let accept = move || -> anyhow::Result<()> {
        let mut wire = BytesMut::from(black_box(REQUEST));
        let request = ServerHandshake::new(Arc::clone(&config)).receive(&mut wire);
        let request = request.map_err(|refusal| anyhow::anyhow!("{refusal:?}"))?.context("half a request")?;
        let accepted = request.accept().map_err(|refusal| anyhow::anyhow!("{refusal:?}"))?;
        black_box(accepted.response_bytes());
        black_box(accepted.open(now));
        Ok(())
    };
    accept()?; // it works, or the figure would be that of a refusal
    Ok(repeat(TIMES, move || {
        black_box(accept().is_ok());
    }))
}

/// A client and a server, with deflate agreed on.
fn both() -> anyhow::Result<Run> {
    let mut config = ServerConfig::default();
    config.set_deflate(Options::new());
    let (config, offer, now) = (Arc::new(config), ClientConfig::default(), Instant::now());
    let open = move || -> anyhow::Result<()> {
        let mut client =
            ClientHandshake::new(ClientRequest::new(black_box("ws://example.com/chat"))?, &offer)?;
        let mut wire = BytesMut::from(&client.request_bytes()[..]);
        let request = ServerHandshake::new(Arc::clone(&config)).receive(&mut wire);
        let request = request.map_err(|refusal| anyhow::anyhow!("{refusal:?}"))?.context("half a request")?;
        let accepted = request.accept().map_err(|refusal| anyhow::anyhow!("{refusal:?}"))?;
        let mut wire = BytesMut::from(&accepted.response_bytes()[..]);
        black_box(accepted.open(now));
        black_box(client.receive(&mut wire, now)?.context("half an answer")?);
        Ok(())
    };
    open()?;
    Ok(repeat(TIMES, move || {
        black_box(open().is_ok());
    }))
}
