//! The program under test, and peers for it.
#![allow(dead_code, reason = "each test file uses a part of this")]
#![allow(unreachable_pub, reason = "a module of test programs has no other reach")]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener as StdListener},
    process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio},
    thread::{self, JoinHandle},
};

use tokio::net::{TcpListener, TcpStream};

const PROGRAM: &str = env!("CARGO_BIN_EXE_ws");

/// The program, not yet started.
pub fn ws<'a>(args: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Something to wait for on a runtime of one's own.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// `ws serve` on a free port; ends with the test.
pub struct Server {
    pub url: String,
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Server {
    pub fn start(args: &[&str]) -> Self {
        Self::run(&mut ws([]), args)
    }

    /// The same by way of another program that is given ours as an argument.
    pub fn start_by(command: &mut Command, args: &[&str]) -> Self {
        Self::run(command.arg(PROGRAM).stdout(Stdio::piped()).stderr(Stdio::piped()), args)
    }

    fn run(command: &mut Command, args: &[&str]) -> Self {
        let mut child = command.args(["serve", "--listen", "127.0.0.1:0"]).args(args).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        let url = line.strip_prefix("listening on ").unwrap().trim_end().to_owned();
        Self { url, child, out }
    }

    pub fn address(&self) -> SocketAddr {
        self.url.split('/').nth(2).unwrap().parse().unwrap()
    }

    pub fn signal(&self, name: &str) {
        signal(&self.child, name);
    }

    /// Waits for the end: the status, what else was printed, and the errors.
    pub fn end(mut self) -> (ExitStatus, String, String) {
        let mut out = String::new();
        self.out.read_to_string(&mut out).unwrap();
        let mut errors = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
        (self.child.wait().unwrap(), out, errors)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already. One that is told ends as it does for its users, who is killed leaves no measurements.
        #[cfg(unix)]
        if self.child.try_wait().is_ok_and(|ended| ended.is_none()) && tell(&self.child, "TERM") {
            // A second signal does not wait for connections that a failed test has left.
            let _ = thread::panicking() && tell(&self.child, "INT");
            let status = self.child.wait();
            assert!(thread::panicking() || status.is_ok_and(|status| status.success()), "it ends well");
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn signal(child: &Child, name: &str) {
    assert!(tell(child, name));
}

fn tell(child: &Child, name: &str) -> bool {
    Command::new("kill")
        .args(["-s", name, &child.id().to_string()])
        .status()
        .is_ok_and(|status| status.success())
}

/// What a finished `ws connect` has left.
#[derive(Debug, PartialEq)]
pub struct Outcome {
    pub status: Option<i32>,
    pub out: String,
    pub errors: String,
}

/// `ws connect` with `input`, to its end.
pub fn connect(args: &[&str], input: &[u8]) -> Outcome {
    let mut client = Client::start(args);
    let mut stdin = client.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = thread::spawn(move || {
        // A client that has ended early takes no more.
        let _ = stdin.write_all(&input);
    });
    let outcome = client.end();
    writer.join().unwrap();
    outcome
}

/// `ws connect` between pipes.
pub struct Client {
    pub stdin: Option<ChildStdin>,
    pub stdout: Option<BufReader<ChildStdout>>,
    child: Child,
}

impl Client {
    pub fn start(args: &[&str]) -> Self {
        let mut child = ws(["connect"].iter().chain(args).copied()).spawn().unwrap();
        let stdout = child.stdout.take().map(BufReader::new);
        Self { stdin: child.stdin.take(), stdout, child }
    }

    pub fn write(&mut self, text: &str) {
        self.stdin.as_mut().unwrap().write_all(text.as_bytes()).unwrap();
    }

    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.as_mut().unwrap().read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    pub fn signal(&self, name: &str) {
        signal(&self.child, name);
    }

    /// Waits for the end. The input stays open if it is.
    pub fn end(mut self) -> Outcome {
        let mut errors = self.child.stderr.take().unwrap();
        let errors = thread::spawn(move || {
            let mut text = String::new();
            errors.read_to_string(&mut text).unwrap();
            text
        });
        let mut out = Vec::new();
        if let Some(stdout) = &mut self.stdout {
            stdout.read_to_end(&mut out).unwrap();
        }
        Outcome {
            status: self.child.wait().unwrap().code(),
            out: String::from_utf8(out).unwrap(),
            errors: errors.join().unwrap(),
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A server for one connection, in a thread: its address, and what it found.
pub fn peer<T: Send + 'static>(
    serve: impl AsyncFnOnce(TcpStream) -> T + Send + 'static,
) -> (String, JoinHandle<T>) {
    let listener = StdListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    let thread = thread::spawn(move || {
        block_on(async {
            let listener = TcpListener::from_std(listener).unwrap();
            let (stream, _) = listener.accept().await.unwrap();
            serve(stream).await
        })
    });
    (url, thread)
}
