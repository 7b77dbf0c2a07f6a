//! How an endpoint is made, set up, and what is known of it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response, header::SEC_WEBSOCKET_VERSION};
use ws_driver::{Closed, Connection, Limits, Role};
use ws_extensions::Extension;
use ws_handshake::{ClientError, ClientRequest, Key, Version};

use super::{AddExtensionError, Endpoint, Failure, Opening, Pings, Ready, SetHeaderError, Stage, State};
use crate::{
    ClientConfig, ClientHandshakeError, ConnectionOptions, ServerConfig, ServerHandshake, UpgradeRequest,
};

impl Endpoint {
    /// A client of this address, with everything at its default. It waits for [`start`](Self::start).
    ///
    /// # Errors
    /// [`ClientHandshakeError::Request`] for what is no address of a WebSocket, [`ClientHandshakeError::Random`].
    pub fn client(address: &str) -> Result<Self, ClientHandshakeError> {
        let request = ClientRequest::new(address)?;
        Ok(Self::client_with(request, ClientConfig::default(), Key::generate()?))
    }

    /// A client with a request and a config of the caller's, and a key that is used for no other handshake. It waits for
    /// [`start`](Self::start).
    #[must_use]
    pub fn client_with(request: ClientRequest, config: ClientConfig, key: Key) -> Self {
        let options = config.connection.clone();
        Self::opening(Role::Client, Stage::Unsent(Box::new((request, config, key))), &options, None)
    }

    /// A server that reads the request itself, on a transport that was accepted at `now`.
    ///
    /// [`start`](Self::start) may be called before the request has come: it is answered as it comes then. Else it waits for
    /// the caller, behind [`Event::Request`](crate::Event::Request), and nothing more is read until then.
    #[must_use]
    pub fn server(config: &Arc<ServerConfig>, now: Instant) -> Self {
        let deadline = config.handshake_timeout.and_then(|timeout| now.checked_add(timeout));
        let options = config.connection.clone();
        let stage = Stage::Listening(ServerHandshake::new(Arc::clone(config)));
        Self::opening(Role::Server, stage, &options, deadline)
    }

    /// A server for a request that an HTTP server has read. Give it the transport's bytes from behind the request on, those
    /// included that were read already. It waits for [`start`](Self::start), which writes the answer.
    ///
    /// A request that breaks a rule is refused as it starts.
    #[must_use]
    pub fn http<B>(request: Request<B>, config: &Arc<ServerConfig>, now: Instant) -> Self {
        let deadline = config.handshake_timeout.and_then(|timeout| now.checked_add(timeout));
        let options = config.connection.clone();
        match UpgradeRequest::new(request.map(drop), Arc::clone(config)) {
            Ok(request) => {
                Self::opening(Role::Server, Stage::Requested(Box::new(request)), &options, deadline)
            }
            Err(refusal) => {
                Self::opening(Role::Server, Stage::Refused(Box::new(refusal)), &options, deadline)
            }
        }
    }

    fn opening(role: Role, stage: Stage, options: &ConnectionOptions, deadline: Option<Instant>) -> Self {
        Self {
            role,
            opening: Some(Box::new(Opening::new(stage, options, deadline))),
            connection: None,
            agreed: None,
            head: Bytes::new(),
            unflushed: false,
            dry: true,
            ready: Ready::Nothing,
            owed: None,
            pings: Pings::default(),
            end: None,
        }
    }

    /// Adds a header to the request or to the answer that accepts, before [`start`](Self::start). Whether it was taken: the
    /// first value of a name counts, unless it is one that repeats, as `Set-Cookie` does.
    ///
    /// # Errors
    /// [`SetHeaderError`] for those of the handshake and what cannot be sent.
    pub fn set_header(&mut self, name: HeaderName, value: HeaderValue) -> Result<bool, SetHeaderError> {
        self.opening.as_mut().map_or(Ok(false), |opening| opening.set_header(name, value))
    }

