//! Real peers: other implementations of WebSocket, as client and as server, over TCP and TLS.
//!
//! [`install`] brings them from their registries. Each is one script (`peer.mjs`, `peer.py`) that plays either role and
//! takes the steps that it is given; [`process`] runs it. A [`script`] is what both sides of an open connection do and
//! what they must see: [`scenarios`] is the table of them, [`matrix`] goes through it, [`ours`] is our side. The opening
//! handshakes are tabled in [`asking`] and [`answering`]; the [`settings`] of permessage-deflate are a table too, with
//! the same [`conversations`] in each: [`compressing`] goes through it and reads the [`wire`].

mod answering;
mod asking;
mod compressing;
mod conversations;
mod install;
mod matrix;
mod noted;
mod ours;
mod process;
mod scenarios;
mod script;
mod settings;
mod tls;
mod wire;

use std::{future::Future, time::Duration};

pub(crate) use self::{
    answering::our_server_is_asked,
    asking::{our_client_asks, our_client_distrusts},
    compressing::{our_client_compresses, our_server_compresses},
    install::{Language, run},
    matrix::{Compression, Transport, our_client_plays, our_server_plays},
};

/// Why something did not go as it should.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Waits, and fails where the other side would have to wait for ever.
async fn within<T>(what: &str, future: impl Future<Output = T>) -> Result<T, Failure> {
    let deadline = Duration::from_secs(30);
    tokio::time::timeout(deadline, future).await.map_err(|_| format!("waited too long for {what}").into())
}
