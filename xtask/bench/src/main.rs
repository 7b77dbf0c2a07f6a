//! Loads WebSocket servers and measures what a message costs them.
//!
//! The load generator is no WebSocket library: it upgrades by hand, sends frames that were made beforehand, and
//! compares the replies byte for byte.

mod bars;
mod broadcast;
mod chart;
mod connect;
mod cpu;
mod dialogue;
mod figures;
mod gallery;
mod idle;
mod inflated;
mod json;
mod load;
mod machine;
mod matrix;
mod memory;
mod page;
mod prepare;
mod process;
mod publish;
mod random;
mod rate;
mod report;
mod sample;
mod scenario;
mod script;
mod servers;
mod tables;
mod takeover;
#[cfg(test)]
mod testing;
mod tls;
mod traffic;
mod versions;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, bail};
use clap::{Parser, Subcommand};

use crate::load::Span;
use crate::machine::Machine;
use crate::matrix::Matrix;
use crate::report::Report;
use crate::scenario::Scenario;
use crate::servers::{Given, Server};

/// Open files beside those of the connections.
const SPARE: u64 = 256;

/// Measures WebSocket servers
#[derive(Debug, Parser)]
#[command(name = "bench")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measure servers under scenarios, and print tables
    Run(Box<Run>),
    /// Become a server on some cores
    #[command(hide = true)]
    Launch {
        #[arg(long = "core")]
        cores: Vec<usize>,
        #[arg(last = true, required = true)]
        command: Vec<OsString>,
    },
}

#[derive(Debug, clap::Args)]
struct Run {
    /// `SIZExCONNECTIONS[pDEPTH]` with "text ", "utf8 ", "nct ", "ct " or "threadsN " before it, `broadcastRECEIVERSxSIZE[pDEPTH]`
    /// with the same, `idleCONNECTIONS` with "nct ", "ct " or "tls " before it, `rate`
    #[arg(long, value_delimiter = ',', default_value = scenario::ALL)]
    scenarios: Vec<Scenario>,
    /// Names of servers; without any, all that are known or given
    #[arg(long, value_delimiter = ',')]
    servers: Vec<String>,
    #[command(flatten)]
    given: Given,
    /// How often all is measured [default: 3]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=100))]
    rounds: Option<u16>,
    /// How long one measurement takes [default: 2; to publish 0.5]
    #[arg(long, value_parser = seconds)]
    seconds: Option<f64>,
    /// Write page, pictures and measurements into docs/benchmarks
    #[arg(long)]
    publish: bool,
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
        Command::Launch { cores, command } => process::launch(&cores, &command),
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
        let mut servers =
            servers::select(&self.servers, &self.given, &prepare::binaries()?, &prepare::node())?;
        if !self.no_build && servers::need_peers(&servers) {
            prepare::build_peers()?;
        }
        if servers::need_node(&servers)
            && let Err(error) = prepare::install_node()
        {
            if !self.servers.is_empty() {
                return Err(error);
            }
            eprintln!("warning: node-ws is left out: {error:#}");
            servers::without_node(&mut servers);
        }
        let descriptors = self.scenarios.iter().map(|scenario| scenario.connections() as u64 + SPARE);
        machine::allow_descriptors(descriptors.max().unwrap_or_default())?;
        if let Some(warning) = machine::steady_network()? {
            eprintln!("warning: {warning}");
        }
        cpu::pin(&[self.client_core])?;

        let machine = Machine::describe();
        let matrix = self.matrix(servers);
        let outcome = matrix.run();
        let report = Report { matrix: &matrix, outcome: &outcome, machine: &machine };
        self.write(&report)?;
        match outcome.failures.len() {
            0 => Ok(()),
            failed => bail!("{failed} measurements failed"),
        }
    }

    /// What is to be measured, and for how long.
    fn matrix(&self, servers: Vec<Server>) -> Matrix {
        let (rounds, seconds) = match (self.quick, self.publish) {
            (true, _) => (1, 0.4),
            (false, true) => (3, 0.5),
            (false, false) => (3, 2.0),
        };
        let measured = Duration::from_secs_f64(self.seconds.unwrap_or(seconds));
        Matrix {
            scenarios: self.scenarios.clone(),
            servers,
            rounds: self.rounds.unwrap_or(rounds).into(),
            span: Span { warmup: measured / 4, measured },
            server_core: self.server_core,
            client_core: self.client_core,
        }
    }

    /// Puts the report wherever it was asked for.
    fn write(&self, report: &Report<'_>) -> Result<()> {
        let markdown = report.markdown();
        print!("{markdown}");
        if let Some(path) = &self.markdown {
            publish::write(path, &markdown)?;
        }
        if let Some(path) = &self.json {
            publish::write_json(path, report)?;
        }
        if let Some(directory) = &self.svg {
            publish::write_pictures(directory, report)?;
        }
        if self.publish {
            publish::publish(report, &publish::directory())?;
        }
        Ok(())
    }
}
