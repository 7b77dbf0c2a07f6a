//! The opening handshake of one client, from its transport to its connection.

use std::{pin::Pin, sync::Arc};

use http::{HeaderMap, Request, StatusCode};
use tokio::{
    sync::watch,
    time::{Instant, timeout_at},
};
use ws_endpoint::{
    JudgedRequest, ServerConfig, ServerHandshake, UpgradeRequest,
    handshake::{Refusal, RequestError, ResponseError},
};

use super::{
    Address, Answer, ServerConnection, ServerError, ServerStream,
    contain::{Contained, Panicked, contain},
    hooks::{ClientError, Hooks},
    registry::Registry,
};
use crate::{
    AcceptError, Reader,
    accept::exchange::{Exchange, Unread, deadline},
    home::lending,
    race::unless,
};

/// What the handshakes of a server share.
pub(super) struct Shared<T> {
    pub(super) config: Arc<ServerConfig>,
    pub(super) hooks: Hooks<T>,
    pub(super) registry: Arc<Registry>,
    /// Whether the server shuts down.
    pub(super) stopping: watch::Receiver<bool>,
}

/// Why there is no connection.
enum NoConnection {
    /// It is none of the caller's concern: a page was answered, a hook has refused, or the server shuts down.
    Done,
    Failed(AcceptError),
    Panicked(Panicked),
}

impl From<AcceptError> for NoConnection {
    fn from(error: AcceptError) -> Self {
        Self::Failed(error)
    }
}

type Asking = Exchange<ServerStream>;

