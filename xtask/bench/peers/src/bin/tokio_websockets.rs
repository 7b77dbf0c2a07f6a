//! tokio-websockets, configured as its own echo for benchmarks is: no limits, no splitting into frames;
//! and with room for a batch before it flushes.

use std::io;
use std::sync::Arc;

use peers::{Room, attend, batched, serve, wanted};
use tokio::net::TcpStream;
use tokio_websockets::{Config, Limits, Message, ServerBuilder};

async fn connection(stream: TcpStream, room: Option<Arc<Room<Message>>>) {
    let builder =
        ServerBuilder::new().config(Config::default().frame_size(usize::MAX)).limits(Limits::unlimited());
    let Ok((_request, socket)) = builder.accept(stream).await else { return };
    // A connection that is lost concerns nobody but its client.
    let _ = match room {
        None => batched(socket, |message| message.map(data)).await,
        Some(room) => {
            let (me, others) = room.join();
            attend(socket, others, |message| message.map(data), |message| room.publish(me, &message)).await
        }
    };
}

fn data(message: Message) -> Option<Message> {
    (message.is_text() || message.is_binary()).then_some(message)
}

fn main() -> io::Result<()> {
    let room = wanted()?.broadcast.then(Arc::default);
    serve(move |stream| connection(stream, room.clone()))
}
