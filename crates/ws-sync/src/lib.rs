//! WebSocket over blocking streams: client and server on `std` alone, with the deadlines that a connection needs.
//!
//! A client:
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut ws = ws_sync::connect("ws://127.0.0.1:9001/")?;
//! ws.send("hello")?;
//! while let Some(message) = ws.recv() {
//!     println!("{:?}", message?);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! A server, with a thread for each connection:
//!
//! ```no_run
//! # fn main() -> std::io::Result<()> {
//! let listener = std::net::TcpListener::bind("127.0.0.1:9001")?;
//! for stream in listener.incoming() {
//!     let stream = stream?;
//!     std::thread::spawn(move || {
//!         let mut ws = ws_sync::accept(stream)?;
//!         while let Some(message) = ws.recv() {
//!             ws.send(message?)?;
//!         }
//!         Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
//!     });
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # What a connection does by itself
//!
//! While one of its methods waits, a [`WebSocket`] answers pings and Closes, sends a ping of its own after 25 s of silence,
//! fails after 20 s without an answer, drops a peer that takes nothing for 30 s, and gives a closing handshake 5 s and an
//! opening one 10 s. All of these are options. They are kept by giving each read and write of the stream the time that is
//! left until the next of them ([`Transport`]).
//!
//! # What it cannot
//!
//! - Between calls nothing happens: the pongs of a program that computes for a minute leave a minute late.
//! - One call either reads or writes. Two sides that send without receiving wait for each other, until the deadline for a
//!   peer that takes nothing ends it. [`WebSocket::split`] gives the halves to two threads; not of TLS, whose directions
//!   share their state.
//! - The system looks up a host's addresses in its own time.
//! - A stream that cannot be given a time ([`Untimed`]) has its deadlines judged between calls alone.
//!
//! Where that is not enough, the same connection runs on tokio (`ws-tokio`), or on anything else by way of
//! [`endpoint::Endpoint`].
//!
//! # Features
//!
//! - `simd`: validates UTF-8 with SIMD instructions, see `ws-frame`. What is accepted stays the same.
//! - `deflate`: permessage-deflate (RFC 7692): clients offer it unless told not to, servers answer it when it is switched on.
//! - `rustls`: `wss` by rustls with ring, trusting the platform's certificates unless told otherwise; and TLS streams of the
//!   caller's own as a [`Transport`].
#![forbid(unsafe_code)]

mod accept;
mod connect;
mod error;
mod jobs;
mod pump;
mod split;
mod stream;
#[cfg(feature = "rustls")]
mod tls;
mod transport;
mod websocket;

pub use self::{
    accept::{AcceptError, Upgrade, accept, accept_with},
    connect::{Connect, ConnectError, connect},
    error::{Error, SendError},
    split::{OwnedReader, OwnedWriter},
    stream::ClientStream,
    transport::{SharedTransport, Transport, Untimed},
    websocket::WebSocket,
};
pub use http;
#[cfg(feature = "rustls")]
pub use rustls;
pub use ws_endpoint as endpoint;
