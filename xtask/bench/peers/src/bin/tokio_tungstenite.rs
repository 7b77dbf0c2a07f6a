//! tokio-tungstenite, with its default configuration.

use std::io;

use peers::{forward, serve};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;

async fn connection(stream: TcpStream) {
    if let Ok(socket) = tokio_tungstenite::accept_async(stream).await {
        // A connection that is lost concerns nobody but its client.
        let _ = forward(socket, |message| message.map(data)).await;
    }
}

fn data(message: Message) -> Option<Message> {
    (message.is_text() || message.is_binary()).then_some(message)
}

fn main() -> io::Result<()> {
    serve(connection)
}
