//! Made-up figures for tests.

use std::path::Path;
use std::time::Duration;

use crate::load::Span;
use crate::matrix::{Matrix, Measurement, Outcome};
use crate::sample::{Metric, Sample};
use crate::scenario::Scenario;
use crate::servers::{Given, Server, select};

/// A scenario, a server, and a figure.
pub(crate) type Figure<'a> = (&'a str, &'a str, Metric, f64);

/// A run that yields these figures, a round for each time that one is named.
pub(crate) fn outcome(figures: &[Figure<'_>]) -> (Matrix, Outcome) {
    let own = std::env::current_exe().ok();
    let given = Given { ours: own.clone(), owned: own, ..Given::default() };
    let servers = select(&[], &given, Path::new(""), Path::new("")).expect("servers");
    let mut scenarios = Vec::new();
    let mut outcome = Outcome::default();
    for (scenario, server, metric, value) in figures {
        let scenario: Scenario = scenario.parse().expect("a scenario");
        if !scenarios.contains(&scenario) {
            scenarios.push(scenario);
        }
        let name = scenario.to_string();
        let before = outcome.measurements.iter();
        let before = before
            .filter(|one| one.scenario == name && one.server == *server && one.figures.contains_key(metric));
        outcome.measurements.push(Measurement {
            round: before.count() + 1,
            scenario: name,
            server: (*server).to_owned(),
            figures: Sample::from([(*metric, *value)]),
        });
    }
    let used = |server: &Server| figures.iter().any(|(_, name, ..)| *name == server.name);
    let matrix = Matrix {
        scenarios,
        servers: servers.into_iter().filter(used).collect(),
        rounds: outcome.measurements.iter().map(|one| one.round).max().unwrap_or(1),
        span: Span { warmup: Duration::ZERO, measured: Duration::from_secs(1) },
        server_core: 0,
        client_core: 1,
    };
    (matrix, outcome)
}
