//! A listener, a client that is told to connect to it, and what a hostile server does then.

use std::cell::Cell;
use std::io::{ErrorKind, Read, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest as _, Sha1};

use super::super::peer::{header_value, read_frame};
use super::super::process::{Usage, usage};
use super::super::wire::CLOSE;
use super::PATIENCE;

/// A listener, and the client that connects to it once it is started.
#[derive(Debug)]
pub(crate) struct Stage {
    ws: PathBuf,
    listener: TcpListener,
    client: Mutex<Option<Child>>,
    used: Cell<Usage>,
}

/// How the client ended the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// With a Close of this code.
    Closed(u16),
    /// Without a word.
    Dropped,
}

/// What is played to one client.
#[derive(Debug)]
pub(crate) struct Play<'a> {
    stage: &'a Stage,
    stream: TcpStream,
    accept: String,
}

impl Stage {
    /// Listens. No client is there yet.
    pub(crate) fn set(ws: &Path) -> anyhow::Result<Self> {
        let listener = listener()?;
        Ok(Self { ws: ws.to_owned(), listener, client: Mutex::default(), used: Cell::default() })
    }

    /// Where clients are waited for.
    pub(crate) fn address(&self) -> anyhow::Result<SocketAddr> {
        Ok(self.listener.local_addr()?)
    }

    /// Starts a client with these arguments. Its input stays open, so that it stays until it is made to leave.
    pub(crate) fn start(&self, arguments: &[&str]) -> anyhow::Result<()> {
        let mut command = Command::new(&self.ws);
        command.arg("connect").args(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let client = command.spawn().context("cannot start ws connect")?;
        *self.lock()? = Some(client);
        Ok(())
    }

    /// The next connection of the client's.
    pub(crate) fn accept(&self) -> anyhow::Result<TcpStream> {
        accept(&self.listener)
    }

    /// The next connection, if it is there already.
    pub(crate) fn accept_now(&self) -> anyhow::Result<Option<TcpStream>> {
        match self.listener.accept() {
            Ok((stream, _)) => Ok(Some(stream)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Lets a client connect as anybody does, reads its request, and plays.
    ///
    /// # Errors
    /// As the play says, or when the client sends no request.
    pub(crate) fn play(
        &self,
        play: impl FnOnce(&mut Play<'_>) -> anyhow::Result<String>,
    ) -> anyhow::Result<String> {
        self.start(&[&format!("ws://{}/", self.address()?)])?;
        let mut stream = self.accept()?;
        let request = read_head(&mut stream)?;
        play(&mut self.play_on(stream, &request)?)
    }

    /// A play on a connection whose request was read.
    pub(crate) fn play_on(&self, stream: TcpStream, request: &str) -> anyhow::Result<Play<'_>> {
        Ok(Play { stage: self, stream, accept: accept_key(request)? })
    }

    /// Waits for the client's end, which must have this status.
    pub(crate) fn expect_exit(&self, status: i32) -> anyhow::Result<String> {
        let exit = self.exit()?;
        ensure!(exit == status, "its exit status is {exit} instead of {status}");
        Ok(format!("exit {exit}"))
    }

    fn lock(&self) -> anyhow::Result<MutexGuard<'_, Option<Child>>> {
        self.client.lock().map_err(|_| anyhow!("the client is lost"))
    }

    /// What the client has used, as far as it was seen.
    pub(crate) fn usage(&self) -> Usage {
        self.used.get()
    }

    pub(crate) fn note_usage(&self) {
        let pid = self.lock().ok().and_then(|client| client.as_ref().map(Child::id));
        if let Some(Ok(used)) = pid.map(usage) {
            self.used.set(used);
        }
    }

    /// Waits until the client has ended, and gives its exit status.
    fn exit(&self) -> anyhow::Result<i32> {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            self.note_usage();
            let status = self.lock()?.as_mut().context("there is no client")?.try_wait()?;
            if let Some(status) = status {
                return status.code().ok_or_else(|| anyhow!("the client was killed: {status}"));
            }
            thread::sleep(Duration::from_millis(1));
        }
        bail!("the client is still there after {} s", PATIENCE.as_secs())
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if let Ok(Some(client)) = self.client.get_mut() {
            // Both fail when it is gone already, which is what is wanted.
            let _ = client.kill();
            let _ = client.wait();
        }
    }
}

impl Play<'_> {
    /// The answer that the client waits for.
    pub(crate) fn accept(&self) -> &str {
        &self.accept
    }

    /// Accepts the request, with these lines more, each ended by CR LF.
    pub(crate) fn open(&mut self, lines: &str) -> anyhow::Result<()> {
        let accept = self.accept.clone();
        self.send(answer(&accept, lines).as_bytes())
    }

    /// Sends bytes. That the client has left meanwhile is no error here: how it left is looked at later.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        match self.stream.write_all(bytes) {
            Err(error) if !matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset) => {
                Err(error.into())
            }
            _ => {
                self.stage.note_usage();
                Ok(())
            }
        }
    }

    /// Sends bytes again and again, so many in all, or until the client takes no more.
    pub(crate) fn pour(&mut self, block: &[u8], total: usize) -> anyhow::Result<usize> {
        self.stream.set_write_timeout(Some(Duration::from_secs(1)))?;
        let mut sent = 0;
        while sent < total {
            match self.stream.write(block) {
                Ok(len) => sent += len,
                Err(_) => break,
            }
            self.stage.note_usage();
        }
        Ok(sent)
    }

    /// Ends our side.
    pub(crate) fn leave(&mut self) {
        // It fails when the client has left before, which is looked at later.
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// Waits for the client's end, and looks at it and at its exit status.
    pub(crate) fn expect(&mut self, expected: Ended, status: i32) -> anyhow::Result<String> {
        let ended = self.read_end()?;
        let _ = self.stream.shutdown(Shutdown::Both);
        let exit = self.stage.exit()?;
        ensure!(ended == expected, "it ended with {ended:?} instead of {expected:?}");
        ensure!(exit == status, "its exit status is {exit} instead of {status}");
        Ok(match ended {
            Ended::Closed(code) => format!("Close {code}, exit {exit}"),
            Ended::Dropped => format!("dropped, exit {exit}"),
        })
    }

    /// Reads until a Close or the end. What else the client says, pongs for one, is passed over; all of it is masked.
    fn read_end(&mut self) -> anyhow::Result<Ended> {
        let mut received = Vec::new();
        let mut buf = vec![0; 64 << 10];
        loop {
            let len = match self.stream.read(&mut buf) {
                Ok(0) => return Ok(Ended::Dropped),
                Ok(len) => len,
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return Ok(Ended::Dropped),
                Err(error) if error.kind() == ErrorKind::WouldBlock => bail!("it does not end"),
                Err(error) => return Err(error.into()),
            };
            self.stage.note_usage();
            received.extend_from_slice(&buf[..len]);
            let mut rest = &received[..];
            while let Some((first, payload, len)) = read_frame(rest) {
                ensure!(rest[1] & 0x80 != 0, "a frame of the client's is not masked");
                rest = &rest[len..];
                if first == CLOSE {
                    let code = payload.first_chunk().map(|code| u16::from_be_bytes(*code));
                    return Ok(Ended::Closed(code.unwrap_or(1005)));
                }
            }
            let used = received.len() - rest.len();
            received.drain(..used);
        }
    }
}

