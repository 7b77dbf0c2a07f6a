//! What a client does through a proxy, and what it must see.

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, rustls::pki_types::ServerName};
use ws_stack::{CloseCode, Connect, DataKind, Event, Message, WebSocket};

use super::{
    Failure,
    backend::{Backend, Kind},
    proxy::{Program, Proxy},
    within,
};

trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Io for S {}

type Socket = WebSocket<Box<dyn Io>>;

/// A request and a first message in one packet.
const REQUEST_AND_HI: &[u8] =
    b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n\x81\x82\0\0\0\0hi";

/// All of it, through one proxy in front of one server.
pub(crate) async fn play(program: Program, kind: Kind) -> Result<(), Failure> {
    let mut backend = Backend::start(kind).await?;
    let test = format!("{}-{kind:?}", program.name);
    let sends_header = kind == Kind::OursWithProxyHeader;
    let Some(proxy) = program.start(&test, backend.address, sends_header).await? else { return Ok(()) };
    for over_tls in [false, true] {
        within("the conversation", converse(&proxy, over_tls, kind)).await??;
        assert_eq!(ended(&mut backend).await?, "closed 4000 wörld");
        within("the server's close", the_server_closes(&proxy, over_tls)).await??;
        assert_eq!(ended(&mut backend).await?, "closed 3001 bye");
        within("the server to leave", the_server_leaves(&proxy, over_tls)).await??;
        assert_eq!(ended(&mut backend).await?, "dropped");
        let (ws, _) = connect(&proxy, over_tls, "/").await?;
        drop(ws);
        let error = ended(&mut backend).await?;
        assert!(error.starts_with("error "), "the client has left: {error}");
        within("refusals", refusals(&proxy, over_tls)).await??;
    }
    within("the first frame", first_frame(&proxy)).await?
}

async fn ended(backend: &mut Backend) -> Result<String, Failure> {
    Ok(within("the server's end", backend.ended.recv()).await?.ok_or("the server has ended")?)
}

/// A connection through the proxy; gives the client's own address, too.
async fn connect(proxy: &Proxy, over_tls: bool, path: &str) -> Result<(Socket, String), Failure> {
    let (stream, scheme, from) = transport(proxy, over_tls).await?;
    let ws = Connect::new(&format!("{scheme}://localhost{path}"))?.over(stream).await?;
    Ok((ws, from))
}

async fn transport(proxy: &Proxy, over_tls: bool) -> Result<(Box<dyn Io>, &'static str, String), Failure> {
    let tcp = TcpStream::connect(if over_tls { proxy.tls_address } else { proxy.address }).await?;
    let from = tcp.local_addr()?.to_string();
    if !over_tls {
        return Ok((Box::new(tcp), "ws", from));
    }
    let name = ServerName::try_from("localhost")?;
    let tls = TlsConnector::from(proxy.tls.clone()).connect(name, tcp).await?;
    Ok((Box::new(tls), "wss", from))
}

async fn receive(ws: &mut Socket) -> Result<Message, Failure> {
    Ok(ws.recv().await.ok_or("it has closed")??)
}

async fn converse(proxy: &Proxy, over_tls: bool, kind: Kind) -> Result<(), Failure> {
    let (mut ws, from) = connect(proxy, over_tls, "/?a=b").await?;
    // X-Forwarded-For has no port.
    let shown = if kind == Kind::OursWithProxyHeader { &*from } else { "127.0.0.1" };
    assert_eq!(receive(&mut ws).await?.as_text(), Some(shown), "the server knows who it talks to");
    assert_eq!(ws.extensions(), ["permessage-deflate"], "the proxy leaves the headers alone");

    for text in ["hello", "", "aß水𝄞"] {
        ws.send(text).await?;
        assert_eq!(receive(&mut ws).await?.as_text(), Some(text));
    }
    for len in [126, 65_536, 4 << 20] {
        let noise = noise(len);
        ws.send(noise.clone()).await?;
        assert!(receive(&mut ws).await?.as_bytes() == noise, "{len} bytes come back as they went");
    }
    ws.start(DataKind::Text)?;
    for part in ["in ", "", "parts"] {
        ws.send_part(part.as_bytes()).await?;
    }
    ws.finish().await?;
    assert_eq!(receive(&mut ws).await?.as_text(), Some("in parts"));

    ws.ping(b"from the client").await?;
    let event = ws.recv_event().await.ok_or("it has closed")??;
    assert!(matches!(event, Event::Pong(b"from the client")), "{event:?}");
    ws.send("ping me").await?;
    let event = ws.recv_event().await.ok_or("it has closed")??;
    assert!(matches!(event, Event::Ping(b"from the server")), "{event:?}");
    assert_eq!(receive(&mut ws).await?.as_text(), Some("pong from the server"));

    let closed = ws.close(CloseCode::new(4000)?, "wörld").await?.ok_or("it has not closed")?;
    assert_eq!(closed.code, 4000);
    Ok(())
}

async fn the_server_closes(proxy: &Proxy, over_tls: bool) -> Result<(), Failure> {
    let (mut ws, _) = connect(proxy, over_tls, "/").await?;
    receive(&mut ws).await?;
    ws.send("close me").await?;
    assert!(ws.recv().await.is_none());
    let closed = ws.closed().ok_or("it has not closed")?;
    assert_eq!((closed.code, &*closed.reason), (3001, "bye"));
    Ok(())
}

async fn the_server_leaves(proxy: &Proxy, over_tls: bool) -> Result<(), Failure> {
    let (mut ws, _) = connect(proxy, over_tls, "/").await?;
    receive(&mut ws).await?;
    ws.send("drop me").await?;
    assert!(ws.recv().await.is_some_and(|end| end.is_err()));
    assert_eq!(ws.closed().ok_or("it has not closed")?.code, 1006);
    Ok(())
}

async fn refusals(proxy: &Proxy, over_tls: bool) -> Result<(), Failure> {
    let error = connect(proxy, over_tls, "/refuse").await.map(|_| ()).unwrap_err();
    let error = error.downcast::<ws_stack::ConnectError>()?;
    let response = error.response().ok_or("no response")?;
    assert_eq!((response.status().as_u16(), &response.body()[..]), (403, &b"not today\n"[..]));

    let (mut stream, ..) = transport(proxy, over_tls).await?;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await?;
    let mut page = String::new();
    stream.read_to_string(&mut page).await?;
    assert!(page.starts_with("HTTP/1.1 200 OK\r\n") && page.contains("a page\n"), "{page}");
    Ok(())
}

/// A client that does not wait for its answer.
async fn first_frame(proxy: &Proxy) -> Result<(), Failure> {
    let mut stream = TcpStream::connect(proxy.address).await?;
    stream.write_all(REQUEST_AND_HI).await?;
    let mut seen = Vec::new();
    while !seen.ends_with(b"\x81\x02hi") {
        assert_ne!(stream.read_buf(&mut seen).await?, 0, "{}", seen.escape_ascii());
    }
    assert!(seen.starts_with(b"HTTP/1.1 101 "));
    Ok(())
}

/// Bytes that do not compress, the same ones each time.
fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    (0..len.div_ceil(8)).flat_map(|_| next()).take(len).collect()
}
