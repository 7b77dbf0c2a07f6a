//! One target's run.

use std::collections::VecDeque;
use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::process::Stdio;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use super::processor;
use super::progress::Progress;
use super::status::{BUILD, Line, PROCESSOR, Status};
use super::tools::{Build, Tools};

/// What came of a run.
#[derive(Debug, Default)]
pub(crate) struct Campaign {
    pub(crate) target: String,
    /// How far the inputs that were there came.
    pub(crate) began: Option<Status>,
    pub(crate) status: Status,
    /// How many of the executions `AddressSanitizer` has watched.
    pub(crate) watched: u64,
    pub(crate) build: Build,
    /// How many edges that build has.
    pub(crate) edges: u64,
    /// From the first input on.
    pub(crate) time: Duration,
    /// On a processor, where that is known. What else runs on the machine does not count.
    pub(crate) processor: Duration,
    /// Where the input lies that was found.
    pub(crate) artifact: Option<String>,
    /// What went wrong, in the words of the target, or what it said last.
    pub(crate) said: VecDeque<String>,
    pub(crate) troubled: bool,
    pub(crate) failed: bool,
}

/// How many lines are shown of it.
const SHOWN: usize = 30;

/// How often the display moves when nothing is said.
const TICK: Duration = Duration::from_millis(200);

impl Campaign {
    /// Runs a target for so long, or until it has found something. What it says goes into its log too.
    ///
    /// # Errors
    /// When it cannot be started, or the log not be written.
    pub(crate) fn run(tools: &Tools, target: &str, time: Duration) -> anyhow::Result<Self> {
        let mut command = tools.campaign(target, time)?;
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut log = tools.log(target)?;
        writeln!(log, "{BUILD} {}", tools.build)?;
        let before = processor::of_children();
        let mut process = command.spawn().context("cannot start cargo-fuzz")?;
        let lines = lines(process.stderr.take().context("cargo-fuzz has no output")?);
        let progress = Progress::new(target, time);
        let mut campaign = Self { target: target.to_owned(), build: tools.build, ..Self::default() };
        campaign.follow(&lines, &progress, &mut log).context("cannot write the log")?;
        progress.finish();
        campaign.failed = !process.wait()?.success();
        campaign.processor = processor::of_children().saturating_sub(before);
        campaign.count_watched();
        writeln!(log, "{PROCESSOR} {:.1}", campaign.processor.as_secs_f64())?;
        Ok(campaign)
    }

    /// What came of a run that was written down.
    pub(crate) fn read(target: &str, log: &str) -> Self {
        let mut campaign = Self { target: target.to_owned(), ..Self::default() };
        log.lines().for_each(|line| campaign.note(line));
        campaign.count_watched();
        campaign
    }

    fn count_watched(&mut self) {
        self.watched = if self.build == Build::Address { self.status.executions } else { 0 };
    }

    /// Takes a later run of the same target to this one.
    pub(crate) fn add(&mut self, later: Self) {
        if self.edges == later.edges {
            self.began = self.began.or(later.began);
            self.status.coverage = self.status.coverage.max(later.status.coverage);
        } else {
            // What another build has reached is nothing to compare with.
            self.began = later.began;
            self.status.coverage = later.status.coverage;
            self.edges = later.edges;
        }
        self.status.executions += later.status.executions;
        self.watched += later.watched;
        self.time += later.time;
        self.processor += later.processor;
        self.artifact = later.artifact.or(self.artifact.take());
    }

    fn follow(
        &mut self,
        lines: &Receiver<String>,
        progress: &Progress,
        log: &mut impl Write,
    ) -> io::Result<()> {
        let mut start = None;
        loop {
            match lines.recv_timeout(TICK) {
                Ok(line) => {
                    writeln!(log, "{line}")?;
                    self.note(&line);
                    if self.began.is_some() {
                        start.get_or_insert_with(Instant::now);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
            self.time = start.map_or(Duration::ZERO, |start| start.elapsed());
            progress.show(self);
        }
    }

    fn note(&mut self, line: &str) {
        match Line::parse(line) {
            Line::Status(status) => {
                // Lines before that one tell of inputs that are still being read.
                if line.contains("\tINITED") {
                    self.began = Some(status);
                }
                self.status = status;
            }
            Line::Edges(edges) => self.edges = edges,
            Line::Build(build) => self.build = build.parse().unwrap_or_default(),
            Line::Executions(executions) => self.status.executions = executions,
            // A run that was interrupted says no more than its average.
            Line::Average(average) if self.time.is_zero() => {
                self.time = Duration::from_secs(self.status.executions.checked_div(average).unwrap_or(0));
            }
            Line::Seconds(seconds) => self.time = Duration::from_secs(seconds),
            Line::Processor(seconds) => {
                self.processor = Duration::try_from_secs_f64(seconds).unwrap_or_default();
            }
            Line::Artifact(path) => self.artifact = Some(path.to_owned()),
            Line::Trouble if !self.troubled => {
                self.troubled = true;
                self.said = VecDeque::from([line.to_owned()]);
            }
            Line::Trouble => self.keep(line),
            Line::Average(_) => {}
            Line::Other => self.keep(line),
        }
    }

    /// Keeps the first lines of trouble; while there is none, the last lines.
    fn keep(&mut self, line: &str) {
        if self.said.len() < SHOWN {
            self.said.push_back(line.to_owned());
        } else if !self.troubled {
            self.said.pop_front();
            self.said.push_back(line.to_owned());
        }
    }

    /// Executions a second, of the processor's time where that is known.
    pub(crate) fn rate(&self) -> u64 {
        let time = if self.processor.is_zero() { self.time } else { self.processor };
        let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        self.status.executions.saturating_mul(1000).checked_div(millis).unwrap_or_default()
    }

    /// What was found, and how to see it again.
    pub(crate) fn finding(&self) -> Option<String> {
        let again = match (&self.artifact, self.failed) {
            (None, false) => return None,
            (None, true) => format!(
                "it left no input behind: `cargo +nightly fuzz run {}` shows all it says",
                self.target
            ),
            (Some(path), _) => {
                let path = path.find("fuzz/artifacts").map_or(&path[..], |at| &path[at..]);
                format!("reproduce it: `cargo +nightly fuzz run {} {path}`", self.target)
            }
        };
        let said: String = self.said.iter().map(|line| format!("  {line}\n")).collect();
        Some(format!("{}:\n{said}{again}", self.target))
    }
}

/// The lines of a process as they come.
fn lines(output: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
            if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                return;
            }
        }
    });
    receiver
}

