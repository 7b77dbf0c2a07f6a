//! Why a request did not reach its handler.

use axum_core::{
    body::Body,
    response::{IntoResponse, Response},
};
use thiserror::Error;
use ws_endpoint::handshake::Refusal;

use crate::upgrade::not_upgradable;

/// Why a request did not reach a handler with a [`WebSocketUpgrade`](super::WebSocketUpgrade). As a response it is the
/// answer with the status for that.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WebSocketUpgradeRejection {
    /// The request does not ask for a WebSocket, or breaks a rule; [`Refusal::cause`] says which.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The HTTP server does not hand connections over, or something before has taken this one away: 500.
    #[error("this server does not hand its connections over: serve it with upgrades")]
    ConnectionNotUpgradable,
}

impl IntoResponse for WebSocketUpgradeRejection {
    fn into_response(self) -> Response {
        let refusal = match self {
            Self::Refused(refusal) => refusal,
            Self::ConnectionNotUpgradable => not_upgradable(),
        };
        refusal.into_response().map(Body::from)
    }
}
