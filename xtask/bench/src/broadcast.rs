//! Messages from one connection to all others, for a while: a burst is sent when everybody has the one before.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use hdrhistogram::Histogram;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use crate::connect::{PATIENCE, open_all};
use crate::cpu::CpuClock;
use crate::dialogue::{Dialogue, Repeated};
use crate::inflated::Inflated;
use crate::load::{BUFFER, LONGEST, Span, TICK, latencies};
use crate::sample::{Metric, Sample};
use crate::scenario::Echo;
use crate::script::Script;
use crate::traffic::{Dialect, Traffic};

/// The one that sends has this token, the others follow.
const SENDER: usize = 0;
/// How long a server may take to know of everybody who is connected: it has answered their handshakes already.
const SETTLE: Duration = Duration::from_millis(100);

/// One connection that receives, and what it waits for.
struct Link<D> {
    stream: TcpStream,
    dialogue: D,
    /// Whether it has the burst under way.
    done: bool,
}

/// All connections, and what they have seen.
struct Broadcast<D> {
    poll: Poll,
    sender: TcpStream,
    links: Vec<Link<D>>,
    latencies: Histogram<u64>,
    deliveries: u64,
    received: u64,
    /// How much of the burst has been sent.
    sent: usize,
    /// Links that do not have the burst under way yet.
    missing: usize,
}

/// Loads a server and measures what its process spends.
pub(crate) fn run(address: SocketAddr, echo: &Echo, server: CpuClock, span: Span) -> Result<Sample> {
    let Some(takeover) = echo.content.takeover() else {
        let traffic = Traffic::new(echo, Dialect::WebSocket);
        let (streams, _) = open_all(address, Dialect::WebSocket, None, echo.connections + 1)?;
        return Broadcast::new(streams, || Repeated::new(&traffic))?.measure(server, span);
    };
    let (streams, terms) = open_all(address, Dialect::WebSocket, Some(takeover), echo.connections + 1)?;
    let script = Script::new(echo, takeover, terms.context("no terms of compression")?)?;
    let mut broadcast = Broadcast::new(streams, || Inflated::new(&script))?;
    let mut sample = broadcast.measure(server, span)?;
    sample.insert(Metric::BytesPerReply, broadcast.received as f64 / broadcast.deliveries as f64);
    Ok(sample)
}

impl<D: Dialogue> Broadcast<D> {
    fn new(streams: Vec<std::net::TcpStream>, dialogue: impl Fn() -> D) -> Result<Self> {
        let poll = Poll::new()?;
        let mut streams = streams.into_iter().enumerate().map(|(index, stream)| {
            stream.set_nonblocking(true)?;
            let mut stream = TcpStream::from_std(stream);
            poll.registry().register(&mut stream, Token(index), Interest::READABLE | Interest::WRITABLE)?;
            Ok::<_, std::io::Error>(stream)
        });
        let sender = streams.next().context("nobody sends")??;
        let links = streams
            .map(|stream| Ok(Link { stream: stream?, dialogue: dialogue(), done: true }))
            .collect::<Result<_>>()?;
        let latencies = Histogram::new_with_bounds(1, LONGEST, 3)?;
        std::thread::sleep(SETTLE);
        Ok(Self { poll, sender, links, latencies, deliveries: 0, received: 0, sent: 0, missing: 0 })
    }

    fn measure(&mut self, server: CpuClock, span: Span) -> Result<Sample> {
        let mut events = Events::with_capacity(1024);
        let mut buffer = vec![0; BUFFER];
        self.run_for(span.warmup, &mut events, &mut buffer)?;
        let began = Instant::now();
        let (before, own_before) = (server.now()?, CpuClock::own().now()?);
        (self.deliveries, self.received) = (0, 0);
        self.latencies.reset();
        self.run_for(span.measured, &mut events, &mut buffer)?;
        let seconds = began.elapsed().as_secs_f64();
        let (cpu, own) = (server.now()? - before, CpuClock::own().now()? - own_before);
        let deliveries = self.deliveries as f64;
        let mut sample = Sample::from([
            (Metric::CpuNsPerDelivery, cpu.as_nanos() as f64 / deliveries),
            (Metric::DeliveriesPerSecond, deliveries / seconds),
            (Metric::ServerBusy, cpu.as_secs_f64() / seconds * 100.0),
            (Metric::ClientBusy, own.as_secs_f64() / seconds * 100.0),
        ]);
        sample.extend(latencies(&self.latencies));
        Ok(sample)
    }

    /// Sends burst after burst, at least one, until a time is over.
    fn run_for(&mut self, time: Duration, events: &mut Events, buffer: &mut [u8]) -> Result<()> {
        let began = Instant::now();
        loop {
            self.burst(events, buffer)?;
            if began.elapsed() >= time {
                return Ok(());
            }
        }
    }

