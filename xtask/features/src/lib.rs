//! What each feature of ws-stack promises, used once: `cargo xtask test` checks this with no feature, with the default ones, with each
//! one alone, and with all. A feature that is not handed on to the crate that it is for fails to compile here.
//!
//! It is a package of its own because tests and examples of ws-stack bring features of what they depend on themselves.
//!
//! The features are those of ws-stack: `axum`, `deflate`, `http2`, `hyper`, `rustls`, `rustls-native-roots`, `rustls-no-provider`,
//! `rustls-webpki-roots`, `self-signed`, `simd` (which changes no name), `sync`, `tokio`.
#![forbid(unsafe_code)]
#![allow(clippy::missing_errors_doc, reason = "nobody calls these: that they compile is all")]

pub mod http;
pub mod on_tokio;
pub mod sync;
pub mod tls;
pub mod without_io;