#[cfg(test)]
mod tests {
    use super::*;

    fn campaign(lines: &[&str]) -> Campaign {
        let mut campaign =
            Campaign { target: "a".to_owned(), time: Duration::from_secs(2), ..Campaign::default() };
        lines.iter().for_each(|line| campaign.note(line));
        campaign
    }

    #[test]
    fn a_quiet_run_finds_nothing() {
        let campaign = campaign(&[
            "#2\tpulse  cov: 8 ft: 1 corp: 1/1b exec/s: 0 rss: 1Mb",
            "#3\tINITED cov: 10 ft: 1 corp: 1/1b exec/s: 0 rss: 1Mb",
            "#512\tpulse  cov: 14 ft: 1 corp: 1/1b lim: 4 exec/s: 256 rss: 1Mb",
            "stat::number_of_executed_units: 600",
        ]);
        assert_eq!(campaign.finding(), None);
        assert_eq!(campaign.began.map(|status| status.coverage), Some(10));
        assert_eq!((campaign.status, campaign.rate()), (Status { executions: 600, coverage: 14 }, 300));
    }

    #[test]
    fn a_log_tells_what_came_of_a_run() {
        let log = "#3\tINITED cov: 10 ft: 1\n#4\tNEW cov: 14 ft: 2\nstat::number_of_executed_units: 600\n\
            stat::average_exec_per_sec: 10\n";
        let cut_short = Campaign::read("a", log);
        assert_eq!((cut_short.time.as_secs(), cut_short.rate()), (60, 10));
        let whole = format!("Done 600 runs in 61 second(s)\n{log}stat::cpu_seconds: 20\n");
        let mut both = Campaign::read("a", &whole);
        assert_eq!((both.time.as_secs(), both.rate(), both.finding()), (61, 30, None));
        both.add(Campaign { processor: Duration::from_secs(10), ..cut_short });
        assert_eq!((both.time.as_secs(), both.rate(), both.status.executions), (121, 40, 1200));
    }

    #[test]
    fn runs_of_two_builds_add_up_but_for_what_they_reach() {
        let log = |build: &str, edges: u64, coverage: u64| {
            format!(
                "stat::build: {build}\nINFO: Loaded 1 modules   ({edges} inline 8-bit counters): 0\n\
                #3\tINITED cov: {coverage} ft: 1\n#9\tNEW cov: {} ft: 1\n",
                coverage + 2
            )
        };
        let mut all = Campaign::read("a", &log("address", 100, 50));
        all.add(Campaign::read("a", &log("address", 100, 48)));
        let reached = |all: &Campaign| (all.began.map(|began| began.coverage), all.status.coverage);
        assert_eq!((reached(&all), all.status.executions, all.watched), ((Some(50), 52), 18, 18));
        all.add(Campaign::read("a", &log("plain", 60, 30)));
        assert_eq!((reached(&all), all.status.executions, all.watched), ((Some(30), 32), 27, 18));
    }

    #[test]
    fn a_finding_says_how_to_see_it_again() {
        let lines = [
            "thread '<unnamed>' panicked at a.rs:1:2:",
            "not so",
            "artifact_prefix='p/fuzz/artifacts/a/'; Test unit written to p/fuzz/artifacts/a/crash-1",
        ];
        let finding = campaign(&lines).finding().unwrap();
        assert!(finding.contains("not so"), "{finding}");
        assert!(finding.ends_with("`cargo +nightly fuzz run a fuzz/artifacts/a/crash-1`"), "{finding}");
    }

    #[test]
    fn a_run_that_fails_otherwise_is_a_finding_too() {
        let lines: Vec<_> = (0..100).map(|n| format!("line {n}")).collect();
        let lines: Vec<_> = lines.iter().map(String::as_str).collect();
        let finding = Campaign { failed: true, ..campaign(&lines) }.finding().unwrap();
        assert!(finding.starts_with("a:\n  line 70\n") && finding.contains("  line 99\n"), "{finding}");
        assert!(finding.contains("left no input behind"), "{finding}");
    }

    #[test]
    fn the_first_trouble_counts() {
        let lines =
            ["before", "thread '<unnamed>' panicked at a.rs:1:2:", "why", "==1== ERROR: deadly signal"];
        let finding = Campaign { failed: true, ..campaign(&lines) }.finding().unwrap();
        assert!(
            finding.starts_with("a:\n  thread '<unnamed>' panicked at a.rs:1:2:\n  why\n  ==1=="),
            "{finding}"
        );
    }
}
