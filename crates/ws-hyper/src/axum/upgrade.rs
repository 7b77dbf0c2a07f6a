//! The extractor.

use std::{borrow::Cow, future::Future, sync::Arc, time::Duration};

use axum_core::{
    body::Body,
    response::{IntoResponse, Response},
};
use http::Request;
use hyper::upgrade::OnUpgrade;
use ws_endpoint::{
    ServerConfig, Subprotocols,
    driver::{Limits, Timeouts},
    extensions::Registry,
    handshake::{self, Refusal, ResponseError, check},
};

use ws_tokio::Clients;

use super::{DefaultOnFailedUpgrade, OnFailedUpgrade, WebSocketUpgradeRejection};
use crate::{Upgrade, WebSocket, head::Head, upgrade::runtime};

/// A request for a WebSocket in a handler of axum: set it up, then answer with [`on_upgrade`](Self::on_upgrade).
///
/// Route it with `any`, so that a request with another method is told so. See the [module](super) for an example.
#[derive(Debug)]
#[must_use = "answer with `on_upgrade`"]
pub struct WebSocketUpgrade<F = DefaultOnFailedUpgrade> {
    head: Head,
    facts: handshake::Upgrade,
    on_upgrade: OnUpgrade,
    config: Arc<ServerConfig>,
    /// Set by name, it wins over the config.
    selected: Option<String>,
    clients: Clients,
    on_failed: F,
}

impl WebSocketUpgrade {
    pub(super) fn new(
        head: Head,
        on_upgrade: Option<OnUpgrade>,
        config: Arc<ServerConfig>,
    ) -> Result<Self, WebSocketUpgradeRejection> {
        let facts = check(&head.request, &config.policy)?;
        let on_upgrade = on_upgrade.ok_or(WebSocketUpgradeRejection::ConnectionNotUpgradable)?;
        Ok(Self {
            head,
            facts,
            on_upgrade,
            config,
            selected: None,
            clients: Clients::default(),
            on_failed: DefaultOnFailedUpgrade,
        })
    }
}

impl<F> WebSocketUpgrade<F> {
    /// The request, its extensions among it.
    #[must_use]
    pub fn request(&self) -> &Request<()> {
        self.head.came.as_deref().unwrap_or(&self.head.request)
    }

    /// What it asks for: host, origin, subprotocols, extensions, version.
    #[must_use]
    pub fn facts(&self) -> &handshake::Upgrade {
        &self.facts
    }

    /// Names the subprotocols that the handler speaks: the first that the client asks for of these is chosen. Without this,
    /// it is the config's choice: the first that the client asks for.
    pub fn protocols<I>(mut self, protocols: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<Cow<'static, str>>,
    {
        let supported = protocols.into_iter().map(|protocol| protocol.into().into_owned()).collect();
        self.config_mut().subprotocols = Subprotocols::Supported(supported);
        self
    }

    /// The subprotocols that the client asks for, most wanted first.
    pub fn requested_protocols(&self) -> impl Iterator<Item = &str> {
        self.facts.subprotocols().iter().map(String::as_str)
    }

    /// Chooses the subprotocol, one of those requested.
    ///
    /// # Errors
    /// [`ResponseError::UnrequestedSubprotocol`] for any other.
    pub fn set_selected_protocol(&mut self, protocol: &str) -> Result<(), ResponseError> {
        self.facts.accept().subprotocol(protocol)?;
        self.selected = Some(protocol.to_owned());
        Ok(())
    }

    /// The subprotocol that will be chosen.
    #[must_use]
    pub fn selected_protocol(&self) -> Option<&str> {
        if self.selected.is_some() {
            return self.selected.as_deref();
        }
        let mut requested = self.requested_protocols();
        match &self.config.subprotocols {
            Subprotocols::FirstRequested => requested.next(),
            Subprotocols::Supported(list) => requested.find(|name| list.iter().any(|other| other == name)),
            Subprotocols::None => None,
        }
    }

    /// Sets the longest message that is received, in bytes: 64 MiB.
    pub fn max_message_size(mut self, max: usize) -> Self {
        self.config_mut().connection.limits.max_message_len = max;
        self
    }

    /// Sets the longest frame that is received, in bytes: as long as the longest message.
    pub fn max_frame_size(mut self, max: usize) -> Self {
        self.config_mut().connection.limits.max_frame_len = max;
        self
    }

    /// Sets the bytes waiting to be sent above which `send` waits for room: 1 MiB.
    pub fn write_buffer_size(mut self, size: usize) -> Self {
        self.config_mut().connection.limits.high_water_mark = size;
        self
    }

    /// Sets the bytes waiting to be sent above which sending fails: 65 MiB. Set it behind
    /// [`write_buffer_size`](Self::write_buffer_size), on which it stands.
    pub fn max_write_buffer_size(mut self, max: usize) -> Self {
        let limits = &mut self.config_mut().connection.limits;
        limits.max_queued_beyond_mark = max.saturating_sub(limits.high_water_mark);
        self
    }

    /// Sets all bounds on memory.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.config_mut().connection.limits = limits.into();
        self
    }

