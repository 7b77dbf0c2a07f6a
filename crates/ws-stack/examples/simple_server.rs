//! The smallest server, and a client of it: `cargo run -p ws-stack --example simple_server`.

use ws_stack::{BoxError, CloseCode, Error, Server, ServerConnection};

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let server = Server::builder().bind("127.0.0.1:0").await?;
    let address = server.url("/").ok_or("the server listens nowhere")?;
    tokio::spawn(async move { server.serve(echo).await });

    let mut ws = ws_stack::connect(&address).await?;
    ws.send("hello").await?;
    println!("{:?}", ws.recv().await.transpose()?);
    println!("closed with {:?}", ws.close(CloseCode::NORMAL, "bye").await?.map(|closed| closed.code));
    Ok(())
}

async fn echo(mut conn: ServerConnection) -> Result<(), Error> {
    println!("a client on {}", conn.request.uri().path());
    while let Some(message) = conn.socket.recv().await {
        conn.socket.send(message?).await?;
    }
    Ok(())
}
