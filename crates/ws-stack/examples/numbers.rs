//! Numbers as bytes, as typed arrays of browsers have them: `cargo run -p ws-stack --example numbers`.
//!
//! Their bytes stand in the order of the machine there, which is little-endian wherever browsers run.

use ws_stack::{BoxError, CloseCode, Error, Server, ServerConnection};

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let server = Server::builder().bind("127.0.0.1:0").await?;
    let address = server.url("/").ok_or("the server listens nowhere")?;
    tokio::spawn(async move { server.serve(halve).await });

    let mut ws = ws_stack::connect(&address).await?;
    let numbers: Vec<f32> = (1..=5).map(|number| number as f32).collect();
    ws.send(to_bytes(&numbers)).await?;
    if let Some(message) = ws.recv().await {
        println!("{numbers:?} halved is {:?}", from_bytes(message?.as_bytes())?);
    }
    ws.send(vec![1, 2, 3]).await?; // no number has three bytes
    while ws.recv().await.transpose()?.is_some() {}
    println!("the server says: {:?}", ws.closed().map(|closed| closed.reason));
    Ok(())
}

async fn halve(mut conn: ServerConnection) -> Result<(), Error> {
    while let Some(message) = conn.socket.recv().await {
        match from_bytes(message?.as_bytes()) {
            Ok(numbers) => {
                let halves: Vec<f32> = numbers.iter().map(|number| number / 2.0).collect();
                conn.socket.send(to_bytes(&halves)).await?;
            }
            Err(error) => {
                conn.socket.close(CloseCode::UNSUPPORTED_DATA, error).await?;
            }
        }
    }
    Ok(())
}

fn to_bytes(numbers: &[f32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

fn from_bytes(bytes: &[u8]) -> Result<Vec<f32>, &'static str> {
    match bytes.as_chunks() {
        (numbers, []) => Ok(numbers.iter().map(|number| f32::from_le_bytes(*number)).collect()),
        _ => Err("numbers of four bytes are expected"),
    }
}