/// An answer that accepts, with these lines more.
pub(crate) fn answer(accept: &str, lines: &str) -> String {
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n{lines}\r\n"
    )
}

/// Listens on a free port of the loopback.
pub(super) fn listener() -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind("127.0.0.1:0").context("there is no free port")?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// The next connection, within [`PATIENCE`].
pub(super) fn accept(listener: &TcpListener) -> anyhow::Result<TcpStream> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match listener.accept() {
            Ok((stream, _)) => {
                stream.set_nonblocking(false)?;
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(PATIENCE))?;
                return Ok(stream);
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock && Instant::now() < deadline => {
                thread::sleep(Duration::from_millis(1));
            }
            Err(error) => return Err(error).context("the client does not connect"),
        }
    }
}

/// A request, to the end of its head.
pub(super) fn read_head(stream: &mut impl Read) -> anyhow::Result<String> {
    let mut request = Vec::new();
    let mut buf = [0; 4096];
    while !request.ends_with(b"\r\n\r\n") {
        let len = stream.read(&mut buf).context("no request came")?;
        ensure!(len > 0, "the client left before its request was whole");
        request.extend_from_slice(&buf[..len]);
    }
    String::from_utf8(request).context("a request that is no text")
}

/// What the request wants to be answered with (RFC 6455 section 4.2.2).
pub(super) fn accept_key(request: &str) -> anyhow::Result<String> {
    let key = header_value(request, "sec-websocket-key").ok_or_else(|| anyhow!("no key in the request"))?;
    Ok(STANDARD.encode(Sha1::digest(format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))))
}
