//! Workloads in memory, of each crate below the I/O: what one operation costs, without sockets.
//!
//! Each [`Case`] is measured in two ways that have nothing else in common. `cargo xtask bench --counts` counts its
//! instructions and allocations under callgrind, which are the same each time, and compares them with `baseline.toml`.
//! `cargo bench -p counts` times it with criterion. The example `parse_speed` says how far receiving is from what cannot
//! be avoided.
#![forbid(unsafe_code)]

mod all;
mod case;
mod deflate;
mod encode;
mod handshake;
mod header;
mod mask;
mod material;
pub mod parse;
mod prepared;
mod utf8;

pub use all::cases;
pub use case::{Case, Run};
