//! One open WebSocket connection as a state machine: bytes in, events out, bytes out, deadlines; no I/O
#![forbid(unsafe_code)]
