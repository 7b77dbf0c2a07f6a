//! A failure at every single call of a transport in turn, from the first byte of the handshake to the end: both sides end in
//! order or with an error that says so, in time, and what had arrived whole is delivered.
#![cfg(feature = "deflate")]

use std::{
    fmt, io,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf, duplex},
    time::{Instant, timeout},
};
use ws_testkit::{Call, FAULTS, Fault, Faults, whole_messages};
use ws_tokio::{
    AcceptError, Connect, ConnectError, Error, WebSocket,
    endpoint::{
        ServerConfig,
        deflate::{Options, Takeover},
        driver::{self, CloseCode, Closed, DataKind, Message},
        frame::Role,
    },
};

/// By then it is over, whatever has failed: the longest of the deadlines, the heartbeat, finds out after 45 s.
const IN_TIME: Duration = Duration::from_secs(60);

/// How much the pipe between the two takes: all of it, or less than the longer messages, so that writes wait.
const PIPES: [usize; 2] = [65_536, 300];

/// What a transport was asked for, and what it gave.
#[derive(Debug)]
struct Watch {
    faults: Faults,
    read: Vec<u8>,
}

/// A pipe of which one call fails.
#[derive(Debug)]
struct Failing {
    pipe: DuplexStream,
    watch: Arc<Mutex<Watch>>,
}

impl Failing {
    fn new(pipe: DuplexStream, faults: Faults) -> (Self, Arc<Mutex<Watch>>) {
        let watch = Arc::new(Mutex::new(Watch { faults, read: Vec::new() }));
        (Self { pipe, watch: Arc::clone(&watch) }, watch)
    }

    fn strike(&self, call: Call) -> Option<Fault> {
        self.watch.lock().expect("no panic").faults.strike(call)
    }
}

fn failed<T>() -> Poll<io::Result<T>> {
    Poll::Ready(Err(Faults::KIND.into()))
}

impl AsyncRead for Failing {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.strike(Call::Read) {
            Some(Fault::Nothing) => Poll::Ready(Ok(())),
            Some(_) => failed(),
            None => {
                let before = buf.filled().len();
                let polled = Pin::new(&mut self.pipe).poll_read(cx, buf);
                self.watch.lock().expect("no panic").read.extend_from_slice(&buf.filled()[before..]);
                polled
            }
        }
    }
}

impl AsyncWrite for Failing {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let most = match self.strike(Call::Write) {
            Some(Fault::Nothing) => return Poll::Ready(Ok(0)),
            Some(Fault::Short) => buf.len().min(1),
            Some(_) => return failed(),
            None => buf.len(),
        };
        Pin::new(&mut self.pipe).poll_write(cx, &buf[..most])
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.strike(Call::Flush).is_some() { failed() } else { Pin::new(&mut self.pipe).poll_flush(cx) }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.strike(Call::Shutdown).is_some() {
            failed()
        } else {
            Pin::new(&mut self.pipe).poll_shutdown(cx)
        }
    }
}

/// Which of the messages is sent in fragments, with a ping between them.
const IN_FRAGMENTS: usize = 2;

/// What is sent: short, which is not compressed; long, which is; in fragments; longer than the pipe; empty.
fn said() -> Vec<Message> {
    let noise = (0_u32..3_000).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect::<Vec<_>>();
    vec![
        Message::text("plain"),
        Message::text("compressed ".repeat(100)),
        Message::text("in three fragments, of which the last is not like the others"),
        Message::binary(noise),
        Message::text(""),
    ]
}

/// How a side has ended.
#[derive(Debug)]
enum End {
    NotConnected(ConnectError),
    NotAccepted(AcceptError),
    /// What the calls have told: those that send, and those that receive; and how it was closed.
    Open(Vec<Error>, Option<Closed>),
}

impl End {
    fn is_clean(&self) -> bool {
        matches!(self, Self::Open(errors, Some(closed)) if errors.is_empty() && closed.is_clean())
    }

    /// Whether it is one that a failed transport explains.
    fn is_explained(&self) -> bool {
        let is_lost = |error: &Error| matches!(error, Error::Io(_) | Error::Lost | Error::Expired(_));
        // What is sent behind the end is refused; the end itself is told as well.
        let is_late = |error: &Error| matches!(error, Error::Send(driver::SendError::Closed));
        match self {
            Self::NotConnected(error) => matches!(
                error,
                ConnectError::Io(_)
                    | ConnectError::Left
                    | ConnectError::Timeout { .. }
                    | ConnectError::Handshake(_)
            ),
            Self::NotAccepted(error) => matches!(error, AcceptError::Io(_) | AcceptError::Left),
            Self::Open(errors, closed) => {
                // A peer that has said its Close has said all; whether it heard the answer is in `is_clean`.
                let is_closed = closed.as_ref().is_some_and(|closed| closed.code == CloseCode::NORMAL.get());
                let is_told = is_closed || errors.iter().any(is_lost);
                is_told && errors.iter().all(|error| is_lost(error) || is_late(error))
            }
        }
    }
}

/// What became of one side.
struct Outcome {
    received: Vec<Message>,
    end: End,
}

/// Short: of the messages their number.
impl fmt::Debug for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} received, then {:?}", self.received.len(), self.end)
    }
}

/// A side of an open connection, and what it was told so far.
struct Side {
    ws: WebSocket<Failing>,
    received: Vec<Message>,
    errors: Vec<Error>,
}

impl Side {
    fn new(ws: WebSocket<Failing>) -> Self {
        Self { ws, received: Vec::new(), errors: Vec::new() }
    }

