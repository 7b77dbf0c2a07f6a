//! Inside HTTP servers.

/// `hyper`.
#[cfg(feature = "hyper")]
pub fn hyper(config: std::sync::Arc<ws_stack::ServerConfig>) -> ws_stack::hyper::WebSocketLayer {
    ws_stack::hyper::WebSocketLayer::new("/", config, |socket, _request| async move { drop(socket) })
}

/// `axum`.
#[cfg(feature = "axum")]
pub fn axum(upgrade: ws_stack::hyper::axum::WebSocketUpgrade) -> ws_stack::hyper::axum::WebSocketUpgrade {
    upgrade.on_failed_upgrade(ws_stack::hyper::axum::DefaultOnFailedUpgrade::default())
}

/// `deflate` in axum.
#[cfg(all(feature = "axum", feature = "deflate"))]
pub fn deflate_in_axum(
    upgrade: ws_stack::hyper::axum::WebSocketUpgrade,
) -> ws_stack::hyper::axum::WebSocketUpgrade {
    upgrade.permessage_deflate()
}

/// `http2`: a request in a stream is upgraded as any other.
#[cfg(feature = "http2")]
pub async fn http2(upgrading: ws_stack::hyper::Upgrading) -> Result<(), ws_stack::BoxError> {
    drop(upgrading.await?);
    Ok(())
}
