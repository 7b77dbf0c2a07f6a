//! Tunnels through proxies: HTTP CONNECT (RFC 9110 section 9.3.6) and SOCKS5 (RFC 1928, RFC 1929), without I/O.

mod address;
mod connect;
mod error;
mod exchange;
mod socks5;
mod target;

pub use address::{ProxyAddress, ProxyAddressError, ProxyCredentials, ProxyKind};
pub use connect::{ConnectExchange, ConnectRequest};
pub use error::{ConnectError, ProxyError, ProxyRequestError, Socks5Error, Socks5Refusal};
pub use exchange::{ProxyExchange, ProxyStep};
pub use socks5::Socks5Exchange;
