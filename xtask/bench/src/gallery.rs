//! Which figures are drawn, and how they are named to readers.

use crate::chart::{Bar, Line, Lines, Look, Panel, Panels, Point, Points};
use crate::figures::{Figures, Kind};
use crate::sample::Metric;
use crate::scenario::{Content, Echo, Idle, Scenario};
use crate::servers::{OURS, OWNED, SMALL, is_floor};
use crate::takeover::Takeover;

/// A picture: the name of its file, what it shows, and the picture itself.
pub(crate) struct Picture {
    pub(crate) file: &'static str,
    pub(crate) title: &'static str,
    pub(crate) svg: String,
}

/// The file of the picture that shows the most with the least.
pub(crate) const SUMMARY: &str = "summary.svg";
/// What the picture of all and of few has in its panels.
const SUMMARISED: [&str; 6] =
    ["16x64p16", "1kx64p16", "64kx64", "nct 1kx64", "broadcast1000x125", "idle10000"];

/// All pictures that the figures allow.
pub(crate) fn pictures(figures: Figures<'_>) -> Vec<Picture> {
    let less =
        "the server's CPU time; less is better, the grey outline is the least that TCP and tokio can do";
    let summarised = |scenario: &Scenario| SUMMARISED.contains(&scenario.to_string().as_str());
    let mut out = Vec::new();
    let mut add = |file, title, svg: Option<String>| out.extend(svg.map(|svg| Picture { file, title, svg }));

    let all = figures.matrix.scenarios.iter().copied().filter(summarised);
    let panels = all.filter_map(|scenario| {
        let metric = *Kind::of(scenario).metrics().first()?;
        panel(figures, scenario, metric)
    });
    add(
        SUMMARY,
        "What a WebSocket server pays",
        draw(
            "What a WebSocket server pays",
            "less is better; the grey outline is the least that TCP and tokio can do",
            panels.collect(),
            false,
        ),
    );
    let of = |kind, metric| -> Vec<Panel> {
        figures.scenarios(kind).filter_map(|scenario| panel(figures, scenario, metric)).collect()
    };
    let title = "CPU per echoed message";
    add("cpu.svg", title, draw(title, less, of(Kind::Echo, Metric::CpuNsPerMessage), false));
    let title = "Throughput of one core";
    let more =
        "messages there and back each second; more is better, and the load generator limits the fastest";
    let by_size = figures.scenarios(Kind::Echo).filter(|scenario| is_by_size(*scenario));
    let by_size = by_size.filter_map(|scenario| panel(figures, scenario, Metric::MessagesPerSecond));
    add("throughput.svg", title, draw(title, more, by_size.collect(), true));
    let title = "Latency";
    add("latency.svg", title, latency(figures, title));
    let title = "Memory of a connection";
    let resident = "resident bytes for each open connection; less is better";
    add("memory.svg", title, draw(title, resident, memory(figures), false));
    let title = "Compression: how much for how much";
    add("deflate.svg", title, deflate(figures, title));
    let title = "CPU per delivery of a broadcast";
    add("broadcast.svg", title, draw(title, less, of(Kind::Broadcast, Metric::CpuNsPerDelivery), false));
    let title = "CPU per connection";
    let note = "from connecting to the end of the closing handshake; less is better";
    add("handshake.svg", title, draw(title, note, of(Kind::Rate, Metric::CpuNsPerHandshake), false));
    out
}

fn draw(title: &str, subtitle: &str, panels: Vec<Panel>, more_is_better: bool) -> Option<String> {
    (!panels.is_empty()).then(|| Panels { title, subtitle, panels, more_is_better }.svg())
}

/// Bars of one figure; `None` without any.
fn panel(figures: Figures<'_>, scenario: Scenario, metric: Metric) -> Option<Panel> {
    let bars: Vec<_> = figures
        .all(scenario, metric)
        .into_iter()
        .map(|(name, value)| Bar {
            server: label(name),
            value,
            label: written(metric, value),
            look: look(name),
        })
        .collect();
    (!bars.is_empty()).then(|| Panel { name: heading(scenario), note: note(scenario, metric), bars })
}

/// Memory before and after traffic, plain, over TLS and with compression.
fn memory(figures: Figures<'_>) -> Vec<Panel> {
    let mut panels = Vec::new();
    for scenario in figures.scenarios(Kind::Idle) {
        let Scenario::Idle(idle) = scenario else { continue };
        // What compresses does so from the first message on.
        let metrics: &[Metric] = match idle.takeover {
            Some(_) => &[Metric::BytesAfterEcho],
            None => &[Metric::BytesIdle, Metric::BytesAfterEcho],
        };
        panels.extend(metrics.iter().filter_map(|metric| panel(figures, scenario, *metric)));
    }
    panels
}

