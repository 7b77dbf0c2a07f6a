//! What needs no I/O.

use ws_stack::{
    ClientConfig, ServerConfig,
    driver::{Config, Connection, Negotiated},
    endpoint::Endpoint,
    frame::Role,
};

/// Without features: an open connection, and all of its life, without I/O.
pub fn connection(now: std::time::Instant) -> (Connection, Option<Endpoint>, ClientConfig, ServerConfig) {
    let connection = Connection::new(Config::new(Role::Client), Negotiated::default(), now);
    (connection, None, ClientConfig::default(), ServerConfig::default())
}

/// `deflate`, without I/O.
#[cfg(any(feature = "default", feature = "deflate"))]
pub fn deflate(client: &mut ClientConfig, server: &mut ServerConfig) {
    client.set_deflate(ws_stack::deflate::Options::new());
    server.set_deflate(ws_stack::deflate::Options::new());
}
