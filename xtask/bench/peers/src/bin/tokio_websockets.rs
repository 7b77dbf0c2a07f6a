//! tokio-websockets, configured as its own echo for benchmarks is: no limits, no splitting into frames;
//! and with room for a batch before it flushes.

use std::io;

use peers::{batched, serve};
use tokio::net::TcpStream;
use tokio_websockets::{Config, Limits, Message, ServerBuilder};

async fn connection(stream: TcpStream) {
    let builder =
        ServerBuilder::new().config(Config::default().frame_size(usize::MAX)).limits(Limits::unlimited());
    if let Ok((_request, socket)) = builder.accept(stream).await {
        // A connection that is lost concerns nobody but its client.
        let _ = batched(socket, |message| message.map(data)).await;
    }
}

fn data(message: Message) -> Option<Message> {
    (message.is_text() || message.is_binary()).then_some(message)
}

fn main() -> io::Result<()> {
    serve(connection)
}
