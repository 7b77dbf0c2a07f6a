//! The page that is checked in: what was measured, how it compares with what was asked, and where others are ahead.

use std::fmt::Write as _;

use crate::bars::{growths, verdicts};
use crate::figures::{Figures, Kind};
use crate::gallery::{Picture, SUMMARY, label};
use crate::report::Report;
use crate::sample::Metric;
use crate::servers::{OURS, is_floor};
use crate::tables::{details, number, row};

const INTRODUCTION: &str = "\
What a message, a connection and a delivery cost a server: ours, other libraries' and the floors, all in the same run. Losses \
are shown like wins. [How it is measured](../../xtask/bench/README.md); [all measurements](figures.json).

`cargo xtask bench --publish` makes this page anew; it is written by no other hand. `cargo xtask bench --quick` is a look at the same in a few minutes.
";

const SERVERS: &str = "\
*ours* is `ws serve`, the lent form (in broadcasts the example `broadcast_server`), *ours-owned* the example `echo_server_owned`, *ours-small* `ws serve` with \
contexts of the suggested size. All in Rust is built alike: one unit of code generation, fat LTO, panics that abort. *tcp-echo*, *tcp-upgrade*, *tls-echo* \
and *tokio-floor* are floors: bare TCP, the bare system calls of a connection that comes and goes, bare TLS, and the least that a WebSocket server can do on tokio, without any check.
";

/// The page in Markdown.
pub(crate) fn page(report: &Report<'_>, pictures: &[Picture]) -> String {
    let figures = report.figures();
    let mut out = format!("# Benchmarks\n\n{INTRODUCTION}\n{}{SERVERS}\n", report.preface());
    out.push_str(&report.failures());
    for picture in pictures.iter().filter(|picture| picture.file == SUMMARY) {
        show(&mut out, picture);
    }
    asked(&mut out, figures);
    losses(&mut out, figures);
    scaling(&mut out, report);
    out.push_str("## Pictures\n\n");
    for picture in pictures.iter().filter(|picture| picture.file != SUMMARY) {
        show(&mut out, picture);
    }
    out.push_str("## Tables\n\n");
    out.push_str(&report.overviews());
    out.push_str("## Every scenario\n\n<details>\n<summary>All figures, with half the distance from least to greatest as ±</summary>\n\n");
    for scenario in &report.matrix.scenarios {
        out.push_str(&details(figures, *scenario));
    }
    out.push_str("</details>\n");
    out
}

fn show(out: &mut String, picture: &Picture) {
    let _ = writeln!(out, "![{}]({})\n", picture.title, picture.file);
}

/// What was asked, row by row.
fn asked(out: &mut String, figures: Figures<'_>) {
    let verdicts = verdicts(figures);
    if verdicts.is_empty() {
        return;
    }
    let met = verdicts.iter().filter(|verdict| verdict.is_met()).count();
    let _ = writeln!(out, "## The bars\n\n{met} of {} are met.\n", verdicts.len());
    let titles = ["what", "figure", "limit", "times the limit", "met"];
    row(out, titles.into_iter().map(str::to_owned));
    row(out, ["---", "---:", "---", "---:", "---"].into_iter().map(str::to_owned));
    for verdict in verdicts {
        row(out, verdict.cells().into_iter());
    }
    out.push('\n');
}

/// Where a library is ahead of ours.
fn losses(out: &mut String, figures: Figures<'_>) {
    let mut rows = Vec::new();
    for scenario in &figures.matrix.scenarios {
        for &metric in Kind::of(*scenario).metrics().iter().filter(|metric| is_cost(**metric)) {
            let Some(own) = figures.median(*scenario, OURS, metric) else { continue };
            let Some((peer, least)) = figures.least(*scenario, metric, |name| !is_floor(name)) else {
                continue;
            };
            if least < own {
                let times = format!("{:.2}", own / least);
                rows.push([
                    scenario.to_string(),
                    metric.title().into(),
                    label(peer),
                    number(least),
                    number(own),
                    times,
                ]);
            }
        }
    }
    out.push_str("## Where others are ahead\n\n");
    if rows.is_empty() {
        out.push_str("Nowhere in this run.\n\n");
        return;
    }
    let titles = ["scenario", "figure", "the best", "its figure", "ours", "times"];
    row(out, titles.into_iter().map(str::to_owned));
    row(out, ["---", "---", "---", "---:", "---:", "---:"].into_iter().map(str::to_owned));
    for cells in rows {
        row(out, cells.into_iter());
    }
    out.push('\n');
}

