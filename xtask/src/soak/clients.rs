//! The process of the clients, and what it says.

use std::{
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::Duration,
};

use anyhow::{Context as _, bail};

/// The clients say something each second; by now they have come to grief.
const SILENCE: Duration = Duration::from_secs(60);

/// The running example; dropping it ends it.
#[derive(Debug)]
pub(super) struct Clients {
    child: Child,
    /// While it is open they go on.
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
}

/// A line of theirs.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said {
    Tally(Tally),
    /// Something was not as it should be.
    Failed(String),
    /// All have gone.
    End,
}

/// What all clients have seen together so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// Lives that have ended.
    pub(super) lives: u64,
    pub(super) open: u64,
    /// Messages and pings that had to be answered, and those that were.
    pub(super) asked: u64,
    pub(super) answered: u64,
    /// The bytes of the answers.
    pub(super) bytes: u64,
    pub(super) failed: u64,
}

impl Clients {
    pub(super) fn start(
        soak: &Path,
        connections: u64,
        seed: u64,
        pause: Duration,
        server: SocketAddr,
    ) -> anyhow::Result<Self> {
        let mut command = Command::new(soak);
        let pause = pause.as_millis().to_string();
        command.args([connections.to_string(), seed.to_string(), pause, server.to_string()]);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the clients")?;
        let stdout = BufReader::new(child.stdout.take().context("the clients have no output")?);
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Ok(Self { stdin: child.stdin.take(), child, lines })
    }

    /// The next line.
    pub(super) fn next(&mut self) -> anyhow::Result<Said> {
        let line = self.lines.recv_timeout(SILENCE).context("the clients say nothing any more")?;
        match said(&line) {
            Some(said) => Ok(said),
            None => bail!("the clients say {line:?}"),
        }
    }

    /// Tells them that it is enough.
    pub(super) fn stop(&mut self) {
        self.stdin = None;
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stdin.is_none()
    }
}

impl Drop for Clients {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}

fn said(line: &str) -> Option<Said> {
    match line.split_once(' ') {
        None if line == "end" => Some(Said::End),
        Some(("failed", why)) => Some(Said::Failed(why.to_owned())),
        Some(("tally", numbers)) => {
            let numbers: Vec<u64> = numbers.split(' ').map(str::parse).collect::<Result<_, _>>().ok()?;
            let [lives, open, asked, answered, bytes, failed] = numbers.try_into().ok()?;
            Some(Said::Tally(Tally { lives, open, asked, answered, bytes, failed }))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_is_understood() {
        let tally = Tally { lives: 1, open: 2, asked: 3, answered: 4, bytes: 5, failed: 6 };
        assert_eq!(said("tally 1 2 3 4 5 6"), Some(Said::Tally(tally)));
        assert_eq!(said("failed 7 Reset: why not"), Some(Said::Failed("7 Reset: why not".to_owned())));
        assert_eq!(said("end"), Some(Said::End));
        for other in ["", "tally 1 2", "tally 1 2 3 4 5 x", "hello"] {
            assert_eq!(said(other), None, "{other}");
        }
    }
}
