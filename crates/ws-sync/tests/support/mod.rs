//! What the tests of this crate share.
#![allow(unreachable_pub, dead_code, reason = "a module of tests, which use parts of it")]

use std::{
    io::{self, Read, Write},
    net::{TcpListener, TcpStream},
    sync::Arc,
    thread,
    time::Duration,
};

use ws_sync::{
    Connect, Transport, WebSocket,
    endpoint::{ClientConfig, ServerConfig},
};

/// Two ends of a TCP connection on this machine.
pub fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let client = TcpStream::connect(listener.local_addr().expect("an address")).expect("connected");
    let (server, _) = listener.accept().expect("accepted");
    client.set_nodelay(true).expect("set");
    server.set_nodelay(true).expect("set");
    (client, server)
}

pub fn request() -> Connect {
    Connect::new("ws://example.com/chat").expect("an address")
}

/// A client and a server over the two ends of a stream.
pub fn open_over<C, S>(
    client: C,
    server: S,
    client_config: ClientConfig,
    config: ServerConfig,
) -> (WebSocket<C>, WebSocket<S>)
where
    C: Transport + Send + 'static,
    S: Transport + Send + 'static,
{
    let server = thread::spawn(move || ws_sync::accept_with(server, &Arc::new(config)).expect("accepted"));
    let mut connect = request();
    connect.config = client_config;
    let client = connect.over(client).expect("connected");
    (client, server.join().expect("no panic"))
}

/// The same over TCP.
pub fn open_with(
    client_config: ClientConfig,
    config: ServerConfig,
) -> (WebSocket<TcpStream>, WebSocket<TcpStream>) {
    let (client, server) = pair();
    open_over(client, server, client_config, config)
}

pub fn open() -> (WebSocket<TcpStream>, WebSocket<TcpStream>) {
    open_with(ClientConfig::default(), ServerConfig::default())
}

/// Echoes in a thread of its own until the end, and gives the connection back.
pub fn echo<S: Transport + Send + 'static>(mut server: WebSocket<S>) -> thread::JoinHandle<WebSocket<S>> {
    thread::spawn(move || {
        while let Some(lent) = server.recv_lent() {
            let (message, sender) = lent.expect("a message");
            sender.forward(message).expect("queued");
        }
        server
    })
}

/// A request as a client without this library writes it.
pub const REQUEST: &[u8] =
    b"GET /chat HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

/// A server's connection, and the other end as plain TCP, behind the opening handshake.
pub fn raw_client(config: ServerConfig) -> (TcpStream, WebSocket<TcpStream>) {
    let (mut client, server) = pair();
    client.write_all(REQUEST).expect("sent");
    let server = ws_sync::accept_with(server, &Arc::new(config)).expect("accepted");
    read_head(&mut client);
    (client, server)
}

/// Reads a head to its end, and not a byte more.
pub fn read_head(stream: &mut impl Read) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("a head");
        head.push(byte[0]);
    }
    String::from_utf8(head).expect("a head is text")
}

/// Reads a short frame that is not masked: its first byte and its payload.
pub fn read_frame(stream: &mut impl Read) -> (u8, Vec<u8>) {
    let mut header = [0; 2];
    stream.read_exact(&mut header).expect("a header");
    assert!(header[1] < 126, "short and not masked");
    let mut payload = vec![0; header[1].into()];
    stream.read_exact(&mut payload).expect("a payload");
    (header[0], payload)
}

/// A short frame, masked with zeros.
pub fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    let len = u8::try_from(payload.len()).expect("short");
    [&[first, 0x80 | len, 0, 0, 0, 0][..], payload].concat()
}

/// A stream in memory that gives what it was given in pieces, and takes as little at a time.
#[derive(Debug)]
pub struct Dribble {
    pub input: io::Cursor<Vec<u8>>,
    pub output: Vec<u8>,
    pub step: usize,
    /// How often a call takes too long before it does something.
    pub timeouts: usize,
    pub late: usize,
    pub shut: bool,
}

impl Dribble {
    pub fn new(input: &[u8], step: usize, timeouts: usize) -> Self {
        let input = io::Cursor::new(input.to_vec());
        Self { input, output: Vec::new(), step, timeouts, late: 0, shut: false }
    }

    fn delay(&mut self) -> io::Result<()> {
        if self.late == self.timeouts {
            self.late = 0;
            return Ok(());
        }
        self.late += 1;
        let kinds = [io::ErrorKind::WouldBlock, io::ErrorKind::TimedOut, io::ErrorKind::Interrupted];
        Err(kinds[self.late % kinds.len()].into())
    }
}

impl Read for Dribble {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.delay()?;
        let len = buf.len().min(self.step);
        self.input.read(&mut buf[..len])
    }
}

impl Write for Dribble {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        assert!(!self.shut, "nothing is written behind the end");
        self.delay()?;
        let len = buf.len().min(self.step);
        self.output.extend_from_slice(&buf[..len]);
        Ok(len)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.delay()
    }
}

impl Transport for Dribble {
    fn set_read_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        assert_ne!(timeout, Some(Duration::ZERO), "which would not be a time");
        Ok(())
    }

    fn set_write_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        assert_ne!(timeout, Some(Duration::ZERO), "which would not be a time");
        Ok(())
    }

    fn shutdown(&mut self) -> io::Result<()> {
        self.delay()?;
        self.shut = true;
        Ok(())
    }
}
