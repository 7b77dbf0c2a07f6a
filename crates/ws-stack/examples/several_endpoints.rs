//! Several endpoints on one server: `cargo run -p ws-stack --example several_endpoints`.
//!
//! The path chooses; what is no endpoint is refused before a connection opens.

use ws_stack::{BoxError, CloseCode, ConnectError, Error, Server, ServerConnection, http::StatusCode};

#[derive(Debug)]
enum Endpoint {
    Echo,
    Square,
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let server = Server::builder()
        .authorize(async |request, _peer| match request.uri().path() {
            "/echo" => Ok(Endpoint::Echo),
            "/square" => Ok(Endpoint::Square),
            _ => Err(StatusCode::NOT_FOUND),
        })
        .bind("127.0.0.1:0")
        .await?;
    let address = server.url("").ok_or("the server listens nowhere")?;
    tokio::spawn(async move { server.serve(talk).await });

    for path in ["/echo", "/square", "/elsewhere"] {
        match ws_stack::connect(&format!("{address}{path}")).await {
            Ok(mut ws) => {
                ws.send("12").await?;
                println!("{path}: {:?}", ws.recv().await.transpose()?);
                ws.close(CloseCode::NORMAL, "").await?;
            }
            Err(ConnectError::Refused { response, .. }) => println!("{path}: {}", response.status()),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

async fn talk(mut conn: ServerConnection<Endpoint>) -> Result<(), Error> {
    while let Some(message) = conn.socket.recv().await {
        let message = message?;
        match conn.data {
            Endpoint::Echo => conn.socket.send(message).await?,
            Endpoint::Square => {
                let answer = match message.as_text().and_then(|text| text.parse::<u32>().ok()) {
                    Some(number) => (u64::from(number) * u64::from(number)).to_string(),
                    None => "send a number".to_owned(),
                };
                conn.socket.send(answer).await?;
            }
        }
    }
    Ok(())
}