/// Whether it is one message at a time on 64 connections or fewer: only the size differs.
fn is_by_size(scenario: Scenario) -> bool {
    matches!(scenario, Scenario::Echo(Echo { content: Content::Binary, connections: ..=64, depth: 1, .. }))
}

/// From the median to the rarest, one message at a time and many.
fn latency(figures: Figures<'_>, title: &str) -> Option<String> {
    let wanted = ["1kx64", "1kx1000"];
    let scenarios = figures.scenarios(Kind::Echo).filter(|one| wanted.contains(&one.to_string().as_str()));
    let line = |scenario, server: &str| {
        let value = |(metric, _)| figures.median(scenario, server, metric);
        let values: Option<Vec<_>> = Metric::LATENCIES.into_iter().map(value).collect();
        Some(Line { server: label(server), values: values?, look: look(server) })
    };
    let plots: Vec<_> = scenarios
        .map(|scenario| {
            let lines = figures.servers().filter_map(|server| line(scenario, server)).collect();
            (format!("{}, {} connections", heading(scenario), scenario.connections()), lines)
        })
        .collect();
    let places = ["50 %", "90 %", "99 %", "99.9 %", "99.99 %"];
    let subtitle = "from a message's first byte to its reply's last, at full load: so many of all replies took no longer; less is better";
    (!plots.is_empty()).then(|| Lines { title, subtitle, places: &places, plots }.svg())
}

/// The ratio against the time, a plot for each size.
fn deflate(figures: Figures<'_>, title: &str) -> Option<String> {
    let mut plots: Vec<(String, Vec<Point>)> = Vec::new();
    for scenario in figures.scenarios(Kind::Deflate) {
        let Scenario::Echo(echo) = scenario else { continue };
        let name = format!("records of {}", size(echo.size));
        let points = figures.servers().filter_map(|server| {
            let cost = figures.median(scenario, server, Metric::CpuNsPerMessage)? / 1e3;
            let gain = echo.size as f64 / figures.median(scenario, server, Metric::BytesPerReply)?;
            let filled = echo.content.takeover() == Some(Takeover::Keep);
            Some(Point { server: label(server), cost, gain, look: look(server), filled })
        });
        match plots.iter_mut().find(|(other, _)| *other == name) {
            Some((_, all)) => all.extend(points),
            None => plots.push((name, points.collect())),
        }
    }
    let subtitle = "upwards: bytes of a message for each byte on the wire; filled: contexts are kept, hollow: they are not";
    let across = "µs of CPU per message, inflated and compressed (less is better)";
    (!plots.is_empty()).then(|| Points { title, subtitle, across, plots }.svg())
}

/// A server as readers know it.
pub(crate) fn label(server: &str) -> String {
    match server {
        OURS => "ws-stack, lent",
        OWNED => "ws-stack, owned",
        SMALL => "ws-stack, small",
        "tcp-echo" | "tcp-upgrade" => "bare TCP",
        "tls-echo" => "bare TLS",
        "tokio-floor" => "tokio floor",
        "node-ws" => "ws on node",
        "uwebsockets" => "uWebSockets",
        other => other,
    }
    .to_owned()
}

fn look(server: &str) -> Look {
    match server {
        OURS => Look::Ours,
        OWNED | SMALL => Look::Other,
        other if is_floor(other) => Look::Floor,
        _ => Look::Peer,
    }
}

/// A scenario in words.
fn heading(scenario: Scenario) -> String {
    match scenario {
        Scenario::Echo(echo) | Scenario::Threads(_, echo) => match echo.content {
            Content::Binary if echo.depth > 1 => format!("{}, {} at a time", size(echo.size), echo.depth),
            Content::Binary => size(echo.size),
            Content::Text => format!("{} of ASCII, {} at a time", size(echo.size), echo.depth),
            Content::Utf8 => format!("{} of UTF-8, {} at a time", size(echo.size), echo.depth),
            Content::Json(Takeover::Reset) => format!("{} of JSON, compressed", size(echo.size)),
            Content::Json(Takeover::Keep) => format!("{} of JSON, contexts kept", size(echo.size)),
        },
        Scenario::Broadcast(echo) if echo.content.takeover().is_some() => {
            format!("Broadcast of {}, compressed", size(echo.size))
        }
        Scenario::Broadcast(echo) => format!("Broadcast of {}", size(echo.size)),
        Scenario::Idle(Idle { tls: true, .. }) => "A connection over TLS".into(),
        Scenario::Idle(Idle { takeover: Some(Takeover::Reset), .. }) => {
            "Compressing, no contexts kept".into()
        }
        Scenario::Idle(Idle { takeover: Some(Takeover::Keep), .. }) => "Compressing, contexts kept".into(),
        Scenario::Idle(_) => "A connection".into(),
        Scenario::Rate => "Opening and closing".into(),
    }
}

