//! Pages and two WebSocket endpoints on one port, inside a server of hyper, over HTTP or HTTPS:
//! `pages_and_sockets PORT [CERTIFICATE.pem KEY.pem]`. Ctrl-C shuts all of it down.

use std::{convert::Infallible, sync::Arc, time::Duration};

use hyper::{Request, Response, body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::{conn::auto, graceful::GracefulShutdown},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
};
use tower_layer::Layer;
use ws_hyper::{Address, Clients, Upgrade, WebSocket, WebSocketLayer, endpoint::driver::CloseCode};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let (port, tls) = match arguments.as_slice() {
        [port] => (port, None),
        [port, certificate, key] => (port, Some(acceptor(certificate, key)?)),
        _ => return Err("usage: pages_and_sockets PORT [CERTIFICATE.pem KEY.pem]".into()),
    };
    let listener = TcpListener::bind(("127.0.0.1", port.parse()?)).await?;
    println!("listening on {}", listener.local_addr()?);
    serve(listener, tls, async { _ = tokio::signal::ctrl_c().await }).await
}

fn acceptor(certificate: &str, key: &str) -> Result<TlsAcceptor, BoxError> {
    let certificates = CertificateDer::pem_file_iter(certificate)?.collect::<Result<_, _>>()?;
    let key = PrivateKeyDer::from_pem_file(key)?;
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(certificates, key)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Serves until it is stopped, then lets pages finish and closes the WebSockets.
pub(crate) async fn serve(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    stop: impl Future<Output = ()>,
) -> Result<(), BoxError> {
    let clients = Clients::default();
    let graceful = GracefulShutdown::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let (stream, peer) = tokio::select! {
            accepted = listener.accept() => accepted?,
            () = &mut stop => break,
        };
        stream.set_nodelay(true)?; // over TLS, nobody else can
        let (tls, clients, watcher) = (tls.clone(), clients.clone(), graceful.watcher());
        tokio::spawn(async move {
            let io: Box<dyn Io> = match tls {
                None => Box::new(stream),
                Some(tls) => Box::new(tls.accept(stream).await?),
            };
            let http = auto::Builder::new(TokioExecutor::new());
            let service = site(&clients, peer.into());
            let connection = http.serve_connection_with_upgrades(TokioIo::new(io), service);
            watcher.watch(connection.into_owned()).await
        });
    }
    drop(listener);
    let deadline = Duration::from_secs(5);
    let (_pages, sockets) = tokio::join!(
        tokio::time::timeout(deadline, graceful.shutdown()),
        clients.shutdown(CloseCode::GOING_AWAY, "the server shuts down", deadline)
    );
    println!("{} clients have said goodbye, {} have not", sockets.answered, sockets.unanswered.len());
    Ok(())
}

trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Io for S {}

/// Two endpoints, and a page at every other path.
fn site(
    clients: &Clients,
    peer: Address,
) -> impl hyper::service::Service<Request<Incoming>, Response = Response<String>, Error = Infallible, Future: Send>
+ use<> {
    // Over TLS, the transport does not know the peer any more.
    let with_peer = move |upgrade: &mut Upgrade| {
        upgrade.extensions_mut().insert(peer.clone());
        Ok(())
    };
    let echo = WebSocketLayer::new("/echo", Arc::default(), |ws, _| echo(ws));
    let greet = WebSocketLayer::new("/greet", Arc::default(), greet);
    let pages = service_fn(|request: Request<Incoming>| async move {
        Ok(Response::new(format!("this is {}\n", request.uri().path())))
    });
    let echo = echo.before(with_peer.clone()).clients(clients);
    let greet = greet.before(with_peer).clients(clients);
    echo.layer(greet.layer(pages))
}

async fn echo(mut ws: WebSocket) {
    while let Some(Ok(message)) = ws.recv().await {
        if ws.send(message).await.is_err() {
            break;
        }
    }
}

async fn greet(mut ws: WebSocket, request: Request<()>) {
    let peer = request.extensions().get::<Address>().map_or_else(String::new, Address::to_string);
    if ws.send(format!("welcome, {peer}")).await.is_ok() {
        // How it ends is the client's affair.
        let _ended = ws.close(CloseCode::NORMAL, "that was all").await;
    }
}
