//! What is shared between threads in files that are tested under every order of them too, where loom's takes its place.

pub(crate) use std::sync::Mutex;

pub(crate) use tokio::sync::Notify;
