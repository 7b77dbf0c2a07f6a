//! Messages there and back, for a while: every connection sends a burst, awaits its reply, and sends the next.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream as StdStream};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use hdrhistogram::Histogram;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use crate::connect::{PATIENCE, open_all};
use crate::cpu::CpuClock;
use crate::dialogue::{Dialogue, Repeated};
use crate::inflated::Inflated;
use crate::sample::{Metric, Sample};
use crate::scenario::Echo;
use crate::script::Script;
use crate::traffic::{Dialect, Traffic};

/// How much is taken from a socket at once.
pub(crate) const BUFFER: usize = 256 << 10;
/// How often the clock is looked at when nothing arrives.
pub(crate) const TICK: Duration = Duration::from_millis(50);
/// Latencies are kept from 1 ns to a minute, to three digits.
pub(crate) const LONGEST: u64 = 60_000_000_000;

/// When a load begins to count, and when it ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub(crate) warmup: Duration,
    pub(crate) measured: Duration,
}

impl Span {
    /// The span for so many connections: with thousands of them, one turn of all takes a part of a second.
    pub(crate) fn for_connections(self, connections: usize) -> Self {
        let times = if connections > 2000 { 3 } else { 1 };
        Self { warmup: self.warmup * times, measured: self.measured * times }
    }
}

/// One connection in the middle of a burst.
struct Link<D> {
    stream: TcpStream,
    dialogue: D,
    sent: usize,
    since: Instant,
}

/// All connections, and what they have seen.
struct Load<D> {
    links: Vec<Link<D>>,
    latencies: Histogram<u64>,
    messages: u64,
    /// How many bytes the replies to those messages took.
    received: u64,
    /// Links whose burst is not answered yet.
    busy: usize,
    /// Whether an answered burst is followed by another.
    more: bool,
}

/// Loads a server and measures what its process spends.
pub(crate) fn run(
    address: SocketAddr,
    dialect: Dialect,
    echo: &Echo,
    server: CpuClock,
    span: Span,
) -> Result<Sample> {
    let offer = echo.content.takeover();
    let (streams, terms) = open_all(address, dialect, offer, echo.connections)?;
    let Some((takeover, terms)) = offer.zip(terms) else {
        let traffic = Traffic::new(echo, dialect);
        let (mut load, mut poll) = Load::new(streams, || Repeated::new(&traffic))?;
        return load.measure(&mut poll, server, span);
    };
    let script = Script::new(echo, takeover, terms)?;
    let (mut load, mut poll) = Load::new(streams, || Inflated::new(&script))?;
    let mut sample = load.measure(&mut poll, server, span)?;
    sample.insert(Metric::BytesPerReply, load.received as f64 / load.messages as f64);
    Ok(sample)
}

impl<D: Dialogue> Load<D> {
    fn new(streams: Vec<StdStream>, dialogue: impl Fn() -> D) -> Result<(Self, Poll)> {
        let poll = Poll::new()?;
        let mut links = Vec::with_capacity(streams.len());
        for (index, stream) in streams.into_iter().enumerate() {
            stream.set_nonblocking(true)?;
            let mut stream = TcpStream::from_std(stream);
            poll.registry().register(&mut stream, Token(index), Interest::READABLE | Interest::WRITABLE)?;
            links.push(Link { stream, dialogue: dialogue(), sent: 0, since: Instant::now() });
        }
        let latencies = Histogram::new_with_bounds(1, LONGEST, 3)?;
        Ok((Self { links, latencies, messages: 0, received: 0, busy: 0, more: true }, poll))
    }

    fn measure(&mut self, poll: &mut Poll, server: CpuClock, span: Span) -> Result<Sample> {
        let mut events = Events::with_capacity(1024);
        let mut buffer = vec![0; BUFFER];
        let start = Instant::now();
        for index in 0..self.links.len() {
            self.begin(index, start)?;
        }
        self.turn_until(start + span.warmup, poll, &mut events, &mut buffer)?;

        let began = Instant::now();
        let (before, own_before) = (server.now()?, CpuClock::own().now()?);
        (self.messages, self.received) = (0, 0);
        self.latencies.reset();
        self.turn_until(began + span.measured, poll, &mut events, &mut buffer)?;
        let seconds = began.elapsed().as_secs_f64();
        let (cpu, own) = (server.now()? - before, CpuClock::own().now()? - own_before);
        ensure!(self.messages > 0, "not one message came back in {seconds:.1} s");
        let messages = self.messages as f64;
        let mut sample = Sample::from([
            (Metric::CpuNsPerMessage, cpu.as_nanos() as f64 / messages),
            (Metric::MessagesPerSecond, messages / seconds),
            (Metric::ServerBusy, cpu.as_secs_f64() / seconds * 100.0),
            (Metric::ClientBusy, own.as_secs_f64() / seconds * 100.0),
        ]);
        sample.extend(latencies(&self.latencies));

        // Whatever is still under way must come back right as well.
        self.more = false;
        self.turn_until(Instant::now() + PATIENCE, poll, &mut events, &mut buffer)?;
        ensure!(self.busy == 0, "{} connections never got their last reply", self.busy);
        Ok(sample)
    }

