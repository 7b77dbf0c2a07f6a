//! sockudo-ws: its stream of messages over the upgraded stream, with its default configuration.

use std::io;

use peers::{forward, serve, upgrade};
use sockudo_ws::{Config, Message, WebSocketStream};
use tokio::net::TcpStream;

async fn connection(mut stream: TcpStream) {
    if upgrade(&mut stream).await.is_ok() {
        let socket = WebSocketStream::server(stream, Config::default());
        // A connection that is lost concerns nobody but its client.
        let _ = forward(socket, |message| message.map(data)).await;
    }
}

fn data(message: Message) -> Option<Message> {
    matches!(message, Message::Text(_) | Message::Binary(_)).then_some(message)
}

fn main() -> io::Result<()> {
    // Its clock calibrates itself for up to 200 ms, which belongs before the first connection.
    sockudo_ws::init_clock();
    serve(connection)
}
