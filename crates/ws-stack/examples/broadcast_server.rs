//! Sends every message to all clients but its sender, in the lent form: `broadcast_server PORT [deflate]`.
//!
//! Each connection is driven by the task that reads it, which also writes what the group has for it: `Subscription::recv` does
//! both. A message is framed, and with `deflate` compressed, once for all.

use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};
use ws_stack::{BoxError, Group, MemberOptions, Prepared, ServerConfig, SlowConsumer, deflate};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    let mut args = std::env::args().skip(1);
    let port = args.next().ok_or("usage: broadcast_server PORT [deflate]")?.parse()?;
    let mut config = ServerConfig::default();
    if args.any(|arg| arg == "deflate") {
        config.set_deflate(deflate::Options::default());
    }
    let config = Arc::new(config);
    let group = Group::new();
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    println!("listening on ws://{}/", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        let (group, config) = (group.clone(), Arc::clone(&config));
        tokio::spawn(async move {
            if let Err(error) = attend(stream, &group, &config).await {
                eprintln!("{error}");
            }
        });
    }
}

async fn attend(stream: TcpStream, group: &Group, config: &Arc<ServerConfig>) -> Result<(), BoxError> {
    stream.set_nodelay(true)?;
    let mut ws = ws_stack::accept_with(stream, config).await?;
    let mut member = group.subscribe(MemberOptions::new(SlowConsumer::Close));
    let (rx, tx) = ws.halves();
    while let Some(message) = member.recv(rx, tx).await {
        let message = Prepared::new(message?.into_message());
        group.send_except(&message, member.id()).await;
    }
    Ok(())
}
