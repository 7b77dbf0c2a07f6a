//! What is gained against what it costs: a point for each server and way.

use super::canvas::{Anchor, Canvas, Look, MARGIN, TOP, spread, ticks};

/// A picture of one or more plots side by side.
pub(crate) struct Points<'a> {
    pub(crate) title: &'a str,
    pub(crate) subtitle: &'a str,
    pub(crate) across: &'a str,
    /// Each plot with its name.
    pub(crate) plots: Vec<(String, Vec<Point>)>,
}

/// One server in one way.
pub(crate) struct Point {
    pub(crate) server: String,
    /// How far right: the cost.
    pub(crate) cost: f64,
    /// How far up: what is gained.
    pub(crate) gain: f64,
    pub(crate) look: Look,
    /// Whether the point is filled: contexts are kept.
    pub(crate) filled: bool,
}

const PLOT: f64 = 275.0;
const SCALE: f64 = 40.0;
/// Names stand in a column of their own, each joined to its point.
const NAMES: f64 = 130.0;
const GAP: f64 = 20.0;
const HEIGHT: f64 = 290.0;
const HEAD: f64 = 26.0;
const FOOT: f64 = 42.0;

impl Points<'_> {
    /// The picture.
    pub(crate) fn svg(&self) -> String {
        let count = self.plots.len().max(1) as f64;
        let width = 2.0 * MARGIN + count * (SCALE + PLOT + NAMES) + (count - 1.0) * GAP;
        let mut canvas = Canvas::new(width, TOP + HEAD + HEIGHT + FOOT + MARGIN, self.title, self.subtitle);
        let mut x = MARGIN + SCALE;
        for (name, points) in &self.plots {
            canvas.text("head", x - SCALE, TOP + 12.0, Anchor::Start, name);
            self.plot(&mut canvas, x, points);
            x += PLOT + NAMES + SCALE + GAP;
        }
        canvas.finish()
    }

    fn plot(&self, canvas: &mut Canvas, x: f64, points: &[Point]) {
        if points.is_empty() {
            return;
        }
        let (top, bottom) = (TOP + HEAD, TOP + HEAD + HEIGHT);
        let costs = || points.iter().map(|point| point.cost);
        let least = costs().fold(f64::INFINITY, f64::min) / 1.3;
        let greatest = costs().fold(0.0, f64::max) * 1.15;
        let most = points.iter().map(|point| point.gain).fold(0.0, f64::max) * 1.08;
        let place = |point: &Point| {
            let across = (point.cost / least).ln() / (greatest / least).ln();
            (x + across * PLOT, bottom - point.gain / most * HEIGHT)
        };
        for gain in 0..=(most as usize) {
            let y = bottom - gain as f64 / most * HEIGHT;
            canvas.line("grid", (x, y), (x + PLOT, y));
            canvas.text("dim small", x - 8.0, y + 4.0, Anchor::End, &format!("{gain}×"));
        }
        for tick in ticks(least, greatest) {
            let at = x + (tick / least).ln() / (greatest / least).ln() * PLOT;
            canvas.line("grid", (at, top), (at, bottom));
            canvas.text("dim small", at, bottom + 18.0, Anchor::Middle, &format!("{tick}"));
        }
        canvas.text("dim small", x + PLOT / 2.0, bottom + 36.0, Anchor::Middle, self.across);
        let places: Vec<_> = points.iter().map(place).collect();
        let heights: Vec<_> = places.iter().map(|place| place.1).collect();
        let names = spread(&heights, 15.0, top + 6.0, bottom - 4.0);
        for ((point, place), name) in points.iter().zip(places).zip(names) {
            let (class, right) = (point.look.class(), x + PLOT);
            canvas.path(&format!("{class} thin"), &[place, (right + 4.0, name), (right + 10.0, name)]);
            let shape = if point.filled { class.to_owned() } else { format!("{class} hollow") };
            canvas.dot(&shape, place, if point.look == Look::Ours { 6.5 } else { 5.0 });
            let text = format!("small {}", point.look.text());
            canvas.text(&text, right + 13.0, name + 4.0, Anchor::Start, &point.server);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Look, Point, Points};

    #[test]
    fn a_point_is_higher_for_more_and_further_right_for_dearer() {
        let point = |server: &str, cost, gain| Point {
            server: server.into(),
            cost,
            gain,
            look: Look::Peer,
            filled: true,
        };
        let points = vec![point("cheap", 10.0, 2.0), point("dear", 100.0, 4.0)];
        let svg = Points { title: "", subtitle: "", across: "", plots: vec![("a".into(), points)] }.svg();
        let places: Vec<Vec<f64>> = svg
            .lines()
            .filter(|line| line.starts_with("<circle"))
            .map(|line| line.split('"').filter_map(|word| word.parse().ok()).collect())
            .collect();
        assert!(places[0][0] < places[1][0] && places[0][1] > places[1][1], "{places:?}");
    }

    #[test]
    fn without_points_nothing_is_drawn() {
        let svg = Points { title: "", subtitle: "", across: "", plots: vec![("a".into(), Vec::new())] }.svg();
        assert!(!svg.contains("NaN") && !svg.contains("<circle"), "{svg}");
    }
}
