//! A failure at every single call of a blocking stream in turn, from the first byte of the handshake to the end: both sides
//! end in order or with an error that says so, in time, and what had arrived whole is delivered.
#![cfg(feature = "deflate")]

use std::{
    collections::VecDeque,
    fmt,
    io::{self, Read, Write},
    sync::{Arc, Condvar, Mutex, MutexGuard, mpsc},
    thread,
    time::{Duration, Instant},
};

use ws_sync::{
    AcceptError, Connect, ConnectError, Error, Transport, WebSocket,
    endpoint::{
        ServerConfig,
        deflate::{Options, Takeover},
        driver::{self, CloseCode, Closed, Message},
        frame::Role,
    },
};
use ws_testkit::{Call, FAULTS, Fault, Faults, whole_messages};

/// By then a life is over, whatever has failed: nothing in it has to wait for a deadline, so this is for the machine only.
const IN_TIME: Duration = Duration::from_secs(10);

/// One way of a pipe in memory.
#[derive(Debug, Default)]
struct Way {
    bytes: VecDeque<u8>,
    /// Nothing is written behind this.
    is_shut: bool,
    /// Nobody reads any more.
    is_left: bool,
}

type Shared<T> = Arc<(Mutex<T>, Condvar)>;

/// What a stream was asked for, and what it gave.
#[derive(Debug)]
struct Watch {
    faults: Faults,
    read: Vec<u8>,
}

/// An end of a pipe of which one call fails.
#[derive(Debug)]
struct Failing {
    incoming: Shared<Way>,
    outgoing: Shared<Way>,
    watch: Arc<Mutex<Watch>>,
    time: Option<Duration>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no panic under the lock")
}

/// Two ends of a pipe, and what is to be known of them.
fn pipe(faults: [Faults; 2]) -> [(Failing, Arc<Mutex<Watch>>); 2] {
    let [there, back] = [Shared::<Way>::default(), Shared::<Way>::default()];
    let [near, far] = faults.map(|faults| Arc::new(Mutex::new(Watch { faults, read: Vec::new() })));
    let end = |incoming: &Shared<Way>, outgoing: &Shared<Way>, watch: Arc<Mutex<Watch>>| {
        let (incoming, outgoing) = (Arc::clone(incoming), Arc::clone(outgoing));
        (Failing { incoming, outgoing, watch: Arc::clone(&watch), time: None }, watch)
    };
    [end(&back, &there, near), end(&there, &back, far)]
}

impl Failing {
    /// The fault of this call; an error, if it is one.
    fn strike(&self, call: Call) -> io::Result<Option<Fault>> {
        match lock(&self.watch).faults.strike(call) {
            Some(Fault::Error | Fault::Broken) => Err(Faults::KIND.into()),
            fault => Ok(fault),
        }
    }
}

impl Read for Failing {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.strike(Call::Read)?.is_some() {
            return Ok(0);
        }
        let (way, news) = &*self.incoming;
        let is_empty = |way: &mut Way| way.bytes.is_empty() && !way.is_shut;
        let time = self.time.unwrap_or(IN_TIME);
        let (mut way, late) = news.wait_timeout_while(lock(way), time, is_empty).expect("no panic");
        if late.timed_out() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        let read = way.bytes.read(buf)?;
        lock(&self.watch).read.extend_from_slice(&buf[..read]);
        Ok(read)
    }
}

impl Write for Failing {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let most = match self.strike(Call::Write)? {
            Some(Fault::Nothing) => return Ok(0),
            Some(_) => buf.len().min(1),
            None => buf.len(),
        };
        let (way, news) = &*self.outgoing;
        let mut way = lock(way);
        if way.is_left || way.is_shut {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        way.bytes.extend(&buf[..most]);
        news.notify_all();
        Ok(most)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.strike(Call::Flush).map(drop)
    }
}

impl Transport for Failing {
    fn set_read_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        self.time = timeout;
        Ok(())
    }

    fn set_write_timeout(&mut self, _: Option<Duration>) -> io::Result<()> {
        Ok(())
    }

    fn shutdown(&mut self) -> io::Result<()> {
        self.strike(Call::Shutdown)?;
        shut(&self.outgoing);
        Ok(())
    }
}

fn shut((way, news): &(Mutex<Way>, Condvar)) {
    lock(way).is_shut = true;
    news.notify_all();
}

impl Drop for Failing {
    fn drop(&mut self) {
        shut(&self.outgoing);
        lock(&self.incoming.0).is_left = true;
    }
}

/// What is sent: short, which is not compressed; long, which is; in fragments; empty.
fn said() -> Vec<Message> {
    let noise = (0_u32..3_000).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect::<Vec<_>>();
    vec![
        Message::text("plain"),
        Message::text("compressed ".repeat(100)),
        Message::binary(noise),
        Message::text(""),
    ]
}

