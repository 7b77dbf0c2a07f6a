//! The server under test.

use std::{
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use anyhow::{Context as _, ensure};

use crate::attack::process::{self, Usage};

/// A running server; dropping it ends it.
#[derive(Debug)]
pub(super) struct Server {
    child: Child,
    address: SocketAddr,
    /// What it has said last of its heap.
    heap: Arc<AtomicU64>,
}

impl Server {
    /// `ws serve` as it is shipped.
    pub(super) fn shipped(ws: &Path) -> anyhow::Result<Self> {
        Self::start(ws, &["serve", "--deflate", "--listen", "127.0.0.1:0"])
    }

    /// The example's own, which counts what is on its heap.
    pub(super) fn counted(soak: &Path) -> anyhow::Result<Self> {
        Self::start(soak, &["serve"])
    }

    fn start(program: &Path, args: &[&str]) -> anyhow::Result<Self> {
        let mut command = Command::new(program);
        command.args(args).stdout(Stdio::piped());
        let mut child = command.spawn().context("cannot start the server")?;
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().context("the server has no output")?);
        stdout.read_line(&mut line)?;
        let address = address(&line).with_context(|| format!("the server says {line:?}"))?;
        let heap = Arc::<AtomicU64>::default();
        let said = Arc::clone(&heap);
        thread::spawn(move || {
            for bytes in stdout.lines().map_while(Result::ok).filter_map(|line| on_heap(&line)) {
                said.store(bytes, Ordering::Relaxed);
            }
        });
        Ok(Self { child, address, heap })
    }

    /// Bytes on its heap, as it has said last; 0 when it does not say.
    pub(super) fn heap(&self) -> u64 {
        self.heap.load(Ordering::Relaxed)
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(super) fn usage(&self) -> anyhow::Result<Usage> {
        let usage = process::usage(self.child.id())?;
        // One that has ended without being waited for is still there, with nothing in it.
        ensure!(usage.descriptors > 0, "the server has ended");
        Ok(usage)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}

/// The address in `listening on ws://ADDRESS/`.
fn address(line: &str) -> Option<SocketAddr> {
    line.trim().strip_prefix("listening on ws://")?.strip_suffix('/')?.parse().ok()
}

/// The bytes in `heap BYTES`.
fn on_heap(line: &str) -> Option<u64> {
    line.strip_prefix("heap ")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_in_the_first_line() {
        assert_eq!(address("listening on ws://127.0.0.1:9001/\n"), "127.0.0.1:9001".parse().ok());
        assert_eq!(address("error: address in use\n"), None);
    }

    #[test]
    fn what_is_on_the_heap_is_in_the_others() {
        assert_eq!(on_heap("heap 12345"), Some(12_345));
        assert_eq!([on_heap("heap"), on_heap("heap -1"), on_heap("hello")], [None; 3]);
    }
}
