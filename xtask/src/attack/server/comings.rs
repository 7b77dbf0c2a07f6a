//! Clients that come and go, as many as one likes: nothing of them may be left.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpStream};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};

use super::super::plan::{Attack, Bounds};
use super::super::process::usage;
use super::super::wire::{By, REQUEST, TEXT, frame, header};
use super::Server;

/// How many there are unless somebody asks for more.
pub(crate) const FEW: u32 = 20_000;

/// By how much the server's resident memory may differ behind all of them.
const DRIFT: u64 = 1 << 20;

/// How many addresses they come from: a system has 28,000 ports for each, and gives none back for a minute.
const ADDRESSES: u32 = 64;

/// How one leaves.
const WAYS: [Way; 5] = [
    // Says nothing, and ends.
    Way { says: Says::Nothing, waits: false, resets: false },
    // Says nothing, and resets.
    Way { says: Says::Nothing, waits: false, resets: true },
    // Asks, begins a message, and ends without having looked at the answer.
    Way { says: Says::HalfAMessage, waits: false, resets: false },
    // Asks, waits for the answer, and resets: a backlog cannot overflow where one in a few waits.
    Way { says: Says::Request, waits: true, resets: true },
    // Asks, has a message echoed, and ends without a Close.
    Way { says: Says::Message, waits: true, resets: false },
];

struct Way {
    says: Says,
    waits: bool,
    resets: bool,
}

enum Says {
    Nothing,
    Request,
    HalfAMessage,
    Message,
}

/// `count` clients, one after the other, each in its way.
pub(super) fn attacks(count: u32) -> Vec<Attack<Server>> {
    // A connection costs the server 45 us, and who connects about as much; a machine may be busy with something else.
    let bounds = Bounds::SMALL
        .time(Duration::from_secs(20) + Duration::from_micros(1_000) * count)
        .cpu(Duration::from_secs(2) + Duration::from_micros(150) * count)
        .memory(2 * DRIFT);
    vec![Attack::new(format!("{count} that connect and leave"), bounds, move |server: &Server| {
        // What a crowd makes the server keep for the next one is taken before it is measured.
        come_and_go(server, FEW.min(count) / 10)?;
        server.settle(server.idle.descriptors)?;
        let before = usage(server.pid())?;
        come_and_go(server, count)?;
        server.settle(before.descriptors)?;
        let after = usage(server.pid())?;
        let drift = after.resident.abs_diff(before.resident);
        ensure!(drift <= DRIFT, "the server's resident memory has changed by {} KiB", drift >> 10);
        let cpu = (after.cpu.saturating_sub(before.cpu)) / count.max(1);
        Ok(format!(
            "memory differs by {} KiB, no descriptor left, {} us of CPU each",
            drift >> 10,
            cpu.as_micros()
        ))
    })]
}

fn come_and_go(server: &Server, count: u32) -> anyhow::Result<()> {
    for number in 0..count {
        // The ways and the addresses do not go in step.
        let (way, from) = (&WAYS[number as usize % WAYS.len()], number % ADDRESSES);
        come(server.address, from, way).with_context(|| format!("connection {number}"))?;
    }
    Ok(())
}

fn come(server: SocketAddr, from: u32, way: &Way) -> anyhow::Result<()> {
    let mut stream = connect_from(server, from)?;
    let mut answer_len = 0;
    match way.says {
        Says::Nothing => {}
        Says::Request => stream.write_all(REQUEST.as_bytes())?,
        Says::HalfAMessage => {
            stream.write_all(&[REQUEST.as_bytes(), &header(By::Client, TEXT, 100)].concat())?;
        }
        Says::Message => {
            stream.write_all(&[REQUEST.as_bytes(), &frame(By::Client, TEXT, "well?")].concat())?;
            answer_len = 2 + b"well?".len();
        }
    }
    if way.waits {
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        read_answer(&mut stream, answer_len)?;
    }
    if way.resets {
        reset_when_dropped(&stream)?;
    }
    Ok(())
}

/// Reads the answer to the request, and so many bytes behind it.
fn read_answer(stream: &mut TcpStream, behind: usize) -> anyhow::Result<()> {
    let (mut received, mut buf) = (Vec::new(), [0; 512]);
    loop {
        let len = stream.read(&mut buf).context("no answer")?;
        ensure!(len > 0, "the server left");
        received.extend_from_slice(&buf[..len]);
        if let Some(end) = received.windows(4).position(|window| window == b"\r\n\r\n") {
            if !received.starts_with(b"HTTP/1.1 101 ") {
                bail!("answered {}", received[..end.min(40)].escape_ascii());
            }
            if received.len() >= end + 4 + behind {
                return Ok(());
            }
        }
    }
}

/// Connects from one of the machine's own addresses.
#[cfg(target_os = "linux")]
fn connect_from(server: SocketAddr, number: u32) -> anyhow::Result<TcpStream> {
    use std::os::fd::AsRawFd as _;

    use nix::sys::socket::{
        AddressFamily, SockFlag, SockType, SockaddrIn, bind, connect, setsockopt, socket, sockopt,
    };

    let SocketAddr::V4(server) = server else { bail!("the server listens on {server}") };
    let own = SocketAddrV4::new(Ipv4Addr::from(u32::from(Ipv4Addr::LOCALHOST) + 1 + number), 0);
    let socket = socket(AddressFamily::Inet, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)?;
    setsockopt(&socket, sockopt::TcpNoDelay, &true)?;
    bind(socket.as_raw_fd(), &SockaddrIn::from(own)).context("there is no free port")?;
    connect(socket.as_raw_fd(), &SockaddrIn::from(server)).context("cannot connect")?;
    Ok(TcpStream::from(socket))
}

/// Lets the connection end with a reset, and leave no port behind that waits.
#[cfg(target_os = "linux")]
fn reset_when_dropped(stream: &TcpStream) -> anyhow::Result<()> {
    use nix::libc::linger;
    use nix::sys::socket::{setsockopt, sockopt::Linger};

    Ok(setsockopt(stream, Linger, &linger { l_onoff: 1, l_linger: 0 })?)
}

#[cfg(not(target_os = "linux"))]
fn connect_from(server: SocketAddr, _: u32) -> anyhow::Result<TcpStream> {
    super::super::peer::connect(server)
}

#[cfg(not(target_os = "linux"))]
fn reset_when_dropped(_: &TcpStream) -> anyhow::Result<()> {
    Ok(())
}
