//! What the echo servers under measurement share: a listener on one thread, an opening handshake for the libraries
//! that start from an upgraded stream, and echoes for those that are a `Stream` and a `Sink`.
//!
//! Every server takes the port as its argument, those that compress `ct` or `nct` behind it. It prints one line once it listens on 127.0.0.1, sets
//! `TCP_NODELAY`, and validates what its library validates.

mod echo;
mod key;
mod listen;
mod takeover;
mod upgrade;

pub use echo::{batched, forward};
pub use key::accept_key;
pub use listen::{announce, port, serve, takeover};
pub use takeover::Takeover;
pub use upgrade::{upgrade, upgrade_with};
