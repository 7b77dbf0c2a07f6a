//! A server that stops without cutting anybody off: `cargo run -p ws-stack --example graceful_shutdown`.
//!
//! It accepts no more, closes every connection with a code and a reason, waits for the answers until a deadline, and says
//! who has not answered.

use std::time::Duration;

use ws_stack::{BoxError, CloseCode, Error, Server, ServerConnection};

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let server = Server::builder().bind("127.0.0.1:0").await?;
    let address = server.url("/").ok_or("the server listens nowhere")?;
    let serving = tokio::spawn({
        let server = server.clone();
        async move { server.serve(echo).await }
    });

    let mut polite = Vec::new();
    for name in ["Ali", "Bea"] {
        let mut ws = ws_stack::connect(&address).await?;
        polite.push(tokio::spawn(async move {
            while ws.recv().await.transpose()?.is_some() {}
            if let Some(closed) = ws.closed() {
                println!("{name} is told {}: {}", closed.code, closed.reason);
            }
            Ok::<_, Error>(())
        }));
    }
    let _frozen = ws_stack::connect(&address).await?; // nobody polls it, so it never answers
    println!("{} clients", server.clients().len());

    // In a program, after `tokio::signal::ctrl_c().await`.
    let report = server.shutdown(CloseCode::GOING_AWAY, "back in a minute", Duration::from_secs(1)).await;
    for client in polite {
        client.await??;
    }
    println!("{} have answered, {} have not", report.answered, report.unanswered.len());
    println!("new clients are refused: {}", ws_stack::connect(&address).await.is_err());
    serving.await?;
    Ok(())
}

async fn echo(mut conn: ServerConnection) -> Result<(), Error> {
    while let Some(message) = conn.socket.recv().await {
        conn.socket.send(message?).await?;
    }
    Ok(())
}
