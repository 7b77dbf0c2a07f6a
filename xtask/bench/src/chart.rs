//! Figures as bars: a group for each scenario, a bar for each server, shorter is better.

use std::fmt::Write as _;

/// A chart to be drawn.
pub(crate) struct Chart<'a> {
    pub(crate) title: &'a str,
    /// What the numbers are, and what is good.
    pub(crate) subtitle: &'a str,
    pub(crate) groups: Vec<Group>,
}

/// The bars of one scenario.
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) bars: Vec<Bar>,
}

/// One server's figure.
pub(crate) struct Bar {
    pub(crate) server: String,
    pub(crate) value: f64,
    /// How it is written behind the bar.
    pub(crate) label: String,
    /// Whether it is ours.
    pub(crate) is_ours: bool,
}

const WIDTH: f64 = 860.0;
/// Where bars begin, and how long the longest is.
const LEFT: f64 = 190.0;
const LONGEST: f64 = 560.0;
const BAR: f64 = 15.0;
const GAP: f64 = 26.0;
const TOP: f64 = 62.0;
/// A bar beyond this many times the shortest of its group is cut: it would hide the others.
const CUT: f64 = 4.0;

impl Chart<'_> {
    /// The chart as SVG, readable on light and on dark pages.
    pub(crate) fn svg(&self) -> String {
        let bars: usize = self.groups.iter().map(|group| group.bars.len()).sum();
        let height = TOP + bars as f64 * BAR + self.groups.len() as f64 * GAP + 10.0;
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"system-ui, sans-serif\" \
             font-size=\"11\">\n<style>text{{fill:#333}}.bar{{fill:#9aa7b4}}.ours{{fill:#d9622b}}.name{{font-weight:600;font-size:12px}}\
             @media(prefers-color-scheme:dark){{text{{fill:#ddd}}.bar{{fill:#66727e}}}}</style>\n"
        );
        text(&mut out, "name", 10.0, 22.0, "start", self.title);
        text(&mut out, "", 10.0, 40.0, "start", self.subtitle);
        let mut y = TOP;
        for group in &self.groups {
            text(&mut out, "name", 10.0, y + BAR - 4.0, "start", &group.name);
            y = group.draw(&mut out, y) + GAP;
        }
        out.push_str("</svg>\n");
        out
    }
}

impl Group {
    /// Draws the bars from `y` down, and says where they end.
    fn draw(&self, out: &mut String, mut y: f64) -> f64 {
        let shortest = self.bars.iter().map(|bar| bar.value).fold(f64::INFINITY, f64::min);
        let longest = self.bars.iter().map(|bar| bar.value).fold(0.0, f64::max).min(shortest * CUT);
        for bar in &self.bars {
            let is_cut = bar.value > longest;
            let width = if longest > 0.0 { bar.value.min(longest) / longest * LONGEST } else { 0.0 };
            let class = if bar.is_ours { "ours" } else { "bar" };
            text(out, "", LEFT - 6.0, y + BAR - 4.0, "end", &bar.server);
            let _ = writeln!(
                out,
                "<rect class=\"{class}\" x=\"{LEFT}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{:.1}\"/>",
                BAR - 3.0
            );
            let label = if is_cut { format!("{} →", bar.label) } else { bar.label.clone() };
            text(out, "", LEFT + width + 5.0, y + BAR - 4.0, "start", &label);
            y += BAR;
        }
        y
    }
}

fn text(out: &mut String, class: &str, x: f64, y: f64, anchor: &str, text: &str) {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;");
    let _ = writeln!(
        out,
        "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{escaped}</text>"
    );
}

#[cfg(test)]
mod tests {
    use super::{Bar, Chart, Group};

    fn bar(server: &str, value: f64) -> Bar {
        Bar { server: server.to_owned(), value, label: format!("{value}"), is_ours: server == "ours" }
    }

    #[test]
    fn the_longest_bar_is_cut_and_says_so() {
        let group = Group { name: "16x64".into(), bars: vec![bar("ours", 10.0), bar("a<b", 1000.0)] };
        let svg = Chart { title: "CPU", subtitle: "less is better", groups: vec![group] }.svg();
        assert!(svg.contains("class=\"ours\" x=\"190\" y=\"62.0\" width=\"140.0\""), "{svg}");
        assert!(svg.contains("1000 →") && svg.contains("a&lt;b"), "{svg}");
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
    }

    #[test]
    fn nothing_is_drawn_as_nothing() {
        let group = Group { name: "16x64".into(), bars: vec![bar("ours", 0.0)] };
        let svg = Chart { title: "CPU", subtitle: "", groups: vec![group] }.svg();
        assert!(svg.contains("width=\"0.0\"") && !svg.contains("NaN"), "{svg}");
    }
}