    /// Serves the connections until a time, or until none is waiting for a reply.
    fn turn_until(
        &mut self,
        end: Instant,
        poll: &mut Poll,
        events: &mut Events,
        buffer: &mut [u8],
    ) -> Result<()> {
        while self.busy > 0 && Instant::now() < end {
            match poll.poll(events, Some(TICK)) {
                Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error.into()),
                _ => {}
            }
            for event in &*events {
                let index = event.token().0;
                if event.is_writable() {
                    self.send(index)?;
                }
                if event.is_readable() {
                    self.receive(index, buffer)?;
                }
            }
        }
        Ok(())
    }

    fn begin(&mut self, index: usize, now: Instant) -> Result<()> {
        let link = &mut self.links[index];
        (link.sent, link.since) = (0, now);
        self.busy += 1;
        self.send(index)
    }

    /// Sends as much of the burst as the socket takes.
    fn send(&mut self, index: usize) -> Result<()> {
        let link = &mut self.links[index];
        let burst = link.dialogue.burst();
        while link.sent < burst.len() {
            match link.stream.write(&burst[link.sent..]) {
                Ok(len) => link.sent += len,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error).context("cannot send"),
            }
        }
        Ok(())
    }

    /// Compares what has arrived, and goes on to the next burst when this one's reply is whole.
    fn receive(&mut self, index: usize, buffer: &mut [u8]) -> Result<()> {
        loop {
            let link = &mut self.links[index];
            let len = match link.stream.read(buffer) {
                Ok(0) => bail!("the server closed a connection"),
                Ok(len) => len,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error).context("cannot receive"),
            };
            let messages = link.dialogue.messages();
            if let Some(received) = link.dialogue.receive(&buffer[..len])? {
                let (now, since) = (Instant::now(), link.since);
                self.latencies.saturating_record((now - since).as_nanos() as u64);
                self.messages += messages as u64;
                self.received += received as u64;
                self.busy -= 1;
                if !self.more {
                    return Ok(());
                }
                self.begin(index, now)?;
            }
            // A short read has emptied the socket: the next bytes raise a new event.
            if len < buffer.len() {
                return Ok(());
            }
        }
    }
}

/// The quantiles that are reported.
pub(crate) fn latencies(histogram: &Histogram<u64>) -> impl Iterator<Item = (Metric, f64)> {
    let quantile = |(metric, quantile)| (metric, histogram.value_at_quantile(quantile) as f64 / 1e3);
    Metric::LATENCIES.into_iter().map(quantile)
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::{Ipv4Addr, TcpListener};
    use std::time::Duration;

    use super::{Span, run};
    use crate::cpu::CpuClock;
    use crate::sample::Metric;
    use crate::scenario::{Content, Echo};
    use crate::traffic::Dialect;

    /// Runs a short load against an echo in this process that changes each chunk by `spoil`.
    fn echoed(spoil: fn(&mut [u8])) -> anyhow::Result<f64> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let echo = Echo { content: Content::Binary, size: 300_000, connections: 3, depth: 2 };
        for _ in 0..echo.connections {
            let listener = listener.try_clone()?;
            std::thread::spawn(move || {
                let (mut stream, _) = listener.accept().expect("a client");
                let mut buffer = vec![0; 10_000];
                while let Ok(len @ 1..) = stream.read(&mut buffer) {
                    spoil(&mut buffer[..len]);
                    if stream.write_all(&buffer[..len]).is_err() {
                        break;
                    }
                }
            });
        }
        let span = Span { warmup: Duration::from_millis(10), measured: Duration::from_millis(50) };
        run(address, Dialect::Tcp, &echo, CpuClock::own(), span)
            .map(|sample| sample[&Metric::MessagesPerSecond])
    }

    #[test]
    fn counts_what_comes_back_and_compares_every_byte() {
        assert!(echoed(|_| {}).expect("an echo") > 0.0);
        let wrong = echoed(|bytes| *bytes.last_mut().expect("some") ^= 1).expect_err("a difference");
        assert!(wrong.to_string().contains("differs"), "{wrong}");
    }
}
