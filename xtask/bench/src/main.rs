//! Loads WebSocket echo servers and measures what a message costs them.
//!
//! The load generator is no WebSocket library: it upgrades by hand, sends frames that were made beforehand, and
//! compares the replies byte for byte.

mod chart;
mod connect;
mod cpu;
mod dialogue;
mod idle;
mod inflated;
mod json;
mod load;
mod machine;
mod matrix;
mod memory;
mod prepare;
mod process;
mod random;
mod rate;
mod report;
mod sample;
mod scenario;
mod script;
mod servers;
mod takeover;
mod traffic;
mod versions;

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::{Parser, Subcommand};

use crate::load::Span;
use crate::machine::Machine;
use crate::matrix::Matrix;
use crate::report::Report;
use crate::scenario::Scenario;
use crate::servers::Given;

/// Measures WebSocket echo servers
#[derive(Debug, Parser)]
#[command(name = "bench")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measure servers under scenarios, and print tables
    Run(Run),
    /// Become a server on one core
    #[command(hide = true)]
    Launch {
        core: usize,
        #[arg(last = true, required = true)]
        command: Vec<OsString>,
    },
}

#[derive(Debug, clap::Args)]
struct Run {
    /// `SIZExCONNECTIONS[pDEPTH]` with "text ", "utf8 ", "nct " or "ct " before it, `idleCONNECTIONS` with "nct " or
    /// "ct " before it, `rate`
    #[arg(long, value_delimiter = ',', default_value = scenario::ALL)]
    scenarios: Vec<Scenario>,
    /// Names of servers; without any, all that are known or given
    #[arg(long, value_delimiter = ',')]
    servers: Vec<String>,
    #[command(flatten)]
    given: Given,
    /// How often all is measured
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=100))]
    rounds: u16,
    /// How long one measurement takes
    #[arg(long, default_value_t = 2.0, value_parser = seconds)]
    seconds: f64,
    /// One short round, to see that all works
    #[arg(long, conflicts_with_all = ["rounds", "seconds"])]
    quick: bool,
    /// Take the peers as they were built before
    #[arg(long)]
    no_build: bool,
    /// The core for servers
    #[arg(long, default_value_t = 0)]
    server_core: usize,
    /// The core for the load
    #[arg(long, default_value_t = 1)]
    client_core: usize,
    /// Write every measurement here
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the tables here too
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// Draw the comparisons into this directory
    #[arg(long, value_name = "DIRECTORY")]
    svg: Option<PathBuf>,
}

/// A measured time that has an end.
fn seconds(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(seconds) if (0.05..=60.0).contains(&seconds) => Ok(seconds),
        _ => Err("between 0.05 and 60".into()),
    }
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Run(run) => run.run(),
        Command::Launch { core, command } => process::launch(core, &command),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

impl Run {
    fn run(self) -> Result<()> {
        let servers = servers::select(&self.servers, &self.given, &prepare::binaries()?, &prepare::node())?;
        if !self.no_build && servers::need_peers(&servers) {
            prepare::build_peers()?;
        }
        if servers::need_node(&servers) {
            prepare::install_node()?;
        }
        machine::allow_descriptors(self.scenarios.iter().map(descriptors).max().unwrap_or_default())?;
        if let Some(warning) = machine::steady_network()? {
            eprintln!("warning: {warning}");
        }
        cpu::pin(self.client_core)?;

        let seconds = if self.quick { 0.4 } else { self.seconds };
        let measured = Duration::from_secs_f64(seconds);
        let matrix = Matrix {
            scenarios: self.scenarios,
            servers,
            rounds: if self.quick { 1 } else { self.rounds.into() },
            span: Span { warmup: measured / 4, measured },
            server_core: self.server_core,
        };
        let outcome = matrix.run();
        let machine = Machine::describe();
        let report = Report { matrix: &matrix, outcome: &outcome, machine: &machine };
        let markdown = report.markdown();
        print!("{markdown}");
        if let Some(path) = &self.markdown {
            fs::write(path, &markdown).with_context(|| format!("cannot write {}", path.display()))?;
        }
        if let Some(path) = &self.json {
            let json = serde_json::to_string_pretty(&report.json())?;
            fs::write(path, json + "\n").with_context(|| format!("cannot write {}", path.display()))?;
        }
        if let Some(directory) = &self.svg {
            fs::create_dir_all(directory)?;
            for (file, svg) in report.charts() {
                let path = directory.join(file);
                fs::write(&path, svg).with_context(|| format!("cannot write {}", path.display()))?;
            }
        }
        match outcome.failures.len() {
            0 => Ok(()),
            failed => bail!("{failed} measurements failed"),
        }
    }
}

/// How many open files a scenario takes on either side: its connections, and some for the rest.
fn descriptors(scenario: &Scenario) -> u64 {
    let connections = match scenario {
        Scenario::Echo(echo) => echo.connections,
        Scenario::Idle(connections, _) => *connections,
        Scenario::Rate => 0,
    };
    connections as u64 + 256
}