/// What is longer than this is sent in fragments.
const FRAGMENT: usize = 500;

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
        let is_lost = |error: &Error| matches!(error, Error::Io(_) | Error::Lost);
        // What is sent behind the end is refused; the end itself is told as well.
        let is_late = |error: &Error| matches!(error, Error::Send(driver::SendError::Closed));
        match self {
            Self::NotConnected(error) => matches!(error, ConnectError::Io(_) | ConnectError::Left),
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
    fn receive(&mut self, echoes: bool) -> bool {
        match self.ws.recv() {
            None => return false,
            Some(Err(error)) => self.errors.push(error),
            Some(Ok(message)) => {
                if echoes {
                    let sent = self.ws.send(message.clone());
                    self.note(sent);
                }
                self.received.push(message);
            }
        }
        true
    }

    fn say(&mut self) -> Result<(), Error> {
        for message in said() {
            self.ws.send(message)?;
            self.ws.ping(b"between")?;
        }
        Ok(())
    }

    /// Receives all that was said, closes if this side is the one that does, and goes on to the end.
    fn finish(mut self, echoes: bool, closes: bool) -> Outcome {
        while self.received.len() < said().len() && self.receive(echoes) {}
        if closes {
            let closed = self.ws.begin_close(CloseCode::NORMAL, "done");
            self.note(closed);
        }
        while self.receive(echoes) {}
        let closed = self.ws.closed();
        Outcome { received: self.received, end: End::Open(self.errors, closed) }
    }
}

fn client(io: Failing, closes: bool) -> Outcome {
    let mut connect = Connect::new("ws://example.com/").expect("an address");
    connect.config.set_deflate(options());
    connect.config.connection.limits.max_sent_frame_len = FRAGMENT;
    match connect.over(io) {
        Ok(ws) => {
            let mut side = Side::new(ws);
            let said = side.say();
            side.note(said);
            side.finish(false, closes)
        }
        Err(error) => Outcome { received: Vec::new(), end: End::NotConnected(error) },
    }
}

fn server(io: Failing, closes: bool) -> Outcome {
    let mut config = ServerConfig::default();
    config.set_deflate(options());
    match ws_sync::accept_with(io, &Arc::new(config)) {
        Ok(ws) => Side::new(ws).finish(true, closes),
        Err(error) => Outcome { received: Vec::new(), end: End::NotAccepted(error) },
    }
}

/// Without takeover, so that short messages are not compressed.
fn options() -> Options {
    Options::new().threshold(64).takeover(Takeover::Reset).peer_takeover(Takeover::Reset)
}

/// Lives the whole conversation with this fault in the stream of one role, and judges it. Whether a call has failed.
fn live([failing, closing]: [Role; 2], (call, fault): (Call, Fault), before: usize) -> bool {
    let story = format!("{failing:?} {call:?} {fault:?} behind {before}, {closing:?} closes");
    let faults = [Role::Client, Role::Server]
        .map(|role| if role == failing { Faults::new(call, fault, before) } else { Faults::none() });
    let [(near, client_watch), (far, server_watch)] = pipe(faults);
    let start = Instant::now();
    let (tells, told) = mpsc::channel();
    let tells_too = tells.clone();
    thread::spawn(move || tells.send((Role::Client, client(near, closing == Role::Client))));
    thread::spawn(move || tells_too.send((Role::Server, server(far, closing == Role::Server))));
    let outcomes = [(); 2].map(|()| {
        let left = (2 * IN_TIME).saturating_sub(start.elapsed());
        told.recv_timeout(left).unwrap_or_else(|_| panic!("{story}: it does not end, or panics"))
    });
    let lasted = start.elapsed();
    assert!(lasted < IN_TIME, "{story}: it took {lasted:?}");

    let has_struck = [&client_watch, &server_watch].into_iter().any(|watch| lock(watch).faults.has_struck());
    for (role, outcome) in outcomes {
        let watch = if role == Role::Client { &client_watch } else { &server_watch };
        // Both hear the same: one what is said, the other its echo.
        assert_eq!(outcome.received, said()[..outcome.received.len()], "{story}: in order, each once");
        let whole = whole_messages(role.peer(), behind_the_head(&lock(watch).read));
        let is_open = matches!(outcome.end, End::Open(..));
        assert!(!is_open || outcome.received.len() == whole, "{story}: {whole} were whole: {outcome:?}");
        assert!(outcome.end.is_clean() || has_struck && outcome.end.is_explained(), "{story}: {outcome:?}");
        if !has_struck || fault == Fault::Short {
            assert!(outcome.end.is_clean() && outcome.received == said(), "{story}: {outcome:?}");
        }
    }
    has_struck
}

fn behind_the_head(bytes: &[u8]) -> &[u8] {
    let end = bytes.windows(4).position(|end| end == b"\r\n\r\n");
    end.map_or(&[], |end| &bytes[end + 4..])
}

#[test]
fn whichever_call_fails_both_sides_end_as_told_and_nothing_that_was_whole_is_lost() {
    use Role::{Client, Server};
    let mut lives = 0;
    // Who has the stream that fails, and who closes.
    for roles in [[Client, Client], [Client, Server], [Server, Client], [Server, Server]] {
        for plan in FAULTS {
            let mut before = 0;
            while live(roles, plan, before) {
                before += 1;
            }
            lives += before;
        }
    }
    println!("{lives} lives, each with another call that fails");
    assert!(lives > 200, "only {lives} calls have failed");
}