    /// Adds an extension behind those of the config, before [`start`](Self::start).
    ///
    /// # Errors
    /// [`AddExtensionError`] when its name is taken, or the handshake has begun.
    pub fn add_extension(&mut self, extension: impl Extension + 'static) -> Result<(), AddExtensionError> {
        let opening = self.opening.as_mut().ok_or(AddExtensionError::Started)?;
        Ok(opening.extensions().ok_or(AddExtensionError::Started)?.register(extension)?)
    }

    /// The request for a WebSocket that a server has yet to answer: to see what it asks for, and to choose the subprotocol.
    pub fn upgrade(&mut self) -> Option<&mut UpgradeRequest> {
        match &mut self.opening.as_mut()?.stage {
            Stage::Requested(request) => Some(request),
            _ => None,
        }
    }

    /// The client's request: method, address and headers. A client's own once it has started.
    #[must_use]
    pub fn request(&self) -> Option<&Request<()>> {
        match (&self.agreed, &self.opening) {
            (Some(agreed), _) => Some(&agreed.request),
            (None, Some(opening)) => opening.request(),
            (None, None) => None,
        }
    }

    /// The server's answer: status and headers. A client has one that did not open the connection, too.
    #[must_use]
    pub fn response(&self) -> Option<&Response<()>> {
        if let Some(agreed) = &self.agreed {
            return Some(&agreed.response);
        }
        match self.end.as_ref()?.failure()? {
            Failure::Handshake(ClientHandshakeError::Response(ClientError::UnexpectedStatus(response))) => {
                Some(response)
            }
            _ => None,
        }
    }

    /// The version of the protocol that the request asks for.
    #[must_use]
    pub fn version(&self) -> Option<Version> {
        let asked = self.request()?.headers().get(SEC_WEBSOCKET_VERSION)?;
        [Version::V13, Version::V8].into_iter().find(|version| asked == version.as_str())
    }

    /// The subprotocol in use.
    #[must_use]
    pub fn subprotocol(&self) -> Option<&str> {
        self.agreed.as_ref()?.subprotocol.as_deref()
    }

    /// The names of the extensions in use.
    #[must_use]
    pub fn extensions(&self) -> &[&'static str] {
        self.agreed.as_ref().map_or(&[], |agreed| &agreed.extensions)
    }

    /// Which side it is.
    #[must_use]
    pub fn role(&self) -> Role {
        self.role
    }

    /// Where it stands.
    #[must_use]
    pub fn state(&self) -> State {
        match (&self.connection, &self.opening) {
            (Some(connection), _) if connection.closed().is_some() => State::Closed,
            (Some(connection), _) if connection.is_closing() => State::Closing,
            (Some(_), _) => State::Open,
            (None, Some(opening)) => opening.state(),
            (None, None) => State::Closed,
        }
    }

    /// How it ended, once it has.
    #[must_use]
    pub fn closed(&self) -> Option<Closed> {
        match &self.connection {
            Some(connection) => connection.closed(),
            None => self.end.as_ref()?.closed().cloned(),
        }
    }

    /// How long the peer took to answer the last ping that it has answered; see [`Connection::rtt`].
    #[must_use]
    pub fn rtt(&self) -> Option<Duration> {
        self.connection.as_ref()?.rtt()
    }

    /// What went wrong, once something has.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        self.end.as_ref()?.failure()
    }

    /// What went wrong, for a caller who makes an error of it.
    #[must_use]
    pub fn into_failure(self) -> Option<Failure> {
        self.end.and_then(|end| end.into_failure())
    }

    /// The open connection, for what is not offered here: messages in parts, hints for extensions, delivery, buffers.
    pub fn connection(&mut self) -> Option<&mut Connection> {
        self.connection.as_mut()
    }

    /// The limits, before the connection is open and then.
    #[must_use]
    pub fn limits(&self) -> Option<&Limits> {
        match (&self.connection, &self.opening) {
            (Some(connection), _) => Some(connection.limits()),
            (None, opening) => opening.as_ref().map(|opening| opening.queue.limits()),
        }
    }
}
