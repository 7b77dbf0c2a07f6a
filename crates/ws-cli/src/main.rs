//! ws, the command line of the WebSocket stack: connect and serve
#![forbid(unsafe_code)]
fn main() {}
