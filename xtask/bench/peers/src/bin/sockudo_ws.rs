//! sockudo-ws: its stream of messages over the upgraded stream, with its default configuration, and with that of its
//! compression when this is asked for.

use std::io;

use peers::{Takeover, forward, serve, takeover, upgrade_with};
use sockudo_ws::{CompressedWebSocketStream, Config, DeflateConfig, Message, WebSocketStream};
use tokio::net::TcpStream;

async fn connection(mut stream: TcpStream, takeover: Option<Takeover>) {
    if upgrade_with(&mut stream, takeover).await.is_err() {
        return;
    }
    // A connection that is lost concerns nobody but its client.
    let _ = match takeover {
        None => {
            let socket = WebSocketStream::server(stream, Config::default());
            forward(socket, |message| message.map(data)).await
        }
        Some(takeover) => {
            let resets = takeover == Takeover::Reset;
            let deflate = DeflateConfig {
                server_no_context_takeover: resets,
                client_no_context_takeover: resets,
                ..DeflateConfig::default()
            };
            let socket = CompressedWebSocketStream::server(stream, Config::default(), deflate);
            forward(socket, |message| message.map(data)).await
        }
    };
}

fn data(message: Message) -> Option<Message> {
    matches!(message, Message::Text(_) | Message::Binary(_)).then_some(message)
}

fn main() -> io::Result<()> {
    // Its clock calibrates itself for up to 200 ms, which belongs before the first connection.
    sockudo_ws::init_clock();
    let takeover = takeover()?;
    serve(move |stream| connection(stream, takeover))
}
