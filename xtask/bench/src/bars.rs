//! What this project asks of itself, held against what was measured.

use crate::figures::{Figures, Kind};
use crate::sample::Metric;
use crate::scenario::{Content, Scenario};
use crate::servers::{FLOOR, OURS, OWNED, SMALL, is_floor, is_rust};
use crate::tables::number;

const NATIVE: &str = "uwebsockets";
/// The most resident bytes of an idle connection.
const IDLE: f64 = 1500.0;
/// The same with contexts kept in the suggested form, and beside it without.
const KEPT: f64 = 170_000.0;
const RESET: f64 = 2000.0;
/// The most that 10,000 connections may cost more than 64, each for its messages.
const GROWTH: f64 = 1.3;
/// More connections than this show how the cost grows, and nothing else.
const MANY: usize = 1000;
const HANDSHAKE: f64 = 16_000.0;

/// One thing that is asked, and what came of it.
#[derive(Debug, PartialEq)]
pub(crate) struct Verdict {
    pub(crate) what: String,
    pub(crate) figure: f64,
    pub(crate) limit: f64,
    /// Who or what sets the limit.
    pub(crate) whose: String,
    /// Whether the limit itself is too much.
    strict: bool,
}

impl Verdict {
    fn at_most(what: String, figure: f64, limit: f64, whose: impl Into<String>) -> Self {
        Self { what, figure, limit, whose: whose.into(), strict: false }
    }

    fn below(what: String, figure: f64, limit: f64, whose: impl Into<String>) -> Self {
        Self { what, figure, limit, whose: whose.into(), strict: true }
    }

    /// Whether it was reached.
    pub(crate) fn is_met(&self) -> bool {
        if self.strict { self.figure < self.limit } else { self.figure <= self.limit }
    }

    /// The cells of its row.
    pub(crate) fn cells(&self) -> [String; 5] {
        let times = format!("{:.2}", self.figure / self.limit);
        let sign = if self.strict { "below" } else { "at most" };
        let limit = format!("{sign} {}, {}", digits(self.limit), self.whose);
        let met = if self.is_met() { "yes" } else { "**no**" };
        [self.what.clone(), digits(self.figure), limit, times, met.to_owned()]
    }
}

/// Proportions have two digits.
fn digits(value: f64) -> String {
    if value < 5.0 { format!("{value:.2}") } else { number(value) }
}

/// All verdicts that the figures of a run allow.
pub(crate) fn verdicts(figures: Figures<'_>) -> Vec<Verdict> {
    let mut out = Vec::new();
    for scenario in figures.scenarios(Kind::Echo) {
        for (form, server) in [("lent", OURS), ("owned", OWNED)] {
            echo(figures, scenario, form, server, &mut out);
        }
    }
    idle(figures, &mut out);
    deflate(figures, &mut out);
    growth(figures, &mut out);
    let cpu = Metric::CpuNsPerDelivery;
    for scenario in figures.scenarios(Kind::Broadcast) {
        let (own, native) = (figures.median(scenario, OURS, cpu), figures.median(scenario, NATIVE, cpu));
        if let Some((own, native)) = own.zip(native) {
            out.push(Verdict::below(format!("{scenario}, ns of CPU"), own, native, NATIVE));
        }
        if let Some((own, (peer, least))) = own.zip(figures.least(scenario, cpu, is_rust)) {
            out.push(Verdict::below(format!("{scenario}, ns of CPU"), own, least, peer));
        }
    }
    handshake(figures, &mut out);
    out
}

/// Below every peer in Rust, near the floor, and where there is room below the fastest peer in C++.
fn echo(figures: Figures<'_>, scenario: Scenario, form: &str, server: &str, out: &mut Vec<Verdict>) {
    let cpu = Metric::CpuNsPerMessage;
    let Scenario::Echo(echo) = scenario else { return };
    if echo.connections > MANY {
        return; // what these cost is held against fewer of our own
    }
    let Some(own) = figures.median(scenario, server, cpu) else { return };
    let what = format!("{scenario}, {form}, ns of CPU");
    if let Some((peer, least)) = figures.least(scenario, cpu, is_rust) {
        out.push(Verdict::below(what.clone(), own, least, peer));
    }
    let is_deep = echo.depth > 1;
    let times = match (form, echo.size, echo.content) {
        (_, size, _) if size >= 1 << 20 => None,
        ("lent", _, Content::Utf8) if is_deep => Some(1.35),
        ("lent", 1024, _) if is_deep => Some(1.12),
        ("lent", ..) => Some(1.08),
        _ if is_deep => Some(1.35),
        _ => Some(1.2),
    };
    if let Some((times, floor)) = times.zip(figures.median(scenario, FLOOR, cpu)) {
        out.push(Verdict::at_most(format!("{scenario}, {form}, times the floor"), own / floor, times, FLOOR));
    }
    let asked = is_deep || echo.size == 64 << 10;
    if form == "lent"
        && asked
        && let Some(native) = figures.median(scenario, NATIVE, cpu)
    {
        out.push(Verdict::below(what, own, native, NATIVE));
    }
}

