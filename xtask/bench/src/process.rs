//! A server's process: started on its cores, awaited, ended.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use anyhow::{Context as _, Result, bail};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;

use crate::connect::PATIENCE;
use crate::cpu::pin;

/// A running server. Dropping it ends the process.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Process {
    /// Starts a server on its cores and waits until it has printed the line that tells that it listens; `None` without a
    /// command.
    pub(crate) fn start(
        command: impl FnOnce(u16) -> Option<Vec<OsString>>,
        cores: &[usize],
    ) -> Result<Option<Self>> {
        // Bound once to learn a port that is free.
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let Some(command) = command(address.port()) else { return Ok(None) };
        let cores = cores.iter().flat_map(|core| ["--core".to_owned(), core.to_string()]);
        let mut child = Command::new(std::env::current_exe()?)
            .arg("launch")
            .args(cores)
            .arg("--")
            .args(&command)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("cannot start")?;
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let process = Self { child, address };
        let complaints = thread::spawn(move || {
            let mut lines = err.into_iter().flat_map(|err| BufReader::new(err).lines().map_while(Result::ok));
            let text: Vec<String> = lines.by_ref().take(20).collect();
            lines.for_each(drop);
            text.join("\n")
        });
        if first_line(out.context("no standard output")?).recv_timeout(PATIENCE).is_ok() {
            return Ok(Some(process));
        }
        drop(process);
        bail!("{} does not listen\n{}", command[0].display(), complaints.join().unwrap_or_default())
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only when the process is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Passes on the first line, and reads the rest so that the server is never kept waiting.
fn first_line(out: ChildStdout) -> Receiver<String> {
    let (tx, rx) = channel();
    thread::spawn(move || {
        let mut lines = BufReader::new(out).lines().map_while(Result::ok);
        if let Some(line) = lines.next() {
            // Nobody waits for it any more when it came too late.
            let _ = tx.send(line);
        }
        lines.for_each(drop);
    });
    rx
}

/// Turns this process into a server on some cores that does not outlive the one that started it.
pub(crate) fn launch(cores: &[usize], command: &[OsString]) -> Result<()> {
    pin(cores)?;
    set_pdeathsig(Signal::SIGKILL)?;
    let (program, arguments) = command.split_first().context("nothing to launch")?;
    let error = Command::new(program).args(arguments).exec();
    Err(error).with_context(|| format!("cannot run {}", program.display()))
}
