//! Clients of a server under test.

use std::{
    io,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, duplex},
    net::TcpStream,
    sync::mpsc,
};
use ws_tokio::{Address, Connect, Listener, Server, ServerConnection, ServerError, ServerStream, WebSocket};

/// A request that a server accepts unless it was told otherwise, sent by hand.
pub const REQUEST: &str = "GET /chat?room=1 HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Protocol: chat.v1, chat.v2\r\n\r\n";

/// The same request with a line more.
pub fn with_line(line: &str) -> String {
    REQUEST.replace("\r\n\r\n", &format!("\r\n{line}\r\n\r\n"))
}

/// The request with the line that begins so replaced; by nothing to leave it out.
pub fn changed(line: &str, to: &str) -> String {
    let start = REQUEST.find(line).expect("a line of the request");
    let end = start + REQUEST[start..].find("\r\n").expect("its end") + 2;
    format!("{}{to}{}", &REQUEST[..start], &REQUEST[end..])
}

/// A TCP connection to a server.
pub async fn tcp<T: Send + 'static>(server: &Server<T>) -> TcpStream {
    let address = server.local_addrs()[0].tcp().expect("a TCP address");
    TcpStream::connect(address).await.expect("connected")
}

/// A WebSocket to a server.
pub async fn connect<T: Send + 'static>(server: &Server<T>) -> WebSocket<TcpStream> {
    let stream = tcp(server).await;
    Connect::new("ws://example.com/chat").expect("an address").over(stream).await.expect("accepted")
}

/// Both ends of a connection to a server.
pub async fn pair<T: Send + 'static>(server: &Server<T>) -> (WebSocket<TcpStream>, ServerConnection<T>) {
    let (client, accepted) = tokio::join!(connect(server), server.accept());
    (client, accepted.expect("a connection"))
}

/// What a server answers to this request: all until the end for a refusal, the head of a 101.
pub async fn ask<T: Send + 'static>(server: &Server<T>, request: impl AsRef<[u8]>) -> String {
    let mut stream = tcp(server).await;
    stream.write_all(request.as_ref()).await.expect("written");
    answer(&mut stream).await
}

/// The answer that comes on a stream.
pub async fn answer(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> String {
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") && stream.read_buf(&mut answer).await.is_ok_and(|read| read > 0) {}
    if !answer.starts_with(b"HTTP/1.1 101") {
        let _reset = stream.read_to_end(&mut answer).await;
    }
    String::from_utf8(answer).expect("text")
}

/// Checks that a refusal is framed, has this status, says this, and gives its body back.
pub fn refused(answer: &str, status: u16, says: &str) -> String {
    assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{status}: {answer}");
    assert!(answer.contains(says), "{says}: {answer}");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    assert!(head.contains("\r\nConnection: close"), "{head}");
    assert!(head.contains(&format!("\r\nContent-Length: {}", body.len())), "{head}");
    body.to_owned()
}

/// What a server has told its `on_error`.
#[derive(Clone, Default)]
pub struct Told(Arc<Mutex<Vec<String>>>);

impl Told {
    /// For `on_error`.
    pub fn listen(&self) -> impl Fn(&ServerError) + Send + Sync + 'static {
        let told = Arc::clone(&self.0);
        move |error| told.lock().expect("no panic").push(error.to_string())
    }

    /// Waits until something was told that has this in it.
    pub async fn until(&self, part: &str) {
        while !self.all().iter().any(|told| told.contains(part)) {
            tokio::task::yield_now().await;
        }
    }

    pub fn all(&self) -> Vec<String> {
        self.0.lock().expect("no panic").clone()
    }
}

/// A listener whose clients are pipes in memory, so that time can be virtual.
pub struct Pipes(mpsc::UnboundedReceiver<io::Result<DuplexStream>>);

/// What clients of [`Pipes`] connect to.
#[derive(Clone)]
pub struct Dial(mpsc::UnboundedSender<io::Result<DuplexStream>>);

pub fn pipes() -> (Dial, Pipes) {
    let (dial, pipes) = mpsc::unbounded_channel();
    (Dial(dial), Pipes(pipes))
}

impl Dial {
    pub fn dial(&self) -> DuplexStream {
        let (near, far) = duplex(1 << 16);
        self.0.send(Ok(far)).expect("the listener is there");
        near
    }

    pub fn fail(&self, error: io::Error) {
        self.0.send(Err(error)).expect("the listener is there");
    }

    /// A WebSocket.
    pub async fn connect(&self) -> WebSocket<DuplexStream> {
        let connect = Connect::new("ws://example.com/chat").expect("an address");
        connect.over(self.dial()).await.expect("accepted")
    }
}

impl Listener for Pipes {
    async fn accept(&mut self) -> io::Result<(ServerStream, Address)> {
        match self.0.recv().await {
            Some(pipe) => Ok((ServerStream::new(pipe?), Address::Other("pipe".into()))),
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> Address {
        Address::Other("pipes".into())
    }
}
