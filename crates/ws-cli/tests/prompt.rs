//! `ws connect` at a terminal.
#![cfg(unix)]

mod support;

use std::{
    fs::File,
    io::{Read, Write},
    os::fd::{AsFd, OwnedFd},
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use nix::{
    poll::{PollFd, PollFlags, PollTimeout, poll},
    pty::openpty,
    sys::termios::{LocalFlags, Termios, tcgetattr},
};
use support::{Server, peer, ws};
use ws_stack::CloseCode;

/// The program in a terminal of its own.
struct Terminal {
    screen: File,
    seen: Vec<u8>,
    /// The program's side; kept so that its settings can be looked at.
    inner: OwnedFd,
    /// The settings before the program came.
    before: Termios,
    child: Child,
}

impl Terminal {
    fn connect(url: &str) -> Self {
        Self::start(url, "xterm")
    }

    fn start(url: &str, kind: &str) -> Self {
        let pty = openpty(None, None).unwrap();
        let before = tcgetattr(&pty.slave).unwrap();
        let side = || Stdio::from(pty.slave.try_clone().unwrap());
        let child = ws(["connect", url])
            .env("TERM", kind)
            .stdin(side())
            .stdout(side())
            .stderr(side())
            .spawn()
            .unwrap();
        Self { screen: pty.master.into(), seen: Vec::new(), inner: pty.slave, before, child }
    }

    fn press(&mut self, keys: &str) {
        self.screen.write_all(keys.as_bytes()).unwrap();
    }

    /// Reads until the screen shows `text`, for a minute at most.
    fn wait_for(&mut self, text: &str) {
        let minute = PollTimeout::from(60_000_u16);
        while !self.shows(text) {
            let mut screen = [PollFd::new(self.screen.as_fd(), PollFlags::POLLIN)];
            assert_ne!(poll(&mut screen, minute), Ok(0), "{text:?} is not shown");
            self.read();
        }
    }

    /// Reads until the screen shows `text`, and looks at the terminal all the while.
    fn watch_for(&mut self, text: &str, mut look: impl FnMut(&Termios)) {
        let start = Instant::now();
        while !self.shows(text) {
            assert!(start.elapsed() < Duration::from_secs(60), "{text:?} is not shown");
            look(&tcgetattr(&self.inner).unwrap());
            let mut screen = [PollFd::new(self.screen.as_fd(), PollFlags::POLLIN)];
            if poll(&mut screen, PollTimeout::ZERO) != Ok(0) {
                self.read();
            }
        }
    }

    fn shows(&self, text: &str) -> bool {
        String::from_utf8_lossy(&self.seen).contains(text)
    }

    fn read(&mut self) {
        let mut chunk = [0; 1024];
        let read = self.screen.read(&mut chunk).unwrap();
        self.seen.extend_from_slice(&chunk[..read]);
    }

    fn end(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn lines_go_out_and_messages_come_in_above_the_prompt() {
    let server = Server::start(&[]);
    let mut terminal = Terminal::connect(&server.url);
    terminal.wait_for("> ");
    terminal.press("hello\r");
    terminal.wait_for("< hello");
    // The line before is remembered.
    terminal.press("\x1b[A again\r");
    terminal.wait_for("< hello again");
    // Ctrl-D.
    terminal.press("\x04");
    terminal.wait_for("closed: 1000 (normal closure)");
    assert_eq!(terminal.end(), Some(0));
}

#[test]
fn keys_are_handed_out_between_two_prompts_too() {
    let server = Server::start(&[]);
    let mut terminal = Terminal::connect(&server.url);
    terminal.wait_for("> ");
    for number in 0..50 {
        terminal.press(&format!("line {number}.\r"));
        // Or a Ctrl-D that is pressed just then would not be told from nothing.
        terminal.watch_for(&format!("< line {number}."), |settings| {
            assert!(!settings.local_flags.intersects(LocalFlags::ICANON | LocalFlags::ECHO), "line {number}");
        });
    }
    terminal.press("\x04");
    terminal.wait_for("closed: 1000 (normal closure)");
    assert_eq!(terminal.end(), Some(0));
    assert_eq!(tcgetattr(&terminal.inner).unwrap(), terminal.before);
}

#[test]
fn a_terminal_without_cursor_keys_is_read_by_lines() {
    let server = Server::start(&[]);
    let mut terminal = Terminal::start(&server.url, "dumb");
    terminal.wait_for("Ctrl-D closes");
    terminal.press("hello\r");
    terminal.wait_for("< hello");
    assert_eq!(tcgetattr(&terminal.inner).unwrap(), terminal.before);
    terminal.press("\x04");
    terminal.wait_for("closed: 1000 (normal closure)");
    assert_eq!(terminal.end(), Some(0));
}

#[test]
fn a_close_of_the_server_leaves_the_terminal_as_it_was() {
    let (send, wait) = tokio::sync::oneshot::channel();
    let (url, peer) = peer(async move |stream| {
        let mut ws = ws_stack::accept(stream).await.unwrap();
        wait.await.unwrap();
        ws.send("bye\x1b[2J").await.unwrap();
        ws.close(CloseCode::POLICY_VIOLATION, "enough").await.unwrap();
    });
    let mut terminal = Terminal::connect(&url);
    terminal.wait_for("> ");
    assert_ne!(tcgetattr(&terminal.inner).unwrap(), terminal.before);
    send.send(()).unwrap();
    terminal.wait_for("< bye\\u{1b}[2J");
    terminal.wait_for("closed: 1008 (policy violation) enough");
    assert_eq!(terminal.end(), Some(1));
    assert_eq!(tcgetattr(&terminal.inner).unwrap(), terminal.before);
    peer.join().unwrap();
}
