//! Attacks on `ws serve`. A file for each group; each group has a server of its own.

mod behind;
mod closing;
mod comings;
mod compression;
mod floods;
mod frames;
mod handshake;
mod linear;
mod origins;
mod slow;
mod targets;
mod text;
mod tls;

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, bail, ensure};
use rustls::ClientConfig;

pub(crate) use self::comings::FEW;
use super::honest::{Honest, Wait};
use super::peer::{Cut, Ending, Seen, talk};
use super::plan::{Attack, Pace, Run};
use super::process::{Usage, forget_peak, usage};
use super::progress::Progress;
use super::row::Row;
use super::tls::{Authority, talk_tls};
use super::wire::{By, REQUEST, TEXT, close, frame};

/// The server under attack; dropping it ends it.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    /// How it is spoken to, where it speaks TLS.
    pub(crate) tls: Option<Arc<ClientConfig>>,
    /// What it had taken before the first attack.
    pub(crate) idle: Usage,
}

/// Attacks of a kind.
struct Group {
    name: &'static str,
    pace: Pace,
    /// What `ws serve` is told beyond the address.
    options: Vec<String>,
    /// How it is spoken to, where the options make it speak TLS.
    tls: Option<Arc<ClientConfig>>,
    /// For how long each attack is repeated beside an honest client, whose waits then tell something.
    honest: Option<Duration>,
    attacks: Vec<Attack<Server>>,
}

impl Group {
    fn new(name: &'static str, pace: Pace, attacks: Vec<Attack<Server>>) -> Self {
        Self { name, pace, options: Vec::new(), tls: None, honest: None, attacks }
    }

    fn options(mut self, options: &[&str]) -> Self {
        self.options = options.iter().map(|&option| option.to_owned()).collect();
        self
    }

    /// Under TLS, as the authority has it.
    fn tls(mut self, authority: &Authority) -> anyhow::Result<Self> {
        let [certificate, key] = authority.identity_files()?;
        for (option, file) in [("--tls-cert", certificate), ("--tls-key", key)] {
            let file = file.to_str().context("the target directory's path is no text")?;
            self.options.extend([option.to_owned(), file.to_owned()]);
        }
        self.tls = Some(authority.client()?);
        Ok(self)
    }

    fn honest(mut self, time: Duration) -> Self {
        self.honest = Some(time);
        self
    }
}

fn groups(run: &Run<'_>) -> anyhow::Result<Vec<Group>> {
    use Pace::{Long, Quick};
    let authority = Authority::new(&run.directory.join("server"))?;
    let (short, long) = (Duration::from_millis(300), Duration::from_secs(2));
    let handshake = handshake::attacks().into_iter().chain(targets::attacks()).collect();
    Ok(vec![
        Group::new("handshake", Quick, handshake),
        Group::new("same origin", Quick, origins::same_host()).options(&["--origin", "same-host"]),
        Group::new("listed origins", Quick, origins::listed()).options(&["--origin", "https://example.com"]),
        Group::new("TLS", Quick, tls::attacks()).tls(&authority)?,
        Group::new("frames", Quick, frames::attacks()),
        Group::new("text", Quick, text::attacks()),
        Group::new("closing", Quick, closing::attacks()),
        Group::new("linear", Quick, linear::attacks()),
        Group::new("comings", Quick, comings::attacks(run.comings)),
        Group::new("small floods", Quick, floods::small()).honest(short),
        Group::new("floods", Long, floods::attacks()).honest(long),
        Group::new("behind a crowd", Long, behind::attacks()),
        Group::new("compression", Long, compression::attacks()?).options(&["--deflate=kept"]).honest(long),
        Group::new("limit of 16 MiB", Long, compression::at_16_mib()?)
            .options(&["--deflate=kept", "--max-message", "16777216"])
            .honest(long),
        Group::new("slow", Long, slow::attacks()),
        Group::new("slow TLS", Long, tls::slow()).tls(&authority)?,
    ])
}

