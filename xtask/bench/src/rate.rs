//! What a connection costs from connecting to closing.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use crate::connect::{HEAD_END, PATIENCE, check, request};
use crate::cpu::CpuClock;
use crate::load::Span;
use crate::sample::{Metric, Sample};
use crate::traffic::frame;

/// Connections under way at the same time, each at its own step.
const TOGETHER: usize = 64;
/// Closed connections keep their port for a minute: one server gets no more than there are ports.
const MOST: u64 = 20_000;
/// More than an answer to the handshake, or a Close, takes.
const BUFFER: usize = 4096;
const TICK: Duration = Duration::from_millis(50);

/// Where a connection is on its way (RFC 6455 sections 4.1 and 7.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Connecting,
    Upgrading,
    Closing,
    Ending,
}

struct Visit {
    stream: TcpStream,
    step: Step,
    received: Vec<u8>,
}

/// All connections under way, and how many have come to their end.
struct Rate {
    address: SocketAddr,
    request: String,
    close: Vec<u8>,
    poll: Poll,
    visits: Vec<Visit>,
    done: u64,
}

/// Opens and closes connections for a while, or until the ports run out.
pub(crate) fn run(address: SocketAddr, server: CpuClock, span: Span) -> Result<Sample> {
    let mut close = Vec::new();
    frame(&mut close, 8, Some([1, 2, 3, 4]), &1000_u16.to_be_bytes());
    let mut rate = Rate {
        address,
        request: request(address, None),
        close,
        poll: Poll::new()?,
        visits: Vec::new(),
        done: 0,
    };
    for index in 0..TOGETHER {
        let visit = rate.connect(index)?;
        rate.visits.push(visit);
    }
    rate.run_for(span.warmup, MOST / 5)?;
    let (began, before, own_before, warmup) =
        (Instant::now(), server.now()?, CpuClock::own().now()?, rate.done);
    rate.run_for(span.measured, MOST)?;
    let (cpu, own) = (server.now()? - before, CpuClock::own().now()? - own_before);
    let seconds = began.elapsed().as_secs_f64();
    ensure!(rate.done > warmup, "not one connection came to its end");
    let count = (rate.done - warmup) as f64;
    Ok(Sample::from([
        (Metric::CpuNsPerHandshake, cpu.as_nanos() as f64 / count),
        (Metric::HandshakesPerSecond, count / seconds),
        (Metric::ServerBusy, cpu.as_secs_f64() / seconds * 100.0),
        (Metric::ClientBusy, own.as_secs_f64() / seconds * 100.0),
    ]))
}

impl Rate {
    /// Sets out on a connection, which then calls for attention by `index`.
    fn connect(&self, index: usize) -> Result<Visit> {
        let mut stream = TcpStream::connect(self.address).context("cannot connect")?;
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.poll.registry().register(&mut stream, Token(index), interest)?;
        Ok(Visit { stream, step: Step::Connecting, received: Vec::new() })
    }

    /// Goes on for some time, or until `most` connections have been closed in all.
    fn run_for(&mut self, time: Duration, most: u64) -> Result<()> {
        let mut events = Events::with_capacity(TOGETHER);
        let (began, mut progress) = (Instant::now(), Instant::now());
        while began.elapsed() < time && self.done < most {
            match self.poll.poll(&mut events, Some(TICK)) {
                Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error.into()),
                _ => {}
            }
            ensure!(progress.elapsed() < PATIENCE, "the server is stuck");
            for event in &events {
                let index = event.token().0;
                progress = Instant::now();
                let visit = &mut self.visits[index];
                if event.is_writable() && visit.step == Step::Connecting {
                    visit.send(self.request.as_bytes(), Step::Upgrading)?;
                }
                if event.is_readable() && visit.receive(&self.close)? {
                    self.done += 1;
                    self.visits[index] = self.connect(index)?;
                }
            }
        }
        Ok(())
    }
}

impl Visit {
    /// Sends one of the two small things there are to send, which a fresh socket takes whole.
    fn send(&mut self, bytes: &[u8], next: Step) -> Result<()> {
        let len = self.stream.write(bytes).with_context(|| format!("cannot send while {:?}", self.step))?;
        ensure!(len == bytes.len(), "the socket took {len} of {} bytes", bytes.len());
        self.step = next;
        Ok(())
    }

    /// Takes in what has arrived, and whatever step follows from it; true at the end.
    fn receive(&mut self, close: &[u8]) -> Result<bool> {
        let mut buffer = [0; BUFFER];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(0) if self.step == Step::Ending => return Ok(true),
                Ok(0) => bail!("the server closed the connection while {:?}", self.step),
                Ok(len) => self.received.extend_from_slice(&buffer[..len]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == ErrorKind::ConnectionReset && self.step == Step::Ending => {
                    return Ok(true);
                }
                Err(error) => {
                    return Err(error).with_context(|| format!("cannot receive while {:?}", self.step));
                }
            }
            ensure!(self.received.len() <= BUFFER, "the server says too much while {:?}", self.step);
            match self.step {
                Step::Upgrading if self.received.ends_with(HEAD_END) => {
                    check(&self.received, None)?;
                    self.received.clear();
                    self.send(close, Step::Closing)?;
                }
                Step::Closing if closed(&self.received)? => {
                    // The server closes first, as a rule; for one that waits for the client, this is its sign. It
                    // fails when the server is quicker.
                    let _ = self.stream.shutdown(Shutdown::Write);
                    self.step = Step::Ending;
                }
                Step::Ending => bail!("the server sent something behind its Close"),
                _ => {}
            }
        }
    }
}

/// Whether this is a whole Close and nothing else.
fn closed(received: &[u8]) -> Result<bool> {
    let &[first, len, ref payload @ ..] = received else { return Ok(false) };
    ensure!(first == 0x88 && len < 126, "the server answered a Close with {received:02x?}");
    ensure!(payload.len() <= len.into(), "the server sent something behind its Close");
    Ok(payload.len() == usize::from(len))
}

#[cfg(test)]
mod tests {
    use super::closed;

    #[test]
    fn knows_a_close_when_it_is_whole() {
        for (received, wanted) in
            [(&[][..], false), (&[0x88], false), (&[0x88, 2, 3], false), (&[0x88, 0], true)]
        {
            assert_eq!(closed(received).expect("a Close so far"), wanted, "{received:?}");
        }
        assert!(closed(&[0x88, 2, 3, 0xe8]).expect("a Close"));
        assert!(closed(&[0x82, 0]).is_err());
        assert!(closed(&[0x88, 0, 0]).is_err());
    }
}