impl<T: Send + 'static> Shared<T> {
    /// Ready when the server shuts down, with what clients are told then.
    pub(super) async fn stopped(&self) -> RequestError {
        let mut stopping = self.stopping.clone();
        let _stopping = stopping.wait_for(|stopping| *stopping).await;
        RequestError::Unavailable
    }

    /// The opening handshake; `None` where there is no connection, which was told to those whom it concerns.
    pub(super) async fn shake_hands(
        &self,
        stream: ServerStream,
        peer: &Address,
    ) -> Option<ServerConnection<T>> {
        match self.open(stream, peer).await {
            Ok(connection) => return Some(connection),
            Err(NoConnection::Done) => {}
            Err(NoConnection::Failed(source)) => {
                self.hooks.rest.report(&ServerError::Handshake { peer: peer.clone(), source });
            }
            Err(NoConnection::Panicked(Panicked(message))) => {
                self.hooks.rest.report(&ServerError::Panicked { peer: peer.clone(), message });
            }
        }
        None
    }

    /// In the order of the steps: TLS, head, pages, rules, extensions, authorization, subprotocol, headers, 101.
    async fn open(&self, stream: ServerStream, peer: &Address) -> Result<ServerConnection<T>, NoConnection> {
        let mut stopped = std::pin::pin!(self.stopped());
        let deadline = deadline(&self.config);
        let io = self.secure(stream, deadline, stopped.as_mut()).await?;
        let mut asking = Exchange::until(io, deadline);

        let mut handshake = ServerHandshake::new(Arc::clone(&self.config));
        let judged = match asking.read(|buf| handshake.judge(buf), stopped.as_mut()).await {
            Ok(judged) => judged,
            Err(Unread::Refused(refusal)) => return self.refuse(asking, peer, None, refusal).await,
            Err(Unread::Failed(error)) => return Err(error.into()),
        };
        let checked = match judged {
            JudgedRequest::Upgrade(request) => Ok(request),
            JudgedRequest::Refused(refused) => Err(refused),
            JudgedRequest::Plain(request) => {
                if let Some(page) = self.page(&request, peer, deadline, stopped.as_mut()).await {
                    return answer(asking, Some(&request), page).await;
                }
                UpgradeRequest::check(*request, Arc::clone(&self.config))
            }
        };
        let mut request = match checked {
            Ok(request) => request,
            Err(refused) => {
                return self.refuse(asking, peer, Some(&refused.request), refused.refusal).await;
            }
        };
        if let Err(refusal) = request.check_extensions() {
            return self.refuse(asking, peer, Some(request.request()), refusal).await;
        }
        let data = match self.authorize(&request, peer, deadline, stopped.as_mut()).await {
            Ok(data) => data,
            Err((refusal, why)) => return give_up(asking, Some(request.request()), refusal, why).await,
        };
        let failed = Answer::from(StatusCode::INTERNAL_SERVER_ERROR);
        let accepted = match contain(|| self.agree(&mut request).map(|()| request.accept())) {
            Ok(Ok(Ok(accepted))) => accepted,
            Ok(Ok(Err(refusal))) => return self.refuse(asking, peer, None, refusal).await,
            Ok(Err(error)) => {
                return give_up(asking, None, failed, NoConnection::Failed(error.into())).await;
            }
            Err(panicked) => return give_up(asking, None, failed, NoConnection::Panicked(panicked)).await,
        };
        asking.send(accepted.answer()).await?;
        let (mut socket, request) = asking.into_socket(accepted, Some(lending));
        let request = request.into_request();
        let remote = self.registry.enter(peer.clone(), request.uri().path());
        let Reader { io, pump } = &mut socket.link().reader;
        io.attach(remote.entry());
        pump.remote = Some(remote);
        Ok(ServerConnection { socket, request, peer_addr: peer.clone(), data })
    }

    /// Whether clients speak TLS to it, or what the caller has in its place.
    pub(super) fn is_secure(&self) -> bool {
        self.hooks.rest.secure.is_some()
    }

    /// TLS or what the caller has in its place, within the time of the handshake.
    async fn secure(
        &self,
        stream: ServerStream,
        deadline: Option<Instant>,
        stopped: Pin<&mut impl Future<Output = RequestError>>,
    ) -> Result<ServerStream, NoConnection> {
        let Some(secure) = &self.hooks.rest.secure else { return Ok(stream) };
        let secured = Contained(Box::pin(async { secure(stream).await }));
        match unless(within(deadline, secured), stopped).await {
            Ok(Some(Ok(secured))) => secured.map_err(|error| NoConnection::Failed(error.into())),
            Ok(Some(Err(panicked))) => Err(NoConnection::Panicked(panicked)),
            Ok(None) => Err(NoConnection::Failed(AcceptError::Left)),
            Err(_stopped) => Err(NoConnection::Done),
        }
    }

    /// What the caller answers to a request that asks for no WebSocket; `None` for 426.
    async fn page(
        &self,
        request: &Request<()>,
        peer: &Address,
        deadline: Option<Instant>,
        stopped: Pin<&mut impl Future<Output = RequestError>>,
    ) -> Option<Answer> {
        let pages = self.hooks.rest.pages.as_ref()?;
        let page = Contained(Box::pin(async { pages(request.clone(), peer.clone()).await }));
        match unless(within(deadline, page), stopped).await {
            Ok(Some(Ok(page))) => page,
            Ok(Some(Err(Panicked(message)))) => {
                self.hooks.rest.report(&ServerError::Panicked { peer: peer.clone(), message });
                Some(StatusCode::INTERNAL_SERVER_ERROR.into())
            }
            Ok(None) | Err(_) => Some(unavailable()),
        }
    }

    /// Asks the caller whether to accept; the answer to the client where not.
    async fn authorize(
        &self,
        request: &UpgradeRequest,
        peer: &Address,
        deadline: Option<Instant>,
        stopped: Pin<&mut impl Future<Output = RequestError>>,
    ) -> Result<T, (Answer, NoConnection)> {
        let authorized = Contained(Box::pin(async { (self.hooks.authorize)(request, peer).await }));
        match unless(within(deadline, authorized), stopped).await {
            Ok(Some(Ok(Ok(data)))) => Ok(data),
            Ok(Some(Ok(Err(answer)))) => Err((answer, NoConnection::Done)),
            Ok(Some(Err(panicked))) => {
                Err((StatusCode::INTERNAL_SERVER_ERROR.into(), NoConnection::Panicked(panicked)))
            }
            Ok(None) => {
                let why = AcceptError::Refused(RequestError::Unavailable.into());
                Err((unavailable(), NoConnection::Failed(why)))
            }
            Err(_stopped) => Err((unavailable(), NoConnection::Done)),
        }
    }

    /// Lets the caller choose the subprotocol, and add headers to the answer.
    fn agree(&self, request: &mut UpgradeRequest) -> Result<(), ResponseError> {
        let hooks = &self.hooks.rest;
        let requested = request.upgrade().subprotocols();
        if let (Some(choose), false) = (&hooks.choose_subprotocol, requested.is_empty()) {
            let chosen = choose(requested, request.request());
            request.choose_subprotocol(chosen.as_deref())?;
        }
        if hooks.add_headers.is_empty() {
            return Ok(());
        }
        let mut headers = HeaderMap::new();
        for add_headers in &hooks.add_headers {
            add_headers(request.request(), &mut headers);
        }
        for (name, value) in &headers {
            request.add_header(name.clone(), value.clone())?;
        }
        Ok(())
    }

    /// Refuses a request that breaks a rule, with the caller's answer if there is one.
    async fn refuse(
        &self,
        asking: Asking,
        peer: &Address,
        request: Option<&Request<()>>,
        refusal: Refusal,
    ) -> Result<ServerConnection<T>, NoConnection> {
        if refusal.cause() == Some(RequestError::Unavailable) {
            return answer(asking, request, refusal.into()).await;
        }
        let error = ClientError { peer_addr: peer, request, refusal: &refusal };
        let hook = self.hooks.rest.on_client_error.as_ref();
        match contain(|| hook.and_then(|hook| hook(&error))) {
            Ok(Some(own)) => give_up(asking, request, own, NoConnection::Failed(refusal.into())).await,
            Ok(None) => Ok(asking.refuse(refusal).await?),
            Err(panicked) => give_up(asking, request, refusal.into(), NoConnection::Panicked(panicked)).await,
        }
    }
}

/// Answers, and there is nothing more to tell.
async fn answer<C>(asking: Asking, request: Option<&Request<()>>, answer: Answer) -> Result<C, NoConnection> {
    give_up(asking, request, answer, NoConnection::Done).await
}

/// Answers, and gives the reason; or what went wrong in answering.
async fn give_up<C>(
    asking: Asking,
    request: Option<&Request<()>>,
    answer: Answer,
    why: NoConnection,
) -> Result<C, NoConnection> {
    let method = request.map(Request::method).cloned().unwrap_or_default();
    match asking.end(&answer.bytes_for(&method)).await {
        Ok(()) => Err(why),
        Err(error) => Err(NoConnection::Failed(error.into())),
    }
}

fn unavailable() -> Answer {
    Refusal::from(RequestError::Unavailable).into()
}

/// Waits for a future; `None` when the time is up.
async fn within<F: Future>(deadline: Option<Instant>, future: F) -> Option<F::Output> {
    match deadline {
        None => Some(future.await),
        Some(deadline) => timeout_at(deadline, future).await.ok(),
    }
}
