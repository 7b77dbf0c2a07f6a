//! What all pictures are drawn with: a card with a title, text, and shapes in the colours of the theme.

use std::fmt::{self, Write as _};

/// Whose a bar, a line or a point is, and so how it looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// Ours, in the fastest form.
    Ours,
    /// Ours in another form.
    Other,
    /// Another library.
    Peer,
    /// The least there can be.
    Floor,
}

impl Look {
    /// The class of its shapes.
    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Other => "other",
            Self::Peer => "peer",
            Self::Floor => "floor",
        }
    }

    /// The class of its name.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Ours => "us",
            Self::Other => "us light",
            Self::Peer => "",
            Self::Floor => "dim",
        }
    }
}

/// Where a text is fixed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// How far everything is from the edge of the card.
pub(crate) const MARGIN: f64 = 24.0;
/// Where what is below title and subtitle begins.
pub(crate) const TOP: f64 = 78.0;

/// The colours of both themes. A card of its own behind everything: a page's theme need not be the system's.
const STYLE: &str = "\
text{fill:#1f2328;font:12px system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif}\
.title{font-size:18px;font-weight:600}.head{font-size:13px;font-weight:600}\
.dim{fill:#59636e}.small{font-size:11px}.us{fill:#c2410c;font-weight:600}.light{font-weight:400}\
.card{fill:#fff;stroke:#d1d9e0}.grid{stroke:#d1d9e0;stroke-width:1}.frame{fill:none;stroke:#d1d9e0}\
.peer{fill:#aab4bf;stroke:#aab4bf}.floor{fill:#e4e8ec;stroke:#aab4bf}.ours{fill:#ea580c;stroke:#ea580c}.other{fill:#fdba8c;stroke:#fdba8c}\
.line{fill:none;stroke-width:1.5;stroke-linejoin:round}.ours.line{stroke-width:3.5}.other.line{stroke-width:2.5}.floor.line{stroke-dasharray:5 4}\
.hollow{fill:none;stroke-width:2}.thin{fill:none;stroke-width:1}.peer.tone{stroke:#8592a0}\
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.dim{fill:#9198a1}.us{fill:#ff9552}\
.card{fill:#0d1117;stroke:#30363d}.grid{stroke:#262c34}.frame{stroke:#30363d}\
.peer{fill:#59636f;stroke:#59636f}.floor{fill:#1c2229;stroke:#59636f}.ours{fill:#f97316;stroke:#f97316}.other{fill:#9a5526;stroke:#9a5526}\
.line{fill:none}.hollow{fill:none}.thin{fill:none}.peer.tone{stroke:#7d8894}}";

/// A picture in the making.
pub(crate) struct Canvas {
    out: String,
}

impl Canvas {
    /// A card of this size with a title, and what the figures mean below it.
    pub(crate) fn new(width: f64, height: f64, title: &str, subtitle: &str) -> Self {
        let mut canvas = Self { out: String::new() };
        canvas.put(format_args!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" \
             height=\"{height:.0}\" role=\"img\" aria-label=\"{}\">\n<style>{STYLE}</style>\n<rect class=\"card\" x=\"0.5\" y=\"0.5\" \
             width=\"{:.0}\" height=\"{:.0}\" rx=\"10\"/>",
            escaped(title),
            width - 1.0,
            height - 1.0,
        ));
        canvas.text("title", MARGIN, 36.0, Anchor::Start, title);
        canvas.text("dim", MARGIN, 56.0, Anchor::Start, subtitle);
        canvas
    }

    /// A line of text.
    pub(crate) fn text(&mut self, class: &str, x: f64, y: f64, anchor: Anchor, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        self.put(format_args!(
            "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{}</text>",
            escaped(text)
        ));
    }

    /// A bar with round corners.
    pub(crate) fn bar(&mut self, class: &str, x: f64, y: f64, width: f64, height: f64) {
        self.put(format_args!(
            "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"2\"/>"
        ));
    }

    /// A straight line.
    pub(crate) fn line(&mut self, class: &str, from: (f64, f64), to: (f64, f64)) {
        self.put(format_args!(
            "<line class=\"{class}\" x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\"/>",
            from.0, from.1, to.0, to.1
        ));
    }

    /// A line through points.
    pub(crate) fn path(&mut self, class: &str, points: &[(f64, f64)]) {
        let mut path = String::new();
        for (x, y) in points {
            let _ = write!(path, "{x:.1},{y:.1} ");
        }
        self.put(format_args!("<polyline class=\"{class}\" points=\"{}\"/>", path.trim_end()));
    }

    /// A dot.
    pub(crate) fn dot(&mut self, class: &str, (x, y): (f64, f64), radius: f64) {
        self.put(format_args!("<circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius:.1}\"/>"));
    }

    /// The whole picture.
    pub(crate) fn finish(mut self) -> String {
        self.out.push_str("</svg>\n");
        self.out
    }

    fn put(&mut self, shape: fmt::Arguments<'_>) {
        // Writing to a string does not fail.
        let _ = writeln!(self.out, "{shape}");
    }
}

