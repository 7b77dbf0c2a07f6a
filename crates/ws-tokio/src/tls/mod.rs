//! TLS for clients, by rustls.

mod options;
mod session;
mod trust;

pub use self::options::TlsOptions;
pub(crate) use self::session::Names;
