//! Finding out that the other side is gone, on both sides: `cargo run -p ws-stack --example broken_connections`.
//!
//! A peer that vanishes sends nothing, not even an end. After a time of silence it is sent a ping, and when nothing comes
//! within another time the connection has failed: a Close is tried, and the transport dropped. This is on by default, after
//! 25 s, 20 s and 5 s.

use std::time::Duration;

use tokio::sync::mpsc;
use ws_stack::{BoxError, Connect, Server, ServerConnection, ServerError, Timeouts};

const SILENCE: Duration = Duration::from_millis(100);

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    server_notices().await?;
    client_notices().await
}

async fn server_notices() -> Result<(), BoxError> {
    let (report, mut reported) = mpsc::unbounded_channel();
    let server = Server::builder()
        .keepalive(SILENCE, SILENCE)
        .close_timeout(SILENCE)
        .on_error(move |error| {
            if let ServerError::Handler { source, .. } = error {
                _ = report.send(source.to_string());
            }
        })
        .bind("127.0.0.1:0")
        .await?;
    let address = server.url("/").ok_or("the server listens nowhere")?;
    let clients = server.clients();
    tokio::spawn(async move { server.serve(receive).await });

    // A connection that nobody polls answers no ping, as if its cable had been cut.
    let _frozen = ws_stack::connect(&address).await?;
    let reason = reported.recv().await.ok_or("the server has ended")?;
    println!("the server: {reason}");
    println!("{} clients are left", clients.len());
    Ok(())
}

async fn client_notices() -> Result<(), BoxError> {
    let server = Server::builder().bind("127.0.0.1:0").await?;
    let address = server.url("/").ok_or("the server listens nowhere")?;
    let mut timeouts = Timeouts::default();
    (timeouts.ping_after, timeouts.pong_within) = (Some(SILENCE), Some(SILENCE));
    timeouts.close = Some(SILENCE);
    let mut ws = Connect::new(&address)?.timeouts(timeouts).await?;
    let _frozen = server.accept().await;

    if let Err(error) = ws.recv().await.transpose() {
        println!("the client: {error}");
    }
    if let Some(closed) = ws.closed() {
        println!("it reports {}, and has sent {:?}", closed.code, closed.sent.flatten());
    }
    Ok(())
}

async fn receive(mut conn: ServerConnection) -> Result<(), ws_stack::Error> {
    while conn.socket.recv().await.transpose()?.is_some() {}
    Ok(())
}
