//! The client's role: the example `echo_client`, once for each case of the suite's fuzzing server.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use serde_json::json;

use super::AGENT;
use super::cases::Selection;
use super::judge::Run;
use super::peers::Peers;
use super::progress::Progress;
use super::role::Role;
use super::server_role::{at_free_address, wait_for};
use super::suite::{Mode, Suite};
use super::suite_process::{PATIENCE, SuiteProcess};
use super::work::Work;

/// Starts the fuzzing server, sends the client through every case, has the results written.
pub(crate) fn run(suite: &Suite, peers: &Peers, work: &Work, selection: &Selection) -> anyhow::Result<Run> {
    let ((process, asked), address) = at_free_address(|address| {
        work.write_spec(json!({ "url": format!("ws://{address}") }), selection)?;
        let mut process = SuiteProcess::start(suite, Mode::FuzzingServer, work)?;
        let asked = process.announced()?;
        wait_for(address, || process.is_running())
            .map_err(|error| process.ended(&format!("the suite: {error}")))?;
        Ok((process, asked))
    })?;

    let mut progress = Progress::new(Role::Client, asked.len());
    let mut faults = Vec::new();
    for (done, case) in asked.iter().enumerate() {
        progress.begin(case, done);
        // The suite counts from one, in the order of the list that it has announced.
        let url = format!("ws://{address}/runCase?case={}&agent={AGENT}", done + 1);
        if let Err(fault) = visit(peers, &url, work) {
            faults.push(format!("case {case}: echo_client {fault}"));
        }
    }
    progress.finish();
    update_reports(address)
        .map_err(|error| process.ended(&format!("the suite wrote no results: {error:#}")))?;
    Ok(Run { asked, faults })
}

/// Lets the client go through one case.
///
/// Its exit status is not 0 wherever the suite ends the connection badly on purpose; whether the client did
/// right is for the suite to say. Only a client that panics, is killed or hangs is a fault of its own.
fn visit(peers: &Peers, url: &str, work: &Work) -> Result<(), String> {
    let status = run_client(peers, url, work).map_err(|error| format!("{error:#}"))?;
    match status.and_then(|status| status.code()) {
        Some(code) if code != PANIC => Ok(()),
        Some(_) => Err(format!("panicked, see {}", work.peer_log().display())),
        None => Err("was killed or hung".to_owned()),
    }
}

/// The exit status of a Rust program that panics.
const PANIC: i32 = 101;

/// `None` when the client had to be killed because it did not end.
fn run_client(peers: &Peers, url: &str, work: &Work) -> anyhow::Result<Option<ExitStatus>> {
    let log = Work::append(&work.peer_log())?;
    let mut command = Command::new(&peers.echo_client);
    command.arg(url).env("WS_QUIET", "1").stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
    let mut client = command.spawn().context("cannot be started")?;
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if let Some(status) = client.try_wait()? {
            return Ok(Some(status));
        }
        thread::sleep(Duration::from_millis(2));
    }
    client.kill()?;
    client.wait()?;
    Ok(None)
}

/// Has the suite write its results, which it does before it closes a connection made for that.
///
/// A WebSocket client that says nothing needs no code of ours: whatever is broken in it, the results are there.
fn update_reports(address: SocketAddr) -> anyhow::Result<()> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    // The key is the example of RFC 6455 section 1.3: it needs no secrecy, and the answer is not checked.
    write!(
        stream,
        "GET /updateReports?agent={AGENT} HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\n\
         Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )?;
    let mut answer = Vec::new();
    let mut chunk = [0; 1024];
    while close_frame(&answer).is_none() {
        let len = stream.read(&mut chunk)?;
        ensure!(len > 0, "the suite ended the connection early");
        answer.extend_from_slice(&chunk[..len]);
        ensure!(answer.len() < 64 * 1024, "the suite does not close the connection");
    }
    // An empty Close, masked with zeros, so that the suite's own closing handshake is complete.
    stream.write_all(&[0x88, 0x80, 0, 0, 0, 0]).context("the suite does not wait for the Close")
}

/// The Close that stands first behind the head of an answer with status 101.
fn close_frame(answer: &[u8]) -> Option<&[u8]> {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let frames = answer.starts_with(b"HTTP/1.1 101").then(|| &answer[end + 4..])?;
    (frames.first() == Some(&0x88)).then_some(frames)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_close_behind_the_head_is_found() {
        assert!(
            close_frame(b"HTTP/1.1 101 Switching Protocols\r\nServer: x\r\n\r\n\x88\x02\x03\xe8").is_some()
        );
        assert!(close_frame(b"HTTP/1.1 101 Switching Protocols\r\nServer: x\r\n\r\n").is_none());
        assert!(close_frame(b"HTTP/1.1 101 Switching Protocols\r\nServer: \x88").is_none());
        assert!(close_frame(b"HTTP/1.1 400 Bad Request\r\n\r\n\x88").is_none());
    }
}
