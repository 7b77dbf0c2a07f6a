//! The figures as tables, and as JSON.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::json;

use crate::chart::{Bar, Chart, Group};
use crate::machine::Machine;
use crate::matrix::{Matrix, Measurement, Outcome};
use crate::sample::{Metric, Summary, summary};
use crate::scenario::Scenario;
use crate::servers::{FLOOR, is_ours};
use crate::versions::version;

/// Everything measured, ready to be written down.
pub(crate) struct Report<'a> {
    pub(crate) matrix: &'a Matrix,
    pub(crate) outcome: &'a Outcome,
    pub(crate) machine: &'a Machine,
}

impl Report<'_> {
    /// Tables in Markdown: first CPU by scenario and server, then memory and handshakes, then everything else.
    pub(crate) fn markdown(&self) -> String {
        let mut out = String::new();
        let rounds = self.matrix.rounds;
        let _ = writeln!(
            out,
            "{}; medians of {rounds} {}.\n",
            self.machine,
            if rounds == 1 { "round" } else { "rounds" }
        );
        let versions: Vec<_> = self.versions().map(|(name, version)| format!("{name} {version}")).collect();
        if !versions.is_empty() {
            let _ = writeln!(out, "{}.\n", versions.join(", "));
        }
        let compressed = |scenario: &Scenario| scenario.takeover().is_some();
        let echoes = |scenario: &Scenario| matches!(scenario, Scenario::Echo(_));
        let idles = |scenario: &Scenario| matches!(scenario, Scenario::Idle(..));
        let rates = |scenario: &Scenario| matches!(scenario, Scenario::Rate);
        self.overview(&mut out, Metric::CpuNsPerMessage, |scenario| {
            echoes(scenario) && !compressed(scenario)
        });
        self.overview(&mut out, Metric::CpuNsPerMessage, |scenario| echoes(scenario) && compressed(scenario));
        self.overview(&mut out, Metric::BytesPerReply, |scenario| echoes(scenario) && compressed(scenario));
        for metric in [Metric::BytesIdle, Metric::BytesAfterEcho] {
            self.overview(&mut out, metric, |scenario| idles(scenario) && !compressed(scenario));
            self.overview(&mut out, metric, |scenario| idles(scenario) && compressed(scenario));
        }
        self.overview(&mut out, Metric::CpuNsPerHandshake, rates);
        for scenario in &self.matrix.scenarios {
            self.details(&mut out, *scenario);
        }
        for failure in &self.outcome.failures {
            let _ = writeln!(out, "- failed: {failure}");
        }
        out
    }

    /// All measurements as they were taken, beside what they were taken on.
    pub(crate) fn json(&self) -> serde_json::Value {
        json!({
            "machine": self.machine,
            "versions": self.versions().collect::<BTreeMap<_, _>>(),
            "rounds": self.matrix.rounds,
            "seconds": self.matrix.span.measured.as_secs_f64(),
            "measurements": self.outcome.measurements,
            "failures": self.outcome.failures,
        })
    }

    /// The figures that are compared, as charts: the name of a file, and what is in it.
    pub(crate) fn charts(&self) -> Vec<(&'static str, String)> {
        let echoes = |scenario: &Scenario| matches!(scenario, Scenario::Echo(_));
        let compressed = |scenario: &Scenario| scenario.takeover().is_some();
        let plain = |scenario: &Scenario| echoes(scenario) && !compressed(scenario);
        let deflated = |scenario: &Scenario| echoes(scenario) && compressed(scenario);
        let idle = |scenario: &Scenario| matches!(scenario, Scenario::Idle(..)) && !compressed(scenario);
        let rate = |scenario: &Scenario| matches!(scenario, Scenario::Rate);
        let cpu = Metric::CpuNsPerMessage;
        [
            ("echo.svg", "CPU per echoed message", cpu, &plain as &dyn Fn(&Scenario) -> bool),
            (
                "latency.svg",
                "99th percentile from a burst's first byte to its reply's last",
                Metric::LatencyP99Us,
                &plain,
            ),
            ("deflate.svg", "CPU per compressed and echoed message", cpu, &deflated),
            ("memory.svg", "Resident memory per idle connection", Metric::BytesIdle, &idle),
            (
                "handshake.svg",
                "CPU per handshake, from connecting to closing",
                Metric::CpuNsPerHandshake,
                &rate,
            ),
        ]
        .into_iter()
        .filter_map(|(file, title, metric, wanted)| Some((file, self.chart(title, metric, wanted)?.svg())))
        .collect()
    }

    fn chart<'a>(
        &self,
        title: &'a str,
        metric: Metric,
        wanted: &dyn Fn(&Scenario) -> bool,
    ) -> Option<Chart<'a>> {
        let scenarios = self.matrix.scenarios.iter().filter(|scenario| wanted(scenario));
        let groups: Vec<_> = scenarios
            .map(|scenario| Group { name: scenario.to_string(), bars: self.bars(*scenario, metric) })
            .filter(|group| !group.bars.is_empty())
            .collect();
        let subtitle =
            "less is better; the median of all rounds, and the proportion to the least that tokio can do";
        (!groups.is_empty()).then_some(Chart { title, subtitle, groups })
    }

    fn bars(&self, scenario: Scenario, metric: Metric) -> Vec<Bar> {
        let floor = self.summary(scenario, FLOOR, metric);
        let servers = self.matrix.servers.iter();
        servers
            .filter_map(|server| {
                let value = self.summary(scenario, &server.name, metric)?.median;
                let label = match floor {
                    Some(floor) if floor.median > 0.0 => {
                        format!("{} ({:.2})", number(value), value / floor.median)
                    }
                    _ => number(value),
                };
                let is_ours = is_ours(&server.name);
                Some(Bar { server: server.name.clone(), value, label, is_ours })
            })
            .collect()
    }

    /// The libraries measured whose version is known.
    fn versions(&self) -> impl Iterator<Item = (&str, String)> {
        self.matrix.servers.iter().filter_map(|server| Some((server.name.as_str(), version(&server.name)?)))
    }

    /// One figure, a row for each scenario and a column for each server that has any, with its proportion to the floor.
    fn overview(&self, out: &mut String, metric: Metric, wanted: impl Fn(&Scenario) -> bool) {
        let scenarios: Vec<_> = self.matrix.scenarios.iter().filter(|scenario| wanted(scenario)).collect();
        let mut names: Vec<_> = self.matrix.servers.iter().map(|server| server.name.as_str()).collect();
        names
            .retain(|name| scenarios.iter().any(|scenario| self.summary(**scenario, name, metric).is_some()));
        if names.is_empty() {
            return;
        }
        let names = || names.iter().copied();
        let proportion =
            if names().any(|name| name == FLOOR) { format!(" (times {FLOOR})") } else { String::new() };
        let _ = writeln!(out, "### {}{proportion}\n", metric.title());
        row(out, ["scenario"].into_iter().chain(names()).map(str::to_owned));
        row(out, ["---"].into_iter().chain(names().map(|_| "---:")).map(str::to_owned));
        for scenario in scenarios {
            let floor = self.summary(*scenario, FLOOR, metric);
            let cells = names().map(|name| match (self.summary(*scenario, name, metric), floor) {
                (None, _) => "-".to_owned(),
                (Some(own), Some(floor)) if floor.median > 0.0 => {
                    format!("{} ({:.2})", number(own.median), own.median / floor.median)
                }
                (Some(own), _) => number(own.median),
            });
            row(out, [scenario.to_string()].into_iter().chain(cells));
        }
        out.push('\n');
    }

    /// All figures of one scenario, a row for each server, with the spread between rounds.
    fn details(&self, out: &mut String, scenario: Scenario) {
        let name = scenario.to_string();
        let own = || self.outcome.measurements.iter().filter(|measurement| measurement.scenario == name);
        let Some(first) = own().next() else { return };
        let metrics: Vec<_> = first.figures.keys().copied().collect();
        let _ = writeln!(out, "### {scenario}\n");
        let titles = metrics.iter().map(|metric| metric.title());
        row(out, ["server"].into_iter().chain(titles).map(str::to_owned));
        row(out, ["---"].into_iter().chain(metrics.iter().map(|_| "---:")).map(str::to_owned));
        for server in &self.matrix.servers {
            let cells = metrics.iter().map(|&metric| match self.summary(scenario, &server.name, metric) {
                None => "-".to_owned(),
                Some(Summary { median, .. }) if self.matrix.rounds == 1 => number(median),
                Some(Summary { median, spread }) => format!("{} ±{:.0}%", number(median), spread / 2.0),
            });
            row(out, [server.name.clone()].into_iter().chain(cells));
        }
        out.push('\n');
    }

    fn summary(&self, scenario: Scenario, server: &str, metric: Metric) -> Option<Summary> {
        let scenario = scenario.to_string();
        let own =
            |measurement: &&Measurement| measurement.scenario == scenario && measurement.server == server;
        let rounds = self.outcome.measurements.iter().filter(own);
        summary(rounds.filter_map(|measurement| measurement.figures.get(&metric).copied()))
    }
}