/// A figure of its own, and one that holds on any machine: most of it is what TCP takes, faster here and slower there.
fn handshake(figures: Figures<'_>, out: &mut Vec<Verdict>) {
    let cpu = Metric::CpuNsPerHandshake;
    for scenario in figures.scenarios(Kind::Rate) {
        let Some(own) = figures.median(scenario, OURS, cpu) else { continue };
        let what = "handshake, ns of CPU";
        out.push(Verdict::at_most(what.into(), own, HANDSHAKE, "our own bar"));
        if let Some((peer, least)) = figures.least(scenario, cpu, is_rust) {
            out.push(Verdict::below(what.into(), own, least, peer));
        }
    }
}

/// Memory that does not grow with what has been.
fn idle(figures: Figures<'_>, out: &mut Vec<Verdict>) {
    let mut plain = None;
    for scenario in figures.scenarios(Kind::Idle) {
        let Scenario::Idle(idle) = scenario else { continue };
        for (metric, when) in
            [(Metric::BytesIdle, "before traffic"), (Metric::BytesAfterEcho, "after an echo")]
        {
            let what = format!("{scenario}, bytes {when}");
            if let Some(small) = figures.median(scenario, SMALL, metric) {
                out.push(Verdict::at_most(format!("{what}, small contexts"), small, KEPT, "our own bar"));
            }
            let Some(own) = figures.median(scenario, OURS, metric) else { continue };
            match idle.takeover {
                None if idle.tls => {}
                None => {
                    out.push(Verdict::at_most(what, own, IDLE, "our own bar"));
                    plain = plain.or(Some(own));
                }
                Some(crate::takeover::Takeover::Reset) => {
                    if let Some(plain) = plain {
                        let what = format!("{what}, beside a connection that does not compress");
                        out.push(Verdict::at_most(what, (own - plain).max(0.0), RESET, "our own bar"));
                    }
                }
                Some(crate::takeover::Takeover::Keep) => {}
            }
        }
    }
}

/// Less CPU than any peer, at no more bytes than it; with small contexts as well, where they were measured.
fn deflate(figures: Figures<'_>, out: &mut Vec<Verdict>) {
    for scenario in figures.scenarios(Kind::Deflate) {
        let cpu = Metric::CpuNsPerMessage;
        let Some((peer, _)) = figures.least(scenario, cpu, |name| !is_floor(name)) else { continue };
        for (server, form) in [(OURS, ""), (SMALL, ", small contexts")] {
            for (metric, unit) in [(cpu, "ns of CPU"), (Metric::BytesPerReply, "bytes")] {
                let own = figures.median(scenario, server, metric);
                let Some((own, theirs)) = own.zip(figures.median(scenario, peer, metric)) else { continue };
                let what = format!("{scenario}{form}, {unit}");
                out.push(match metric {
                    // A tenth of a byte is how the records happened to be cut.
                    Metric::BytesPerReply => Verdict::at_most(what, own, theirs, peer),
                    _ => Verdict::below(what, own, theirs, peer),
                });
            }
        }
    }
}

/// The cost of a message beside that in the same scenario with 64 connections.
pub(crate) fn growths(figures: Figures<'_>, server: &str) -> Vec<(Scenario, f64)> {
    let cpu = Metric::CpuNsPerMessage;
    let scenarios = figures.scenarios(Kind::Echo);
    scenarios
        .filter_map(|scenario| {
            let Scenario::Echo(echo) = scenario else { return None };
            let few = Scenario::Echo(crate::scenario::Echo { connections: 64, ..echo });
            let times = figures.median(scenario, server, cpu)? / figures.median(few, server, cpu)?;
            (echo.connections > 64).then_some((scenario, times))
        })
        .collect()
}

