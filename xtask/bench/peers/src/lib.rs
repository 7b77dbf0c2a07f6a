//! What the servers under measurement share: a listener on one thread, an opening handshake for the libraries that start
//! from an upgraded stream, and echoes and broadcasts for those that are a `Stream` and a `Sink`.
//!
//! Every server takes the port as its first argument, and behind it what it is to do: nothing for an echo, `broadcast` to send each
//! message to all but its sender, `ct` or `nct` to compress, if it can. It prints one line once it listens on 127.0.0.1, sets
//! `TCP_NODELAY`, and validates what its library validates.

mod broadcast;
mod echo;
mod key;
mod listen;
mod takeover;
mod upgrade;

pub use broadcast::{Room, attend, attend_in_two};
pub use echo::{batched, forward};
pub use key::accept_key;
pub use listen::{Wanted, announce, port, serve, wanted};
pub use takeover::Takeover;
pub use upgrade::{upgrade, upgrade_with};