/// What else is to be known of a panel.
fn note(scenario: Scenario, metric: Metric) -> String {
    let figure = match metric {
        Metric::CpuNsPerMessage => "CPU per message",
        Metric::CpuNsPerDelivery => "CPU per receiver",
        Metric::CpuNsPerHandshake => "CPU per connection",
        Metric::MessagesPerSecond => "messages per second",
        Metric::BytesIdle => "memory before traffic",
        Metric::BytesAfterEcho => "memory after one echo of 1 KiB",
        other => other.title(),
    };
    let connections = match scenario {
        Scenario::Rate => 64,
        Scenario::Broadcast(echo) => return format!("{figure}, {} receivers", echo.connections),
        other => other.connections(),
    };
    format!("{figure}, {connections} connections")
}

/// A size in bytes, for readers.
fn size(bytes: usize) -> String {
    match bytes {
        bytes if bytes >= 1 << 20 => format!("{} MiB", bytes >> 20),
        bytes if bytes >= 1 << 10 => format!("{} KiB", bytes >> 10),
        bytes => format!("{bytes} B"),
    }
}

/// A figure with its unit, to three digits or so.
fn written(metric: Metric, value: f64) -> String {
    let (value, unit) = match metric {
        Metric::CpuNsPerMessage | Metric::CpuNsPerDelivery | Metric::CpuNsPerHandshake => match value {
            value if value >= 1e6 => (value / 1e6, " ms"),
            value if value >= 1e3 => (value / 1e3, " µs"),
            value => (value, " ns"),
        },
        Metric::BytesIdle | Metric::BytesAfterEcho if value >= 1e3 => (value / 1e3, " kB"),
        Metric::BytesIdle | Metric::BytesAfterEcho => (value, " B"),
        _ if value >= 1e6 => (value / 1e6, " M"),
        _ if value >= 1e3 => (value / 1e3, " k"),
        _ => (value, ""),
    };
    match value.abs() {
        few if few < 10.0 => format!("{value:.2}{unit}"),
        few if few < 100.0 => format!("{value:.1}{unit}"),
        _ => format!("{value:.0}{unit}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{pictures, written};
    use crate::figures::Figures;
    use crate::sample::Metric;
    use crate::testing::outcome;

    #[test]
    fn pictures_are_drawn_of_what_was_measured_and_of_nothing_else() {
        let figures = [
            ("16x64p16", "ours", Metric::CpuNsPerMessage, 250.0),
            ("16x64p16", "tokio-floor", Metric::CpuNsPerMessage, 240.0),
            ("tls idle100", "ours", Metric::BytesIdle, 15_000.0),
        ];
        let (matrix, outcome) = outcome(&figures);
        let pictures = pictures(Figures { matrix: &matrix, outcome: &outcome });
        let files: Vec<_> = pictures.iter().map(|picture| picture.file).collect();
        assert_eq!(files, ["summary.svg", "cpu.svg", "memory.svg"]);
        assert!(pictures[0].svg.contains(">250 ns<") && pictures[0].svg.contains(">tokio floor<"));
        assert!(pictures[2].svg.contains(">15.0 kB<"), "{}", pictures[2].svg);
    }

    #[test]
    fn figures_are_written_short() {
        for (metric, value, wanted) in [
            (Metric::CpuNsPerMessage, 255.4, "255 ns"),
            (Metric::CpuNsPerMessage, 3849.0, "3.85 µs"),
            (Metric::CpuNsPerMessage, 446_000.0, "446 µs"),
            (Metric::BytesIdle, 1013.0, "1.01 kB"),
            (Metric::BytesIdle, 257.0, "257 B"),
            (Metric::MessagesPerSecond, 3_438_122.0, "3.44 M"),
        ] {
            assert_eq!(written(metric, value), wanted);
        }
    }
}
