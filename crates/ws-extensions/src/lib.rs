//! WebSocket extensions as plug-ins: header grammar, negotiation, RSV ownership and an ordered pipeline
#![forbid(unsafe_code)]

mod chain;
mod client;
mod codec;
mod contain;
mod error;
mod extension;
mod grammar;
mod job;
mod message;
mod negotiated;
mod options;
mod output;
mod params;
mod registry;

pub use chain::{Chain, Front, Route};
pub use client::{ClientOffer, NegotiationError};
pub use codec::{Codec, ExclusiveWork, Outcome, Plan, Work};
pub use error::{ExtensionError, Fault};
pub use extension::{Extension, Offer, Refusal, Session};
pub use grammar::{HeaderError, MAX_EXTENSIONS, MAX_PARAMS, format, parse};
pub use job::{Direction, Finished, Job, JobId};
pub use message::{Compress, MessageHead};
pub use negotiated::Negotiated;
pub use options::SessionOptions;
pub use output::Output;
pub use params::{InvalidToken, Params};
pub use registry::{RegisterError, Registry};
