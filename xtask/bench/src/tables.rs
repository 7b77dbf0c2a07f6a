//! Figures as tables in Markdown.

use std::fmt::Write as _;

use crate::figures::{Figures, Kind};
use crate::sample::{Metric, Summary};
use crate::scenario::Scenario;
use crate::servers::FLOOR;

/// One figure of scenarios of one kind: a row for each scenario and a column for each server that has any, with its
/// proportion to the floor. Nothing without figures.
pub(crate) fn overview(figures: Figures<'_>, kind: Kind, metric: Metric) -> String {
    let scenarios: Vec<_> = figures.scenarios(kind).collect();
    let mut names: Vec<_> = figures.servers().collect();
    names.retain(|name| scenarios.iter().any(|scenario| figures.summary(*scenario, name, metric).is_some()));
    if names.is_empty() {
        return String::new();
    }
    let names = || names.iter().copied();
    let proportion =
        if names().any(|name| name == FLOOR) { format!(" (times {FLOOR})") } else { String::new() };
    let mut out = format!("### {}{proportion}\n\n", metric.title());
    row(&mut out, ["scenario"].into_iter().chain(names()).map(str::to_owned));
    row(&mut out, ["---"].into_iter().chain(names().map(|_| "---:")).map(str::to_owned));
    for scenario in scenarios {
        let floor = figures.median(scenario, FLOOR, metric);
        let cells = names().map(|name| match (figures.median(scenario, name, metric), floor) {
            (None, _) => "-".to_owned(),
            (Some(own), Some(floor)) if floor > 0.0 => format!("{} ({:.2})", number(own), own / floor),
            (Some(own), _) => number(own),
        });
        row(&mut out, [scenario.to_string()].into_iter().chain(cells));
    }
    out.push('\n');
    out
}

/// All figures of one scenario, a row for each server, with the spread between rounds. Nothing without figures.
pub(crate) fn details(figures: Figures<'_>, scenario: Scenario) -> String {
    let name = scenario.to_string();
    let mut own = figures.outcome.measurements.iter().filter(|measurement| measurement.scenario == name);
    let Some(first) = own.next() else { return String::new() };
    let metrics: Vec<_> = first.figures.keys().copied().collect();
    let mut out = format!("### {scenario}\n\n");
    let titles = metrics.iter().map(|metric| metric.title());
    row(&mut out, ["server"].into_iter().chain(titles).map(str::to_owned));
    row(&mut out, ["---"].into_iter().chain(metrics.iter().map(|_| "---:")).map(str::to_owned));
    let once = figures.matrix.rounds == 1 || scenario.is_steady();
    for server in figures.servers() {
        let summaries: Vec<_> =
            metrics.iter().map(|&metric| figures.summary(scenario, server, metric)).collect();
        if summaries.iter().all(Option::is_none) {
            continue;
        }
        let cells = summaries.into_iter().map(|summary| match summary {
            None => "-".to_owned(),
            Some(Summary { median, .. }) if once => number(median),
            Some(Summary { median, spread }) => format!("{} ±{:.0}%", number(median), spread / 2.0),
        });
        row(&mut out, [server.to_owned()].into_iter().chain(cells));
    }
    out.push('\n');
    out
}

/// One row of a table.
pub(crate) fn row(out: &mut String, cells: impl Iterator<Item = String>) {
    for cell in cells {
        let _ = write!(out, "| {cell} ");
    }
    out.push_str("|\n");
}

/// Whole numbers from ten on, and one digit behind the point below.
pub(crate) fn number(value: f64) -> String {
    if value.abs() < 10.0 { format!("{value:.1}") } else { format!("{value:.0}") }
}