fn growth(figures: Figures<'_>, out: &mut Vec<Verdict>) {
    for (form, server) in [("lent", OURS), ("owned", OWNED)] {
        for (scenario, times) in growths(figures, server) {
            let what = format!("{scenario}, {form}, times the CPU with 64 connections");
            out.push(Verdict::at_most(what, times, GROWTH, "our own bar"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::verdicts;
    use crate::figures::Figures;
    use crate::sample::Metric;
    use crate::testing::{Figure, outcome};

    fn met(figures: &[Figure<'_>]) -> Vec<(String, bool)> {
        let (matrix, outcome) = outcome(figures);
        let verdicts = verdicts(Figures { matrix: &matrix, outcome: &outcome });
        verdicts.iter().map(|verdict| (verdict.what.clone(), verdict.is_met())).collect()
    }

    #[test]
    fn an_echo_is_held_against_peers_and_the_floor() {
        let cpu = Metric::CpuNsPerMessage;
        let floor = ("16x64", "tokio-floor", cpu, 100.0);
        let peer = ("16x64", "yawc", cpu, 107.0);
        let verdict = |own: f64| met(&[floor, peer, ("16x64", "ours", cpu, own)]);
        let [below, floor] = ["16x64, lent, ns of CPU", "16x64, lent, times the floor"].map(str::to_owned);
        assert_eq!(verdict(106.0), [(below.clone(), true), (floor.clone(), true)]);
        assert_eq!(verdict(107.5), [(below.clone(), false), (floor.clone(), true)]);
        assert_eq!(verdict(109.0), [(below, false), (floor, false)]);
    }

    #[test]
    fn a_handshake_is_held_against_its_bar_and_libraries_in_rust() {
        let cpu = Metric::CpuNsPerHandshake;
        let verdict = |own: f64| {
            let others = [
                ("rate", "tcp-upgrade", 14_000.0),
                ("rate", "node-ws", 15_000.0),
                ("rate", "yawc", 17_000.0),
            ];
            let mut figures: Vec<_> = others.map(|(scenario, server, ns)| (scenario, server, cpu, ns)).into();
            figures.push(("rate", "ours", cpu, own));
            met(&figures).into_iter().map(|(_, met)| met).collect::<Vec<_>>()
        };
        assert_eq!(verdict(16_000.0), [true, true]);
        assert_eq!(verdict(16_500.0), [false, true]);
        assert_eq!(verdict(17_000.0), [false, false]);
    }

    #[test]
    fn growth_needs_both_ends() {
        let cpu = Metric::CpuNsPerMessage;
        let few = ("1kx64", "ours", cpu, 100.0);
        let many = ("1kx10000", "ours", cpu, 131.0);
        let what = "1kx10000, lent, times the CPU with 64 connections".to_owned();
        assert_eq!(met(&[few, many]), [(what, false)]);
        assert_eq!(met(&[many]), []);
    }

    #[test]
    fn compression_is_judged_by_time_and_bytes() {
        let scenario = "nct 1kx64";
        let figures = [
            (scenario, "yawc", Metric::CpuNsPerMessage, 30_000.0),
            (scenario, "yawc", Metric::BytesPerReply, 372.0),
            (scenario, "ours", Metric::CpuNsPerMessage, 20_000.0),
            (scenario, "ours", Metric::BytesPerReply, 380.0),
        ];
        let wanted = [("nct 1kx64, ns of CPU", true), ("nct 1kx64, bytes", false)];
        assert_eq!(met(&figures), wanted.map(|(what, met)| (what.to_owned(), met)));
        let small = [
            (scenario, "ours-small", Metric::CpuNsPerMessage, 31_000.0),
            (scenario, "ours-small", Metric::BytesPerReply, 372.0),
        ];
        let wanted_of_small =
            [("nct 1kx64, small contexts, ns of CPU", false), ("nct 1kx64, small contexts, bytes", true)];
        let wanted = [wanted, wanted_of_small].concat();
        assert_eq!(
            met(&[&figures[..], &small].concat()),
            wanted.iter().map(|(what, met)| ((*what).to_owned(), *met)).collect::<Vec<_>>()
        );
    }
}
