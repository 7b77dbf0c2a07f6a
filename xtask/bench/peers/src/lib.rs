//! What the echo servers under measurement share: a listener on one thread, an opening handshake for the libraries
//! that start from an upgraded stream, and echoes for those that are a `Stream` and a `Sink`.
//!
//! Every server takes the port as its only argument, prints one line once it listens on 127.0.0.1, sets
//! `TCP_NODELAY`, and validates what its library validates.

mod echo;
mod key;
mod listen;
mod upgrade;

pub use echo::{batched, forward};
pub use key::accept_key;
pub use listen::{announce, port, serve};
pub use upgrade::upgrade;
