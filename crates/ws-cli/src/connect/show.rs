//! Messages as lines that are safe to print: no byte of a peer's reaches a terminal as a command.

use std::fmt::{self, Write};

use ws_stack::DataKind;

/// How much of a binary message a person is shown.
const GLANCE: usize = 256;

/// Text with its control characters escaped, but for tabs and line ends.
pub(super) struct Lines<'a>(pub(super) &'a str);

/// Text with all of its control characters escaped: one line.
pub(super) struct Line<'a>(pub(super) &'a str);

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        escape(self.0, f, |c| matches!(c, '\t' | '\n'))
    }
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        escape(self.0, f, |_| false)
    }
}

/// Writes text in runs between what is escaped.
fn escape(text: &str, f: &mut fmt::Formatter<'_>, passes: impl Fn(char) -> bool) -> fmt::Result {
    let mut written = 0;
    for (at, c) in text.char_indices().filter(|&(_, c)| is_command(c) && !passes(c)) {
        f.write_str(&text[written..at])?;
        write!(f, "{}", c.escape_default())?;
        written = at + c.len_utf8();
    }
    f.write_str(&text[written..])
}

/// Control characters (C0, DEL, C1), and those that turn the direction of the text around them.
fn is_command(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A message for a program: text as it is, binary in hex.
pub(super) fn plain(kind: DataKind, data: &[u8]) -> String {
    match kind {
        DataKind::Text => Lines(&String::from_utf8_lossy(data)).to_string(),
        DataKind::Binary => binary(data, data),
    }
}

/// A message for a person: marked, further lines set in, so that no message can pass itself off as several.
pub(super) fn marked(kind: DataKind, data: &[u8]) -> String {
    match kind {
        DataKind::Text => {
            format!("< {}", Lines(&String::from_utf8_lossy(data)).to_string().replace('\n', "\n  "))
        }
        DataKind::Binary => {
            let glance = &data[..data.len().min(GLANCE)];
            let more = if glance.len() < data.len() { "..." } else { "" };
            format!("< {}{more}", binary(data, glance))
        }
    }
}

/// A ping or a pong, which may carry anything.
pub(super) fn control(name: &str, data: &[u8]) -> String {
    match str::from_utf8(data) {
        Ok("") => name.to_owned(),
        Ok(text) => format!("{name}: {}", Line(text)),
        Err(_) => format!("{name}: {}", binary(data, data)),
    }
}

fn binary(data: &[u8], shown: &[u8]) -> String {
    let mut line = format!("binary, {} bytes: ", data.len());
    line.reserve(shown.len() * 2);
    for byte in shown {
        // Writing to a string does not fail.
        let _ = write!(line, "{byte:02x}");
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_control_character_is_printed_as_it_came() {
        let all: String = ('\0'..='\u{ff}').chain(['\u{202e}', '\u{2066}', '\u{200f}', 'x']).collect();
        let line = Line(&all).to_string();
        assert!(!line.chars().any(is_command));
        assert!(line.contains("\\u{1b}") && line.contains("\\n") && line.contains("\\u{202e}"));
        let lines = Lines(&all).to_string();
        assert!(lines.chars().filter(|&c| is_command(c)).eq(['\t', '\n']));
    }

    #[test]
    fn text_without_control_characters_is_left_alone() {
        for text in ["", "hello", "{\"a\": \"b\\n\"}", "\u{1f980} \u{e4}", "\u{200d}"] {
            assert_eq!(Line(text).to_string(), text);
        }
    }

    #[test]
    fn messages_for_programs_are_unmarked() {
        assert_eq!(plain(DataKind::Text, b"a\tb\nc\x1b[2J"), "a\tb\nc\\u{1b}[2J");
        assert_eq!(plain(DataKind::Binary, b"\x00\xff"), "binary, 2 bytes: 00ff");
        assert_eq!(plain(DataKind::Binary, &[1; 1000]).len(), "binary, 1000 bytes: ".len() + 2000);
    }

    #[test]
    fn messages_for_people_are_marked_and_cut() {
        assert_eq!(marked(DataKind::Text, b"a\n< b"), "< a\n  < b");
        assert_eq!(marked(DataKind::Binary, b"abc"), "< binary, 3 bytes: 616263");
        let long = marked(DataKind::Binary, &[0; 257]);
        assert!(long.starts_with("< binary, 257 bytes: 00") && long.ends_with("00..."));
    }

    #[test]
    fn pings_are_text_where_they_can_be() {
        assert_eq!(control("ping", b""), "ping");
        assert_eq!(control("ping", b"a\n"), "ping: a\\n");
        assert_eq!(control("pong", b"\xff"), "pong: binary, 1 bytes: ff");
    }
}
