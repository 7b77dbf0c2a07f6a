//! The server under test.

use std::{
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
};

use anyhow::{Context as _, ensure};

use crate::attack::process::{self, Usage};

/// A running `ws serve`; dropping it ends it.
#[derive(Debug)]
pub(super) struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    pub(super) fn start(ws: &Path) -> anyhow::Result<Self> {
        let mut command = Command::new(ws);
        command.args(["serve", "--deflate", "--listen", "127.0.0.1:0"]).stdout(Stdio::piped());
        let mut child = command.spawn().context("cannot start the server")?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("the server has no output")?).read_line(&mut line)?;
        let address = address(&line).with_context(|| format!("the server says {line:?}"))?;
        Ok(Self { child, address })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_in_the_first_line() {
        assert_eq!(address("listening on ws://127.0.0.1:9001/\n"), "127.0.0.1:9001".parse().ok());
        assert_eq!(address("error: address in use\n"), None);
    }
}
