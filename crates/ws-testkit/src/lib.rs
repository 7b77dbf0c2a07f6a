//! Tools for the tests of the WebSocket stack; not published
#![forbid(unsafe_code)]
