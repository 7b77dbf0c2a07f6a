//! Attacks on `ws serve`. A file for each group; each group has a server of its own.

mod closing;
mod compression;
mod floods;
mod frames;
mod handshake;
mod slow;
mod text;

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, bail, ensure};

use super::honest::Honest;
use super::peer::{Cut, Ending, Seen, talk};
use super::plan::{Attack, Pace};
use super::process::{forget_peak, usage};
use super::progress::Progress;
use super::row::Row;
use super::wire::{By, REQUEST, TEXT, close, frame};

/// The server under attack; dropping it ends it.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
}

/// Attacks of a kind.
struct Group {
    name: &'static str,
    pace: Pace,
    /// What `ws serve` is told beyond the address.
    options: &'static [&'static str],
    /// Whether an honest client is there meanwhile.
    honest: bool,
    attacks: Vec<Attack<Server>>,
}

fn groups() -> anyhow::Result<Vec<Group>> {
    let quick = |name, attacks| Group { name, pace: Pace::Quick, options: &[], honest: false, attacks };
    Ok(vec![
        quick("handshake", handshake::attacks()),
        quick("frames", frames::attacks()),
        quick("text", text::attacks()),
        quick("closing", closing::attacks()),
        Group { name: "floods", pace: Pace::Long, options: &[], honest: true, attacks: floods::attacks() },
        Group {
            name: "compression",
            pace: Pace::Long,
            options: &["--deflate=kept"],
            honest: true,
            attacks: compression::attacks()?,
        },
        Group { name: "slow", pace: Pace::Long, options: &[], honest: false, attacks: slow::attacks() },
    ])
}

/// Runs the groups up to this pace.
///
/// # Errors
/// When no server can be started.
pub(crate) fn attack(ws: &Path, pace: Pace, only: Option<&str>) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for group in groups()?.into_iter().filter(|group| group.pace <= pace) {
        let name = format!("server {}", group.name);
        let attacks: Vec<_> = group.attacks.iter().filter(|attack| attack.is_meant(&name, only)).collect();
        if attacks.is_empty() {
            continue;
        }
        let server = Server::start(ws, group.options)?;
        server.warm_up()?;
        let before = usage(server.pid())?.descriptors;
        let progress = Progress::new(&name, attacks.len());
        for attack in attacks {
            progress.begin(&attack.name);
            rows.push(server.suffer(attack, &name, group.honest));
            progress.end();
        }
        if let (Err(error), Some(last)) = (server.settle(before), rows.last_mut()) {
            last.seen = Err(format!("behind the whole group: {error:#}"));
        }
    }
    Ok(rows)
}

impl Server {
    fn start(ws: &Path, options: &[&str]) -> anyhow::Result<Self> {
        let mut command = Command::new(ws);
        command.args(["serve", "--listen", "127.0.0.1:0"]).args(options);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().context("cannot start ws serve")?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        let address =
            line.trim_end().trim_end_matches('/').rsplit('/').next().and_then(|text| text.parse().ok());
        match address {
            Some(address) => Ok(Self { child, address }),
            None => {
                let _ = child.kill();
                let _ = child.wait();
                bail!("ws serve does not say where it listens: {line:?}")
            }
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What is taken once and kept is taken before anything is measured.
    fn warm_up(&self) -> anyhow::Result<()> {
        for _ in 0..20 {
            self.is_well()?;
        }
        let large = [frame(By::Client, TEXT, vec![b'x'; 256 << 10]), close(By::Client, 1000, "")].concat();
        self.talk(&large, Cut::Whole).map(|_seen| ())
    }

    /// One attack, measured. What an honest client waits is measured again when it was too long: what others do on this
    /// machine only ever adds to it.
    fn suffer(&self, attack: &Attack<Self>, group: &str, honest: bool) -> Row {
        let mut row = self.suffer_once(attack, group, honest);
        for _ in 0..2 {
            if row.seen.is_err() || row.honest.is_none_or(|wait| wait.server <= attack.bounds.honest) {
                break;
            }
            row = self.suffer_once(attack, group, honest);
        }
        row
    }

    fn suffer_once(&self, attack: &Attack<Self>, group: &str, honest: bool) -> Row {
        let mut row = Row {
            group: group.to_owned(),
            name: attack.name.clone(),
            seen: Err(String::new()),
            time: Duration::ZERO,
            cpu: Duration::ZERO,
            memory: 0,
            bounds: attack.bounds,
            honest: None,
        };
        row.seen = self.measure(attack, honest, &mut row).map_err(|error| format!("{error:#}"));
        row
    }

    /// With an honest client beside it an attack is repeated for two seconds: fewer answers would say little of the
    /// slowest of a hundred. Time and CPU are those of one time.
    fn measure(&self, attack: &Attack<Self>, honest: bool, row: &mut Row) -> anyhow::Result<String> {
        let least = if honest { Duration::from_secs(2) } else { Duration::ZERO };
        let honest = if honest { Some(Honest::start(self.address, self.pid())?) } else { None };
        forget_peak(self.pid())?;
        let before = usage(self.pid())?;
        let start = Instant::now();
        let mut times = 0;
        let seen = loop {
            let seen = (attack.act)(self);
            times += 1;
            if seen.is_err() || start.elapsed() >= least {
                break seen;
            }
        };
        row.time = start.elapsed() / times;
        let after = usage(self.pid())?;
        row.cpu = after.cpu.saturating_sub(before.cpu) / times;
        row.memory = after.peak.saturating_sub(before.resident);
        if let Some(honest) = honest {
            row.honest = Some(honest.finish()?);
        }
        let seen = seen?;
        self.is_well().context("behind it the server does not serve")?;
        Ok(if times > 1 { format!("{seen}, {times} times") } else { seen })
    }

    /// Sends frames on a new connection, and gives what comes back.
    ///
    /// # Errors
    /// When the answers cannot be read.
    pub(crate) fn talk(&self, frames: &[u8], cut: Cut) -> anyhow::Result<Seen> {
        talk(self.address, REQUEST.as_bytes(), frames, cut, PATIENCE)
    }

    /// Whether it echoes and closes as it should.
    fn is_well(&self) -> anyhow::Result<()> {
        let frames = [frame(By::Client, TEXT, "well?"), close(By::Client, 1000, "")].concat();
        let seen = self.talk(&frames, Cut::Whole)?;
        ensure!(seen.frames == [(TEXT, b"well?".to_vec())], "no echo, but {:?}", seen.frames);
        expect(&seen, Ending::Close(Some(1000)))
    }

    /// Waits until every connection is gone, and looks whether it took its descriptor along.
    fn settle(&self, descriptors: usize) -> anyhow::Result<()> {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let open = usage(self.pid())?.descriptors;
            if open <= descriptors {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(anyhow!("{} descriptors are still open", open - descriptors));
            }
            thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail when the process is gone already, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How long an end is waited for; what takes longer is open.
const PATIENCE: Duration = Duration::from_millis(1500);

/// # Errors
/// When a connection did not end like this.
fn expect(seen: &Seen, ending: Ending) -> anyhow::Result<()> {
    ensure!(seen.status == 101, "answered {} instead of 101", seen.status);
    ensure!(seen.ending == ending, "ended with {:?} instead of {ending:?}", seen.ending);
    Ok(())
}
