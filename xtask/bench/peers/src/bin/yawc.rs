//! yawc over the upgraded stream, with validation of text, and with the large write threshold of its documentation.
//!
//! Compression is off, or on with its default level; without kept contexts its connections share what they compress
//! with, by the pool that it has for this.

use std::io;
use std::sync::Arc;

use peers::{Room, Takeover, attend, forward, serve, upgrade_with, wanted};
use tokio::net::TcpStream;
use yawc::frame::{Frame, OpCode};
use yawc::{CompressionLevel, DeflatePool, Options, Role, WebSocket};

async fn connection(
    mut stream: TcpStream,
    takeover: Option<Takeover>,
    options: Options,
    room: Option<Arc<Room<Frame>>>,
) {
    if upgrade_with(&mut stream, takeover).await.is_err() {
        return;
    }
    let extensions = takeover.map(Takeover::parameters);
    let Ok(socket) = WebSocket::from_stream_with_extensions(stream, Role::Server, extensions, options) else {
        return;
    };
    // A connection that is lost concerns nobody but its client.
    let _ = match room {
        None => forward(socket, |frame| Ok(data(frame))).await,
        Some(room) => {
            let (me, others) = room.join();
            attend(socket, others, |frame| Ok(data(frame)), |frame| room.publish(me, &frame)).await
        }
    };
}

/// What all connections share.
fn options(takeover: Option<Takeover>) -> Options {
    let options = Options::default().with_utf8().with_limits(64 << 20, 128 << 20);
    let options = options.with_backpressure_boundary(128 << 10);
    match takeover {
        None => options.without_compression(),
        Some(Takeover::Keep) => options.with_compression_level(CompressionLevel::default()),
        Some(Takeover::Reset) => options
            .with_compression_level(CompressionLevel::default())
            .server_no_context_takeover()
            .client_no_context_takeover()
            .with_deflate_pool(DeflatePool::new(16)),
    }
}

fn data(frame: Frame) -> Option<Frame> {
    matches!(frame.opcode(), OpCode::Text | OpCode::Binary).then_some(frame)
}

fn main() -> io::Result<()> {
    let wanted = wanted()?;
    let options = options(wanted.takeover);
    let room = wanted.broadcast.then(Arc::default);
    serve(move |stream| connection(stream, wanted.takeover, options.clone(), room.clone()))
}
