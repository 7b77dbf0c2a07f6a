//! A connection with a task of its own, for an application that is busy: `cargo run -p ws-stack --example busy_application`.
//!
//! Pings are answered while the application does something else, and messages wait for it in an inbox with bounds.

use std::time::Duration;

use ws_stack::{BoxError, CloseCode, Error, Server, ServerConnection};

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    // After 100 ms of silence it sends a ping, and drops who does not answer within 400 ms.
    let server = Server::builder()
        .keepalive(Duration::from_millis(100), Duration::from_millis(400))
        .bind("127.0.0.1:0")
        .await?;
    let address = server.url("/").ok_or("the server listens nowhere")?;
    tokio::spawn(async move { server.serve(remind).await });

    let mut handle = ws_stack::connect(&address).await?.spawn(64);
    println!("busy for much longer than the server waits for a pong");
    tokio::time::sleep(Duration::from_secs(1)).await; // stands for a long computation elsewhere
    println!("open: {}", handle.closed().is_none());

    // Any number of tasks may send, each with a sender of its own.
    let sender = handle.sender();
    let reply = tokio::spawn(async move { sender.send("sorry, I was busy").await });
    for _ in 0..3 {
        println!("waited in the inbox: {:?}", handle.recv().await.transpose()?);
    }
    reply.await??;
    println!("and then: {:?}", handle.recv().await.transpose()?);
    handle.close(CloseCode::NORMAL, "").await?;
    Ok(())
}

async fn remind(mut conn: ServerConnection) -> Result<(), Error> {
    for number in 1..=3 {
        conn.socket.send(format!("reminder {number}")).await?;
    }
    while let Some(message) = conn.socket.recv().await.transpose()? {
        conn.socket.send(format!("understood: {message:?}")).await?;
    }
    Ok(())
}
