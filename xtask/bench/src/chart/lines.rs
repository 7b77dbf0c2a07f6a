//! How a figure is distributed: a line for each server, from the middle of all measured to the rarest.

use super::canvas::{Anchor, Canvas, Look, MARGIN, TOP, spread, ticks};

/// A picture of one or more plots side by side.
pub(crate) struct Lines<'a> {
    pub(crate) title: &'a str,
    pub(crate) subtitle: &'a str,
    /// What stands below the places along each line.
    pub(crate) places: &'a [&'a str],
    /// Each plot with its name.
    pub(crate) plots: Vec<(String, Vec<Line>)>,
}

/// One server's figures, one for each place.
pub(crate) struct Line {
    pub(crate) server: String,
    pub(crate) values: Vec<f64>,
    pub(crate) look: Look,
}

/// A plot, with room for a scale to the left and names to the right.
const PLOT: f64 = 270.0;
const SCALE: f64 = 56.0;
const NAMES: f64 = 124.0;
const GAP: f64 = 20.0;
const HEIGHT: f64 = 290.0;
const HEAD: f64 = 26.0;
const FOOT: f64 = 26.0;

impl Lines<'_> {
    /// The picture.
    pub(crate) fn svg(&self) -> String {
        let count = self.plots.len().max(1) as f64;
        let width = 2.0 * MARGIN + count * (SCALE + PLOT + NAMES) + (count - 1.0) * GAP;
        let mut canvas = Canvas::new(width, TOP + HEAD + HEIGHT + FOOT + MARGIN, self.title, self.subtitle);
        let mut x = MARGIN + SCALE;
        for (name, lines) in &self.plots {
            canvas.text("head", x - SCALE, TOP + 12.0, Anchor::Start, name);
            self.plot(&mut canvas, x, lines);
            x += PLOT + NAMES + SCALE + GAP;
        }
        canvas.finish()
    }

    fn plot(&self, canvas: &mut Canvas, x: f64, lines: &[Line]) {
        let values =
            || lines.iter().flat_map(|line| line.values.iter().copied()).filter(|value| *value > 0.0);
        let least = values().fold(f64::INFINITY, f64::min) * 0.9;
        let greatest = values().fold(0.0, f64::max) * 1.1;
        if greatest < least {
            return;
        }
        let top = TOP + HEAD;
        let height = |value: f64| {
            let part = (value.max(least) / least).ln() / (greatest / least).ln();
            top + HEIGHT - part * HEIGHT
        };
        let place = |index: usize| x + index as f64 / (self.places.len().max(2) - 1) as f64 * PLOT;
        for tick in ticks(least, greatest) {
            canvas.line("grid", (x, height(tick)), (x + PLOT, height(tick)));
            canvas.text("dim small", x - 8.0, height(tick) + 4.0, Anchor::End, &time(tick));
        }
        for (index, name) in self.places.iter().enumerate() {
            canvas.text("dim small", place(index), top + HEIGHT + 18.0, Anchor::Middle, name);
        }
        let ends: Vec<_> =
            lines.iter().map(|line| line.values.last().map_or(top, |last| height(*last))).collect();
        let names = spread(&ends, 14.0, top + 6.0, top + HEIGHT);
        // Ours last, above the others.
        let mut order: Vec<_> = lines.iter().zip(ends.iter().zip(names)).collect();
        order.sort_by_key(|(line, _)| line.look == Look::Ours);
        for (line, (end, name)) in order {
            let points: Vec<_> =
                line.values.iter().enumerate().map(|(index, value)| (place(index), height(*value))).collect();
            canvas.path(&format!("{} line", line.look.class()), &points);
            let right = x + PLOT;
            canvas.line(&format!("{} thin", line.look.class()), (right, *end), (right + 10.0, name));
            canvas.text(
                &format!("small {}", line.look.text()),
                right + 13.0,
                name + 4.0,
                Anchor::Start,
                &line.server,
            );
        }
    }
}

/// Microseconds, written short.
fn time(micros: f64) -> String {
    if micros >= 1000.0 { format!("{} ms", micros / 1000.0) } else { format!("{micros} µs") }
}

#[cfg(test)]
mod tests {
    use super::{Line, Lines, Look};

    #[test]
    fn each_line_has_its_points_and_its_name() {
        let line = |server: &str, values: &[f64], look| Line {
            server: server.into(),
            values: values.to_vec(),
            look,
        };
        let lines =
            vec![line("ours", &[100.0, 200.0], Look::Ours), line("other", &[100.0, 2000.0], Look::Peer)];
        let picture =
            Lines { title: "", subtitle: "", places: &["p50", "p99"], plots: vec![("a".into(), lines)] };
        let svg = picture.svg();
        assert_eq!(svg.matches("<polyline").count(), 2);
        assert!(svg.contains(">other<") && svg.contains("1 ms") && svg.contains("200 µs"), "{svg}");
        assert!(svg.rfind("ours line") > svg.rfind("peer line"));
    }

    #[test]
    fn without_figures_nothing_is_drawn() {
        let plots = vec![("a".to_owned(), Vec::new())];
        let svg = Lines { title: "", subtitle: "", places: &["p50"], plots }.svg();
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    }
}
