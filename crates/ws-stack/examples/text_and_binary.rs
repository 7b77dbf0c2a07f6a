//! Text and binary messages, and how to tell them apart: `cargo run -p ws-stack --example text_and_binary`.

use ws_stack::{BoxError, CloseCode, Error, Message, Server, ServerConnection};

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let server = Server::builder().bind("127.0.0.1:0").await?;
    let address = server.url("/").ok_or("the server listens nowhere")?;
    tokio::spawn(async move { server.serve(shout_or_reverse).await });

    let mut ws = ws_stack::connect(&address).await?;
    // Strings become text; vectors, slices and `Bytes` become binary.
    ws.send("grüß dich").await?;
    ws.send(vec![1, 2, 3]).await?;
    // Bytes that are text already: checked once, not copied.
    ws.send(Message::text(ws_stack::Text::from_utf8(vec![b'o', b'k'])?)).await?;
    for _ in 0..3 {
        match ws.recv().await.transpose()? {
            Some(Message::Text(text)) => println!("text of {} bytes: {text}", text.len()),
            Some(Message::Binary(bytes)) => println!("binary: {:?}", bytes.as_bytes()),
            None => println!("the server has left"),
        }
    }
    ws.close(CloseCode::NORMAL, "").await?;
    Ok(())
}

async fn shout_or_reverse(mut conn: ServerConnection) -> Result<(), Error> {
    while let Some(message) = conn.socket.recv().await {
        match message? {
            Message::Text(text) => conn.socket.send(text.to_uppercase()).await?,
            Message::Binary(bytes) => {
                let reversed: Vec<u8> = bytes.iter().rev().copied().collect();
                conn.socket.send(reversed).await?;
            }
        }
    }
    Ok(())
}
