//! What the caller has a say in.

use std::{future::ready, io, pin::Pin, sync::Arc};

use http::{HeaderMap, Request};
use ws_endpoint::{UpgradeRequest, handshake::Refusal};

use super::{Address, Answer, ServerError, ServerStream, contain::contain};

pub(super) type Pending<T> = Pin<Box<dyn Future<Output = T> + Send>>;

type Authorize<T> = dyn Fn(&UpgradeRequest, &Address) -> Pending<Result<T, Answer>> + Send + Sync;
type Pages = dyn Fn(Request<()>, Address) -> Pending<Option<Answer>> + Send + Sync;
type ChooseSubprotocol = dyn Fn(&[String], &Request<()>) -> Option<String> + Send + Sync;
type AddHeaders = dyn Fn(&Request<()>, &mut HeaderMap) + Send + Sync;
type OnClientError = dyn Fn(&ClientError<'_>) -> Option<Answer> + Send + Sync;
type OnError = dyn Fn(&ServerError) + Send + Sync;
type Secure = dyn Fn(ServerStream) -> Pending<io::Result<ServerStream>> + Send + Sync;

/// A request that breaks a rule, as [`on_client_error`](crate::ServerBuilder::on_client_error) sees it.
#[derive(Debug)]
#[non_exhaustive]
pub struct ClientError<'a> {
    /// The client.
    pub peer_addr: &'a Address,
    /// The request; `None` for one that cannot be read, is too large, or did not come in time.
    pub request: Option<&'a Request<()>>,
    /// What it is answered, and the rule that it breaks.
    pub refusal: &'a Refusal,
}

/// What the caller has a say in.
pub(super) struct Hooks<T> {
    pub(super) authorize: Arc<Authorize<T>>,
    pub(super) rest: OtherHooks,
}

/// Those that do not know what is handed on to the connection.
#[derive(Default)]
pub(super) struct OtherHooks {
    pub(super) secure: Option<Box<Secure>>,
    pub(super) pages: Option<Box<Pages>>,
    pub(super) choose_subprotocol: Option<Box<ChooseSubprotocol>>,
    pub(super) add_headers: Vec<Box<AddHeaders>>,
    pub(super) on_client_error: Option<Box<OnClientError>>,
    pub(super) on_error: Option<Box<OnError>>,
}

impl Default for Hooks<()> {
    fn default() -> Self {
        Self { authorize: Arc::new(|_, _| Box::pin(ready(Ok(())))), rest: OtherHooks::default() }
    }
}

impl OtherHooks {
    /// Tells the caller what went wrong. A panic there helps nobody.
    pub(super) fn report(&self, error: &ServerError) {
        if let Some(on_error) = &self.on_error {
            let _contained = contain(|| on_error(error));
        }
    }
}
