//! The WebSocket stack: client and server, extensions, strict, bounded and fast
#![forbid(unsafe_code)]