    /// Sets how long we wait for the client.
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.config_mut().connection.timeouts = timeouts.into();
        self
    }

    /// Sets after how much silence the client is sent a ping, 25 s, and how long it has to answer, 20 s.
    pub fn heartbeat(mut self, ping_after: Duration, pong_within: Duration) -> Self {
        let timeouts = &mut self.config_mut().connection.timeouts;
        timeouts.ping_after = Some(ping_after);
        timeouts.pong_within = Some(pong_within);
        self
    }

    /// Sets the extensions that can be used: none.
    pub fn extensions(mut self, extensions: Registry) -> Self {
        self.config_mut().extensions = extensions;
        self
    }

    /// Answers permessage-deflate with its default options, instead of any other extension.
    #[cfg(feature = "deflate")]
    pub fn permessage_deflate(self) -> Self {
        self.permessage_deflate_with(ws_endpoint::deflate::Options::new())
    }

    /// Answers permessage-deflate with these options, instead of any other extension.
    #[cfg(feature = "deflate")]
    pub fn permessage_deflate_with(mut self, options: ws_endpoint::deflate::Options) -> Self {
        self.config_mut().set_deflate(options);
        self
    }

    /// Enters the connection into these: to count all that are open, to close them, and to shut down.
    pub fn clients(mut self, clients: &Clients) -> Self {
        self.clients = clients.clone();
        self
    }

    /// Sets what is called when the connection does not open though the request was accepted. Nothing is, by default.
    pub fn on_failed_upgrade<C: OnFailedUpgrade>(self, callback: C) -> WebSocketUpgrade<C> {
        let Self { head, facts, on_upgrade, config, selected, clients, on_failed: _ } = self;
        WebSocketUpgrade { head, facts, on_upgrade, config, selected, clients, on_failed: callback }
    }

    /// Accepts: gives the answer, which the handler must return, and calls `callback` with the connection in a task of its
    /// own when the answer has been sent. One that panics ends the connection with 1011, if it still holds it. Headers may be added to the answer, `Set-Cookie` for one.
    ///
    /// A malformed `Sec-WebSocket-Extensions` is answered 400.
    pub fn on_upgrade<C, Fut>(self, callback: C) -> Response
    where
        C: FnOnce(WebSocket) -> Fut + Send + 'static,
        Fut: Future<Output = ()> + Send + 'static,
        F: OnFailedUpgrade,
    {
        self.accept(callback)
            .unwrap_or_else(|refusal| WebSocketUpgradeRejection::Refused(refusal).into_response())
    }

    fn accept<C, Fut>(self, callback: C) -> Result<Response, Refusal>
    where
        C: FnOnce(WebSocket) -> Fut + Send + 'static,
        Fut: Future<Output = ()> + Send + 'static,
        F: OnFailedUpgrade,
    {
        let mut upgrade = Upgrade::from_head(self.head, Some(self.on_upgrade), &self.config)?;
        if let Some(selected) = &self.selected {
            // It was requested: that was checked when it was set.
            let _chosen = upgrade.choose_subprotocol(Some(selected));
        }
        let runtime = runtime()?;
        let (response, upgrading) = upgrade.accept()?;
        let upgrading = upgrading.tracked(&self.clients);
        let on_failed = self.on_failed;
        runtime.spawn(async move {
            match upgrading.await {
                Ok(socket) => callback(socket).await,
                Err(error) => on_failed.call(error),
            }
        });
        Ok(response.map(Body::from))
    }

    fn config_mut(&mut self) -> &mut ServerConfig {
        Arc::make_mut(&mut self.config)
    }
}
