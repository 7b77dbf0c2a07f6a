//! Tools for the tests of the WebSocket stack; not published.
//!
//! | to | use |
//! | --- | --- |
//! | write and read frames, good and bad ones, without the codec under test | [`Frame`], [`read_frames`] |
//! | know what a stream of bytes means | [`Oracle`] |
//! | make streams up, valid, broken and random | `streams`, with the feature of that name |
//! | drive a connection and write down what it reports | [`Endpoint`] |
//! | let two of them talk through a hostile transport under virtual time | [`Link`] |
//! | count what is allocated | [`Heap`] |
//! | let each call of a transport fail in turn | [`Faults`] |
//! | random numbers that can be replayed | [`Rng`] |
//! | live whole lives of connections under virtual time | `simulation`, with the feature of that name |
#![deny(unsafe_code)]

mod endpoint;
mod faults;
mod frame;
mod heap;
mod link;
mod oracle;
mod rng;
mod seen;
#[cfg(feature = "simulation")]
pub mod simulation;
#[cfg(feature = "streams")]
pub mod streams;

pub use endpoint::Endpoint;
pub use faults::{Call, FAULTS, Fault, Faults, whole_messages};
pub use frame::{Frame, read_frames};
pub use heap::Heap;
pub use link::{Hostility, Link};
pub use oracle::{Bounds, Oracle};
pub use rng::Rng;
pub use seen::{End, Seen};
