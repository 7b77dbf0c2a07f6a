//! permessage-deflate (RFC 7692): compressed WebSocket messages, as an extension of [`ws_extensions`].
//!
//! [`PermessageDeflate`] is registered once and serves any number of connections, in either role. There is no I/O
//! here: the [`Chain`](ws_extensions::Chain)s of whoever drives the connection take messages in and give them out.
//!
//! ```
//! use ws_deflate::{Options, PermessageDeflate};
//! use ws_extensions::{MessageHead, Registry, Route, SessionOptions};
//! use ws_frame::{DataKind, Role, Rsv};
//!
//! let mut registry = Registry::new();
//! registry.register(PermessageDeflate::new(Options::new()))?;
//!
//! // The opening handshake: what the client sends, what the server answers, what the client makes of it.
//! let offer = registry.offer(&SessionOptions::new(Role::Client, Some(1 << 20)));
//! assert_eq!(offer.header(), Some("permessage-deflate; client_max_window_bits"));
//! let mut server = registry.respond(offer.header(), &SessionOptions::new(Role::Server, Some(1 << 20)))?;
//! let mut client = offer.activate(server.header.as_deref())?;
//!
//! // A message on its way out: RSV1 and the payload go into the frames.
//! let text = "all work and no play ".repeat(100);
//! assert_eq!(client.outgoing.begin(MessageHead::new(DataKind::Text), Some(text.len())), Route::Queued);
//! client.outgoing.push(text.as_bytes(), true);
//! let wire = client.outgoing.front().expect("nothing was deferred");
//! assert!(wire.head.rsv == Rsv::RSV1 && wire.data.len() < 60);
//!
//! // And in at the other side, at most as long as the message limit.
//! let _ = server.incoming.begin(wire.head, None);
//! server.incoming.push(wire.data, true);
//! assert_eq!(server.incoming.front().expect("nothing was deferred").data, text.as_bytes());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is agreed
//!
//! A client offers what its [`Options`] say, and refuses an answer that the offer does not allow: a limit that it has
//! asked for and not been granted, or one that it has not said it would keep to. A server takes the first entry of an
//! offer that it can read, and passes over those with unknown, doubled or invalid parameters; it never answers more
//! than was offered. Windows of 8 bits, which raw DEFLATE is not made with, are honoured: the compressor has 9 and
//! never looks back further than 250 bytes.
//!
//! # What is sent
//!
//! Whether a message is compressed is decided before it is, so that the window always knows what was sent and nothing
//! else: by [`Compress`](ws_extensions::Compress), by [`Options::threshold`], and not by what would come of it. A
//! message in parts is compressed in parts, and each part is flushed: the peer can read it before the next is there.
//! Long messages can be left to [jobs](Options::defer_from).
//!
//! # What is received
//!
//! Inflating stops at the message limit, within one [step](Options::chunk_size), with
//! [`Fault::TooBig`](ws_extensions::Fault::TooBig) (1009). What is not DEFLATE, or ends in the middle of a block, is
//! [`Fault::Corrupt`](ws_extensions::Fault::Corrupt) (1007), wherever it was cut into pieces. A final block ends itself
//! only: what follows it in the message, or in the next one, may still refer back (RFC 7692 section 7.2.3.4). A peer
//! that refers back further than was agreed is understood within a message; across messages, it has asked for what is
//! forgotten, which is corrupt.
//!
//! # What it costs
//!
//! Before there is a message, a direction has nothing allocated. Where no context is kept, compressors and inflaters
//! come from a pool that all connections share, and go back at the end of each message. Where contexts are kept, a
//! connection keeps its compressor, and of what it receives the window alone.
//!
//! | contexts kept | window bits, memory level | bytes of contexts per connection |
//! | --- | --- | --- |
//! | none, a server's default | any | 0 |
//! | theirs | 12 | 4,100 |
//! | theirs | 15 | 32,700 |
//! | both | 9, 1 | 137,800 |
//! | both, [`Options::small_contexts`] | 12, 5 | 169,200 |
//! | both | 12, 8 | 269,500 |
//! | ours | 15, 8 | 380,100 |
//! | both, [`Options::smallest`] | 15, 8 | 412,600 |
//!
//! The session itself has less than 1 KB. A message in progress takes a compressor, or an inflater of 48 KB, for as
//! long as it is in progress. In the pool there are at most [`Options::pool_size`] of each.
//!
//! Ratio, and microseconds to compress and to decompress a message, for JSON quotes of a feed on one machine (compare
//! rows, not machines; `cargo run --release -p ws-deflate --example costs`):
//!
//! | contexts kept | level | 1 KiB: ratio, compress, decompress | 16 KiB: ratio, compress, decompress |
//! | --- | --- | --- | --- |
//! | none | 1, [`Level::LOW_LATENCY`] | 2.2, 6, 2 | 2.9, 48, 23 |
//! | none | 5, [`Level::DEFAULT`] | 2.8, 18, 4 | 4.3, 147, 26 |
//! | none | 7, [`Level::SMALLEST`] | 2.8, 20, 4 | 4.5, 264, 26 |
//! | none | 9 | 2.8, 22, 4 | 4.3, 299, 26 |
//! | both, 12 bits, memory level 5 | 1 | 2.9, 4, 2 | 2.9, 52, 24 |
//! | both, 12 bits, memory level 5 | 5 | 4.1, 13, 4 | 4.4, 147, 28 |
//! | both, 12 bits, memory level 5 | 7 | 4.3, 19, 4 | 4.7, 247, 28 |
//! | both, 15 bits | 1 | 3.1, 3, 2 | 3.1, 49, 26 |
//! | both, 15 bits | 5 | 4.2, 17, 4 | 4.7, 180, 27 |
//! | both, 15 bits | 7 | 4.5, 28, 4 | 5.0, 369, 27 |
//!
//! # Side channels
//!
//! Who can put text of their own beside a secret in one compressed context, and see how long the messages get, can
//! guess the secret piece by piece, encrypted or not. Messages with secrets are better sent with
//! [`Compress::No`](ws_extensions::Compress::No), or without kept contexts and without text of others.
//!
//! # What is not done
//!
//! Incompressible messages are not told from others: what is compressed already is sent with `Compress::No`. The
//! extensions that came before this one, such as `x-webkit-deflate-frame`, are not spoken.
#![forbid(unsafe_code)]

mod deflater;
mod extension;
mod history;
mod inflater;
mod options;
mod pool;
mod settings;
mod stream;
mod terms;

pub use extension::PermessageDeflate;
pub use options::Options;
pub use settings::{Level, MemoryLevel, OutOfRange, Strategy, Takeover, WindowBits};
