//! The lower bound of any server: a bare TCP echo on epoll, with one buffer for all connections.

use std::io::{self, ErrorKind, Read as _, Write as _};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use peers::{announce, port};

const LISTENER: Token = Token(usize::MAX);
const BUFFER: usize = 256 << 10;

/// One connection, and what the socket did not take yet.
struct Connection {
    stream: TcpStream,
    unsent: Vec<u8>,
}

impl Connection {
    /// Sends back all that can be read; false once the peer is gone.
    fn echo(&mut self, buffer: &mut [u8]) -> io::Result<bool> {
        if !self.flush()? {
            return Ok(true);
        }
        loop {
            let len = match self.stream.read(buffer) {
                Ok(0) => return Ok(false),
                Ok(len) => len,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(true),
                Err(error) => return Err(error),
            };
            let sent = send(&mut self.stream, &buffer[..len])?;
            self.unsent.extend_from_slice(&buffer[sent..len]);
            // A short read has emptied the socket: the next bytes raise a new event.
            if len < buffer.len() || !self.unsent.is_empty() {
                return Ok(true);
            }
        }
    }

    /// Sends what is left over; false while the socket is full.
    fn flush(&mut self) -> io::Result<bool> {
        if !self.unsent.is_empty() {
            let sent = send(&mut self.stream, &self.unsent)?;
            self.unsent.drain(..sent);
        }
        Ok(self.unsent.is_empty())
    }
}

/// How much of `bytes` the socket took.
fn send(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<usize> {
    match stream.write(bytes) {
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(0),
        result => result,
    }
}

fn main() -> io::Result<()> {
    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(1024);
    let mut listener = TcpListener::bind(port()?)?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    announce(listener.local_addr()?)?;

    let mut connections: Vec<Option<Connection>> = Vec::new();
    let mut vacant = Vec::new();
    let mut buffer = vec![0; BUFFER];
    loop {
        poll.poll(&mut events, None)?;
        for event in &events {
            let token = event.token();
            if token == LISTENER {
                while let Ok((mut stream, _)) = listener.accept() {
                    stream.set_nodelay(true)?;
                    let index = vacant.pop().unwrap_or(connections.len());
                    connections.resize_with(connections.len().max(index + 1), || None);
                    let interest = Interest::READABLE | Interest::WRITABLE;
                    poll.registry().register(&mut stream, Token(index), interest)?;
                    connections[index] = Some(Connection { stream, unsent: Vec::new() });
                }
            } else if let Some(connection) = &mut connections[token.0]
                && !matches!(connection.echo(&mut buffer), Ok(true))
            {
                connections[token.0] = None;
                vacant.push(token.0);
            }
        }
    }
}
