//! A client behind a proxy: `cargo run -p ws-stack --example through_a_proxy`.
//!
//! The proxy here is a small one by HTTP CONNECT, so that the example runs alone. `Connect::proxy_from_env` takes the one
//! that the environment names; `socks5://` addresses work as well.

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, copy_bidirectional},
    net::{TcpListener, TcpStream},
};
use ws_stack::{BoxError, CloseCode, Connect, ConnectError, Error, Server, ServerConnection};

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let server = Server::builder().bind("127.0.0.1:0").await?;
    let address = server.url("/").ok_or("the server listens nowhere")?;
    tokio::spawn(async move { server.serve(echo).await });

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let proxy = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(tunnel(client));
        }
    });

    let with_password = format!("http://ali:sesame@{proxy}").parse()?;
    let mut ws = Connect::new(&address)?.proxy(with_password).await?;
    ws.send("hello from behind").await?;
    println!("through the proxy: {:?}", ws.recv().await.transpose()?);
    ws.close(CloseCode::NORMAL, "").await?;

    let without = format!("http://{proxy}").parse()?;
    match Connect::new(&address)?.proxy(without).await {
        Err(ConnectError::Proxy { error, .. }) => println!("without its password: {error}"),
        other => println!("without its password: {other:?}"),
    }
    Ok(())
}

async fn echo(mut conn: ServerConnection) -> Result<(), Error> {
    while let Some(message) = conn.socket.recv().await {
        conn.socket.send(message?).await?;
    }
    Ok(())
}

/// The proxy: reads a request, connects, and copies both ways.
async fn tunnel(client: TcpStream) -> Result<(), BoxError> {
    let mut client = BufReader::new(client);
    let mut head = String::new();
    let mut request = (&mut client).take(8 << 10); // no client makes it hold more
    while request.read_line(&mut head).await? > 2 {}
    let target = head.split(' ').nth(1).ok_or("an empty request")?;
    println!("proxy: {}", head.lines().next().unwrap_or_default());
    // Basic, and `ali:sesame` in base64 (RFC 7617).
    if !head.to_ascii_lowercase().contains("\r\nproxy-authorization: basic ywxponnlc2ftzq==\r\n") {
        let refusal = "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n";
        return Ok(client.write_all(refusal.as_bytes()).await?);
    }
    let mut server = TcpStream::connect(target).await?;
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
    copy_bidirectional(&mut client, &mut server).await?;
    Ok(())
}
