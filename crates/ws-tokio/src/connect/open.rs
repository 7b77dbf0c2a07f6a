//! The way from the options to an open connection.

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite};
use ws_endpoint::{
    ClientHandshake,
    handshake::{ClientRequest, Redirects, is_redirect},
};

use super::{
    Connect, ConnectError, Step,
    deadline::Deadline,
    exchange::{Answer, exchange, refused},
    options::{BoxFuture, HookError},
    route,
};
use crate::{
    ClientStream, WebSocket,
    home::{Lending, lending},
};

/// Over a transport of our own, behind all redirects.
pub(super) async fn open(connect: Connect) -> Result<WebSocket<ClientStream>, ConnectError> {
    let mut deadline = Deadline::start(&connect.config);
    let mut redirects = Redirects::new(connect.options.max_redirects);
    let mut request = connect.request.clone();
    // Whether this is still the server that the caller named, over a transport that is no worse.
    let mut is_named = true;
    loop {
        let sent = match is_named {
            true => seen_by_hook(&connect, request.clone(), deadline).await?,
            false => request.clone(),
        };
        let (mut transport, mut buf) = route::transport(&connect, &sent, deadline).await?;
        let answer = shake_hands(&connect, sent.clone(), &mut transport, &mut buf, deadline).await?;
        let response = match answer {
            Answer::Opened(opened) => {
                let mut ws = WebSocket::opened(transport, *opened, &buf, true, Some(lending));
                ws.set_url(sent.address());
                return Ok(ws);
            }
            Answer::Refused(response) => response,
        };
        if connect.options.max_redirects == 0 || !is_redirect(&response) {
            return Err(refused(&connect, *response, &mut transport, &mut buf, deadline).await);
        }
        // What the hook added is added again, or is not for others. A hook that leads elsewhere is followed there.
        let from = if sent.address() == request.address() { &request } else { &sent };
        let redirect = redirects.follow(from, &response)?;
        deadline.next_hop();
        is_named &= redirect.is_same_server && !redirect.is_downgrade;
        request = match &connect.options.on_redirect {
            None => redirect.request,
            Some(hook) => hooked(hook(redirect), deadline).await?,
        };
    }
}

/// Over a transport of the caller's.
pub(super) async fn over<S>(
    connect: Connect,
    mut transport: S,
    lending: Option<Lending<S>>,
) -> Result<WebSocket<S>, ConnectError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let deadline = Deadline::start(&connect.config);
    let request = seen_by_hook(&connect, connect.request.clone(), deadline).await?;
    let mut buf = BytesMut::new();
    let url = request.address();
    match shake_hands(&connect, request, &mut transport, &mut buf, deadline).await? {
        Answer::Opened(opened) => {
            let mut ws = WebSocket::opened(transport, *opened, &buf, true, lending);
            ws.set_url(url);
            Ok(ws)
        }
        Answer::Refused(response) => {
            Err(refused(&connect, *response, &mut transport, &mut buf, deadline).await)
        }
    }
}

/// The request as the caller's last hook leaves it.
async fn seen_by_hook(
    connect: &Connect,
    request: ClientRequest,
    deadline: Deadline,
) -> Result<ClientRequest, ConnectError> {
    match &connect.options.on_request {
        None => Ok(request),
        Some(hook) => hooked(hook(request), deadline).await,
    }
}

async fn hooked(
    seen: BoxFuture<Result<ClientRequest, HookError>>,
    deadline: Deadline,
) -> Result<ClientRequest, ConnectError> {
    deadline.within(Step::Hook, async { seen.await.map_err(ConnectError::Hook) }).await
}

async fn shake_hands<S>(
    connect: &Connect,
    request: ClientRequest,
    transport: &mut S,
    buf: &mut BytesMut,
    deadline: Deadline,
) -> Result<Answer, ConnectError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut handshake = ClientHandshake::new(request, &connect.config)?;
    deadline.within(Step::Handshake, exchange(transport, &mut handshake, buf)).await
}
