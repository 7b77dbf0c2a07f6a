//! `ws serve`: a server in the foreground that echoes or broadcasts, until it is told to stop.
//!
//! Each thread has a runtime and a listener of its own on one address ([`listen`], [`worker`]); the system spreads the
//! connections. What becomes of one is in [`connection`].

mod args;
mod compression;
mod connection;
mod descriptors;
mod inbox;
mod listen;
mod page;
mod room;
mod service;
mod stop;
mod tls;
mod worker;

use std::{
    io::{self, Write},
    net::{SocketAddr, TcpListener},
    process::ExitCode,
    sync::Arc,
    thread,
    time::Duration,
};

use anyhow::Context;
use tokio::{
    runtime::{Builder, Runtime},
    sync::{mpsc, watch},
    time,
};

pub(crate) use self::args::Args;
use self::service::Service;
use crate::{print, signals::Signals};

/// What a shell reports for a program that was ended by SIGINT.
const INTERRUPTED: u8 = 130;

/// How long after the deadline of all closing handshakes the last connection may take to be dropped.
const GRACE: Duration = Duration::from_secs(1);

/// Serves until SIGINT or SIGTERM.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    descriptors::raise_limit();
    let threads = args.threads.get();
    let listeners = listen::bind(&args.listen, threads)?;
    let address = listeners[0].local_addr()?;
    let service = Arc::new(Service::new(args, address)?);

    let mut workers = Vec::new();
    for listener in listeners {
        let runtime = Builder::new_current_thread().enable_all().build().context("cannot start a runtime")?;
        workers.push((runtime, listener));
    }
    let (stop, stopping) = watch::channel(false);
    let (working, ended) = mpsc::channel(1);
    let (runtime, listener) = workers.swap_remove(0);
    for (number, (runtime, listener)) in (1..).zip(workers) {
        let (service, stopping, working) = (Arc::clone(&service), stopping.clone(), working.clone());
        thread::Builder::new()
            .name(format!("ws-{number}"))
            .spawn(move || work(&runtime, listener, &service, stopping, &working))
            .context("cannot start a thread")?;
    }
    runtime.block_on(async {
        let signals = Signals::new().context("cannot listen for signals")?;
        announce(&service, address);
        let first = async {
            let ended = worker::run(listener, &service, stopping).await;
            drop(working);
            ended
        };
        let all = async { tokio::join!(first, all_ended(ended)).0 };
        until_stopped(all, signals, &stop).await
    })
}

/// The life of a thread other than the first.
fn work(
    runtime: &Runtime,
    listener: TcpListener,
    service: &Arc<Service>,
    stopping: watch::Receiver<bool>,
    _working: &mpsc::Sender<()>,
) {
    if let Err(error) = runtime.block_on(worker::run(listener, service, stopping)) {
        print::error(format_args!("error: a thread has ended: {error}"));
    }
}

/// Ready when every thread has let go of its sender.
async fn all_ended(mut ended: mpsc::Receiver<()>) {
    while ended.recv().await.is_some() {}
}

/// The one line on standard output, so that a script can wait for it and learn the port.
fn announce(service: &Service, address: SocketAddr) {
    let mut out = io::stdout();
    // A closed standard output keeps nobody from connecting.
    let _ = writeln!(out, "listening on {}", service.url(address)).and_then(|()| out.flush());
}

/// Runs the workers until a signal; then gives the closing handshakes their time, or stops at once when asked again.
async fn until_stopped(
    workers: impl Future<Output = io::Result<()>>,
    mut signals: Signals,
    stop: &watch::Sender<bool>,
) -> anyhow::Result<ExitCode> {
    let mut workers = std::pin::pin!(workers);
    tokio::select! {
        ended = &mut workers => ended.context("the server has ended")?,
        () = signals.next() => {}
    }
    stop.send_replace(true);
    let deadline = service::CLOSE_TIMEOUT + GRACE;
    tokio::select! {
        ended = time::timeout(deadline, workers) => ended.unwrap_or(Ok(())).context("the server has ended")?,
        () = signals.next() => return Ok(ExitCode::from(INTERRUPTED)),
    }
    Ok(ExitCode::SUCCESS)
}
