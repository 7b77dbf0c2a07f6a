//! What was measured, to be asked for by name.

use crate::matrix::{Matrix, Outcome};
use crate::sample::{Metric, Summary, summary};
use crate::scenario::{Content, Scenario};
use crate::servers::is_ours;

/// All figures of a run.
#[derive(Clone, Copy)]
pub(crate) struct Figures<'a> {
    pub(crate) matrix: &'a Matrix,
    pub(crate) outcome: &'a Outcome,
}

impl<'a> Figures<'a> {
    /// The middle of all rounds, and how far they lie apart.
    pub(crate) fn summary(self, scenario: Scenario, server: &str, metric: Metric) -> Option<Summary> {
        let scenario = scenario.to_string();
        let measurements = self.outcome.measurements.iter();
        let own = measurements.filter(|one| one.scenario == scenario && one.server == server);
        summary(own.filter_map(|one| one.figures.get(&metric).copied()))
    }

    /// The middle of all rounds.
    pub(crate) fn median(self, scenario: Scenario, server: &str, metric: Metric) -> Option<f64> {
        self.summary(scenario, server, metric).map(|summary| summary.median)
    }

    /// All servers by name.
    pub(crate) fn servers(self) -> impl Iterator<Item = &'a str> {
        self.matrix.servers.iter().map(|server| server.name.as_str())
    }

    /// The servers that have this figure, with it.
    pub(crate) fn all(self, scenario: Scenario, metric: Metric) -> Vec<(&'a str, f64)> {
        self.servers().filter_map(|server| Some((server, self.median(scenario, server, metric)?))).collect()
    }

    /// The least of this figure among others than ours that are `wanted`.
    pub(crate) fn least(
        self,
        scenario: Scenario,
        metric: Metric,
        wanted: impl Fn(&str) -> bool,
    ) -> Option<(&'a str, f64)> {
        let all = self.all(scenario, metric).into_iter();
        all.filter(|(server, _)| !is_ours(server) && wanted(server)).min_by(|a, b| a.1.total_cmp(&b.1))
    }

    /// The scenarios of one kind that were asked for.
    pub(crate) fn scenarios(self, kind: Kind) -> impl Iterator<Item = Scenario> + 'a {
        self.matrix.scenarios.iter().copied().filter(move |scenario| Kind::of(*scenario) == kind)
    }
}

/// Scenarios whose figures are looked at together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Echo,
    Deflate,
    Broadcast,
    Idle,
    Rate,
    Threads,
}

impl Kind {
    /// What kind a scenario is of.
    pub(crate) fn of(scenario: Scenario) -> Self {
        match scenario {
            Scenario::Echo(echo) if matches!(echo.content, Content::Json(_)) => Self::Deflate,
            Scenario::Echo(_) => Self::Echo,
            Scenario::Broadcast(_) => Self::Broadcast,
            Scenario::Idle(_) => Self::Idle,
            Scenario::Rate => Self::Rate,
            Scenario::Threads(..) => Self::Threads,
        }
    }

    /// The figures to judge by.
    pub(crate) fn metrics(self) -> &'static [Metric] {
        match self {
            Self::Echo => &[Metric::CpuNsPerMessage],
            Self::Deflate => &[Metric::CpuNsPerMessage, Metric::BytesPerReply],
            Self::Broadcast => &[Metric::CpuNsPerDelivery],
            Self::Idle => &[Metric::BytesIdle, Metric::BytesAfterEcho],
            Self::Rate => &[Metric::CpuNsPerHandshake],
            Self::Threads => &[Metric::MessagesPerSecond, Metric::CpuNsPerMessage],
        }
    }
}
