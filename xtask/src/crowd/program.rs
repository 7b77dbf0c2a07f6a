//! A process of the example: told what to do by lines, and answering each with one.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use anyhow::{Context as _, bail, ensure};

/// The running process; dropping it ends it.
#[derive(Debug)]
pub(super) struct Program {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl Program {
    pub(super) fn start(
        path: &Path,
        role: &str,
        number: String,
        addresses: &[String],
    ) -> anyhow::Result<Self> {
        let mut command = Command::new(path);
        command.arg(role).arg(number).args(addresses).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().with_context(|| format!("cannot start the {role}"))?;
        let stdout = child.stdout.take().context("the program has no output")?;
        let stdin = child.stdin.take();
        Ok(Self { child, stdin, stdout: BufReader::new(stdout) })
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The words behind the first of the next line, which must be this one.
    pub(super) fn expect(&mut self, first: &str) -> anyhow::Result<Vec<String>> {
        let mut line = String::new();
        ensure!(self.stdout.read_line(&mut line)? > 0, "the program has ended instead of saying {first}");
        let mut words = line.split_whitespace();
        if words.next() != Some(first) {
            bail!("the program says {line:?} instead of {first}");
        }
        Ok(words.map(str::to_owned).collect())
    }

    /// The same where all of them are numbers.
    pub(super) fn expect_numbers<const N: usize>(&mut self, first: &str) -> anyhow::Result<[usize; N]> {
        let words = self.expect(first)?;
        let numbers = words.iter().map(|word| word.parse()).collect::<Result<Vec<usize>, _>>();
        let numbers = numbers.with_context(|| format!("{words:?} are not all numbers"))?;
        numbers.try_into().map_err(|numbers| anyhow::anyhow!("{numbers:?} are not {N}"))
    }

    /// Writes a line, and gives the numbers of the answer.
    pub(super) fn ask_numbers<const N: usize>(
        &mut self,
        line: &str,
        first: &str,
    ) -> anyhow::Result<[usize; N]> {
        let stdin = self.stdin.as_mut().context("the program has no input")?;
        writeln!(stdin, "{line}").context("the program takes no more input")?;
        self.expect_numbers(first)
    }

    /// Waits for its end, which must be in order.
    pub(super) fn end(mut self) -> anyhow::Result<()> {
        self.stdin = None;
        let status = self.child.wait()?;
        ensure!(status.success(), "the program has failed: {status}");
        Ok(())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}
