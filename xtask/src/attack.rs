//! `cargo xtask attack`: hostile peers over real sockets, against the programs as they are shipped.
//!
//! No WebSocket library is in here: bytes are made by hand ([`wire`], [`deflate`]) and read by hand ([`peer`]), so that
//! nothing is avoided because a library would not send it. [`server`] attacks `ws serve`, [`client`] attacks `ws
//! connect`. Each attack has its exact outcome and bounds on time, CPU and memory, which are read from the attacked process
//! ([`process`]); an honest client beside every flood measures how long it waits ([`honest`]). Everything stays on the
//! loopback and ends by itself.

mod client;
mod deflate;
mod honest;
mod page;
mod peer;
mod plan;
pub(crate) mod process;
mod progress;
mod row;
mod server;
mod tls;
mod wire;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use clap::ValueEnum;

use self::plan::{Pace, Run};
use self::row::Row;
use crate::repo::Repo;

/// Which attacks to run.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The side to attack; both, one after the other, when absent
    role: Option<Role>,
    /// Only attacks whose group or name contains this
    #[arg(long, value_name = "NAME")]
    only: Option<String>,
    /// Only the groups that take seconds, as `cargo xtask test` does
    #[arg(long)]
    quick: bool,
    /// This machine does nothing else: judge how long an honest client waits by the clock on the wall, too
    #[arg(long)]
    quiet: bool,
    /// How many clients connect and leave; a million takes some minutes
    #[arg(long, value_name = "N", default_value_t = server::FEW)]
    comings: u32,
    /// Write what came of it into docs/reliability/attacks.md
    #[arg(long, conflicts_with_all = ["role", "only", "quick"])]
    publish: bool,
}

/// The side that is attacked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Role {
    /// `ws serve`
    Server,
    /// `ws connect`
    Client,
}

/// Runs the attacks and prints the table.
///
/// # Errors
/// When an attack had another outcome than an acceptable one, or went over a bound.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let repo = Repo::find()?;
    ensure!(can_measure(), "the attacked process is measured through /proc, which is not here: use Linux");
    let roles = args.role.map_or_else(|| vec![Role::Server, Role::Client], |role| vec![role]);
    let directory = files(&repo);
    let run = Run {
        pace: if args.quick { Pace::Quick } else { Pace::Long },
        only: args.only.as_deref(),
        is_quiet: args.quiet,
        comings: args.comings,
        directory: &directory,
    };
    let rows = all(&repo, &roles, &run)?;
    ensure!(!rows.is_empty(), "no attack has that in its name");
    print!("{}", row::table(&rows));
    print!("{}", row::summary(&rows));
    judge(&rows)?;
    if args.publish {
        let page = repo.root.join(page::PATH);
        fs::write(&page, page::page(&rows, run.is_quiet)).context("cannot write the page of the attacks")?;
    }
    Ok(())
}

/// The groups that take seconds, against both sides. `None` where nothing can be measured.
///
/// # Errors
/// As for [`run`].
pub(crate) fn check(repo: &Repo) -> anyhow::Result<Option<()>> {
    if !can_measure() {
        return Ok(None);
    }
    let directory = files(repo);
    let run =
        Run { pace: Pace::Quick, only: None, is_quiet: false, comings: server::FEW, directory: &directory };
    let rows = all(repo, &[Role::Server, Role::Client], &run)?;
    print!("{}", row::summary(&rows));
    judge(&rows).map(Some)
}

fn files(repo: &Repo) -> PathBuf {
    repo.target.join("attack")
}

fn all(repo: &Repo, roles: &[Role], run: &Run<'_>) -> anyhow::Result<Vec<Row>> {
    let ws = repo.build_program("ws", ["--package", "ws-cli", "--bin", "ws"])?;
    let mut rows = Vec::new();
    for role in roles {
        rows.extend(match role {
            Role::Server => server::attack(&ws, run)?,
            Role::Client => client::attack(&ws, run)?,
        });
    }
    Ok(rows)
}

fn judge(rows: &[Row]) -> anyhow::Result<()> {
    let failed: Vec<_> = rows.iter().filter_map(Row::failure).collect();
    if failed.is_empty() {
        return Ok(());
    }
    bail!("{} of {} attacks did damage\n{}", failed.len(), rows.len(), failed.join("\n"))
}

fn can_measure() -> bool {
    Path::new("/proc/self/clear_refs").exists()
}
