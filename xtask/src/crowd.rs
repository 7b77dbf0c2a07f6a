//! `cargo xtask crowd`: thousands of connections that stay, to one server, in two processes.
//!
//! The example `crowd` of ws-stack is both the server and the clients. This opens them, looks at what the server's process
//! takes while nothing but heartbeats pass, lets it broadcast, and shuts it down.

mod program;
mod report;
mod usage;

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use indicatif::ProgressBar;

use self::{program::Program, report::Report, usage::Usage};
use crate::repo::Repo;

/// The heartbeat that servers have by default.
const DEFAULT_PING: f64 = 25.0;

/// How many clients connect and stay, and what they see.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// How many connections
    #[arg(long, default_value_t = 10_000)]
    connections: usize,
    /// Seconds of silence after which the server pings; the figures are scaled to its default of 25
    #[arg(long, default_value_t = 5.0)]
    ping: f64,
    /// How many intervals of heartbeats to measure
    #[arg(long, default_value_t = 4)]
    intervals: u32,
    /// How many messages to broadcast
    #[arg(long, default_value_t = 10)]
    broadcasts: usize,
    /// Seconds that the shutdown may take
    #[arg(long, default_value_t = 10.0)]
    deadline: f64,
    /// On how many addresses the server listens: each has all ports of the clients'
    #[arg(long, default_value_t = 4)]
    addresses: u8,
}

/// Builds the example, measures, and prints a table.
///
/// # Errors
/// When a connection does not open, a message does not arrive, or the shutdown does not end in order and in time.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    ensure!(args.ping > 0.0 && args.deadline > 0.0 && args.intervals > 0, "times must be positive");
    let repo = Repo::find()?;
    let program = repo.build_program("crowd", ["--package", "ws-stack", "--example", "crowd"])?;
    let listen: Vec<_> = (1..=args.addresses.max(1)).map(|host| format!("127.0.0.{host}:0")).collect();

    let mut server = Program::start(&program, "server", args.ping.to_string(), &listen)?;
    let listening = server.expect("listening")?;
    let before = Usage::of(server.id())?;
    let mut clients = Program::start(&program, "clients", args.connections.to_string(), &listening)?;
    let [open, failed, open_ms] = clients.expect_numbers("open")?;
    ensure!(open == args.connections, "{open} of {} connections are open, {failed} failed", args.connections);

    // The first interval is the opening's own: what it has left behind is given back meanwhile.
    pause("settling", args.ping);
    let idle = Usage::of(server.id())?;
    let watched = Instant::now();
    pause("heartbeats", args.ping * f64::from(args.intervals));
    let later = Usage::of(server.id())?;
    let watched = watched.elapsed();
    let [count] = server.ask_numbers("count", "count")?;
    ensure!(count == open, "{count} of {open} connections have lived through their heartbeats");

    let mut slowest = 0;
    let broadcast = Usage::of(server.id())?;
    let text = "x".repeat(100);
    for round in 1..=args.broadcasts {
        let sent = Instant::now();
        let [queued] = server.ask_numbers(&format!("broadcast {text}"), "queued")?;
        let wanted = open * round;
        let [delivered, _] = clients.ask_numbers(&format!("delivered {wanted}"), "delivered")?;
        ensure!(queued == open && delivered == wanted, "{delivered} of {wanted} messages were delivered");
        slowest = slowest.max(sent.elapsed().as_millis());
    }
    let after = Usage::of(server.id())?;

    let [answered, unanswered, shutdown_ms] =
        server.ask_numbers(&format!("shutdown {}", args.deadline), "shutdown")?;
    let [in_order, otherwise] = clients.ask_numbers("closed", "closed")?;
    server.end().context("the server")?;
    clients.end().context("the clients")?;

    let report = Report {
        connections: open,
        open_ms,
        resident_each: idle.resident.saturating_sub(before.resident) / open.max(1),
        heartbeat_cpu: (later.cpu - idle.cpu).as_secs_f64() / watched.as_secs_f64(),
        ping: args.ping,
        broadcasts: args.broadcasts,
        broadcast_ms: slowest,
        delivery_cpu: (after.cpu - broadcast.cpu).as_secs_f64() / (open * args.broadcasts).max(1) as f64,
        answered,
        shutdown_ms,
    };
    report.print();
    ensure!(
        answered == open && unanswered == 0 && in_order == open && otherwise == 0,
        "{answered} have answered the Close, {unanswered} have not; {in_order} clients were closed with 1001"
    );
    ensure!(shutdown_ms as f64 <= args.deadline * 1000.0, "the shutdown has missed its deadline");
    Ok(())
}

/// Waits, and shows for how long still.
fn pause(what: &'static str, seconds: f64) {
    let end = Instant::now() + Duration::from_secs_f64(seconds);
    let bar = ProgressBar::new((seconds * 10.0) as u64).with_message(what);
    while let Some(left) = end.checked_duration_since(Instant::now()) {
        bar.set_position(bar.length().unwrap_or(0).saturating_sub((left.as_secs_f64() * 10.0) as u64));
        std::thread::sleep(left.min(Duration::from_millis(100)));
    }
    bar.finish_and_clear();
}
