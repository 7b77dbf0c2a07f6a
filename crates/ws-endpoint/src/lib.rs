//! A WebSocket client or server from the first byte of the handshake to the end, without I/O
#![forbid(unsafe_code)]
