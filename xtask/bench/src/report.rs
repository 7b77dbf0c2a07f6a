//! The figures of a run, as tables and as JSON.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::json;

use crate::figures::{Figures, Kind};
use crate::machine::Machine;
use crate::matrix::{Matrix, Outcome};
use crate::tables::{details, overview};

/// What is said in which order.
const KINDS: [Kind; 6] = [Kind::Echo, Kind::Deflate, Kind::Broadcast, Kind::Idle, Kind::Rate, Kind::Threads];

/// Everything measured, ready to be written down.
pub(crate) struct Report<'a> {
    pub(crate) matrix: &'a Matrix,
    pub(crate) outcome: &'a Outcome,
    pub(crate) machine: &'a Machine,
}

impl<'a> Report<'a> {
    /// The figures by name.
    pub(crate) fn figures(&self) -> Figures<'a> {
        Figures { matrix: self.matrix, outcome: self.outcome }
    }

    /// What was measured on, what, and how often.
    pub(crate) fn preface(&self) -> String {
        let rounds = self.matrix.rounds;
        let seconds = self.matrix.span.measured.as_secs_f64();
        let rounds = if rounds == 1 { "1 round".to_owned() } else { format!("{rounds} rounds") };
        let mut out = format!("{}; medians of {rounds} of {seconds} s.\n\n", self.machine);
        let versions: Vec<_> = self.versions().map(|(name, version)| format!("{name} {version}")).collect();
        if !versions.is_empty() {
            let _ = writeln!(out, "{}.\n", versions.join(", "));
        }
        out
    }

    /// Tables in Markdown: the figures to judge by, then everything else.
    pub(crate) fn markdown(&self) -> String {
        let mut out = self.preface() + &self.overviews();
        for scenario in &self.matrix.scenarios {
            out.push_str(&details(self.figures(), *scenario));
        }
        out.push_str(&self.failures());
        out
    }

    /// The figures to judge by.
    pub(crate) fn overviews(&self) -> String {
        let tables =
            KINDS.into_iter().flat_map(|kind| kind.metrics().iter().map(move |metric| (kind, *metric)));
        tables.map(|(kind, metric)| overview(self.figures(), kind, metric)).collect()
    }

    /// What could not be measured.
    pub(crate) fn failures(&self) -> String {
        self.outcome.failures.iter().map(|failure| format!("- failed: {failure}\n")).collect()
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

    /// The libraries measured whose version is known.
    fn versions(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.matrix
            .servers
            .iter()
            .filter_map(|server| Some((server.name.as_str(), server.version.as_deref()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::Report;
    use crate::machine::Machine;
    use crate::sample::Metric;
    use crate::testing::outcome;

    #[test]
    fn sets_medians_in_proportion_to_the_floor() {
        let mut figures = Vec::new();
        for (floor, other) in [(100.0, 170.0), (90.0, 150.0), (110.0, 130.0)] {
            figures.push(("16x64", "tokio-floor", Metric::CpuNsPerMessage, floor));
            figures.push(("16x64", "yawc", Metric::CpuNsPerMessage, other));
        }
        let (matrix, outcome) = outcome(&figures);
        let report = Report { matrix: &matrix, outcome: &outcome, machine: &Machine::describe() };
        let markdown = report.markdown();
        assert!(markdown.contains("medians of 3 rounds of 1 s"), "{markdown}");
        assert!(markdown.contains("| 16x64 | 100 (1.00) | 150 (1.50) |"), "{markdown}");
        assert!(markdown.contains("| yawc | 150 ±13% |"), "{markdown}");
        assert_eq!(report.json()["measurements"][1]["figures"]["cpu_ns_per_message"], 170.0);
    }
}
