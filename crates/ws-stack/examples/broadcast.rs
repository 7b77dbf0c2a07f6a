//! One message to all clients, or to all others: `cargo run -p ws-stack --example broadcast`.
//!
//! A prepared message is framed once, and shared by all. Each client has a queue with bounds, and a policy for when it is
//! too slow for them.

use ws_stack::{
    BoxError, ClientStream, CloseCode, Error, Group, MemberOptions, Prepared, Server, ServerConnection,
    SlowConsumer, WebSocket,
};

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let group = Group::new();
    let server = Server::builder().bind("127.0.0.1:0").await?;
    let address = server.url("/").ok_or("the server listens nowhere")?;
    let members = group.clone();
    tokio::spawn(async move { server.serve(|conn| share(conn, members.clone())).await });

    let mut clients = Vec::new();
    for name in ["Ali", "Bea", "Cem"] {
        let mut ws = ws_stack::connect(&address).await?;
        show(name, &mut ws).await?;
        clients.push((name, ws));
    }
    if let Some((_, ali)) = clients.first_mut() {
        ali.send("others: good morning").await?;
        ali.send("all: the meeting begins").await?;
    }
    for (name, ws) in &mut clients {
        show(name, ws).await?;
    }
    for (name, ws) in clients.iter_mut().skip(1) {
        show(name, ws).await?;
    }

    // The server may speak by itself, too.
    let tally = group.send(&Prepared::new("the building closes")).await;
    println!("to {} clients, dropped for {}", tally.queued, tally.dropped);
    for (name, ws) in &mut clients {
        show(name, ws).await?;
    }
    group.close(CloseCode::NORMAL, "good night")?;
    for (name, ws) in &mut clients {
        show(name, ws).await?;
    }
    Ok(())
}

async fn share(conn: ServerConnection, group: Group) -> Result<(), Error> {
    // The connection's own task writes, so that nobody here waits for a slow client.
    let mut handle = conn.into_socket().spawn(16);
    let me = group.add(&handle.sender(), MemberOptions::new(SlowConsumer::DropOldest))?;
    handle.send("welcome").await?;
    while let Some(message) = handle.recv().await {
        let message = message?;
        let everyone = message.as_text().is_some_and(|text| text.starts_with("all:"));
        let prepared = Prepared::new(message);
        match everyone {
            true => group.send(&prepared).await,
            false => group.send_except(&prepared, me).await,
        };
    }
    Ok(())
}

async fn show(name: &str, ws: &mut WebSocket<ClientStream>) -> Result<(), Error> {
    match ws.recv().await.transpose()? {
        Some(message) => println!("{name} receives {message:?}"),
        None => println!("{name} is told {:?}", ws.closed().map(|closed| closed.reason)),
    }
    Ok(())
}