/// Runs the groups up to this pace.
///
/// # Errors
/// When no server can be started.
pub(crate) fn attack(ws: &Path, run: &Run<'_>) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for group in groups(run)?.into_iter().filter(|group| group.pace <= run.pace) {
        let name = format!("server {}", group.name);
        let attacks: Vec<_> =
            group.attacks.iter().filter(|attack| attack.is_meant(&name, run.only)).collect();
        if attacks.is_empty() {
            continue;
        }
        let mut server = Server::start(ws, &group)?;
        server.warm_up()?;
        let progress = Progress::new(&name, attacks.len());
        for attack in attacks {
            progress.begin(&attack.name);
            rows.push(server.suffer(attack, &name, group.honest, run));
            progress.end();
        }
        if let (Err(error), Some(last)) = (server.settle(server.idle.descriptors), rows.last_mut()) {
            last.seen = Err(format!("behind the whole group: {error:#}"));
        }
    }
    Ok(rows)
}

impl Server {
    fn start(ws: &Path, group: &Group) -> anyhow::Result<Self> {
        let mut command = Command::new(ws);
        command.args(["serve", "--listen", "127.0.0.1:0"]).args(&group.options);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().context("cannot start ws serve")?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        let address =
            line.trim_end().trim_end_matches('/').rsplit('/').next().and_then(|text| text.parse().ok());
        match address {
            Some(address) => Ok(Self { child, address, tls: group.tls.clone(), idle: Usage::default() }),
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
    fn warm_up(&mut self) -> anyhow::Result<()> {
        for _ in 0..20 {
            self.is_well()?;
        }
        let large = [frame(By::Client, TEXT, vec![b'x'; 256 << 10]), close(By::Client, 1000, "")].concat();
        self.talk(&large, Cut::Whole)?;
        self.idle = usage(self.pid())?;
        Ok(())
    }

    /// One attack, measured. What an honest client waits is measured again when it was too long: what others do on this
    /// machine only ever adds to it.
    fn suffer(&self, attack: &Attack<Self>, group: &str, honest: Option<Duration>, run: &Run<'_>) -> Row {
        let wall = run.wall(&attack.bounds);
        let mut row = self.suffer_once(attack, group, honest, wall);
        for _ in 0..2 {
            let is_short = |wait: Wait| wait.server <= attack.bounds.honest && wait.wall <= wall;
            if row.seen.is_err() || row.honest.is_none_or(is_short) {
                break;
            }
            row = self.suffer_once(attack, group, honest, wall);
        }
        row
    }

    fn suffer_once(
        &self,
        attack: &Attack<Self>,
        group: &str,
        honest: Option<Duration>,
        wall: Duration,
    ) -> Row {
        let mut row = Row {
            group: group.to_owned(),
            name: attack.name.clone(),
            seen: Err(String::new()),
            time: Duration::ZERO,
            cpu: Duration::ZERO,
            memory: 0,
            bounds: attack.bounds,
            honest: None,
            wall,
        };
        row.seen = self.measure(attack, honest, &mut row).map_err(|error| format!("{error:#}"));
        row
    }

    /// With an honest client beside it an attack is repeated for a while: fewer answers would say little of the
    /// slowest of a hundred. Time and CPU are those of one time.
    fn measure(
        &self,
        attack: &Attack<Self>,
        honest: Option<Duration>,
        row: &mut Row,
    ) -> anyhow::Result<String> {
        let least = honest.unwrap_or_default();
        let honest = honest.map(|_| Honest::start(self.address, self.pid())).transpose()?;
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
        match &self.tls {
            None => talk(self.address, REQUEST.as_bytes(), frames, cut, PATIENCE),
            Some(tls) => talk_tls(self.address, tls, &[REQUEST.as_bytes(), frames].concat(), PATIENCE),
        }
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
