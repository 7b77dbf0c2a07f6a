//! The prompt and what is printed above it.
//!
//! Two threads write to one terminal: the editor, which draws the line that is typed, and the session, which prints what
//! comes in. So the session wipes the line out, prints, and draws the line again as the editor has drawn it last; what
//! either writes is written at once.

use std::{
    fmt::Write as _,
    io::{self, Write as _},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rustyline::{
    Helper,
    completion::Completer,
    highlight::{CmdKind, Highlighter},
    hint::Hinter,
    validate::Validator,
};
use unicode_width::UnicodeWidthChar;

pub(super) const PROMPT: &str = "> ";

/// How far apart the terminal's tab stops are, as the editor has it.
const TAB: usize = 8;

/// The terminal, shared by both threads.
#[derive(Debug, Clone, Default)]
pub(super) struct Screen(Arc<Mutex<Option<Typed>>>);

/// The line that is typed right now.
#[derive(Debug)]
struct Typed {
    line: String,
    /// Where the cursor stands, in bytes.
    cursor: usize,
    /// How wide the terminal is.
    columns: usize,
}

/// Where a character stands, counted from the begin of the prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Position {
    row: usize,
    column: usize,
}

impl Screen {
    /// The editor is about to show its prompt.
    pub(super) fn open(&self, columns: usize) {
        *self.lock() = Some(Typed { line: String::new(), cursor: 0, columns: columns.max(1) });
    }

    /// The editor has a line, or the end.
    pub(super) fn close(&self) {
        *self.lock() = None;
    }

    /// Prints whole lines, above the prompt if there is one.
    pub(super) fn print(&self, lines: &str) -> io::Result<()> {
        let typed = self.lock();
        let mut out = io::stdout().lock();
        match &*typed {
            Some(typed) => out.write_all(typed.above(lines).as_bytes())?,
            None => out.write_all(lines.as_bytes())?,
        }
        out.flush()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Typed>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Typed {
    /// What prints `lines` in the place of the prompt, and the prompt below.
    fn above(&self, lines: &str) -> String {
        let prompt = self.behind(Position { row: 0, column: 0 }, PROMPT);
        let cursor = self.behind(prompt, &self.line[..self.cursor]);
        let end = self.behind(prompt, &self.line);
        let mut out = String::with_capacity(lines.len() + self.line.len() + 32);
        up(cursor.row, &mut out);
        out.push_str("\r\x1b[J");
        out.push_str(lines);
        out.push_str(PROMPT);
        out.push_str(&self.line);
        if end.column == 0 {
            // The terminal goes to the next row only when there is something to put there.
            out.push('\n');
        }
        up(end.row - cursor.row, &mut out);
        out.push('\r');
        if cursor.column > 0 {
            // Writing to a string does not fail.
            let _ = write!(out, "\x1b[{}C", cursor.column);
        }
        out
    }

    /// Where the cursor stands behind `text`.
    fn behind(&self, start: Position, text: &str) -> Position {
        let mut at = start;
        for c in text.chars() {
            let width = match c {
                '\n' => {
                    at = Position { row: at.row + 1, column: 0 };
                    continue;
                }
                '\t' => TAB - at.column % TAB,
                c => c.width().unwrap_or(0),
            };
            at.column += width;
            if at.column > self.columns {
                at = Position { row: at.row + 1, column: width };
            }
        }
        if at.column == self.columns {
            at = Position { row: at.row + 1, column: 0 };
        }
        at
    }
}

fn up(rows: usize, out: &mut String) {
    if rows > 0 {
        let _ = write!(out, "\x1b[{rows}A");
    }
}

/// The editor tells its highlighter of every change before it draws it.
impl Highlighter for Screen {
    fn highlight_char(&self, line: &str, cursor: usize, _: CmdKind) -> bool {
        if let Some(typed) = &mut *self.lock() {
            line.clone_into(&mut typed.line);
            typed.cursor = if line.is_char_boundary(cursor) { cursor } else { line.len() };
        }
        false
    }
}

impl Helper for Screen {}

impl Completer for Screen {
    type Candidate = String;
}

impl Hinter for Screen {
    type Hint = String;
}

impl Validator for Screen {}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(line: &str, cursor: usize, columns: usize) -> Typed {
        Typed { line: line.to_owned(), cursor, columns }
    }

    #[test]
    fn the_line_is_drawn_again_below_what_is_printed() {
        assert_eq!(typed("", 0, 80).above("< a\n"), "\r\x1b[J< a\n> \r\x1b[2C");
        assert_eq!(typed("abc", 1, 80).above("< a\n"), "\r\x1b[J< a\n> abc\r\x1b[3C");
    }

    #[test]
    fn a_line_of_several_rows_is_wiped_out_whole() {
        // Ten columns: "> abcdefgh" fills the first row, "ij" stands in the second.
        let drawn = typed("abcdefghij", 10, 10).above("< a\n");
        assert_eq!(drawn, "\x1b[1A\r\x1b[J< a\n> abcdefghij\r\x1b[2C");
        // The cursor in the first row, the end in the second.
        let drawn = typed("abcdefghij", 3, 10).above("< a\n");
        assert_eq!(drawn, "\r\x1b[J< a\n> abcdefghij\x1b[1A\r\x1b[5C");
        // The end of the line is the end of a row.
        let drawn = typed("abcdefgh", 8, 10).above("< a\n");
        assert_eq!(drawn, "\x1b[1A\r\x1b[J< a\n> abcdefgh\n\r");
    }

    #[test]
    fn wide_characters_and_tabs_count_as_the_terminal_shows_them() {
        let line = typed("", 0, 10);
        let behind = |text| {
            let at = line.behind(Position { row: 0, column: 0 }, text);
            (at.row, at.column)
        };
        assert_eq!(behind("\u{6f22}\u{5b57}"), (0, 4));
        assert_eq!(behind("12345678\t"), (1, 8));
        assert_eq!(behind("123456789\u{6f22}"), (1, 2));
        assert_eq!(behind("a\nb"), (1, 1));
        assert_eq!(behind("e\u{301}"), (0, 1));
    }

    #[test]
    fn the_editor_s_changes_are_followed_while_its_prompt_is_open() {
        let screen = Screen::default();
        screen.highlight_char("early", 0, CmdKind::Other);
        assert!(screen.lock().is_none());
        screen.open(0);
        screen.highlight_char("h\u{e9}", 3, CmdKind::Other);
        let open = screen.lock().take().unwrap();
        assert_eq!((&*open.line, open.cursor, open.columns), ("h\u{e9}", 3, 1));
    }
}