    /// Sends one burst and waits until everybody has it.
    fn burst(&mut self, events: &mut Events, buffer: &mut [u8]) -> Result<()> {
        let began = Instant::now();
        (self.sent, self.missing) = (0, self.links.len());
        let burst = self.links.first().context("nobody receives")?.dialogue.burst().to_vec();
        self.links.iter_mut().for_each(|link| link.done = false);
        self.send(&burst)?;
        while self.missing > 0 {
            ensure!(began.elapsed() < PATIENCE, "{} receivers never got their messages", self.missing);
            match self.poll.poll(events, Some(TICK)) {
                Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error.into()),
                _ => {}
            }
            for event in &*events {
                match event.token().0 {
                    SENDER => {
                        if event.is_writable() {
                            self.send(&burst)?;
                        }
                        if event.is_readable() {
                            self.hear()?;
                        }
                    }
                    index if event.is_readable() => self.receive(index - 1, buffer)?,
                    _ => {}
                }
            }
        }
        self.latencies.saturating_record(began.elapsed().as_nanos() as u64);
        Ok(())
    }

    fn send(&mut self, burst: &[u8]) -> Result<()> {
        while self.sent < burst.len() {
            match self.sender.write(&burst[self.sent..]) {
                Ok(len) => self.sent += len,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error).context("cannot send"),
            }
        }
        Ok(())
    }

    /// The sender gets nothing: a message of its own would have gone to more than the others.
    fn hear(&mut self) -> Result<()> {
        match self.sender.read(&mut [0]) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(()),
            Ok(0) => bail!("the server closed the connection that sends"),
            Ok(_) => bail!("the server sent something to the sender"),
            Err(error) => Err(error).context("cannot receive"),
        }
    }

    /// Compares what has arrived with what should.
    fn receive(&mut self, index: usize, buffer: &mut [u8]) -> Result<()> {
        let link = &mut self.links[index];
        loop {
            let len = match link.stream.read(buffer) {
                Ok(0) => bail!("the server closed a connection"),
                Ok(len) => len,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error).context("cannot receive"),
            };
            ensure!(!link.done, "a receiver got more than was sent");
            let messages = link.dialogue.messages();
            if let Some(received) = link.dialogue.receive(&buffer[..len])? {
                link.done = true;
                self.missing -= 1;
                self.deliveries += messages as u64;
                self.received += received as u64;
            }
            // A short read has emptied the socket: the next bytes raise a new event.
            if len < buffer.len() {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::{Ipv4Addr, TcpListener, TcpStream};
    use std::time::Duration;

    use super::Broadcast;
    use crate::cpu::CpuClock;
    use crate::dialogue::Repeated;
    use crate::load::Span;
    use crate::sample::{Metric, Sample};
    use crate::scenario::{Content, Echo};
    use crate::traffic::{Dialect, Traffic};

    const RECEIVERS: usize = 3;

    /// Runs a short load against a broadcast in this process that gives each receiver what `spoil` makes of the bytes.
    fn broadcast(spoil: fn(usize, &mut Vec<u8>)) -> anyhow::Result<Sample> {
        let echo = Echo { content: Content::Binary, size: 20_000, connections: RECEIVERS, depth: 2 };
        let traffic = Traffic::new(&echo, Dialect::WebSocket);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let clients: Vec<_> =
            (0..=RECEIVERS).map(|_| TcpStream::connect(listener.local_addr()?)).collect::<Result<_, _>>()?;
        let mut servers: Vec<_> =
            (0..=RECEIVERS).map(|_| Ok(listener.accept()?.0)).collect::<std::io::Result<_>>()?;
        let (mut burst, delivery) = (vec![0; traffic.sent.len()], traffic.expected.clone());
        std::thread::spawn(move || {
            let mut receivers = servers.split_off(1);
            while servers[0].read_exact(&mut burst).is_ok() {
                for (index, receiver) in receivers.iter_mut().enumerate() {
                    let mut delivery = delivery.clone();
                    spoil(index, &mut delivery);
                    if receiver.write_all(&delivery).is_err() {
                        return;
                    }
                }
            }
        });
        let span = Span { warmup: Duration::from_millis(10), measured: Duration::from_millis(50) };
        Broadcast::new(clients, || Repeated::new(&traffic))?.measure(CpuClock::own(), span)
    }

    #[test]
    fn counts_what_everybody_gets_and_compares_every_byte() {
        let sample = broadcast(|_, _| {}).expect("a broadcast");
        assert!(sample[&Metric::DeliveriesPerSecond] > 0.0 && sample[&Metric::CpuNsPerDelivery] > 0.0);
        let spoil = |index, bytes: &mut Vec<u8>| bytes[7] ^= u8::from(index == 1);
        let wrong = broadcast(spoil).expect_err("a difference");
        assert!(wrong.to_string().contains("differs"), "{wrong}");
    }

    #[test]
    fn what_comes_twice_is_found_out() {
        let wrong = broadcast(|_, bytes| bytes.extend_from_within(..)).expect_err("more than was sent");
        let text = wrong.to_string();
        assert!(text.contains("more than was sent") || text.contains("differs"), "{text}");
    }
}
