//! fastwebsockets over the upgraded stream itself: its fragment collector, which also validates text.

use std::io;

use fastwebsockets::{FragmentCollector, OpCode, Role, WebSocket, WebSocketError};
use peers::{serve, upgrade};
use tokio::net::TcpStream;

async fn connection(mut stream: TcpStream) {
    if upgrade(&mut stream).await.is_ok() {
        // A connection that is lost concerns nobody but its client.
        let _ = echo(stream).await;
    }
}

async fn echo(stream: TcpStream) -> Result<(), WebSocketError> {
    let mut socket = FragmentCollector::new(WebSocket::after_handshake(stream, Role::Server));
    loop {
        let frame = socket.read_frame().await?;
        match frame.opcode {
            OpCode::Close => return Ok(()),
            OpCode::Text | OpCode::Binary => socket.write_frame(frame).await?,
            _ => {}
        }
    }
}

fn main() -> io::Result<()> {
    serve(connection)
}
