//! The server's side of the opening handshake.

mod accepted;
mod request;

use std::{sync::Arc, time::Duration};

use bytes::BytesMut;
use http::Request;
use ws_extensions::Registry;
use ws_handshake::{HeadReader, Refusal, RequestError, RequestHead, ServerPolicy, Upgrade};

pub use self::{
    accepted::{Accepted, Agreed, Answer, Opened},
    request::{RefusedRequest, UpgradeRequest},
};

use crate::{ConnectionOptions, options::HANDSHAKE_TIMEOUT};

/// How a server accepts connections, and how they behave then.
///
/// ```
/// use ws_endpoint::{ServerConfig, Subprotocols};
///
/// let mut config = ServerConfig::default();
/// config.policy.path = Some("/chat".to_owned());
/// config.subprotocols = Subprotocols::Supported(vec!["chat.v2".to_owned(), "chat.v1".to_owned()]);
/// config.connection.limits.max_message_len = 1 << 20;
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ServerConfig {
    /// Which requests are accepted.
    pub policy: ServerPolicy,
    /// Which of the requested subprotocols is chosen.
    pub subprotocols: Subprotocols,
    /// The extensions that the server can use.
    pub extensions: Registry,
    /// How an open connection behaves.
    pub connection: ConnectionOptions,
    /// From the first byte of the transport to the answer: 10 s, whatever trickles in. `None` is for ever.
    pub handshake_timeout: Option<Duration>,
}

#[cfg(feature = "deflate")]
impl ServerConfig {
    /// Answers permessage-deflate with these options, instead of any other extension. To use it beside others, register
    /// it in [`extensions`](Self::extensions).
    pub fn set_deflate(&mut self, options: ws_deflate::Options) {
        self.extensions = crate::options::with_deflate(options);
    }
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            policy: ServerPolicy::default(),
            subprotocols: Subprotocols::default(),
            extensions: Registry::default(),
            connection: ConnectionOptions::default(),
            handshake_timeout: Some(HANDSHAKE_TIMEOUT),
        }
    }
}

/// Which subprotocol a server chooses (RFC 6455 section 1.9), unless the caller chooses itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Subprotocols {
    /// The first that the client requests.
    #[default]
    FirstRequested,
    /// The first that the client requests of those that the server supports; none if there is no such.
    Supported(Vec<String>),
    /// None.
    None,
}

impl Subprotocols {
    pub(super) fn choose<'a>(&self, requested: &'a [String]) -> Option<&'a str> {
        match self {
            Self::FirstRequested => requested.first().map(String::as_str),
            Self::Supported(list) => requested.iter().find(|name| list.contains(name)).map(String::as_str),
            Self::None => None,
        }
    }
}

/// The server's side of an opening handshake: bytes in, a request that may be accepted or refused out.
#[derive(Debug)]
pub struct ServerHandshake {
    config: Arc<ServerConfig>,
    reader: HeadReader,
}

impl ServerHandshake {
    /// Begins. The config is shared by all connections of the server.
    #[must_use]
    pub fn new(config: Arc<ServerConfig>) -> Self {
        let reader = HeadReader::new(config.policy.limits);
        Self { config, reader }
    }

    /// Looks for a request, whatever it asks for, and does not check it yet. `None` means that more bytes are needed;
    /// append them to the same buffer. Bytes behind the request, the first frames, stay in the buffer.
    ///
    /// # Errors
    /// A [`Refusal`] with the answer to what is no request, or too large a one.
    pub fn read(&mut self, buf: &mut BytesMut) -> Result<Option<Request<()>>, Refusal> {
        Ok(self.reader.read_request(buf)?)
    }

    /// Looks for the request in what has been received. `None` means that more bytes are needed; append them to the
    /// same buffer. Bytes behind the request, the first frames, stay in the buffer.
    ///
    /// # Errors
    /// A [`Refusal`] holds the answer to send; the transport ends behind it.
    pub fn receive(&mut self, buf: &mut BytesMut) -> Result<Option<UpgradeRequest>, Refusal> {
        match self.reader.judge_request(buf, &self.config.policy)? {
            Some(judged) => self.take(judged.verdict, judged.head).map(Some),
            None => Ok(None),
        }
    }

    /// The same, but a request that is not for a WebSocket at all comes back as it is, to be answered by the caller: a
    /// page, say.
    ///
    /// # Errors
    /// As for [`receive`](Self::receive).
    pub fn receive_any(&mut self, buf: &mut BytesMut) -> Result<Option<AnyRequest>, Refusal> {
        let Some(judged) = self.reader.judge_request(buf, &self.config.policy)? else { return Ok(None) };
        if judged.has_upgrade {
            self.take(judged.verdict, judged.head).map(|request| Some(AnyRequest::Upgrade(request)))
        } else {
            Ok(Some(AnyRequest::Plain(judged.head.into_request())))
        }
    }

    /// The same, and a request for a WebSocket that breaks a rule comes back with its refusal.
    ///
    /// # Errors
    /// As for [`read`](Self::read).
    pub fn judge(&mut self, buf: &mut BytesMut) -> Result<Option<JudgedRequest>, Refusal> {
        let Some(judged) = self.reader.judge_request(buf, &self.config.policy)? else { return Ok(None) };
        Ok(Some(match judged.verdict {
            Ok(upgrade) => {
                JudgedRequest::Upgrade(UpgradeRequest::judged(judged.head, upgrade, Arc::clone(&self.config)))
            }
            Err(_) if !judged.has_upgrade => JudgedRequest::Plain(judged.head.into_request()),
            Err(error) => {
                let refusal = Refusal::of(error, &self.config.policy);
                JudgedRequest::Refused(Box::new(RefusedRequest {
                    request: *judged.head.into_request(),
                    refusal,
                }))
            }
        }))
    }

    fn take(
        &self,
        verdict: Result<Upgrade, RequestError>,
        head: RequestHead,
    ) -> Result<UpgradeRequest, Refusal> {
        match verdict {
            Ok(upgrade) => Ok(UpgradeRequest::judged(head, upgrade, Arc::clone(&self.config))),
            Err(error) => Err(Refusal::of(error, &self.config.policy)),
        }
    }
}

/// A request on a port that serves WebSockets and more.
#[derive(Debug)]
pub enum AnyRequest {
    /// It asks for a WebSocket.
    Upgrade(UpgradeRequest),
    /// It has no `Upgrade` header.
    Plain(Box<Request<()>>),
}

/// A request on a port that serves WebSockets and more, whatever the rules say of it.
#[derive(Debug)]
pub enum JudgedRequest {
    /// It asks for a WebSocket.
    Upgrade(UpgradeRequest),
    /// It asks for one and breaks a rule.
    Refused(Box<RefusedRequest>),
    /// It has no `Upgrade` header.
    Plain(Box<Request<()>>),
}

impl ServerHandshake {
    /// The config, to be changed before the request has come.
    pub(crate) fn config(&mut self) -> &mut Arc<ServerConfig> {
        &mut self.config
    }
}
