//! A client that comes back: `cargo run -p ws-stack --example reconnecting`.
//!
//! It waits between attempts, longer with each failure and never exactly as long as others, and does again what a new
//! connection needs.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use ws_stack::{
    Backoff, BoxError, CloseCode, Connect, Error, Reconnect, Server, ServerConnection, http::StatusCode,
};

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    // It is overloaded at first, then it loses a connection, then all is well.
    let requests = AtomicUsize::new(0);
    let server = Server::builder()
        .authorize(move |_request, _peer| {
            let number = requests.fetch_add(1, Ordering::Relaxed);
            async move { if number == 0 { Err(StatusCode::SERVICE_UNAVAILABLE) } else { Ok(number) } }
        })
        .bind("127.0.0.1:0")
        .await?;
    let address = server.url("/").ok_or("the server listens nowhere")?;
    tokio::spawn(async move { server.serve(publish).await });

    let mut backoff = Backoff::default();
    backoff.initial = Duration::from_millis(50); // the default is 1 s
    let mut connections = Reconnect::new(Connect::new(&address)?)
        .backoff(backoff)
        .on_failure(|error, _wait| println!("trying again: {error}"))
        .on_open(async |mut ws| {
            ws.send("subscribe: news").await?;
            Ok(ws)
        });
    let stop = connections.stop_handle();
    while let Some(ws) = connections.next().await {
        let mut ws = ws?; // there is no use in trying again
        println!("connected");
        loop {
            match ws.recv().await {
                Some(Ok(news)) if news.as_text() == Some("that is all") => {
                    stop.stop();
                    ws.close(CloseCode::NORMAL, "").await?;
                    break;
                }
                Some(Ok(news)) => println!("{news:?}"),
                Some(Err(error)) => {
                    println!("{error}");
                    break;
                }
                None => break,
            }
        }
    }
    println!("stopped");
    Ok(())
}

async fn publish(mut conn: ServerConnection<usize>) -> Result<(), Error> {
    let subscription = conn.socket.recv().await.transpose()?;
    conn.socket.send(format!("news {} for {subscription:?}", conn.data)).await?;
    if conn.data == 1 {
        conn.socket.close_now(); // as when the network fails
        return Ok(());
    }
    conn.socket.send("that is all").await?;
    while conn.socket.recv().await.transpose()?.is_some() {}
    Ok(())
}
