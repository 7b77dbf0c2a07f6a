//! What comes back when sending fails, and what is known to have arrived:
//! `cargo run -p ws-stack --example errors_and_delivery`.
//!
//! A message that could not be sent is handed back. One that was sent has arrived for certain after a clean close; where a
//! connection may be lost, the application acknowledges.

use std::collections::VecDeque;

use ws_stack::{BoxError, CloseCode, Connect, Error, Limits, SendError, Server, ServerConnection, driver};

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let server = Server::builder().bind("127.0.0.1:0").await?;
    let address = server.url("").ok_or("the server listens nowhere")?;
    tokio::spawn(async move { server.serve(take_orders).await });

    // After a clean close all has arrived, because the Close stands behind it.
    let mut ws = ws_stack::connect(&format!("{address}/")).await?;
    ws.send("tea").await?;
    let clean = ws.close(CloseCode::NORMAL, "").await?.is_some_and(|closed| closed.is_clean());
    println!("closed cleanly: {clean}");

    // Nothing can be sent any more: the message comes back.
    if let Err(SendError::Unsent(unsent)) = ws.send("too late").await {
        println!("not sent: {:?}, {}", unsent.message, unsent.error);
    }

    // The queue is bounded. Nothing is written here, so it fills as it does when a server reads slowly.
    let mut limits = Limits::default();
    (limits.high_water_mark, limits.max_queued_beyond_mark) = (1000, 1000);
    let mut ws = Connect::new(&format!("{address}/"))?.limits(limits).await?;
    let (_, writer) = ws.halves();
    let mut cakes = 0;
    let unsent = loop {
        match writer.send(format!("cake {cakes:0>300}")) {
            Ok(()) => cakes += 1,
            Err(unsent) => break unsent,
        }
    };
    if let driver::SendError::Full { limit, .. } = unsent.error {
        println!("{cakes} are queued; one of {} bytes is over {limit}", unsent.message.len());
    }
    ws.flush().await?; // now they have left, and there is room
    ws.send(unsent.message).await?;
    ws.close(CloseCode::NORMAL, "").await?;

    // The server is lost in the middle. Only what it has acknowledged has arrived for certain.
    let mut ws = ws_stack::connect(&format!("{address}/careless")).await?;
    let mut unsure = VecDeque::new();
    for order in ["bread", "milk", "eggs"] {
        ws.feed(order).await?;
        unsure.push_back(order);
    }
    let lost = loop {
        match ws.recv().await {
            Some(Ok(_acknowledged)) => println!("{:?} has arrived", unsure.pop_front()),
            Some(Err(error)) => break Some(error),
            None => break None,
        }
    };
    println!("{}", lost.ok_or("a clean close was not expected")?);
    println!("unsure of {unsure:?}: ask again");
    Ok(())
}

/// Acknowledges each order, and loses the connection with the third, where it is careless.
async fn take_orders(mut conn: ServerConnection) -> Result<(), Error> {
    let careless = conn.request.uri().path() == "/careless";
    let mut orders = 0;
    while let Some(order) = conn.socket.recv().await {
        order?;
        orders += 1;
        if careless && orders == 3 {
            conn.socket.close_now();
            return Ok(());
        }
        if careless {
            conn.socket.send("taken").await?;
        }
    }
    Ok(())
}
