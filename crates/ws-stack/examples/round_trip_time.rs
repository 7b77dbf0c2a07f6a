//! How far away the other side is, measured by both: `cargo run -p ws-stack --example round_trip_time`.
//!
//! Pings of one's own measure it, and those that the keepalive sends after silence.

use std::time::Duration;

use ws_stack::{BoxError, CloseCode, Error, Event, Server, ServerConnection};

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let server = Server::builder()
        .keepalive(Duration::from_millis(50), Duration::from_secs(5)) // the default is 25 s, and 20 s
        .bind("127.0.0.1:0")
        .await?;
    let address = server.url("/").ok_or("the server listens nowhere")?;
    tokio::spawn(async move { server.serve(tell).await });

    let mut ws = ws_stack::connect(&address).await?;
    println!("before the first ping: {:?}", ws.rtt());
    ws.ping(b"are you there?").await?;
    while let Some(event) = ws.recv_event().await {
        match event? {
            Event::Pong(payload) => {
                println!("the answer to {:?}", String::from_utf8_lossy(payload));
                break;
            }
            event => println!("{event:?} came before"),
        }
    }
    println!("the server is {:?} away", ws.rtt().ok_or("no ping was answered")?);

    // While this waits it answers the server's keepalive, after 50 ms of silence.
    println!("the server says: {:?}", ws.recv().await.transpose()?);
    ws.close(CloseCode::NORMAL, "").await?;
    Ok(())
}

async fn tell(mut conn: ServerConnection) -> Result<(), Error> {
    while let Some(event) = conn.socket.recv_event().await {
        let is_pong = matches!(event?, Event::Pong(_));
        if let (true, Some(away)) = (is_pong, conn.socket.rtt()) {
            conn.socket.send(format!("you are {} us away", away.as_micros())).await?;
        }
    }
    Ok(())
}
