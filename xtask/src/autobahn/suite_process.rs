//! A running program of the suite: its lines are read as events and kept in a log.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};

use super::cases::{CaseId, parse_announced};
use super::suite::{Mode, Suite};
use super::work::Work;

/// The slowest cases take a few seconds: without a word for ten minutes, something hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(600);

/// What the suite says on its output.
#[derive(Debug)]
pub(crate) enum Event {
    /// The cases that it is going to run.
    Announced(anyhow::Result<Vec<CaseId>>),
    /// It began a case.
    Started(CaseId),
    /// It could not connect to the server under test.
    NotConnected(String),
}

/// The running process; dropping it ends it.
#[derive(Debug)]
pub(crate) struct SuiteProcess<'a> {
    child: Child,
    events: Receiver<Event>,
    suite: &'a Suite,
    work: &'a Work,
}

impl<'a> SuiteProcess<'a> {
    pub(crate) fn start(suite: &'a Suite, mode: Mode, work: &'a Work) -> anyhow::Result<Self> {
        let mut log = Work::append(&work.suite_log())?;
        let mut command = suite.command(mode, work);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log.try_clone()?);
        let mut child = command.spawn().context("cannot start the suite")?;
        let stdout = child.stdout.take().context("the suite has no output")?;
        let (sender, events) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line);
                // The log is a help; a full disk shows itself where results are written.
                let _ = writeln!(log, "{line}");
                if let Some(event) = parse(&line)
                    && sender.send(event).is_err()
                {
                    break;
                }
            }
        });
        Ok(Self { child, events, suite, work })
    }

    /// The next event; `None` when the suite has ended its output.
    ///
    /// # Errors
    /// When it has been silent for longer than any case may take.
    pub(crate) fn next(&mut self) -> anyhow::Result<Option<Event>> {
        match self.events.recv_timeout(PATIENCE) {
            Ok(event) => Ok(Some(event)),
            Err(RecvTimeoutError::Disconnected) => Ok(None),
            Err(RecvTimeoutError::Timeout) => {
                bail!("the suite hangs, see {}", self.work.suite_log().display())
            }
        }
    }

    /// The list of cases, which is the first thing that the suite says.
    pub(crate) fn announced(&mut self) -> anyhow::Result<Vec<CaseId>> {
        loop {
            match self.next()? {
                Some(Event::Announced(Ok(cases))) if cases.is_empty() => bail!("no case has such a number"),
                Some(Event::Announced(cases)) => return cases,
                Some(_) => {}
                None => return Err(self.ended("the suite does not start")),
            }
        }
    }

    /// Waits for the end of a suite that has ended its output.
    pub(crate) fn wait(&mut self) -> anyhow::Result<ExitStatus> {
        self.child.wait().context("cannot wait for the suite")
    }

    /// Whether the process is still there.
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().is_ok_and(|status| status.is_none())
    }

    /// An error that shows the end of the log.
    pub(crate) fn ended(&self, what: &str) -> anyhow::Error {
        let log = fs::read_to_string(self.work.suite_log()).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        let tail = lines[lines.len().saturating_sub(8)..].join("\n  ");
        anyhow!("{what}, see {}; it ends in\n  {tail}", self.work.suite_log().display())
    }
}

impl Drop for SuiteProcess<'_> {
    fn drop(&mut self) {
        // Both fail when the process is gone already, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.suite.clean_up(self.work);
    }
}

fn parse(line: &str) -> Option<Event> {
    if let Some(cases) = parse_announced(line) {
        return Some(Event::Announced(cases));
    }
    if let Some(rest) = line.strip_prefix("Running test case ID ") {
        return rest.split(' ').next()?.parse().ok().map(Event::Started);
    }
    let failed = line.starts_with("Connection to ") && line.contains(" failed (");
    failed.then(|| Event::NotConnected(line.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_suites_lines_become_events() {
        let started = parse("Running test case ID 9.3.1 for agent ws-stack from peer tcp4:127.0.0.1:9001");
        assert!(matches!(started, Some(Event::Started(case)) if case.to_string() == "9.3.1"));
        let refused =
            parse("Connection to ws://127.0.0.1:9001 failed (Connection was refused by other side)");
        assert!(matches!(refused, Some(Event::NotConnected(_))));
        assert!(matches!(parse("Cases = ['1.1.1']"), Some(Event::Announced(Ok(cases))) if cases.len() == 1));
        assert!(parse("Using UTF8 Validator class <type 'instance'>").is_none());
    }
}
