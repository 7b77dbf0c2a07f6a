//! Our servers, as they stand behind a proxy.

use std::{convert::Infallible, net::SocketAddr, sync::Arc};

use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
};
use ws_stack::{
    BoxError, CloseCode, Event, FirstRequest, Message, PlainRequest, Refusal, ServerConfig, Upgrade,
    WebSocket,
    deflate::Options,
    http::{Response, StatusCode},
    hyper as ws_hyper,
};

use super::Failure;

/// Which server it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It reads requests itself.
    Ours,
    /// The same, behind a line that a proxy writes first: `PROXY TCP4 client server 1234 80`.
    OursWithProxyHeader,
    /// It is inside an HTTP server of hyper.
    Hyper,
}

/// A server that runs, and what it says of each connection that has ended.
#[derive(Debug)]
pub(crate) struct Backend {
    pub(crate) address: SocketAddr,
    pub(crate) ended: UnboundedReceiver<String>,
}

impl Backend {
    pub(crate) async fn start(kind: Kind) -> Result<Self, Failure> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (tell, ended) = unbounded_channel();
        let mut config = ServerConfig::default();
        config.set_deflate(Options::new());
        let config = Arc::new(config);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (config, tell) = (Arc::clone(&config), tell.clone());
                // A proxy tries connections that it does not use.
                tokio::spawn(async move { serve(kind, stream, config, tell).await.ok() });
            }
        });
        Ok(Self { address, ended })
    }
}

async fn serve(
    kind: Kind,
    mut stream: TcpStream,
    config: Arc<ServerConfig>,
    tell: UnboundedSender<String>,
) -> Result<(), BoxError> {
    if kind == Kind::Hyper {
        return in_hyper(stream, config, tell).await;
    }
    let client = match kind {
        Kind::OursWithProxyHeader => Some(client_of_proxy_header(&mut stream).await?),
        _ => None,
    };
    match FirstRequest::read(stream, &config).await? {
        FirstRequest::Plain(request) => page(request).await,
        FirstRequest::Upgrade(upgrade) => open(upgrade, client, tell).await,
    }
}

async fn page(request: PlainRequest<TcpStream>) -> Result<(), BoxError> {
    Ok(request.respond(&Response::builder().header("connection", "close").body("a page\n")?).await?)
}

async fn open(
    upgrade: Upgrade<TcpStream>,
    client: Option<String>,
    tell: UnboundedSender<String>,
) -> Result<(), BoxError> {
    if upgrade.request().uri().path() == "/refuse" {
        return Ok(upgrade.refuse(Refusal::new(StatusCode::FORBIDDEN, "not today")).await?);
    }
    let client = client.unwrap_or_else(|| forwarded_for(upgrade.request()));
    talk(upgrade.accept().await?, client, tell).await;
    Ok(())
}

async fn in_hyper(
    stream: TcpStream,
    config: Arc<ServerConfig>,
    tell: UnboundedSender<String>,
) -> Result<(), BoxError> {
    let service = service_fn(move |mut request: Request<Incoming>| {
        let answer = if !ws_hyper::is_upgrade(&request) {
            Ok(Response::new("a page\n".to_owned()))
        } else if request.uri().path() == "/refuse" {
            Err(Refusal::new(StatusCode::FORBIDDEN, "not today"))
        } else {
            ws_hyper::upgrade(&mut request, &config).map(|(response, upgrading)| {
                let (client, tell) = (forwarded_for(&request), tell.clone());
                tokio::spawn(async move {
                    talk(upgrading.await?, client, tell).await;
                    Ok::<_, ws_hyper::Error>(())
                });
                response
            })
        };
        async { Ok::<_, Infallible>(answer.unwrap_or_else(Refusal::into_response)) }
    });
    Ok(http1::Builder::new().serve_connection(TokioIo::new(stream), service).with_upgrades().await?)
}

/// The client's address, as the proxy has written it into the request.
fn forwarded_for<B>(request: &Request<B>) -> String {
    let header = request.headers().get("x-forwarded-for").and_then(|value| value.to_str().ok());
    header.unwrap_or("nobody").to_owned()
}

/// The client's address, as the proxy has written it before the request. Read byte by byte: behind the line comes what
/// is not ours to read.
async fn client_of_proxy_header(stream: &mut TcpStream) -> Result<String, BoxError> {
    let mut line = Vec::new();
    while !line.ends_with(b"\r\n") {
        if line.len() == 107 {
            return Err("no line of a proxy is as long as this".into());
        }
        line.push(stream.read_u8().await?);
    }
    let line = String::from_utf8(line)?;
    let mut words = line.split_whitespace().skip(2);
    let (Some(host), Some(port)) = (words.next(), words.nth(1)) else { return Err(line.into()) };
    Ok(format!("{host}:{port}"))
}

/// Says who is there, then does what it is told, and tells how it ended.
async fn talk<S>(mut ws: WebSocket<S>, client: String, tell: UnboundedSender<String>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let went = answer(&mut ws, &client).await;
    let ended = match (went, ws.closed()) {
        (Ok(()), Some(closed)) => format!("closed {} {}", closed.code, &*closed.reason),
        (Ok(()), None) => "dropped".to_owned(),
        (Err(error), _) => format!("error {error}"),
    };
    // A test that has failed already does not listen.
    let _told = tell.send(ended);
}

enum Heard {
    Message(Message),
    Pong(Vec<u8>),
    Other,
}

async fn answer<S>(ws: &mut WebSocket<S>, client: &str) -> Result<(), BoxError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    ws.send(client).await?;
    while let Some(event) = ws.recv_event().await {
        let heard = match event? {
            Event::Message(message) => Heard::Message(message.into_message()),
            Event::Pong(payload) => Heard::Pong(payload.to_vec()),
            _ => Heard::Other,
        };
        match heard {
            Heard::Message(message) => match message.as_text() {
                Some("ping me") => ws.ping(b"from the server").await?,
                Some("close me") => _ = ws.close(CloseCode::new(3001)?, "bye").await?,
                Some("drop me") => return Ok(()),
                _ => ws.send(message).await?,
            },
            Heard::Pong(payload) => ws.send(format!("pong {}", String::from_utf8_lossy(&payload))).await?,
            Heard::Other => {}
        }
    }
    Ok(())
}
