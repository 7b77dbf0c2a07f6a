//! A WebSocket client or server without I/O, from the first byte of the opening handshake to the end of the connection:
//! `ws-handshake`, `ws-extensions` and `ws-driver` composed. Runtimes build on this crate.
//!
//! [`Endpoint`] is all of it in one type: bytes in, events out, bytes out, deadlines. Its documentation has the loop that
//! drives it. A client and a server in memory:
//!
//! ```
//! use std::{sync::Arc, time::Instant};
//!
//! use ws_endpoint::{Endpoint, Event, ServerConfig, driver::Progress};
//!
//! let now = Instant::now();
//! let mut client = Endpoint::client("ws://example.com/chat")?;
//! let mut server = Endpoint::server(&Arc::new(ServerConfig::default()), now);
//! client.start(now);
//! client.text("hello")?; // queued until the connection is open
//! server.start(now);
//! for _ in 0..2 {
//!     server.receive(&client.outgoing().into_bytes());
//!     while let Progress::Ready = server.advance(now) {
//!         if let (Event::Message(message), Some(sender)) = server.lend() {
//!             sender.forward(message)?; // an echo
//!         }
//!     }
//!     client.receive(&server.outgoing().into_bytes());
//!     while let Progress::Ready = client.advance(now) {
//!         if let Event::Message(message) = client.event() {
//!             assert_eq!(message.as_text(), Some("hello"));
//!         }
//!     }
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Where more is to be decided between the steps, the parts can be had one by one:
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
//! # Coming from a driver with `io` and `messages` streams
//!
//! | there | here |
//! | --- | --- |
//! | `http(request, options)` | [`Endpoint::http`] |
//! | `server(options)`, its `connect` event | [`Endpoint::server`], [`Event::Request`]; then `start`, `refuse` or `respond` |
//! | `client(url, options)` | [`Endpoint::client`], [`Endpoint::client_with`] |
//! | `isWebSocket(request)` | [`handshake::is_upgrade`] |
//! | `maxLength` | [`driver::Limits::max_message_len`], 64 MiB as there |
//! | `protocols` | [`ServerConfig::subprotocols`], [`handshake::ClientRequest::subprotocols`] |
//! | `masking`, `requireMasking` | as RFC 6455 section 5.1 demands, always |
//! | `readyState` | [`Endpoint::state`], the same numbers |
//! | `version`, `protocol` | [`Endpoint::version`], [`Endpoint::subprotocol`] |
//! | `method`, `url`, `headers` of a server | [`Endpoint::request`]; a request with a body is refused |
//! | `statusCode`, `headers` of a client | [`Endpoint::response`] |
//! | `io.write(bytes)`, `io.end()` | [`Endpoint::receive`] or [`buffer`](Endpoint::buffer), [`end_of_stream`](Endpoint::end_of_stream) |
//! | `io` data events | [`Endpoint::outgoing`], when [`wants`](Endpoint::wants) says write |
//! | `messages` data events | [`Event::Message`] |
//! | pausing either stream | bytes are wanted once the events are taken; [`is_above_mark`](Endpoint::is_above_mark) says when too much waits to be written |
//! | `start()` | [`Endpoint::start`], with the time |
//! | `setHeader`, `addExtension` | [`Endpoint::set_header`], [`Endpoint::add_extension`] |
//! | `text`, `binary`, `ping`, `pong`, also before `open` | the same, queued within the bounds of [`driver::Limits`]; an error where there was `false` |
//! | the callback of `ping` | [`Endpoint::ping`] gives a [`PingId`], [`Event::Pong`] names it |
//! | `close(reason, code)` | [`Endpoint::close`]; `close` without arguments sent 1000: say so, or use [`close_without_code`](Endpoint::close_without_code) |
//! | `error` event, then `close` | [`Event::Failed`], then [`Event::Closed`], each once |
//! | close code of an empty Close: 1000 | 1005 (RFC 6455 section 7.1.5) |
//! | close code after an error: 1002 and others | 1006, what was sent stands in [`driver::Closed::sent`] |
//! | close code of an extension's error: 1010 | 1007 for corrupt data, 1011 for a failure of ours |
//! | `proxy(url)` | [`handshake::ProxyExchange`] first, over the same transport |
//! | timers of your own | [`Endpoint::poll_deadline`]: handshake, keepalive, close, and a peer that does not read |
//!
//! The drafts before hybi-08 (hixie-75 and hixie-76) are declined: they frame text alone, and prove nothing with their
//! handshake. Such a request is refused with 400.
//!
//! # Features
//!
//! - `simd`: validates UTF-8 with SIMD instructions, see `ws-frame`. What is accepted stays the same.
//! - `deflate`: permessage-deflate (RFC 7692) by `ws-deflate`. The one feature that changes what is on the wire: a client's
//!   default config offers it. A server answers it once it is switched on.
#![forbid(unsafe_code)]

mod client;
mod endpoint;
mod options;
mod server;

pub use self::{
    client::{ClientConfig, ClientHandshake, ClientHandshakeError},
    endpoint::{AddExtensionError, Endpoint, Event, Failure, Outgoing, PingId, Pong, SetHeaderError, State},
    options::ConnectionOptions,
    server::{
        Accepted, Agreed, Answer, AnyRequest, JudgedRequest, Opened, RefusedRequest, ServerConfig,
        ServerHandshake, Subprotocols, UpgradeRequest,
    },
};
#[cfg(feature = "deflate")]
pub use ws_deflate as deflate;
pub use ws_driver as driver;
pub use ws_extensions as extensions;
pub use ws_frame as frame;
pub use ws_handshake as handshake;
