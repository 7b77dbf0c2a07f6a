//! The server's role: `ws serve`, visited by the suite's fuzzing client.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use serde_json::json;

use super::AGENT;
use super::cases::Selection;
use super::judge::Run;
use super::peers::Peers;
use super::progress::Progress;
use super::role::Role;
use super::suite::{Mode, Suite};
use super::suite_process::{Event, SuiteProcess};
use super::work::Work;

/// Starts the server with its defaults, lets the suite visit it, gives what the suite was asked to run.
pub(crate) fn run(suite: &Suite, peers: &Peers, work: &Work, selection: &Selection) -> anyhow::Result<Run> {
    let (mut server, address) = at_free_address(|address| Server::start(peers, address, work))?;
    let spec = json!({
        "servers": [{ "agent": AGENT, "url": format!("ws://{address}/") }],
    });
    work.write_spec(spec, selection)?;

    let mut process = SuiteProcess::start(suite, Mode::FuzzingClient, work)?;
    let asked = process.announced()?;
    let mut progress = Progress::new(Role::Server, asked.len());
    let mut faults = Vec::new();
    let mut begun = 0;
    while let Some(event) = process.next()? {
        match event {
            Event::Started(case) => {
                progress.begin(&case, begun);
                begun += 1;
            }
            Event::NotConnected(line) => faults.push(line),
            Event::Announced(_) => {}
        }
    }
    progress.finish();
    if !process.wait()?.success() {
        return Err(process.ended("the suite failed"));
    }
    if let Some(status) = server.child.try_wait()? {
        faults.push(format!(
            "ws serve ended while it was tested ({status}), see {}",
            work.peer_log().display()
        ));
    }
    Ok(Run { asked, faults })
}

/// How often something is started that finds its port taken.
const TRIES: usize = 3;

/// Starts something that listens on the loopback. A port that is free may be somebody else's before it listens, if only for a
/// connection, so there is another try.
pub(crate) fn at_free_address<T>(
    mut start: impl FnMut(SocketAddr) -> anyhow::Result<T>,
) -> anyhow::Result<(T, SocketAddr)> {
    let mut attempt = || {
        let address = free_address()?;
        Ok((start(address)?, address))
    };
    (1..TRIES).find_map(|_| attempt().ok()).map_or_else(attempt, Ok)
}

/// A port that is free at this moment, on every address.
fn free_address() -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).context("there is no free port")?;
    Ok((Ipv4Addr::LOCALHOST, listener.local_addr()?.port()).into())
}

/// Waits until something listens, as long as `alive` holds.
pub(crate) fn wait_for(address: SocketAddr, mut alive: impl FnMut() -> bool) -> anyhow::Result<()> {
    let deadline = Instant::now() + Duration::from_secs(30);
    while TcpStream::connect_timeout(&address, Duration::from_secs(5)).is_err() {
        if !alive() {
            bail!("it ended before it listened");
        }
        if Instant::now() > deadline {
            bail!("nothing listens on {address} after 30 seconds");
        }
        thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// The server under test; dropping it ends it.
struct Server {
    child: Child,
}

impl Server {
    fn start(peers: &Peers, address: SocketAddr, work: &Work) -> anyhow::Result<Self> {
        let log = Work::append(&work.peer_log())?;
        let mut command = Command::new(&peers.ws);
        command.arg("serve").arg("--deflate").arg("--listen").arg(address.to_string());
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let mut server = Self { child: command.spawn().context("cannot start ws serve")? };
        wait_for(address, || server.child.try_wait().is_ok_and(|status| status.is_none()))
            .with_context(|| format!("ws serve does not listen, see {}", work.peer_log().display()))?;
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail when the process is gone already, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_finds_its_port_taken_is_started_again_and_not_for_ever() {
        let started_at = |last: usize| {
            let mut tries = 0;
            let started = at_free_address(|_| {
                tries += 1;
                if tries < last { bail!("the port is taken") } else { Ok(tries) }
            });
            (started.map(|(tries, _)| tries).ok(), tries)
        };
        assert_eq!([1, 2, 3, 4].map(started_at), [(Some(1), 1), (Some(2), 2), (Some(3), 3), (None, 3)]);
    }
}
