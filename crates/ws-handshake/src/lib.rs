//! The opening handshake of WebSocket ([RFC 6455] section 4), both roles, without I/O, on the types of the [`http`] crate.
//!
//! Bytes go in, bytes come out; sockets, clocks and tasks are somebody else's. The whole exchange, in memory:
//!
//! ```
//! use bytes::BytesMut;
//! use ws_handshake::{ClientRequest, HeadReader, Key, ServerPolicy, check, write_response};
//!
//! // The client asks.
//! let request = ClientRequest::new("ws://example.com/chat")?.subprotocols(["chat"])?;
//! let mut client = request.start(Key::generate()?, None)?;
//! let mut wire = BytesMut::from(&client.request_bytes()[..]);
//!
//! // The server reads and answers.
//! let policy = ServerPolicy::default();
//! let request = HeadReader::new(policy.limits).read_request(&mut wire)?.expect("it came whole");
//! let answer = match check(&request, &policy) {
//!     Ok(upgrade) => write_response(&upgrade.accept().subprotocol("chat")?.response()),
//!     Err(refusal) => write_response(refusal.response()),
//! };
//!
//! // The client checks the answer. What is left in the buffer are frames.
//! wire.extend_from_slice(&answer);
//! let opened = client.receive(&mut wire)?.expect("it came whole");
//! assert_eq!(opened.subprotocol.as_deref(), Some("chat"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The parts
//!
//! - [`ClientRequest`] becomes a [`ClientHandshake`], which gives a [`ClientResponse`] or a [`ClientError`].
//! - [`ClientRequest::redirected`] follows a redirect, without telling another server what was meant for the first;
//!   [`Redirects`] counts.
//! - [`ProxyExchange`] opens a tunnel through the proxy of a [`ProxyAddress`], by HTTP CONNECT or SOCKS5.
//! - [`BodyCollector`] reads the body of an answer that opened nothing, for an error that shows it.
//! - [`HeadReader`] reads a request from bytes in any cutting, in linear time and within [`HeadLimits`].
//! - [`HeadReader::judge_request`] does that and what [`check`] does in one go, without a map of headers: a [`RequestHead`]
//!   makes it for those who look at it.
//! - [`check`] turns an [`http::Request`], read here or by an HTTP server, into an [`Upgrade`] or a [`Refusal`]; each
//!   [`RequestError`] has one status.
//! - [`write_request`] and [`write_response`] make the wire form. No CR, LF or NUL that a caller sets gets there.
//! - [`Key`] and [`accept_key`] are the proof that the other side speaks WebSocket.
//!
//! # What is not done here
//!
//! `Sec-WebSocket-Extensions` is handed through as text: extensions are negotiated by the crate that knows them. Time
//! limits are the I/O layer's. HTTP/2 is refused with 505.
//!
//! No input of the peer panics, and memory stays in proportion to the head's bound. The crate has no cargo features.
//!
//! [RFC 6455]: https://www.rfc-editor.org/rfc/rfc6455

#![forbid(unsafe_code)]

mod body;
mod client;
mod field;
mod head;
mod header;
mod host;
mod key;
mod proxy;
mod server;
mod subprotocol;
mod version;
mod write;

pub use body::{BodyCollector, BodyLength, DEFAULT_BODY_LIMIT, ResponseBody, body_length};
pub use client::{
    ClientError, ClientHandshake, ClientRequest, ClientRequestError, ClientResponse, MAX_INTERIM_RESPONSES,
    Redirect, RedirectError, Redirects, is_redirect,
};
pub use field::{InvalidHeader, MAX_ADDED_HEADERS};
pub use head::{HeadError, HeadLimits, HeadReader, JudgedRequest, RequestHead};
pub use key::{AcceptKey, InvalidKey, Key, RandomSourceError, accept_key};
pub use proxy::{
    ConnectError, ConnectExchange, ConnectRequest, ProxyAddress, ProxyAddressError, ProxyCredentials,
    ProxyError, ProxyExchange, ProxyKind, ProxyRequestError, ProxyStep, Socks5Error, Socks5Exchange,
    Socks5Refusal,
};
pub use server::{
    AcceptBuilder, Acceptance, OriginPolicy, Refusal, RequestError, ResponseError, ServerPolicy, Upgrade,
    check, is_upgrade,
};
pub use subprotocol::{MAX_SUBPROTOCOLS, SubprotocolError, parse_subprotocols};
pub use version::Version;
pub use write::{Body, write_request, write_response};
