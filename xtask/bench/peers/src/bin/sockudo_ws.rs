//! sockudo-ws: its stream of messages over the upgraded stream, with its default configuration, and with that of its
//! compression when this is asked for; its publishing to topics for a broadcast.

use std::io;
use std::sync::Arc;

use futures_core::Stream;
use futures_sink::Sink;
use peers::{Takeover, attend, forward, serve, upgrade_with, wanted};
use sockudo_ws::pubsub::PubSub;
use sockudo_ws::{CompressedWebSocketStream, Config, DeflateConfig, Error, Message, WebSocketStream};
use tokio::net::TcpStream;
use tokio::sync::mpsc::unbounded_channel;

/// The one topic there is.
const TOPIC: &str = "all";

async fn connection(mut stream: TcpStream, takeover: Option<Takeover>, topics: Option<Arc<PubSub>>) {
    if upgrade_with(&mut stream, takeover).await.is_err() {
        return;
    }
    // A connection that is lost concerns nobody but its client.
    let _ = match takeover {
        None => run(WebSocketStream::server(stream, Config::default()), topics).await,
        Some(takeover) => {
            let resets = takeover == Takeover::Reset;
            let deflate = DeflateConfig {
                server_no_context_takeover: resets,
                client_no_context_takeover: resets,
                ..DeflateConfig::default()
            };
            run(CompressedWebSocketStream::server(stream, Config::default(), deflate), topics).await
        }
    };
}

async fn run<S>(socket: S, topics: Option<Arc<PubSub>>) -> Result<(), Error>
where
    S: Stream<Item = Result<Message, Error>> + Sink<Message, Error = Error> + Unpin,
{
    let Some(topics) = topics else { return forward(socket, |message| message.map(data)).await };
    let (tx, others) = unbounded_channel();
    let me = topics.create_subscriber(tx);
    topics.subscribe(me, TOPIC);
    let publish = |message| {
        topics.publish_excluding(me, TOPIC, message);
    };
    let ended = attend(socket, others, |message| message.map(data), publish).await;
    topics.remove_subscriber(me);
    ended
}

fn data(message: Message) -> Option<Message> {
    matches!(message, Message::Text(_) | Message::Binary(_)).then_some(message)
}

fn main() -> io::Result<()> {
    // Its clock calibrates itself for up to 200 ms, which belongs before the first connection.
    sockudo_ws::init_clock();
    let wanted = wanted()?;
    let topics = wanted.broadcast.then(|| Arc::new(PubSub::new()));
    serve(move |stream| connection(stream, wanted.takeover, topics.clone()))
}