    fn note(&mut self, result: Result<(), impl Into<Error>>) {
        self.errors.extend(result.err().map(Into::into));
    }

    /// Receives one message. False at the end.
    async fn receive(&mut self, echoes: bool) -> bool {
        match self.ws.recv().await {
            None => return false,
            Some(Err(error)) => self.errors.push(error),
            Some(Ok(message)) => {
                if echoes {
                    let sent = self.ws.send(message.clone()).await;
                    self.note(sent);
                }
                self.received.push(message);
            }
        }
        true
    }

    /// Says everything, each message in a way of its own.
    async fn say(&mut self) -> Result<(), Error> {
        let ws = &mut self.ws;
        for (at, message) in said().into_iter().enumerate() {
            if at == IN_FRAGMENTS {
                ws.start(DataKind::Text)?;
                ws.send_part(&message.as_bytes()[..10]).await?;
                ws.ping(b"inside").await?;
                ws.send_part(&message.as_bytes()[10..20]).await?;
                ws.finish_with(&message.as_bytes()[20..]).await?;
            } else {
                ws.send(message).await?;
            }
        }
        Ok(())
    }

    /// Receives all that was said, closes if this side is the one that does, and goes on to the end.
    async fn finish(mut self, echoes: bool, closes: bool) -> Outcome {
        while self.received.len() < said().len() && self.receive(echoes).await {}
        if closes {
            let closed = self.ws.begin_close(CloseCode::NORMAL, "done").await;
            self.note(closed);
        }
        while self.receive(echoes).await {}
        let closed = self.ws.closed();
        Outcome { received: self.received, end: End::Open(self.errors, closed) }
    }
}

async fn client(io: Failing, closes: bool) -> Outcome {
    let connect = Connect::new("ws://example.com/").expect("an address").deflate(options());
    match connect.over(io).await {
        Ok(ws) => {
            let mut side = Side::new(ws);
            let said = side.say().await;
            side.note(said);
            side.finish(false, closes).await
        }
        Err(error) => Outcome { received: Vec::new(), end: End::NotConnected(error) },
    }
}

async fn server(io: Failing, closes: bool) -> Outcome {
    let mut config = ServerConfig::default();
    config.set_deflate(options());
    match ws_tokio::accept_with(io, &Arc::new(config)).await {
        Ok(ws) => Side::new(ws).finish(true, closes).await,
        Err(error) => Outcome { received: Vec::new(), end: End::NotAccepted(error) },
    }
}

/// Without takeover, so that short messages are not compressed.
fn options() -> Options {
    Options::new().threshold(64).takeover(Takeover::Reset).peer_takeover(Takeover::Reset)
}

/// Lives the whole conversation with this fault in the transport of one role, and judges it. Whether a call has failed.
async fn live(
    pipe: usize,
    [failing, closing]: [Role; 2],
    (call, fault): (Call, Fault),
    before: usize,
) -> bool {
    let story = format!("{failing:?} {call:?} {fault:?} behind {before}, {closing:?} closes, {pipe}");
    let faults = |role| if role == failing { Faults::new(call, fault, before) } else { Faults::none() };
    let (near, far) = duplex(pipe);
    let (near, client_watch) = Failing::new(near, faults(Role::Client));
    let (far, server_watch) = Failing::new(far, faults(Role::Server));
    let start = Instant::now();
    let both =
        async { tokio::join!(client(near, closing == Role::Client), server(far, closing == Role::Server)) };
    let (client, server) =
        timeout(IN_TIME, both).await.unwrap_or_else(|_| panic!("{story}: it does not end"));
    let lasted = start.elapsed();

    let has_struck = [&client_watch, &server_watch]
        .into_iter()
        .any(|watch| watch.lock().expect("no panic").faults.has_struck());
    for (outcome, watch, sender) in
        [(&client, &client_watch, Role::Server), (&server, &server_watch, Role::Client)]
    {
        // Both hear the same: one what is said, the other its echo.
        assert_eq!(outcome.received, said()[..outcome.received.len()], "{story}: in order, each once");
        let whole = whole_messages(sender, behind_the_head(&watch.lock().expect("no panic").read));
        let is_open = matches!(outcome.end, End::Open(..));
        assert!(!is_open || outcome.received.len() == whole, "{story}: {whole} were whole: {outcome:?}");
        assert!(outcome.end.is_clean() || has_struck && outcome.end.is_explained(), "{story}: {outcome:?}");
        if !has_struck || fault == Fault::Short {
            assert!(outcome.end.is_clean() && outcome.received == said(), "{story}: {outcome:?}");
            assert_eq!(lasted, Duration::ZERO, "{story}: nothing waits for a deadline");
        }
    }
    has_struck
}

fn behind_the_head(bytes: &[u8]) -> &[u8] {
    let end = bytes.windows(4).position(|end| end == b"\r\n\r\n");
    end.map_or(&[], |end| &bytes[end + 4..])
}

#[tokio::test(start_paused = true)]
async fn whichever_call_fails_both_sides_end_as_told_and_nothing_that_was_whole_is_lost() {
    use Role::{Client, Server};
    let mut lives = 0;
    for pipe in PIPES {
        // Who has the transport that fails, and who closes.
        for roles in [[Client, Client], [Client, Server], [Server, Client], [Server, Server]] {
            for plan in FAULTS {
                let mut before = 0;
                while live(pipe, roles, plan, before).await {
                    before += 1;
                }
                lives += before;
            }
        }
    }
    println!("{lives} lives, each with another call that fails");
    assert!(lives > 500, "only {lives} calls have failed");
}
