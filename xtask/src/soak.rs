//! `cargo xtask soak`: thousands of connections that come, talk and go, well and badly, for as long as you like.
//!
//! The server is `ws serve --deflate` as it is shipped, the clients are the example `soak` of ws-stack: two processes over
//! the loopback. With `--counted` the server is the example's own, which counts what is on its heap: whether memory that grows
//! is held, or only kept by the allocator. Each second the server's memory and descriptors are read. Behind the warm-up its memory must stay flat and
//! nearly all of the connections must be open, every message must have been answered, and at the end there must be as many
//! descriptors as before.

mod clients;
mod plot;
mod progress;
mod report;
mod series;
mod server;

use std::{
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};

use self::{
    clients::{Clients, Said},
    progress::Progress,
    report::Report,
    series::{Sample, Series},
    server::Server,
};
use crate::repo::Repo;

/// How long, and how many.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Minutes of it
    #[arg(long, default_value_t = 30.0)]
    minutes: f64,
    /// How many connections are open at once
    #[arg(long, default_value_t = 5_000)]
    connections: u64,
    /// What is said, and how each connection ends, is made up from this
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The longest pause of a connection between two things that it says, in seconds: what makes the load
    #[arg(long, default_value_t = 3.0)]
    pause: f64,
    /// Soak a server that counts its heap: the library's `Server` in place of `ws serve`
    #[arg(long)]
    counted: bool,
    /// Where to draw memory and descriptors over time [default: soak.svg in cargo's target directory]
    #[arg(long, value_name = "PATH")]
    svg: Option<PathBuf>,
}

/// The shortest warm-up: by then each way to go has been gone, also those that the server finds out about last, by its
/// heartbeat and by a write that stalls.
const WARM_UP: Duration = Duration::from_secs(75);

/// How long the last connections may take to go. The slowest wait for a deadline of the server's.
const LAST_ONES: Duration = Duration::from_secs(120);

/// Soaks a server, prints a table, and draws the plot.
///
/// # Errors
/// When memory grew, connections did not come again, a descriptor was left, or a message was not answered.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    ensure!(args.minutes > 0.0 && args.connections > 0, "there must be time, and connections");
    let pause = Duration::try_from_secs_f64(args.pause).context("a pause is a time")?;
    let repo = Repo::find()?;
    let soak = repo.build_program("soak", ["--package", "ws-stack", "--example", "soak"])?;
    let svg = args.svg.clone().unwrap_or_else(|| repo.target.join("soak.svg"));

    let lasts = Duration::try_from_secs_f64(args.minutes * 60.0).context("that is too long")?;
    let warm_up = WARM_UP.max(lasts / 10).min(lasts * 2 / 3);
    let server = if args.counted {
        Server::counted(&soak)?
    } else {
        Server::shipped(&repo.build_program("ws", ["--package", "ws-cli", "--bin", "ws"])?)?
    };
    let before = server.usage()?;
    let clients = Clients::start(&soak, args.connections, args.seed, pause, server.address())?;
    let watched = watch(clients, &server, lasts)?;
    let after = left(&server, before.descriptors)?;

    let report = Report {
        args,
        warm_up,
        before,
        after,
        memory: watched.series.trend(warm_up, |sample| sample.resident as f64),
        heap: watched.series.trend(warm_up, |sample| sample.heap as f64).filter(|_| args.counted),
        open: watched.series.trend(warm_up, |sample| sample.open as f64),
        watched: &watched,
    };
    report.print();
    if let Some(parent) = svg.parent() {
        fs::create_dir_all(parent)?;
    }
    let title = report.title();
    fs::write(&svg, plot::svg(&title, &watched.series, warm_up)).context("cannot write the plot")?;
    println!("plot: {}", svg.display());
    let wrong = report.wrong();
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

/// What was seen.
#[derive(Debug, Default)]
struct Watched {
    series: Series,
    /// The clients' last word.
    tally: clients::Tally,
    /// What was not as it should be, the first few.
    failures: Vec<String>,
}

/// Watches until it is time, tells the clients to stop, and sees them off.
fn watch(mut clients: Clients, server: &Server, lasts: Duration) -> anyhow::Result<Watched> {
    /// More failures than this are counted only.
    const TOLD: usize = 20;
    let start = Instant::now();
    let progress = Progress::new(lasts);
    let mut watched = Watched::default();
    loop {
        match clients.next()? {
            Said::Tally(tally) if clients.is_stopped() => watched.tally = tally,
            Said::Tally(tally) => {
                let (at, usage) = (start.elapsed(), server.usage()?);
                watched.series.push(Sample::new(at, &usage, server.heap(), tally.open));
                watched.tally = tally;
                progress.show(at, &usage, tally);
                if at >= lasts {
                    clients.stop();
                }
            }
            Said::Failed(why) => {
                if watched.failures.len() < TOLD {
                    watched.failures.push(why);
                }
            }
            Said::End => return Ok(watched),
        }
        if start.elapsed() > lasts + LAST_ONES {
            bail!("the clients do not come to their end: {} are open", watched.tally.open);
        }
    }
}

/// What the server has at the end, once it had the time to see the last ones off.
fn left(server: &Server, before: usize) -> anyhow::Result<crate::attack::process::Usage> {
    let start = Instant::now();
    loop {
        let usage = server.usage()?;
        if usage.descriptors == before || start.elapsed() > LAST_ONES {
            return Ok(usage);
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}
