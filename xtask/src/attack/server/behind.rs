//! A message that stands behind a crowd: how much does the server do for the crowd before it answers?
//!
//! The server is stopped while the crowd comes or goes, so that all of it waits at once, and the message behind it. What the
//! server has worked when the answer is there is nearly the same each time, however busy the machine is.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

use super::super::peer::{connect, open};
use super::super::plan::{Attack, Bounds};
use super::super::process::{cpu, usage};
use super::super::wire::{By, REQUEST, TEXT, frame};
use super::Server;

/// How many there are.
const CROWD: usize = 2_000;

/// What may be done before the answer: 5 ms, and a tick of the system. In one queue it would be 30 ms.
const BEFORE: Duration = Duration::from_millis(5 + 4);

pub(super) fn attacks() -> Vec<Attack<Server>> {
    let bounds = Bounds::SMALL.time(Duration::from_secs(20)).cpu(Duration::from_secs(1));
    let bounds = bounds.memory(CROWD as u64 * (8 << 10));
    let row = |name: &str, says: &'static [u8], goes| {
        Attack::new(name, bounds, move |server: &Server| behind(server, says, goes))
    };
    vec![
        row("a message behind 2,000 silent ones that come", b"", false),
        row("a message behind 2,000 silent ones that go", b"", true),
        row(
            "a message behind 2,000 with half a header that go",
            &REQUEST.as_bytes()[..REQUEST.len() / 2],
            true,
        ),
    ]
}

/// The smallest of a few, because what else the machine does only ever adds to it.
fn behind(server: &Server, says: &[u8], goes: bool) -> anyhow::Result<String> {
    let mut worked = Duration::MAX;
    for _ in 0..3 {
        worked = worked.min(answer_behind(server, says, goes)?);
    }
    ensure!(worked <= BEFORE, "the server worked {worked:?} before it answered, of at most {BEFORE:?}");
    Ok(format!("answered after {} ms of work", worked.as_millis()))
}

fn answer_behind(server: &Server, says: &[u8], goes: bool) -> anyhow::Result<Duration> {
    let mut honest = open(server.address).context("an honest client is not let in")?;
    honest.set_read_timeout(Some(Duration::from_secs(10)))?;
    let descriptors = usage(server.pid())?.descriptors;
    let mut crowd = Vec::new();
    if goes {
        crowd = come(server, says)?;
        let deadline = Instant::now() + Duration::from_secs(10);
        while usage(server.pid())?.descriptors < descriptors + CROWD {
            ensure!(Instant::now() < deadline, "not all of the crowd are let in");
            thread::sleep(Duration::from_millis(10));
        }
    }
    let stopped = Stopped::new(server.pid())?;
    if goes {
        crowd.clear();
    } else {
        crowd = come(server, says)?;
    }
    let before = cpu(server.pid())?;
    honest.write_all(&frame(By::Client, TEXT, "an honest message"))?;
    drop(stopped);
    honest.read_exact(&mut [0; 19]).context("an honest client gets no answer")?;
    let worked = cpu(server.pid())?.saturating_sub(before);
    drop(crowd);
    server.settle(descriptors)?;
    Ok(worked)
}

fn come(server: &Server, says: &[u8]) -> anyhow::Result<Vec<TcpStream>> {
    let one = |number| {
        let mut stream = connect(server.address).with_context(|| format!("connection {number}"))?;
        stream.write_all(says)?;
        Ok(stream)
    };
    (0..CROWD).map(one).collect()
}

/// A process that does nothing until this is dropped.
struct Stopped(u32);

impl Stopped {
    fn new(pid: u32) -> anyhow::Result<Self> {
        signal("-STOP", pid)?;
        Ok(Self(pid))
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        // When it is gone there is nothing to go on with.
        let _ = signal("-CONT", self.0);
    }
}

fn signal(name: &str, pid: u32) -> anyhow::Result<()> {
    let status =
        Command::new("kill").args([name, &pid.to_string()]).status().context("there is no `kill`")?;
    ensure!(status.success(), "`kill {name} {pid}` has failed");
    Ok(())
}
