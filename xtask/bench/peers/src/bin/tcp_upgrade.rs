//! The lower bound of a connection that comes and goes: the system calls that an opening and a closing handshake cannot do
//! without, on blocking sockets.
//!
//! It looks at nothing that it reads. The answer is that to the one key which the load generator sends, and a Close is
//! answered with 1000. What these calls take is what TCP takes: everything above it is the server's own doing.

use std::collections::VecDeque;
use std::io::{self, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use peers::{accept_key, announce, port};

/// How many connections are at each of the two steps, of the 64 that the load generator has under way: what a connection
/// sends has arrived by the time that its turn comes, so that nothing is waited for.
const AHEAD: usize = 16;

/// The key of RFC 6455 section 1.3.
const KEY: &[u8] = b"dGhlIHNhbXBsZSBub25jZQ==";

/// A Close with 1000 (RFC 6455 section 5.5.1).
const CLOSE: [u8; 4] = [0x88, 2, 0x03, 0xe8];

/// Reads once, and answers.
fn reply(stream: &mut TcpStream, buffer: &mut [u8], answer: &[u8]) -> io::Result<()> {
    if stream.read(buffer)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    stream.write_all(answer)
}

fn main() -> io::Result<()> {
    let listener = TcpListener::bind(port()?)?;
    announce(listener.local_addr()?)?;
    let opening = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {}\r\n\r\n",
        accept_key(KEY)
    );
    let (mut connected, mut open) = (VecDeque::new(), VecDeque::new());
    let mut buffer = [0; 1024];
    loop {
        connected.push_back(listener.accept()?.0);
        if connected.len() > AHEAD
            && let Some(mut stream) = connected.pop_front()
        {
            reply(&mut stream, &mut buffer, opening.as_bytes())?;
            open.push_back(stream);
        }
        if open.len() > AHEAD
            && let Some(mut stream) = open.pop_front()
        {
            reply(&mut stream, &mut buffer, &CLOSE)?;
        }
    }
}
