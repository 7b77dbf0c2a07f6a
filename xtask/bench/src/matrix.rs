//! Every server under every scenario, round by round.

use anyhow::{Context as _, Result};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use crate::cpu::CpuClock;
use crate::load::Span;
use crate::process::Process;
use crate::sample::Sample;
use crate::scenario::Scenario;
use crate::servers::Server;
use crate::{broadcast, idle, load, rate};

/// One server under one scenario in one round.
#[derive(Debug, Serialize)]
pub(crate) struct Measurement {
    pub(crate) scenario: String,
    pub(crate) server: String,
    pub(crate) round: usize,
    pub(crate) figures: Sample,
}

/// What was asked for.
#[derive(Debug)]
pub(crate) struct Matrix {
    pub(crate) scenarios: Vec<Scenario>,
    pub(crate) servers: Vec<Server>,
    pub(crate) rounds: usize,
    pub(crate) span: Span,
    pub(crate) server_core: usize,
    pub(crate) client_core: usize,
}

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) measurements: Vec<Measurement>,
    pub(crate) failures: Vec<String>,
}

impl Matrix {
    /// Measures all, interleaved: the servers one after the other within a scenario, the scenarios within a round, and
    /// each round begins with another server. A server that fails is noted, and the others go on.
    pub(crate) fn run(&self) -> Outcome {
        let bar = progress((self.rounds * self.scenarios.len() * self.servers.len()) as u64);
        let mut outcome = Outcome::default();
        for round in 0..self.rounds {
            for &scenario in &self.scenarios {
                if round > 0 && scenario.is_steady() {
                    bar.inc(self.servers.len() as u64);
                    continue;
                }
                for offset in 0..self.servers.len() {
                    let server = &self.servers[(round + offset) % self.servers.len()];
                    let what = format!("round {}: {scenario} {}", round + 1, server.name);
                    bar.set_message(what.clone());
                    match self.measure(scenario, server) {
                        Ok(None) => {
                            bar.inc(1);
                            continue;
                        }
                        Ok(Some(figures)) => outcome.measurements.push(Measurement {
                            scenario: scenario.to_string(),
                            server: server.name.clone(),
                            round: round + 1,
                            figures,
                        }),
                        Err(error) => {
                            let failure = format!("{what}: {error:#}");
                            bar.suspend(|| eprintln!("{failure}"));
                            outcome.failures.push(failure);
                        }
                    }
                    bar.inc(1);
                    if bar.is_hidden() {
                        eprintln!("[{}/{}] {what}", bar.position(), bar.length().unwrap_or_default());
                    }
                }
            }
        }
        bar.finish_and_clear();
        outcome
    }

    /// Measures one server under one scenario, in a process of its own; `None` when they do not go together.
    fn measure(&self, scenario: Scenario, server: &Server) -> Result<Option<Sample>> {
        let cores: &[usize] = match scenario {
            Scenario::Threads(..) => &[self.server_core, self.client_core],
            _ => &[self.server_core],
        };
        let started = Process::start(|port| server.command(port, scenario.setup()), cores)?;
        let Some(process) = started else { return Ok(None) };
        let clock = CpuClock::of(process.id())?;
        let span = self.span.for_connections(scenario.connections());
        let sample = match scenario {
            Scenario::Echo(echo) | Scenario::Threads(_, echo) => {
                load::run(process.address, server.dialect, &echo, clock, span)
            }
            Scenario::Broadcast(echo) => broadcast::run(process.address, &echo, clock, span),
            Scenario::Idle(idle) => idle::run(process.address, server.dialect, idle, process.id()),
            Scenario::Rate => rate::run(process.address, clock, span),
        };
        sample.map(Some).with_context(|| format!("under {scenario}"))
    }
}

fn progress(steps: u64) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(steps), ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {elapsed_precise} eta {eta} {msg}");
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
