//! WebSocket client and server on tokio: TLS, timers, split, Stream and Sink
#![forbid(unsafe_code)]
