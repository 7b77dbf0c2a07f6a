//! Over blocking streams.

/// `sync`.
#[cfg(feature = "sync")]
pub fn sync(address: &str) -> Result<(), ws_stack::BoxError> {
    Ok(ws_stack::sync::connect(address)?.send("hello")?)
}

/// `rustls` without tokio's I/O.
#[cfg(all(feature = "rustls", feature = "sync"))]
pub fn rustls_and_sync(
    mut connect: ws_stack::sync::Connect,
    tls: std::sync::Arc<ws_stack::sync::rustls::ClientConfig>,
) -> ws_stack::sync::Connect {
    connect.tls = Some(tls);
    connect
}
