//! Peers that let others wait: each deadline, as it is by default. They all wait at once.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};

use super::super::peer::{connect, open, read_frame};
use super::super::plan::{Attack, Bounds};
use super::super::wire::{By, CLOSE, PING, REQUEST, TEXT, frame};
use super::Server;

/// A peer that waits, and when its end is due, in seconds.
type Wait = (&'static str, fn(SocketAddr) -> anyhow::Result<()>, u64);

const WAITS: [Wait; 7] = [
    ("no request at all: 408", |address| refused_in_time(address, |_| Ok(())), 10),
    ("a request of one byte a second: 408", |address| refused_in_time(address, trickle), 10),
    ("half a request: 408", |address| refused_in_time(address, half), 10),
    ("no answer to a ping: 1011", no_pong, 45),
    ("nothing read that is sent: dropped", not_reading, 30),
    ("a violation, and no end: dropped", |address| lingering(address, false), 5),
    ("a violation, and more and more bytes: dropped", |address| lingering(address, true), 5),
];

pub(super) fn attacks() -> Vec<Attack<Server>> {
    let bounds = Bounds::SMALL.time(Duration::from_secs(60)).memory(4 << 20);
    vec![Attack::new("each deadline", bounds, |server: &Server| {
        let address = server.address;
        let waits: Vec<_> = WAITS.map(|wait| thread::spawn(move || in_time(address, wait))).into();
        let mut all = Vec::new();
        for wait in waits {
            all.push(wait.join().map_err(|_| anyhow::anyhow!("failed"))??);
        }
        Ok(all.join("; "))
    })]
}

/// Whether the end came when it was due: not a tenth of a second early, nor two seconds late.
fn in_time(address: SocketAddr, (name, wait, due): Wait) -> anyhow::Result<String> {
    let start = Instant::now();
    wait(address).with_context(|| name.to_owned())?;
    let (waited, due) = (start.elapsed(), Duration::from_secs(due));
    let is_in_time = waited + Duration::from_millis(100) >= due && waited <= due + Duration::from_secs(2);
    ensure!(
        is_in_time,
        "{name}: the end came after {:.1} s, due after {} s",
        waited.as_secs_f32(),
        due.as_secs()
    );
    Ok(format!("{name} after {:.1} s", waited.as_secs_f32()))
}

/// Waits for a byte, or the end.
fn read_some(stream: &mut TcpStream, buf: &mut [u8], patience: Duration) -> anyhow::Result<usize> {
    stream.set_read_timeout(Some(patience))?;
    match stream.read(buf) {
        Ok(len) => Ok(len),
        Err(error) if error.kind() == ErrorKind::WouldBlock => {
            bail!("nothing came for {} s", patience.as_secs())
        }
        Err(error) => Err(error.into()),
    }
}

fn refused_in_time(
    address: SocketAddr,
    begin: fn(&mut TcpStream) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut stream = connect(address)?;
    begin(&mut stream)?;
    let mut answer = vec![0; 4096];
    let len = read_some(&mut stream, &mut answer, Duration::from_secs(20))?;
    ensure!(answer[..len].starts_with(b"HTTP/1.1 408 "), "answered {}", answer[..len.min(40)].escape_ascii());
    Ok(())
}

fn half(stream: &mut TcpStream) -> anyhow::Result<()> {
    Ok(stream.write_all(&REQUEST.as_bytes()[..100])?)
}

/// A byte each second from a thread of its own, for fifteen seconds at most.
fn trickle(stream: &mut TcpStream) -> anyhow::Result<()> {
    let mut writer = stream.try_clone()?;
    thread::spawn(move || {
        for byte in &REQUEST.as_bytes()[..15] {
            if writer.write_all(&[*byte]).is_err() {
                return;
            }
            thread::sleep(Duration::from_secs(1));
        }
    });
    Ok(())
}

/// Reads frames, and answers none.
fn no_pong(address: SocketAddr) -> anyhow::Result<()> {
    let mut stream = open(address)?;
    let mut received = Vec::new();
    let mut buf = [0; 256];
    loop {
        let len = read_some(&mut stream, &mut buf, Duration::from_secs(50))?;
        ensure!(len > 0, "the end came without a Close, behind {}", received.escape_ascii());
        received.extend_from_slice(&buf[..len]);
        let Some((PING, _, ping)) = read_frame(&received) else { bail!("no ping came first") };
        if let Some((CLOSE, reason, _)) = read_frame(&received[ping..]) {
            ensure!(reason.starts_with(&1011_u16.to_be_bytes()), "closed with {}", reason.escape_ascii());
            return Ok(());
        }
    }
}

/// Sends until nothing is taken any more, and waits until the connection is reset.
fn not_reading(address: SocketAddr) -> anyhow::Result<()> {
    let mut stream = open(address)?;
    stream.set_write_timeout(Some(Duration::from_millis(200)))?;
    let message = frame(By::Client, TEXT, vec![b'x'; 65_536]);
    let deadline = Instant::now() + Duration::from_secs(50);
    while Instant::now() < deadline {
        match stream.write(&message) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(_) => return Ok(()),
        }
    }
    bail!("it is not dropped")
}

/// Breaks a rule, reads the Close, and keeps its own side open, until the server does not take bytes any more.
fn lingering(address: SocketAddr, goes_on: bool) -> anyhow::Result<()> {
    let mut stream = open(address)?;
    stream.write_all(&frame(By::Server, TEXT, "no mask"))?;
    let mut buf = [0; 256];
    ensure!(read_some(&mut stream, &mut buf, Duration::from_secs(2))? > 0, "no Close came");
    let deadline = Instant::now() + Duration::from_secs(20);
    while Instant::now() < deadline {
        // Where nothing is sent meanwhile, a first byte is answered with a reset when the other side is gone.
        if goes_on && stream.write_all(b"more").is_err() {
            return Ok(());
        }
        if !goes_on && is_gone(&stream)? {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(50));
    }
    bail!("it is not dropped")
}

/// Whether the other side has given its socket up, as the system's table of connections says: until then it waits in
/// `FIN_WAIT2` for our end.
fn is_gone(stream: &TcpStream) -> anyhow::Result<bool> {
    let port = |address: SocketAddr| format!(":{:04X} ", address.port());
    let (ours, theirs) = (port(stream.local_addr()?), port(stream.peer_addr()?));
    let table = std::fs::read_to_string("/proc/net/tcp")?;
    let line = table.lines().find(|line| {
        let mut words = line.split_whitespace().skip(1);
        let is = |word: Option<&str>, port: &str| word.is_some_and(|word| format!("{word} ").ends_with(port));
        is(words.next(), &theirs) && is(words.next(), &ours)
    });
    // An orphan in FIN_WAIT2 has no inode any more.
    Ok(line.is_none_or(|line| line.split_whitespace().nth(9) == Some("0")))
}
