//! Real peers: other implementations of WebSocket, as client and as server, over TCP and TLS.
//!
//! [`install`] brings them from their registries. Each is one script (`peer.mjs`, `peer.py`) that plays either role and
//! takes the steps that it is given; [`process`] runs it. A [`script`] is what both sides of an open connection do and
//! what they must see: [`scenarios`] is the table of them, [`matrix`] goes through it, [`ours`] is our side. The opening
//! handshakes are tabled in [`asking`] and [`answering`].

mod answering;
mod asking;
mod install;
mod matrix;
mod noted;
mod ours;
mod process;
mod scenarios;
mod script;
mod tls;

use std::{future::Future, time::Duration};

pub(crate) use self::{
    answering::our_server_is_asked,
    asking::{our_client_asks, our_client_distrusts},
    install::{Language, run},
    matrix::{Transport, our_client_plays, our_server_plays},
};

/// Why something did not go as it should.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Waits, and fails where the other side would have to wait for ever.
async fn within<T>(what: &str, future: impl Future<Output = T>) -> Result<T, Failure> {
    let deadline = Duration::from_secs(30);
    tokio::time::timeout(deadline, future).await.map_err(|_| format!("waited too long for {what}").into())
}