/// Text as it stands in XML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

/// Round numbers that a scale of powers shows between two values: 1, 2 and 5 times powers of ten, or without 2 and 5 when there
/// would be too many.
pub(crate) fn ticks(least: f64, greatest: f64) -> Vec<f64> {
    let (low, high) = (least.log10().floor() as i32, greatest.log10().ceil() as i32);
    let steps: &[f64] = if high - low > 3 { &[1.0] } else { &[1.0, 2.0, 5.0] };
    let all = (low..=high).flat_map(|power| steps.iter().map(move |step| step * 10_f64.powi(power)));
    all.filter(|tick| (least * 0.999..=greatest * 1.001).contains(tick)).collect()
}

/// Moves positions apart so that each has so much room, in their order and as little as that takes; gives them back in the order
/// they came.
pub(crate) fn spread(wanted: &[f64], room: f64, least: f64, greatest: f64) -> Vec<f64> {
    let mut order: Vec<_> = (0..wanted.len()).collect();
    order.sort_by(|a, b| wanted[*a].total_cmp(&wanted[*b]));
    // Neighbours that would overlap become one cluster around the middle of what they want.
    let mut clusters: Vec<(f64, usize)> = Vec::new();
    for &index in &order {
        clusters.push((wanted[index], 1));
        while let [.., (before, several), (middle, few)] = clusters[..] {
            let count = several + few;
            if middle - before >= count as f64 * room / 2.0 {
                break;
            }
            let joined = (before * several as f64 + middle * few as f64) / count as f64;
            clusters.truncate(clusters.len() - 2);
            clusters.push((joined, count));
        }
    }
    let mut places = wanted.to_vec();
    let (mut members, mut next) = (order.iter(), least);
    for (middle, count) in clusters {
        next = next.max(middle - (count - 1) as f64 * room / 2.0);
        for &index in members.by_ref().take(count) {
            places[index] = next;
            next += room;
        }
    }
    let mut last = greatest;
    for &index in order.iter().rev() {
        places[index] = places[index].min(last);
        last = places[index] - room;
    }
    places
}

#[cfg(test)]
mod tests {
    use super::{Anchor, Canvas, spread, ticks};

    #[test]
    fn text_is_escaped_and_the_picture_whole() {
        let mut canvas = Canvas::new(10.0, 10.0, "a\"b", "less & less");
        canvas.text("", 1.0, 2.0, Anchor::End, "a<b");
        let svg = canvas.finish();
        assert!(
            svg.contains("a&lt;b") && svg.contains("less &amp; less") && svg.contains("a&quot;b"),
            "{svg}"
        );
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
    }

    #[test]
    fn ticks_are_round() {
        assert_eq!(ticks(80.0, 600.0), [100.0, 200.0, 500.0]);
        assert_eq!(ticks(10.0, 100_000.0), [10.0, 100.0, 1000.0, 10_000.0, 100_000.0]);
    }

    #[test]
    fn what_is_spread_keeps_its_order_and_its_room() {
        assert_eq!(spread(&[5.0, 0.0, 6.0], 2.0, 0.0, 100.0), [4.5, 0.0, 6.5]);
        assert_eq!(spread(&[2.0, 4.0, 3.0, 9.0], 2.0, 0.0, 100.0), [1.0, 5.0, 3.0, 9.0]);
        assert_eq!(spread(&[9.0, 10.0], 2.0, 0.0, 10.0), [8.0, 10.0]);
        assert!(spread(&[], 2.0, 0.0, 10.0).is_empty());
    }
}
