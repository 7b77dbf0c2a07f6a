//! tokio-tungstenite, with its default configuration. A member of a broadcast is split in two, with a task for each
//! half, as in the library's own example of a chat it is in two futures.

use std::io;
use std::sync::Arc;

use peers::{Room, attend_in_two, forward, serve, wanted};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;

async fn connection(stream: TcpStream, room: Option<Arc<Room<Message>>>) {
    let Ok(socket) = tokio_tungstenite::accept_async(stream).await else { return };
    // A connection that is lost concerns nobody but its client.
    let _ = match room {
        None => forward(socket, |message| message.map(data)).await,
        Some(room) => {
            let (me, others) = room.join();
            let publish = |message| room.publish(me, &message);
            attend_in_two(socket, others, |message| message.map(data), publish).await
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
