//! Whole lives of connections in virtual time: handshake, messages, extensions, close, over a transport that delays, cuts,
//! fills up, resets and goes silent. The same seed is the same life.
//!
//! What must hold is checked at every step, see [`Broken`]. [`live`] is one life; `cargo xtask simulate` lives a million.
//! [`live_with_each_call_failing`] is one life over and over, each time with another call of the transport that fails.

mod broken;
mod extension;
mod life;
mod network;
mod plan;
mod side;

pub use self::{
    broken::Broken,
    life::{Life, live, live_on_a_bad_line, live_with_each_call_failing},
};
