//! A running peer: jobs in, what it has seen out.

use std::process::Stdio;

use serde::Deserialize;
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};

use super::{Failure, install::Installed, within};

/// The peer's role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Client,
    Server,
}

/// A peer's process. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Peer {
    jobs: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    /// The port of a server.
    pub(crate) port: u16,
    _child: Child,
}

/// What a peer has seen of one connection.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// What was agreed on in the opening handshake, and the headers of the other side, their names in lower case.
    pub(crate) opened: Option<Value>,
    /// The answer that a client was refused with: status and headers.
    pub(crate) refused: Option<Value>,
    /// Messages, control frames and the end, in order.
    pub(crate) saw: Vec<String>,
    /// What went wrong in the peer's view; for those who read a failed test.
    pub(crate) errors: Vec<String>,
}

/// A line of a peer.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Line {
    Port(u16),
    Ready,
    Opened(Value),
    Refused(Value),
    Saw(String),
    Error(String),
    End,
}

impl Peer {
    /// Starts a peer; a server listens then.
    pub(crate) async fn start(installed: &Installed, role: Role, is_tls: bool) -> Result<Self, Failure> {
        let mut child = Command::new(&installed.program)
            .args(&installed.arguments)
            .arg(if role == Role::Client { "client" } else { "server" })
            .args(is_tls.then_some(&installed.tls))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let jobs = child.stdin.take().ok_or("no stdin")?;
        let lines = BufReader::new(child.stdout.take().ok_or("no stdout")?).lines();
        let mut peer = Self { jobs, lines, port: 0, _child: child };
        if role == Role::Server {
            let Line::Port(port) = peer.line().await? else { return Err("a server tells its port".into()) };
            peer.port = port;
        }
        Ok(peer)
    }

    /// Gives a client its next connection to make.
    pub(crate) async fn connect(&mut self, job: &Value) -> Result<(), Failure> {
        Ok(self.jobs.write_all(format!("{job}\n").as_bytes()).await?)
    }

    /// Tells a server what to do with its next connection, and waits until it knows.
    pub(crate) async fn expect(&mut self, job: &Value) -> Result<(), Failure> {
        self.connect(job).await?;
        match self.line().await? {
            Line::Ready => Ok(()),
            _ => Err("a server says when it is ready".into()),
        }
    }

    /// What the peer has seen, when it is done with the connection.
    pub(crate) async fn report(&mut self) -> Result<Report, Failure> {
        let mut report = Report::default();
        loop {
            match self.line().await? {
                Line::Opened(opened) => report.opened = Some(opened),
                Line::Refused(answer) => report.refused = Some(answer),
                Line::Saw(line) => report.saw.push(line),
                Line::Error(error) => report.errors.push(error),
                Line::End => return Ok(report),
                Line::Port(_) | Line::Ready => return Err("a peer is not where it should be".into()),
            }
        }
    }

    async fn line(&mut self) -> Result<Line, Failure> {
        let line = within("the peer's report", self.lines.next_line()).await??;
        Ok(serde_json::from_str(&line.ok_or("the peer has ended")?)?)
    }
}
