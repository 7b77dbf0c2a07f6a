//! Pages and a WebSocket on one port of an HTTP server of hyper, over HTTP and over HTTPS:
//! `cargo run -p ws-stack --example http_server --features hyper,self-signed`

use std::{convert::Infallible, sync::Arc};

use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{TlsAcceptor, TlsConnector};
use ws_stack::{BoxError, CloseCode, Connect, SelfSigned, TlsOptions, hyper::WebSocket};

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let own = SelfSigned::new(["localhost"])?;
    let trust = TlsOptions::new().root(own.certificate().clone()).only_added_roots().build()?;
    let (http, https) = (TcpListener::bind("localhost:0").await?, TcpListener::bind("localhost:0").await?);
    let (plain, secure) = (http.local_addr()?, https.local_addr()?);
    tokio::spawn(listen(http, None));
    tokio::spawn(listen(https, Some(TlsAcceptor::from(own.config()))));

    println!("http: {}", page(TcpStream::connect(plain).await?).await?);
    let mut ws = ws_stack::connect(&format!("ws://localhost:{}/echo", plain.port())).await?;
    ws.send("hello").await?;
    println!("ws: {:?}", ws.recv().await.transpose()?);
    ws.close(CloseCode::NORMAL, "").await?;

    let tls = TlsConnector::from(Arc::clone(&trust));
    let tls = tls.connect("localhost".try_into()?, TcpStream::connect(secure).await?).await?;
    println!("https: {}", page(tls).await?);
    let address = format!("wss://localhost:{}/echo", secure.port());
    let mut ws = Connect::new(&address)?.tls(trust).await?;
    ws.send("hello").await?;
    println!("wss: {:?}", ws.recv().await.transpose()?);
    ws.close(CloseCode::NORMAL, "").await?;
    Ok(())
}

async fn listen(listener: TcpListener, tls: Option<TlsAcceptor>) -> std::io::Result<()> {
    loop {
        let (tcp, _) = listener.accept().await?;
        tcp.set_nodelay(true)?;
        let tls = tls.clone();
        tokio::spawn(async move {
            match tls {
                None => serve(tcp).await,
                Some(tls) => serve(tls.accept(tcp).await?).await,
            }
        });
    }
}

async fn serve(io: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> Result<(), BoxError> {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()); // for hyper's deadline on heads
    Ok(http.serve_connection(TokioIo::new(io), service_fn(answer)).with_upgrades().await?)
}

async fn answer(mut request: Request<Incoming>) -> Result<Response<String>, Infallible> {
    if request.uri().path() != "/echo" {
        return Ok(Response::new(format!("this is {}", request.uri().path())));
    }
    Ok(match ws_stack::hyper::upgrade(&mut request, &Arc::default()) {
        Ok((response, upgrading)) => {
            tokio::spawn(async move { echo(upgrading.await?).await });
            response
        }
        Err(refusal) => refusal.into_response(), // 426 for one that asks for a page
    })
}

async fn echo(mut ws: WebSocket) -> Result<(), BoxError> {
    while let Some(message) = ws.recv().await {
        ws.send(message?).await?;
    }
    Ok(())
}

/// The last line of a page, as a browser would fetch it.
async fn page(mut io: impl AsyncRead + AsyncWrite + Unpin) -> std::io::Result<String> {
    io.write_all(b"GET /news HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await?;
    let mut answer = String::new();
    io.read_to_string(&mut answer).await?;
    Ok(answer.lines().last().unwrap_or_default().to_owned())
}
