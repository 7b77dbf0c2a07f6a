//! The page itself: counts by chapter, deviations with their wire logs, then every case.

use std::collections::BTreeSet;
use std::fmt::{self, Write as _};

use serde_json::Value;

use super::super::index::Detail;
use super::super::judge::{Judgement, Verdict};
use super::super::wire_log::{self, Direction};
use super::chapter::{self, Counts};
use super::html::{Escaped, without_markup};

const STYLE: &str = include_str!("style.css");

/// The whole page.
pub(crate) fn render(judgements: &[Judgement]) -> String {
    let mut page = String::new();
    // Writing into a String cannot fail.
    let _ = write_page(&mut page, judgements);
    page
}

fn write_page(out: &mut String, judgements: &[Judgement]) -> fmt::Result {
    write!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>ws-stack: conformance</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <h1>Conformance</h1>\n<p class=\"lead\">The Autobahn suite against ws-stack {}, limits and keepalive \
         at their defaults.</p>\n",
        env!("CARGO_PKG_VERSION")
    )?;
    write_counts(out, judgements)?;
    write_deviations(out, judgements)?;
    for judgement in judgements {
        write_cases(out, judgement)?;
    }
    out.write_str("</body>\n</html>\n")
}

fn write_counts(out: &mut String, judgements: &[Judgement]) -> fmt::Result {
    let counted: Vec<_> = judgements.iter().map(chapter::count).collect();
    let chapters: BTreeSet<u32> = counted.iter().flat_map(|counts| counts.keys().copied()).collect();

    out.write_str("<table class=\"counts\">\n<thead><tr><th rowspan=\"2\" colspan=\"2\">Chapter</th>")?;
    for judgement in judgements {
        write!(out, "<th colspan=\"6\" class=\"role\">{}</th>", judgement.role)?;
    }
    out.write_str("</tr>\n<tr>")?;
    for _ in judgements {
        out.write_str("<th class=\"role\">cases</th><th>OK</th><th>info</th><th>other</th>")?;
        out.write_str("<th>deviations</th><th>time</th>")?;
    }
    out.write_str("</tr></thead>\n<tbody>\n")?;
    for number in chapters {
        write!(out, "<tr><td class=\"number\">{number}</td><td>{}</td>", chapter::title(number))?;
        for counts in &counted {
            write_count_cells(out, counts.get(&number).copied().unwrap_or_default())?;
        }
        out.write_str("</tr>\n")?;
    }
    out.write_str("</tbody>\n<tfoot><tr><td></td><td>All</td>")?;
    for counts in &counted {
        write_count_cells(out, Counts::sum(counts.values().copied()))?;
    }
    out.write_str("</tr></tfoot>\n</table>\n")
}

fn write_count_cells(out: &mut String, counts: Counts) -> fmt::Result {
    let Counts { cases, ok, informational, other, deviations, duration } = counts;
    write!(out, "<td class=\"role\">{cases}</td>")?;
    for (class, count) in [("ok", ok), ("info", informational), ("bad", other), ("bad", deviations)] {
        let class = if count == 0 { "none" } else { class };
        write!(out, "<td class=\"{class}\">{count}</td>")?;
    }
    write!(out, "<td>{}</td>", Duration(duration))
}

fn write_deviations(out: &mut String, judgements: &[Judgement]) -> fmt::Result {
    let total: usize = judgements.iter().map(|judgement| judgement.deviations().count()).sum();
    if total == 0 {
        return out.write_str("<p class=\"verdict ok\">Every case is as expected.</p>\n");
    }
    writeln!(out, "<p class=\"verdict bad\">{total} deviations from what is expected.</p>")?;
    for judgement in judgements {
        for fault in &judgement.faults {
            writeln!(out, "<p class=\"fault\"><b>{}</b> {}</p>", judgement.role, Escaped(fault))?;
        }
        for verdict in &judgement.verdicts {
            if let Some(deviation) = verdict.deviation() {
                write_deviation(out, judgement, verdict, &deviation)?;
            }
        }
    }
    Ok(())
}

fn write_deviation(out: &mut String, judgement: &Judgement, verdict: &Verdict, what: &str) -> fmt::Result {
    let (role, case) = (judgement.role, &verdict.case);
    writeln!(
        out,
        "<details class=\"deviation\" id=\"{role}-{case}\"><summary><b>{role} {case}</b> {}</summary>",
        Escaped(what)
    )?;
    match &verdict.detail {
        Some(detail) => write_detail(out, detail)?,
        None => out.write_str("<p>The suite has no result of this case.</p>\n")?,
    }
    out.write_str("</details>\n")
}

