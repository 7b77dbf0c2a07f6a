//! WebSocket extensions as plug-ins: header grammar, negotiation, RSV ownership and an ordered pipeline
#![forbid(unsafe_code)]
