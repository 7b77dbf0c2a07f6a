//! The client's side: a request is built, sent, and its answer checked (RFC 6455 section 4.1).

mod error;
mod handshake;
mod redirect;
mod reference;
mod request;
mod target;

pub use error::{ClientError, ClientRequestError};
pub use handshake::{ClientHandshake, ClientResponse, MAX_INTERIM_RESPONSES};
pub use redirect::{Redirect, RedirectError, Redirects, is_redirect};
pub use request::ClientRequest;
pub(crate) use target::basic;
