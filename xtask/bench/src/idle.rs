//! What an open connection costs in resident memory.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::connect::{open_all, open_all_tls};
use crate::dialogue::{Dialogue, Repeated};
use crate::inflated::Inflated;
use crate::memory::resident;
use crate::sample::{Metric, Sample};
use crate::scenario::{Content, Echo, Idle};
use crate::script::Script;
use crate::traffic::{Dialect, Traffic};

/// Connections opened, used and closed first, so that code and fixed tables are resident before counting begins.
const WARMUP: usize = 32;
/// How long a server may take to free what it no longer needs.
const SETTLE: Duration = Duration::from_millis(300);
/// What is read at once: more than the reply, as a rule.
const BUFFER: usize = 4096;

/// Opens the connections, and counts before and after one echo of 1 KiB on each.
pub(crate) fn run(address: SocketAddr, dialect: Dialect, idle: Idle, server: u32) -> Result<Sample> {
    let Idle { connections, takeover, tls } = idle;
    let content = takeover.map_or(Content::Binary, Content::Json);
    let echo = Echo { content, size: 1024, connections, depth: 1 };
    let traffic = Traffic::new(&echo, dialect);
    if tls {
        let open = |count| open_all_tls(address, dialect, count);
        return count(open, |streams| echo_on_all(streams, || Repeated::new(&traffic)), connections, server);
    }
    let Some(takeover) = takeover else {
        let open = |count| Ok(open_all(address, dialect, None, count)?.0);
        return count(open, |streams| echo_on_all(streams, || Repeated::new(&traffic)), connections, server);
    };
    let (_, terms) = open_all(address, dialect, Some(takeover), 1)?;
    let script = Script::new(&echo, takeover, terms.context("no terms of compression")?)?;
    let open = |count| Ok(open_all(address, dialect, Some(takeover), count)?.0);
    count(open, |streams| echo_on_all(streams, || Inflated::new(&script)), connections, server)
}

/// Counts what so many connections take, open and used.
fn count<S>(
    open: impl Fn(usize) -> Result<Vec<S>>,
    echo_on_all: impl Fn(&mut [S]) -> Result<()>,
    connections: usize,
    server: u32,
) -> Result<Sample> {
    let mut streams = open(WARMUP)?;
    echo_on_all(&mut streams)?;
    drop(streams);
    let before = settled(server)?;
    let mut streams = open(connections)?;
    let idle = settled(server)?;
    echo_on_all(&mut streams)?;
    let used = settled(server)?;
    let each = |now: u64| (now as f64 - before as f64) / connections as f64;
    Ok(Sample::from([(Metric::BytesIdle, each(idle)), (Metric::BytesAfterEcho, each(used))]))
}

/// One message there and back on each connection, its first, one after the other.
fn echo_on_all<S: Read + Write, D: Dialogue>(streams: &mut [S], dialogue: impl Fn() -> D) -> Result<()> {
    let mut buffer = [0; BUFFER];
    for stream in streams {
        let mut dialogue = dialogue();
        stream.write_all(dialogue.burst()).context("cannot send")?;
        loop {
            let len = stream.read(&mut buffer).context("cannot receive")?;
            ensure!(len > 0, "the server closed a connection");
            if dialogue.receive(&buffer[..len])?.is_some() {
                break;
            }
        }
    }
    Ok(())
}

/// The server's resident bytes once it had time to come to rest.
fn settled(server: u32) -> Result<u64> {
    std::thread::sleep(SETTLE);
    resident(server)
}