/// One row of a table.
fn row(out: &mut String, cells: impl Iterator<Item = String>) {
    for cell in cells {
        let _ = write!(out, "| {cell} ");
    }
    out.push_str("|\n");
}

/// Whole numbers from ten on, and one digit behind the point below.
fn number(value: f64) -> String {
    if value.abs() < 10.0 { format!("{value:.1}") } else { format!("{value:.0}") }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use super::Report;
    use crate::load::Span;
    use crate::machine::Machine;
    use crate::matrix::{Matrix, Measurement, Outcome};
    use crate::sample::{Metric, Sample};
    use crate::servers::{Given, select};

    #[test]
    fn sets_medians_in_proportion_to_the_floor() {
        let names = ["tokio-floor".to_owned(), "yawc".to_owned()];
        let matrix = Matrix {
            scenarios: vec!["16x64".parse().expect("a scenario")],
            servers: select(&names, &Given::default(), Path::new(""), Path::new("")).expect("known names"),
            rounds: 3,
            span: Span { warmup: Duration::ZERO, measured: Duration::from_secs(1) },
            server_core: 0,
        };
        let mut outcome = Outcome::default();
        for (round, (floor, other)) in [(100.0, 170.0), (90.0, 150.0), (110.0, 130.0)].into_iter().enumerate()
        {
            for (name, value) in names.iter().zip([floor, other]) {
                let figures = Sample::from([(Metric::CpuNsPerMessage, value)]);
                outcome.measurements.push(Measurement {
                    scenario: "16x64".into(),
                    server: name.clone(),
                    round,
                    figures,
                });
            }
        }
        let report = Report { matrix: &matrix, outcome: &outcome, machine: &Machine::describe() };
        let markdown = report.markdown();
        assert!(markdown.contains("| 16x64 | 100 (1.00) | 150 (1.50) |"), "{markdown}");
        assert!(markdown.contains("| yawc | 150 ±13% |"), "{markdown}");
        assert_eq!(report.json()["measurements"][1]["figures"]["cpu_ns_per_message"], 170.0);
    }
}
