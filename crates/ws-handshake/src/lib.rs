//! The opening handshake of WebSocket, both roles, without I/O, on the types of the http crate
#![forbid(unsafe_code)]
