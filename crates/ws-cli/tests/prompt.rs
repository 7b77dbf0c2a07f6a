//! `ws connect` at a terminal.
#![cfg(unix)]

mod support;

use std::{
    fs::File,
    io::{Read, Write},
    os::fd::OwnedFd,
    process::{Child, Stdio},
};

use nix::{
    pty::openpty,
    sys::termios::{Termios, tcgetattr},
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
        let pty = openpty(None, None).unwrap();
        let before = tcgetattr(&pty.slave).unwrap();
        let side = || Stdio::from(pty.slave.try_clone().unwrap());
        let child = ws(["connect", url])
            .env("TERM", "xterm")
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

    /// Reads until the screen shows `text`.
    fn wait_for(&mut self, text: &str) {
        while !String::from_utf8_lossy(&self.seen).contains(text) {
            let mut chunk = [0; 1024];
            let read = self.screen.read(&mut chunk).unwrap();
            self.seen.extend_from_slice(&chunk[..read]);
        }
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
