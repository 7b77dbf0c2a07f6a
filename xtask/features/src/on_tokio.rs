//! The client and the server on tokio.

/// `tokio`: both sides.
#[cfg(any(feature = "default", feature = "tokio"))]
pub async fn tokio(address: &str) -> Result<ws_stack::Server, ws_stack::BoxError> {
    ws_stack::connect(address).await?.send("hello").await?;
    Ok(ws_stack::Server::builder().bind("127.0.0.1:0").await?)
}

/// `deflate` on tokio.
#[cfg(any(feature = "default", all(feature = "deflate", feature = "tokio")))]
pub fn deflate_on_tokio(connect: ws_stack::Connect) -> (ws_stack::Connect, ws_stack::ServerBuilder) {
    let options = ws_stack::deflate::Options::new;
    (connect.deflate(options()), ws_stack::Server::builder().deflate(options()))
}
