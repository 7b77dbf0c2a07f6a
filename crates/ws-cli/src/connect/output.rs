//! What a session prints.

use std::io::{self, Write};

use ws_stack::DataKind;

use super::{screen::Screen, show};

/// Where a session's lines go.
#[derive(Debug)]
pub(super) enum Output {
    /// A pipe or a file: messages alone.
    Pipe,
    /// A terminal: messages marked, above the prompt.
    Screen(Screen),
}

impl Output {
    /// A message.
    pub(super) fn message(&self, kind: DataKind, data: &[u8]) -> io::Result<()> {
        match self {
            Self::Pipe => self.print(show::plain(kind, data)),
            Self::Screen(_) => self.print(show::marked(kind, data)),
        }
    }

    /// A ping or a pong.
    pub(super) fn control(&self, name: &str, data: &[u8]) -> io::Result<()> {
        self.print(show::control(name, data))
    }

    fn print(&self, mut line: String) -> io::Result<()> {
        line.push('\n');
        match self {
            Self::Screen(screen) => screen.print(&line),
            Self::Pipe => {
                let mut out = io::stdout().lock();
                out.write_all(line.as_bytes())?;
                out.flush()
            }
        }
    }
}
