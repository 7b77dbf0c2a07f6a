//! Our servers behind real reverse proxies: nginx and haproxy, with and without TLS in front.
//!
//! [`proxy`] starts them where the machine has them. [`backend`] are our servers, [`play`] is what a client does.

mod backend;
#[path = "../installed/mod.rs"]
mod installed;
mod play;
mod proxy;

use std::{future::Future, time::Duration};

use self::{
    backend::Kind,
    installed::Failure,
    play::play,
    proxy::{HAPROXY, NGINX},
};

#[tokio::test]
async fn our_server_works_behind_nginx() -> Result<(), Failure> {
    play(NGINX, Kind::Ours).await
}

#[tokio::test]
async fn a_server_of_hyper_works_behind_nginx() -> Result<(), Failure> {
    play(NGINX, Kind::Hyper).await
}

#[tokio::test]
async fn our_server_works_behind_haproxy() -> Result<(), Failure> {
    play(HAPROXY, Kind::Ours).await
}

#[tokio::test]
async fn a_server_of_hyper_works_behind_haproxy() -> Result<(), Failure> {
    play(HAPROXY, Kind::Hyper).await
}

#[tokio::test]
async fn our_server_reads_the_line_that_haproxy_writes_first() -> Result<(), Failure> {
    play(HAPROXY, Kind::OursWithProxyHeader).await
}

/// Waits, and fails where the other side would have to wait for ever.
async fn within<T>(what: &str, future: impl Future<Output = T>) -> Result<T, Failure> {
    let deadline = Duration::from_secs(60);
    tokio::time::timeout(deadline, future).await.map_err(|_| format!("waited too long for {what}").into())
}