fn write_detail(out: &mut String, detail: &Detail) -> fmt::Result {
    let unclean = detail.was_not_clean_reason.as_deref().unwrap_or_default();
    out.write_str("<dl>")?;
    for (term, text) in [
        ("does", without_markup(&detail.description)),
        ("wants", without_markup(&detail.expectation)),
        ("result", without_markup(&detail.result)),
        ("close", without_markup(&format!("{} {unclean}", detail.result_close))),
        ("expected", compact(&detail.expected)),
        ("received", compact(&detail.received)),
    ] {
        write!(out, "<dt>{term}</dt><dd>{}</dd>", Escaped(&text))?;
    }
    out.write_str("</dl>\n<pre class=\"handshake\">")?;
    let (request, response) = (head(&detail.http_request), head(&detail.http_response));
    write!(out, "{}\n\n{}", Escaped(&request), Escaped(&response))?;
    out.write_str("</pre>\n<ol class=\"wire\">\n")?;
    for line in wire_log::lines(&detail.wire_log, detail.dropped_by_me) {
        let class = match line.direction {
            Direction::In => "in",
            Direction::Out => "out",
            Direction::None => "note",
        };
        writeln!(out, "<li class=\"{class}\">{}</li>", Escaped(&line.text))?;
    }
    out.write_str("</ol>\n")
}

/// A head of HTTP as lines; its line ends are CR LF, and a CR that stands alone stays to be seen.
fn head(text: &str) -> String {
    text.trim().replace("\r\n", "\n")
}

/// A value of the suite in one line, cut where it grows long.
fn compact(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(1000) {
        Some((end, _)) => format!("{} ...", &text[..end]),
        None => text,
    }
}

fn write_cases(out: &mut String, judgement: &Judgement) -> fmt::Result {
    let role = judgement.role;
    write!(
        out,
        "<details class=\"all\"><summary>All cases as {role}</summary>\n<table class=\"cases\">\n\
         <thead><tr><th>case</th><th>behavior</th><th>closing</th><th>our code</th><th>time</th><th></th></tr>\
         </thead>\n<tbody>\n"
    )?;
    for verdict in &judgement.verdicts {
        let (behavior, closing, code, time) = match &verdict.entry {
            Some(entry) => {
                let code = entry.remote_close_code.map_or_else(|| "none".to_owned(), |code| code.to_string());
                (entry.behavior.as_str(), entry.behavior_close.as_str(), code, Duration(entry.duration))
            }
            None => ("MISSING", "", String::new(), Duration(0)),
        };
        let note = match (verdict.deviation(), &verdict.reason) {
            (Some(_), _) => format!("<a href=\"#{role}-{}\">deviates</a>", verdict.case),
            (None, Some(reason)) => Escaped(reason).to_string(),
            (None, None) => String::new(),
        };
        let class = if verdict.deviation().is_some() { "bad" } else { class_of(behavior) };
        writeln!(
            out,
            "<tr class=\"{class}\"><td class=\"number\">{}</td><td>{}</td><td>{}</td><td>{code}</td><td>{time}</td>\
             <td class=\"reason\">{note}</td></tr>",
            verdict.case,
            Escaped(behavior),
            Escaped(closing)
        )?;
    }
    out.write_str("</tbody>\n</table>\n</details>\n")
}

fn class_of(behavior: &str) -> &'static str {
    if behavior == "OK" { "ok" } else { "info" }
}

/// Milliseconds, in the unit that reads best.
struct Duration(i64);

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < 1000 {
            write!(f, "{}&nbsp;ms", self.0)
        } else {
            write!(f, "{}.{}&nbsp;s", self.0 / 1000, self.0 % 1000 / 100)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::judge::tests::{judgement, verdict};
    use super::*;

    #[test]
    fn a_clean_run_says_so() {
        let page = render(&[judgement(vec![verdict("1.1.1", Some(("OK", "OK")))])]);
        assert!(page.contains("Every case is as expected."));
        assert!(page.contains("<td class=\"number\">1</td><td>Framing</td>"));
        assert!(!page.contains("class=\"deviation\""));
    }

    #[test]
    fn a_deviation_shows_its_wire_log_escaped() {
        let mut failed = verdict("5.1", Some(("FAILED", "OK")));
        failed.detail = Some(Detail {
            description: "Send <br/>ping".to_owned(),
            expectation: String::new(),
            result: String::new(),
            result_close: String::new(),
            expected: json!({"OK": []}),
            received: json!([]),
            was_not_clean_reason: None,
            dropped_by_me: true,
            wire_log: vec![json!(["RF", [8, "<script>"], 1, true, 0, true, null])],
            http_request: "GET / HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(),
            http_response: "HTTP/1.1 101".to_owned(),
        });
        let page = render(&[judgement(vec![failed, verdict("5.2", None)])]);
        assert!(page.contains("2 deviations from what is expected."));
        assert!(page.contains("<li class=\"out\">text [8] &lt;script&gt;</li>"));
        assert!(page.contains("<dd>Send ping</dd>"));
        assert!(page.contains(">GET / HTTP/1.1\nHost: a\n\nHTTP/1.1 101<"));
        assert!(page.contains("<a href=\"#server-5.1\">deviates</a>"));
        assert!(page.contains("The suite has no result of this case."));
        assert!(!page.contains("<script"));
    }

    #[test]
    fn durations_read_well() {
        assert_eq!(Duration(12).to_string(), "12&nbsp;ms");
        assert_eq!(Duration(1250).to_string(), "1.2&nbsp;s");
    }
}
