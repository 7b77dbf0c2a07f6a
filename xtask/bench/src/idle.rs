//! What an open connection costs in resident memory.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::connect::open;
use crate::memory::resident;
use crate::sample::{Metric, Sample};
use crate::scenario::{Content, Echo};
use crate::traffic::{Dialect, Traffic};

/// Connections opened, used and closed first, so that code and fixed tables are resident before counting begins.
const WARMUP: usize = 32;
/// How long a server may take to free what it no longer needs.
const SETTLE: Duration = Duration::from_millis(300);

/// Opens `connections`, and counts before and after one echo of 1 KiB on each.
pub(crate) fn run(address: SocketAddr, dialect: Dialect, server: u32, connections: usize) -> Result<Sample> {
    let echo = Echo { content: Content::Binary, size: 1024, connections, depth: 1 };
    let traffic = Traffic::new(&echo, dialect);
    echo_on_all(&mut open_all(address, dialect, WARMUP)?, &traffic)?;
    let before = settled(server)?;
    let mut streams = open_all(address, dialect, connections)?;
    let idle = settled(server)?;
    echo_on_all(&mut streams, &traffic)?;
    let used = settled(server)?;
    let each = |now: u64| (now as f64 - before as f64) / connections as f64;
    Ok(Sample::from([(Metric::BytesIdle, each(idle)), (Metric::BytesAfterEcho, each(used))]))
}

fn open_all(address: SocketAddr, dialect: Dialect, connections: usize) -> Result<Vec<TcpStream>> {
    (0..connections)
        .map(|index| open(address, dialect).with_context(|| format!("connection {index}")))
        .collect()
}

/// One message there and back on each connection, one after the other.
fn echo_on_all(streams: &mut [TcpStream], traffic: &Traffic) -> Result<()> {
    let mut reply = vec![0; traffic.expected.len()];
    for stream in streams {
        stream.write_all(&traffic.sent).context("cannot send")?;
        stream.read_exact(&mut reply).context("cannot receive")?;
        ensure!(reply == traffic.expected, "a reply differs");
    }
    Ok(())
}

/// The server's resident bytes once it had time to come to rest.
fn settled(server: u32) -> Result<u64> {
    std::thread::sleep(SETTLE);
    resident(server)
}
