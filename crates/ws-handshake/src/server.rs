//! The server's side: a request is checked, then accepted or refused (RFC 6455 section 4.2).

mod accept;
mod check;
mod error;
mod origin;
mod policy;
mod refusal;

pub use accept::AcceptBuilder;
pub use check::{Upgrade, check, is_upgrade};
pub use error::{RequestError, ResponseError};
pub use origin::OriginPolicy;
pub use policy::ServerPolicy;
pub use refusal::Refusal;
