//! A panel for each scenario, a bar for each server, the best one first.

use super::canvas::{Anchor, Canvas, Look, MARGIN, TOP};

/// A picture of panels.
pub(crate) struct Panels<'a> {
    pub(crate) title: &'a str,
    /// What the figures are, and what is good.
    pub(crate) subtitle: &'a str,
    pub(crate) panels: Vec<Panel>,
    /// Whether the longest bar is the best.
    pub(crate) more_is_better: bool,
}

/// The bars of one scenario.
pub(crate) struct Panel {
    pub(crate) name: String,
    /// What the scenario is, in words.
    pub(crate) note: String,
    pub(crate) bars: Vec<Bar>,
}

/// One server's figure.
pub(crate) struct Bar {
    pub(crate) server: String,
    pub(crate) value: f64,
    /// How it is written behind the bar.
    pub(crate) label: String,
    pub(crate) look: Look,
}

const COLUMNS: usize = 3;
const PANEL: f64 = 290.0;
const GAP: f64 = 24.0;
/// The names of servers end here, bars begin, and the longest has this length; its label stands behind it.
const NAMES: f64 = 112.0;
const LONGEST: f64 = 120.0;
const ROW: f64 = 19.0;
const HEAD: f64 = 42.0;
/// A bar beyond this many times the middle one of its panel is cut: it would hide the others.
const CUT: f64 = 2.0;

impl Panels<'_> {
    /// The picture.
    pub(crate) fn svg(&self) -> String {
        let columns = self.panels.len().clamp(1, COLUMNS);
        let rows: Vec<f64> = self.panels.chunks(columns).map(height).collect();
        let width = 2.0 * MARGIN + columns as f64 * PANEL + (columns - 1) as f64 * GAP;
        let below = rows.iter().sum::<f64>() + rows.len().saturating_sub(1) as f64 * GAP;
        let mut canvas = Canvas::new(width, TOP + below + MARGIN, self.title, self.subtitle);
        let mut y = TOP;
        for (panels, height) in self.panels.chunks(columns).zip(rows) {
            for (column, panel) in panels.iter().enumerate() {
                panel.draw(&mut canvas, MARGIN + column as f64 * (PANEL + GAP), y, self.more_is_better);
            }
            y += height + GAP;
        }
        canvas.finish()
    }
}

/// How high a row of panels is.
fn height(panels: &[Panel]) -> f64 {
    let bars = panels.iter().map(|panel| panel.bars.len()).max().unwrap_or(0);
    HEAD + bars as f64 * ROW
}

impl Panel {
    fn draw(&self, canvas: &mut Canvas, x: f64, y: f64, more_is_better: bool) {
        canvas.text("head", x, y + 12.0, Anchor::Start, &self.name);
        canvas.text("dim small", x, y + 28.0, Anchor::Start, &self.note);
        let mut bars: Vec<_> = self.bars.iter().collect();
        bars.sort_by(|a, b| a.value.total_cmp(&b.value));
        let middle = bars.get(bars.len() / 2).map_or(0.0, |bar| bar.value);
        let mut longest = bars.last().map_or(0.0, |bar| bar.value);
        if more_is_better {
            bars.reverse();
        } else if middle > 0.0 {
            longest = longest.min(middle * CUT);
        }
        let mut y = y + HEAD;
        for bar in bars {
            bar.draw(canvas, x, y, longest);
            y += ROW;
        }
    }
}

impl Bar {
    fn draw(&self, canvas: &mut Canvas, x: f64, y: f64, longest: f64) {
        let width =
            if longest > 0.0 { (self.value.clamp(0.0, longest) / longest * LONGEST).max(1.0) } else { 1.0 };
        let middle = y + ROW / 2.0 + 3.0;
        let class = self.look.text();
        canvas.text(&format!("small {class}"), x + NAMES - 6.0, middle, Anchor::End, &self.server);
        canvas.bar(self.look.class(), x + NAMES, y + 2.5, width, ROW - 5.0);
        let is_cut = self.value > longest;
        let label = if is_cut { format!("» {}", self.label) } else { self.label.clone() };
        canvas.text(&format!("small {class}"), x + NAMES + width + 5.0, middle, Anchor::Start, &label);
    }
}

#[cfg(test)]
mod tests {
    use super::{Bar, Look, Panel, Panels};

    fn bar(server: &str, value: f64) -> Bar {
        Bar { server: server.to_owned(), value, label: format!("{value}"), look: Look::Peer }
    }

    fn svg(bars: Vec<Bar>, more_is_better: bool) -> String {
        let panel = Panel { name: "16x64".into(), note: String::new(), bars };
        Panels { title: "CPU", subtitle: "", panels: vec![panel], more_is_better }.svg()
    }

    #[test]
    fn the_longest_bar_is_cut_and_says_so() {
        let svg = svg(vec![bar("slow", 1000.0), bar("fast", 10.0), bar("between", 20.0)], false);
        assert!(svg.contains("width=\"30.0\"") && svg.contains("» 1000"), "{svg}");
        assert!(svg.find("fast") < svg.find("slow"), "{svg}");
    }

    #[test]
    fn where_more_is_better_nothing_is_cut_and_the_greatest_is_first() {
        let svg = svg(vec![bar("few", 10.0), bar("many", 1000.0)], true);
        assert!(!svg.contains('»') && svg.find("many") < svg.find("few"), "{svg}");
    }

    #[test]
    fn nothing_is_drawn_as_next_to_nothing() {
        let svg = svg(vec![bar("ours", 0.0)], false);
        assert!(svg.contains("width=\"1.0\"") && !svg.contains("NaN"), "{svg}");
    }
}
