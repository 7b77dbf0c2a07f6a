//! A server that knows its clients by a token in the request: `cargo run -p ws-stack --example authenticate_by_token`.
//!
//! Who has none is refused before a connection opens, and the handler is given the user.

use ws_stack::{
    BoxError, CloseCode, Connect, ConnectError, Error, Refusal, Server, ServerConnection,
    http::{Request, StatusCode, header},
};

struct User {
    name: &'static str,
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let server = Server::builder()
        .authorize(async |request, _peer| {
            // A database may be asked here; the hook has what is left of the handshake's time.
            find_user(&request).ok_or_else(|| Refusal::new(StatusCode::UNAUTHORIZED, "a token is needed"))
        })
        .bind("127.0.0.1:0")
        .await?;
    let address = server.url("/").ok_or("the server listens nowhere")?;
    tokio::spawn(async move { server.serve(greet).await });

    let mut ws = Connect::new(&address)?.header(header::AUTHORIZATION, "Bearer sesame")?.await?;
    println!("with the token: {:?}", ws.recv().await.transpose()?);
    ws.close(CloseCode::NORMAL, "").await?;

    match ws_stack::connect(&address).await {
        Err(ConnectError::Refused { response, .. }) => {
            println!("without: {}, {}", response.status(), String::from_utf8_lossy(response.body()));
        }
        other => println!("without: {other:?}"),
    }
    Ok(())
}

fn find_user(request: &Request<()>) -> Option<User> {
    let authorization = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    // With real tokens, compare their hashes: how long that takes then tells nothing.
    (authorization.strip_prefix("Bearer ")? == "sesame").then_some(User { name: "Ali" })
}

async fn greet(mut conn: ServerConnection<User>) -> Result<(), Error> {
    conn.socket.send(format!("hello {}", conn.data.name)).await?;
    while let Some(message) = conn.socket.recv().await {
        println!("{} says {:?}", conn.data.name, message?);
    }
    Ok(())
}
