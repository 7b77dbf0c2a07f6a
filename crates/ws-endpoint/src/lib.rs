//! A WebSocket client or server without I/O, from the first byte of the opening handshake to the end of the connection:
//! `ws-handshake`, `ws-extensions` and `ws-driver` composed. Runtimes build on this crate.
//!
//! A server and a client in memory:
//!
//! ```
//! use std::{sync::Arc, time::Instant};
//!
//! use bytes::{Buf, BytesMut};
//! use ws_endpoint::{ClientConfig, ClientHandshake, ServerConfig, ServerHandshake};
//! use ws_endpoint::{driver::{Event, Progress}, handshake::ClientRequest};
//!
//! let now = Instant::now();
//! let request = ClientRequest::new("ws://example.com/chat")?;
//! let mut client = ClientHandshake::new(request, &ClientConfig::default())?;
//! let mut wire = BytesMut::from(&client.request_bytes()[..]);
//!
//! let mut server = ServerHandshake::new(Arc::new(ServerConfig::default()));
//! let accepted = server.receive(&mut wire)?.expect("a whole request").accept()?;
//! let mut wire = BytesMut::from(&accepted.response_bytes()[..]);
//! let mut server = accepted.open(now).connection;
//! let mut client = client.receive(&mut wire, now)?.expect("a whole answer").connection;
//!
//! client.sender().send("hello".into())?;
//! server.receiver().buffer().extend_from_slice(client.sender().outbox().chunk());
//! assert_eq!(server.advance(), Progress::Ready);
//! assert!(matches!(server.event(), Event::Message(message) if message.as_bytes() == b"hello"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Features
//!
//! - `simd`: validates UTF-8 with SIMD instructions, see `ws-frame`. What is accepted stays the same.
//! - `deflate`: permessage-deflate (RFC 7692) by `ws-deflate`. The one feature that changes what is on the wire: a client's
//!   default config offers it. A server answers it once it is switched on.
#![forbid(unsafe_code)]

mod client;
mod options;
mod server;

pub use self::{
    client::{ClientConfig, ClientHandshake, ClientHandshakeError},
    options::ConnectionOptions,
    server::{
        Accepted, Agreed, AnyRequest, Opened, ServerConfig, ServerHandshake, Subprotocols, UpgradeRequest,
    },
};
#[cfg(feature = "deflate")]
pub use ws_deflate as deflate;
pub use ws_driver as driver;
pub use ws_extensions as extensions;
pub use ws_frame as frame;
pub use ws_handshake as handshake;
