//! The suite's wire log in words: one line for each thing that went over the wire, seen from the suite.

use serde_json::Value;

/// How many lines of a log are shown; a flood says no more in its thousandth frame.
const LINES: usize = 400;

/// A line of the log, and which way it went.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) direction: Direction,
    pub(crate) text: String,
}

/// Seen from the program that is tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// The suite sent it to us.
    In,
    /// We sent it to the suite.
    Out,
    /// Nothing was sent: a timer, a note.
    None,
}

/// The log's lines.
pub(crate) fn lines(log: &[Value], dropped_by_suite: bool) -> Vec<Line> {
    let mut lines: Vec<_> = log.iter().take(LINES).map(line).collect();
    if log.len() > LINES {
        lines.push(note(format!("{} more", log.len() - LINES)));
    }
    lines.push(note(format!("TCP dropped by {}", if dropped_by_suite { "the suite" } else { "us" })));
    lines
}

fn note(text: String) -> Line {
    Line { direction: Direction::None, text }
}

fn line(entry: &Value) -> Line {
    let kind = entry[0].as_str().unwrap_or("");
    match kind {
        "RO" => Line { direction: Direction::Out, text: format!("octets {}", payload(&entry[1])) },
        "TO" => Line { direction: Direction::In, text: format!("octets {}", payload(&entry[1])) },
        "RF" => Line { direction: Direction::Out, text: frame(entry, &entry[6]) },
        "TF" => Line { direction: Direction::In, text: frame(entry, &entry[5]) },
        "CT" => note(format!("the suite waits {} s", entry[1])),
        "CTE" => note("the suite goes on".to_owned()),
        "KL" => note(format!("the suite gives us {} s", entry[1])),
        "KLE" => note("time is up: the suite fails the connection".to_owned()),
        "TI" => note(format!("the suite will close after {} s", entry[1])),
        "TIE" => note("time is up: the suite closes".to_owned()),
        "WLM" => note(format!("the log is switched {}", if entry[1] == true { "on" } else { "off" })),
        _ => note(entry.to_string()),
    }
}

/// A pair of length and content, the content cut by the suite where it is long.
fn payload(pair: &Value) -> String {
    format!("[{}] {}", pair[0], pair[1].as_str().unwrap_or_default())
}

fn frame(entry: &Value, mask: &Value) -> String {
    let opcode = match entry[2].as_u64() {
        Some(0) => "continuation".to_owned(),
        Some(1) => "text".to_owned(),
        Some(2) => "binary".to_owned(),
        Some(8) => "close".to_owned(),
        Some(9) => "ping".to_owned(),
        Some(10) => "pong".to_owned(),
        _ => format!("opcode {}", entry[2]),
    };
    let mut text = opcode;
    if entry[3] != true && entry[3] != 1 {
        text.push_str(" not fin");
    }
    if entry[4].as_u64().is_some_and(|rsv| rsv != 0) {
        text.push_str(&format!(" rsv {}", entry[4]));
    }
    if let Some(key) = mask.as_str() {
        text.push_str(&format!(" mask {key}"));
    }
    format!("{text} {}", payload(&entry[1]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn frames_are_told_with_all_that_is_unusual_about_them() {
        let received = json!(["RF", [5, "hello"], 1, true, 0, true, "0a0b0c0d"]);
        let sent = json!(["TF", [3, "abc"], 9, false, 4, null, null, 1, false]);
        let lines = lines(&[received, sent], true);
        assert_eq!(
            lines[0],
            Line { direction: Direction::Out, text: "text mask 0a0b0c0d [5] hello".to_owned() }
        );
        assert_eq!(
            lines[1],
            Line { direction: Direction::In, text: "ping not fin rsv 4 [3] abc".to_owned() }
        );
        assert_eq!(lines[2].text, "TCP dropped by the suite");
    }

    #[test]
    fn a_long_log_is_cut_and_says_so() {
        let log = vec![json!(["RO", [1, "00"]]); LINES + 7];
        let lines = lines(&log, false);
        assert_eq!(lines.len(), LINES + 2);
        assert_eq!(lines[LINES].text, "7 more");
        assert_eq!(lines[LINES + 1].text, "TCP dropped by us");
    }

    #[test]
    fn what_is_unknown_is_shown_as_it_is() {
        assert_eq!(line(&json!(["NEW", 1])).text, r#"["NEW",1]"#);
        assert_eq!(line(&json!(["KLE"])).text, "time is up: the suite fails the connection");
    }
}
