//! Lines from a person at a terminal.

use std::thread;

use rustyline::{ColorMode, Config, Editor, error::ReadlineError, history::MemHistory};
use tokio::sync::mpsc;

use super::{
    input::{self, Input, Inputs},
    output::Output,
    screen::{PROMPT, Screen},
};

/// How many lines are remembered, in memory only: messages are nobody else's business.
const REMEMBERED: usize = 1000;

/// Runs `session` with a prompt as its input. Where the terminal is too simple for one, lines are read as from a pipe.
pub(super) fn with<T>(session: impl FnOnce(Inputs, Output) -> T) -> T {
    let screen = Screen::default();
    let editor = if is_too_simple() { None } else { editor(&screen).ok() };
    let Some(editor) = editor else { return session(super::pipe::read(), Output::Screen(screen)) };
    let _terminal = Terminal::take_keys();
    let (sender, inputs) = input::channel();
    let reader = {
        let screen = screen.clone();
        thread::Builder::new().name("prompt".to_owned()).spawn(move || read(editor, &screen, &sender))
    };
    match reader {
        Ok(_) => session(inputs, Output::Screen(screen)),
        Err(_) => session(super::pipe::read(), Output::Screen(screen)),
    }
}

/// The terminals on which the editor would only read whole lines, too.
fn is_too_simple() -> bool {
    std::env::var("TERM")
        .is_ok_and(|name| ["dumb", "cons25", "emacs"].iter().any(|simple| name.eq_ignore_ascii_case(simple)))
}

type LineEditor = Editor<Screen, MemHistory>;

fn editor(screen: &Screen) -> rustyline::Result<LineEditor> {
    let config = Config::builder()
        .auto_add_history(true)
        .max_history_size(REMEMBERED)?
        // Without colours the editor would not tell the screen what it draws; it has none to show.
        .color_mode(ColorMode::Forced)
        .build();
    let history = MemHistory::with_config(&config);
    let mut editor = Editor::with_history(config, history)?;
    editor.set_helper(Some(screen.clone()));
    Ok(editor)
}

/// Reads until Ctrl-D, Ctrl-C, or the end of the session.
fn read(mut editor: LineEditor, screen: &Screen, sender: &mpsc::Sender<Input>) {
    loop {
        let columns = editor.dimensions().map_or(usize::MAX, |(columns, _)| columns.into());
        screen.open(columns);
        let line = editor.readline(PROMPT);
        screen.close();
        let input = match line {
            Ok(line) => Input::Line(line.into_bytes()),
            Err(ReadlineError::Eof | ReadlineError::Interrupted) => return,
            Err(error) => Input::Failed(format!("cannot read from the terminal: {error}")),
        };
        let goes_on = matches!(input, Input::Line(_));
        if sender.blocking_send(input).is_err() || !goes_on {
            return;
        }
    }
}

/// The terminal as it was found. A prompt that is open when the server closes cannot be called back from its thread, so
/// its settings are undone from here.
///
/// Between two prompts the terminal goes on to hand out keys as they are pressed: one that would wait for whole lines then
/// would swallow a Ctrl-D.
#[cfg(unix)]
struct Terminal(Option<nix::sys::termios::Termios>);

#[cfg(unix)]
impl Terminal {
    fn take_keys() -> Self {
        use nix::sys::termios::{InputFlags, LocalFlags, SetArg, tcgetattr, tcsetattr};

        let Ok(before) = tcgetattr(std::io::stdin()) else { return Self(None) };
        let mut keys = before.clone();
        keys.input_flags -= InputFlags::ICRNL;
        keys.local_flags -= LocalFlags::ICANON | LocalFlags::ECHO | LocalFlags::IEXTEN;
        // Where that is refused the prompt still works.
        let _ = tcsetattr(std::io::stdin(), SetArg::TCSADRAIN, &keys);
        Self(Some(before))
    }
}

#[cfg(unix)]
impl Drop for Terminal {
    fn drop(&mut self) {
        use std::io::Write;

        use nix::sys::termios::{SetArg, tcgetattr, tcsetattr};

        let Some(before) = &self.0 else { return };
        if tcgetattr(std::io::stdin()).is_ok_and(|now| now != *before) {
            // Nothing is left to be done for a terminal that is gone.
            let _ = tcsetattr(std::io::stdin(), SetArg::TCSADRAIN, before);
            // The prompt is wiped out, and pasted text is not marked any more.
            let _ = std::io::stdout().write_all(b"\r\x1b[J\x1b[?2004l");
        }
    }
}

#[cfg(not(unix))]
struct Terminal;

#[cfg(not(unix))]
impl Terminal {
    fn take_keys() -> Self {
        Self
    }
}
