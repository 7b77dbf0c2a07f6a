//! From a request to the extractor.

use std::sync::Arc;

use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use http::{Request, request::Parts};
use hyper::upgrade::OnUpgrade;
use ws_endpoint::ServerConfig;

use super::{WebSocketUpgrade, WebSocketUpgradeRejection};
use crate::head::{Head, is_plain};

impl<S: Send + Sync> FromRequestParts<S> for WebSocketUpgrade {
    type Rejection = WebSocketUpgradeRejection;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Self::Rejection> {
        let on_upgrade = parts.extensions.remove::<OnUpgrade>();
        let config = parts.extensions.get::<Arc<ServerConfig>>().cloned().unwrap_or_default();
        Self::new(Head::new(Request::from_parts(parts.clone(), ()))?, on_upgrade, config)
    }
}

/// `None` for a request without an `Upgrade` header, for a path that has a page, too.
impl<S: Send + Sync> OptionalFromRequestParts<S> for WebSocketUpgrade {
    type Rejection = WebSocketUpgradeRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, Self::Rejection> {
        if is_plain(parts) {
            return Ok(None);
        }
        <Self as FromRequestParts<S>>::from_request_parts(parts, state).await.map(Some)
    }
}
