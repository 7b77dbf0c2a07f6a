//! WebSocket frames without I/O and without allocation: header codec, masking, incremental UTF-8, close codes
#![forbid(unsafe_code)]