/// Whether less is better.
fn is_cost(metric: Metric) -> bool {
    !matches!(metric, Metric::MessagesPerSecond | Metric::DeliveriesPerSecond | Metric::HandshakesPerSecond)
}

/// How cost grows with the connections, and throughput with the threads.
fn scaling(out: &mut String, report: &Report<'_>) {
    let figures = report.figures();
    let grown: Vec<_> = figures
        .servers()
        .flat_map(|server| {
            growths(figures, server).into_iter().map(move |(scenario, times)| (server, scenario, times))
        })
        .collect();
    if !grown.is_empty() {
        out.push_str("## More connections\n\nThe CPU of a message beside that with 64 connections.\n\n");
        row(out, ["server", "scenario", "times"].into_iter().map(str::to_owned));
        row(out, ["---", "---", "---:"].into_iter().map(str::to_owned));
        for (server, scenario, times) in grown {
            row(out, [server.to_owned(), scenario.to_string(), format!("{times:.2}")].into_iter());
        }
        out.push('\n');
    }
    let threads: Vec<_> = figures.scenarios(Kind::Threads).collect();
    let rate = |scenario| figures.median(scenario, OURS, Metric::MessagesPerSecond);
    let Some(one) = threads.first().and_then(|scenario| rate(*scenario)) else { return };
    let _ = writeln!(
        out,
        "## More threads\n\n`ws serve --threads N`: a listener and a runtime for each thread. The load generator takes its share of the same {} cores, \
         so that twice is not to be had on two.\n",
        report.machine.cores
    );
    row(out, ["scenario", "messages/s", "times"].into_iter().map(str::to_owned));
    row(out, ["---", "---:", "---:"].into_iter().map(str::to_owned));
    for scenario in threads {
        if let Some(rate) = rate(scenario) {
            row(out, [scenario.to_string(), number(rate), format!("{:.2}", rate / one)].into_iter());
        }
    }
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::page;
    use crate::gallery::pictures;
    use crate::machine::Machine;
    use crate::report::Report;
    use crate::sample::Metric;
    use crate::testing::outcome;

    #[test]
    fn a_page_tells_wins_and_losses() {
        let cpu = Metric::CpuNsPerMessage;
        let figures = [
            ("1kx64", "yawc", cpu, 110.0),
            ("1kx64", "ours", cpu, 100.0),
            ("1kx1000", "yawc", cpu, 115.0),
            ("1kx1000", "ours", cpu, 125.0),
            ("threads1 nct 1kx64", "ours", Metric::MessagesPerSecond, 1000.0),
            ("threads2 nct 1kx64", "ours", Metric::MessagesPerSecond, 1500.0),
        ];
        let (matrix, outcome) = outcome(&figures);
        let machine = Machine::describe();
        let report = Report { matrix: &matrix, outcome: &outcome, machine: &machine };
        let page = page(&report, &pictures(report.figures()));
        for wanted in [
            "2 of 3 are met",
            "| 1kx1000, lent, ns of CPU | 125 | below 115, yawc | 1.09 | **no** |",
            "| 1kx1000 | CPU ns/message | yawc | 115 | 125 | 1.09 |",
            "| ours | 1kx1000 | 1.25 |",
            "| threads2 nct 1kx64 | 1500 | 1.50 |",
            "![CPU per echoed message](cpu.svg)",
        ] {
            assert!(page.contains(wanted), "{wanted}: {page}");
        }
        assert!(!page.contains("| 1kx64 | CPU ns/message | yawc"));
    }
}
