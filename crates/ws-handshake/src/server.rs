//! The server's side: a request is checked, then accepted or refused (RFC 6455 section 4.2).

mod accept;
pub(crate) mod check;
mod error;
pub(crate) mod fields;
mod named_host;
mod origin;
mod policy;
mod refusal;

pub use accept::{AcceptBuilder, Acceptance};
pub use check::{Upgrade, check, is_upgrade};
pub use error::{RequestError, ResponseError};
pub use origin::OriginPolicy;
pub use policy::ServerPolicy;
pub use refusal::Refusal;
