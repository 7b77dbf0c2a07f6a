//! Echoes every message, in the owned form: `echo_server_owned PORT`.

use tokio::net::{TcpListener, TcpStream};
use ws_stack::BoxError;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    let port = std::env::args().nth(1).ok_or("usage: echo_server_owned PORT")?.parse()?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    println!("listening on ws://{}/", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(async move {
            if let Err(error) = echo(stream).await {
                eprintln!("{error}");
            }
        });
    }
}

async fn echo(stream: TcpStream) -> Result<(), BoxError> {
    stream.set_nodelay(true)?;
    let mut ws = ws_stack::accept(stream).await?;
    while let Some(message) = ws.recv().await {
        ws.send(message?).await?;
    }
    Ok(())
}
