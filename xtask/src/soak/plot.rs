//! Memory, descriptors and connections over time, as SVG.

use std::{fmt::Write as _, time::Duration};

use super::series::{Sample, Series};

const WIDTH: f64 = 860.0;
/// Where the time axis begins and ends.
const LEFT: f64 = 70.0;
const RIGHT: f64 = 840.0;
/// How high a curve's panel is, and where the first one begins.
const HIGH: f64 = 150.0;
const TOP: f64 = 60.0;
const GAP: f64 = 46.0;
/// More points than this cannot be told apart: of those that fall together the highest is drawn.
const POINTS: usize = 600;

/// A curve with an axis of its own.
struct Panel {
    name: &'static str,
    value: fn(&Sample) -> f64,
    /// Drawn below it, where there is any of it.
    part: Option<fn(&Sample) -> f64>,
    top: f64,
}

const PANELS: [Panel; 3] = [
    Panel {
        name: "resident memory of the server, MiB; dotted, what is on its heap, where that is counted",
        value: |sample| sample.resident as f64 / f64::from(1 << 20),
        part: Some(|sample| sample.heap as f64 / f64::from(1 << 20)),
        top: TOP,
    },
    Panel {
        name: "descriptors of the server",
        value: |sample| sample.descriptors as f64,
        part: None,
        top: TOP + HIGH + GAP,
    },
    Panel {
        name: "connections of the clients that are open",
        value: |sample| sample.open as f64,
        part: None,
        top: TOP + 2.0 * (HIGH + GAP),
    },
];

/// Where the lowest panel ends.
const BOTTOM: f64 = TOP + 3.0 * HIGH + 2.0 * GAP;

/// The plot, readable on light and on dark pages.
pub(super) fn svg(title: &str, series: &Series, warm_up: Duration) -> String {
    let samples = series.samples();
    let end = samples.last().map_or(1.0, |sample| sample.at.as_secs_f64()).max(1.0);
    let height = BOTTOM + 40.0;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"system-ui, sans-serif\" \
         font-size=\"11\">\n<style>text{{fill:#333}}.name{{font-weight:600;font-size:12px}}.grid{{stroke:#ccc}}\
         .warm{{fill:#8882}}.curve{{fill:none;stroke:#d9622b;stroke-width:1.5}}\
         .part{{stroke-dasharray:2 2}}\
         @media(prefers-color-scheme:dark){{text{{fill:#ddd}}.grid{{stroke:#444}}}}</style>\n"
    );
    text(&mut out, "name", (10.0, 22.0), "start", title);
    let warm = LEFT + warm_up.as_secs_f64().min(end) / end * (RIGHT - LEFT);
    for panel in &PANELS {
        panel.draw(&mut out, samples, end, warm);
    }
    for minute in ticks(end / 60.0) {
        let x = LEFT + minute * 60.0 / end * (RIGHT - LEFT);
        text(&mut out, "", (x, BOTTOM + 16.0), "middle", &minute.to_string());
    }
    text(&mut out, "", (RIGHT, BOTTOM + 32.0), "end", "minutes; the warm-up is shaded");
    out.push_str("</svg>\n");
    out
}

impl Panel {
    fn draw(&self, out: &mut String, samples: &[Sample], end: f64, warm: f64) {
        let bottom = self.top + HIGH;
        text(out, "", (LEFT, self.top - 8.0), "start", self.name);
        let _ = writeln!(
            out,
            "<rect class=\"warm\" x=\"{LEFT}\" y=\"{}\" width=\"{:.1}\" height=\"{HIGH}\"/>",
            self.top,
            warm - LEFT
        );
        let most = samples.iter().map(self.value).fold(1.0, f64::max) * 1.1;
        for tick in ticks(most) {
            let y = bottom - tick / most * HIGH;
            let _ = writeln!(
                out,
                "<line class=\"grid\" x1=\"{LEFT}\" y1=\"{y:.1}\" x2=\"{RIGHT}\" y2=\"{y:.1}\"/>"
            );
            text(out, "", (LEFT - 6.0, y + 4.0), "end", &tick.to_string());
        }
        let part = self.part.filter(|part| samples.iter().any(|sample| part(sample) > 0.0));
        for (class, value) in [("curve", Some(self.value)), ("curve part", part)] {
            let Some(value) = value else { continue };
            let points = samples.chunks(samples.len().div_ceil(POINTS).max(1)).filter_map(|together| {
                let value = together.iter().map(value).reduce(f64::max)?;
                let x = LEFT + together.first()?.at.as_secs_f64() / end * (RIGHT - LEFT);
                Some(format!("{x:.1},{:.1}", bottom - value / most * HIGH))
            });
            let points: Vec<_> = points.collect();
            let _ = writeln!(out, "<polyline class=\"{class}\" points=\"{}\"/>", points.join(" "));
        }
    }
}

/// Round numbers from 0 up to this, about five of them.
fn ticks(most: f64) -> impl Iterator<Item = f64> {
    let decade = 10_f64.powf((most / 5.0).log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|times| times * decade);
    let step = step.into_iter().find(|step| most / step <= 6.0).unwrap_or(most);
    (0..=6).map(move |i| f64::from(i) * step).take_while(move |tick| *tick <= most)
}

fn text(out: &mut String, class: &str, (x, y): (f64, f64), anchor: &str, text: &str) {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;");
    let _ = writeln!(
        out,
        "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{escaped}</text>"
    );
}

#[cfg(test)]
mod tests {
    use super::super::series::tests::series;
    use super::*;

    fn points(svg: &str) -> Vec<&str> {
        let curve = svg.split("points=\"").nth(1).unwrap();
        curve.split('"').next().unwrap().split(' ').collect()
    }

    #[test]
    fn the_highest_value_stands_at_the_top_and_time_goes_to_the_right() {
        let svg = svg("a < b", &series([0, 10 << 20, 20 << 20]), Duration::from_secs(1));
        assert_eq!(points(&svg), ["70.0,210.0", "455.0,141.8", "840.0,73.6"]);
        assert!(svg.contains("a &lt; b") && svg.contains(">20</text>"), "{svg}");
        assert!(svg.contains("<rect class=\"warm\" x=\"70\" y=\"60\" width=\"385.0\""), "{svg}");
    }

    #[test]
    fn of_many_samples_no_peak_is_lost() {
        let svg =
            svg("", &series((0..6_000).map(|i| if i == 1_234 { 99 << 20 } else { 1 << 20 })), Duration::ZERO);
        let points = points(&svg);
        assert_eq!(points.len(), POINTS);
        assert_eq!(points.iter().filter(|point| point.ends_with(",73.6")).count(), 1, "{points:?}");
    }

    #[test]
    fn axes_have_a_handful_of_round_numbers() {
        assert_eq!(ticks(53.0).collect::<Vec<_>>(), [0.0, 10.0, 20.0, 30.0, 40.0, 50.0]);
        assert_eq!(ticks(5_512.0).collect::<Vec<_>>(), [0.0, 1_000.0, 2_000.0, 3_000.0, 4_000.0, 5_000.0]);
        assert_eq!(ticks(3.0).collect::<Vec<_>>(), [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0]);
    }

    #[test]
    fn nothing_is_drawn_as_nothing() {
        assert!(!svg("", &series([]), Duration::ZERO).contains("NaN"));
    }
}
