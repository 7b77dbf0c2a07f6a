//! yawc over the upgraded stream, without compression and with validation of text, and with the
//! large write threshold of its documentation.

use std::io;

use peers::{forward, serve, upgrade};
use tokio::net::TcpStream;
use yawc::frame::{Frame, OpCode};
use yawc::{Options, Role, WebSocket};

async fn connection(mut stream: TcpStream) {
    if upgrade(&mut stream).await.is_err() {
        return;
    }
    let options = Options::default().with_utf8().without_compression().with_limits(64 << 20, 128 << 20);
    let options = options.with_backpressure_boundary(128 << 10);
    if let Ok(socket) = WebSocket::from_stream(stream, Role::Server, options) {
        // A connection that is lost concerns nobody but its client.
        let _ = forward(socket, |frame| Ok(data(frame))).await;
    }
}

fn data(frame: Frame) -> Option<Frame> {
    matches!(frame.opcode(), OpCode::Text | OpCode::Binary).then_some(frame)
}

fn main() -> io::Result<()> {
    serve(connection)
}
