//! permessage-deflate (RFC 7692).
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
