//! What libFuzzer says while it runs.

/// How far a target has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Status {
    /// How many inputs were executed.
    pub(crate) executions: u64,
    /// How many edges of the program were reached.
    pub(crate) coverage: u64,
}

/// What stands in front of the seconds on a processor.
pub(crate) const PROCESSOR: &str = "stat::cpu_seconds:";

/// What stands in front of the name of the build, which we put first.
pub(crate) const BUILD: &str = "stat::build:";

/// A line of its output.
#[derive(Debug, PartialEq)]
pub(crate) enum Line<'a> {
    Status(Status),
    /// How many edges the build has.
    Edges(u64),
    /// Which build it is, in our words.
    Build(&'a str),
    /// The total at the end.
    Executions(u64),
    /// The whole seconds that it took, at the end.
    Seconds(u64),
    /// How many inputs a second, at the end.
    Average(u64),
    /// The seconds on a processor, which we append.
    Processor(f64),
    /// Where the input that was found lies.
    Artifact(&'a str),
    /// The first line of what went wrong.
    Trouble,
    Other,
}

impl<'a> Line<'a> {
    pub(crate) fn parse(line: &'a str) -> Self {
        if let Some(status) = status(line) {
            Self::Status(status)
        } else if let Some(total) = line.strip_prefix("stat::number_of_executed_units:") {
            total.trim().parse().map_or(Self::Other, Self::Executions)
        } else if let Some(average) = line.strip_prefix("stat::average_exec_per_sec:") {
            average.trim().parse().map_or(Self::Other, Self::Average)
        } else if let Some(edges) = edges(line) {
            Self::Edges(edges)
        } else if let Some(build) = line.strip_prefix(BUILD) {
            Self::Build(build.trim())
        } else if let Some(seconds) = line.strip_prefix(PROCESSOR) {
            seconds.trim().parse().map_or(Self::Other, Self::Processor)
        } else if let Some(seconds) = line.strip_prefix("Done ").and_then(seconds) {
            Self::Seconds(seconds)
        } else if let Some((_, path)) = line.split_once("Test unit written to ") {
            Self::Artifact(path.trim())
        } else if ["panicked at ", "ERROR: ", "error: ", "error["].iter().any(|sign| line.contains(sign)) {
            Self::Trouble
        } else {
            Self::Other
        }
    }
}

/// `#1024  NEW    cov: 12 ft: 34 corp: 5/67b ...`
fn status(line: &str) -> Option<Status> {
    let mut words = line.strip_prefix('#')?.split_whitespace();
    let executions = words.next()?.parse().ok()?;
    words.find(|word| *word == "cov:")?;
    Some(Status { executions, coverage: words.next()?.parse().ok()? })
}

/// `INFO: Loaded 1 modules   (1234 inline 8-bit counters): ...`
fn edges(line: &str) -> Option<u64> {
    let (_, counted) = line.split_once("Loaded 1 modules")?;
    let (edges, _) = counted.trim_start().strip_prefix('(')?.split_once(" inline 8-bit counters")?;
    edges.parse().ok()
}

/// `4096 runs in 61 second(s)`
fn seconds(done: &str) -> Option<u64> {
    done.split_once(" runs in ")?.1.split_once(' ')?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_told_apart() {
        let status = Status { executions: 1024, coverage: 12 };
        let artifact = "artifact_prefix='x/'; Test unit written to x/crash-01";
        for (line, expected) in [
            (
                "#1024\tNEW    cov: 12 ft: 34 corp: 5/67b lim: 8 exec/s: 9 rss: 10Mb L: 1/2 MS: 1 A-",
                Line::Status(status),
            ),
            ("#1024\tpulse  cov: 12 ft: 34 corp: 5/67b lim: 8 exec/s: 9 rss: 10Mb", Line::Status(status)),
            ("stat::number_of_executed_units: 4096", Line::Executions(4096)),
            ("stat::average_exec_per_sec:     17", Line::Average(17)),
            ("stat::new_units_added:          17", Line::Other),
            ("INFO: Loaded 1 modules   (1234 inline 8-bit counters): 1234 [0x5, 0x6), ", Line::Edges(1234)),
            ("INFO: Loaded 1 PC tables (1234 PCs): 1234 [0x5,0x6), ", Line::Other),
            ("stat::build: plain", Line::Build("plain")),
            ("stat::cpu_seconds: 59.5", Line::Processor(59.5)),
            ("Done 4096 runs in 61 second(s)", Line::Seconds(61)),
            ("Done with it", Line::Other),
            (artifact, Line::Artifact("x/crash-01")),
            ("thread '<unnamed>' panicked at a.rs:1:2:", Line::Trouble),
            ("==1== ERROR: libFuzzer: timeout after 10 seconds", Line::Trouble),
            ("error[E0308]: mismatched types", Line::Trouble),
            ("#0\tREAD units: 7", Line::Other),
            ("# of anything", Line::Other),
            ("", Line::Other),
        ] {
            assert_eq!(Line::parse(line), expected, "{line}");
        }
    }
}
