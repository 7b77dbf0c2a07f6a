//! The extractor for [axum](https://docs.rs/axum) 0.8, with the feature `axum`.
//!
//! ```
//! use axum::{Router, response::Response, routing::any};
//! use ws_hyper::{WebSocket, axum::WebSocketUpgrade};
//!
//! async fn chat(upgrade: WebSocketUpgrade) -> Response {
//!     upgrade.protocols(["chat.v1"]).on_upgrade(echo)
//! }
//!
//! async fn echo(mut ws: WebSocket) {
//!     while let Some(Ok(message)) = ws.recv().await {
//!         if ws.send(message).await.is_err() {
//!             break;
//!         }
//!     }
//! }
//!
//! let app: Router = Router::new().route("/chat", any(chat));
//! ```
//!
//! It has the methods of axum's own `WebSocketUpgrade`, under the same names, so that an application moves over by its
//! imports. What differs:
//!
//! - `accept_unmasked_frames` is not there: a server must fail a connection whose client does not mask its frames (RFC 6455
//!   section 5.1).
//! - `read_buffer_size` is not there: all connections of a thread read into one buffer in turn, and an idle one has none.
//! - `set_selected_protocol` says it when the client has not asked for the subprotocol.
//! - Pings after silence, deadlines and limits are on by default; [`heartbeat`](WebSocketUpgrade::heartbeat),
//!   [`timeouts`](WebSocketUpgrade::timeouts) and [`limits`](WebSocketUpgrade::limits) change them.
//!
//! A config for all endpoints goes into the extensions of the requests, with axum's layer `Extension`:
//! `Extension(Arc::new(config))` with an `Arc<ServerConfig>`. The extractor begins with that one, if it is there.

mod extract;
mod failed;
mod rejection;
mod upgrade;

pub use self::{
    failed::{DefaultOnFailedUpgrade, OnFailedUpgrade},
    rejection::WebSocketUpgradeRejection,
    upgrade::WebSocketUpgrade,
};
