//! What an attack came to: a line of the table.

use std::fmt::Write as _;
use std::time::Duration;

use super::honest::Wait;
use super::plan::Bounds;

/// What an attack came to.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) group: String,
    pub(crate) name: String,
    /// What was seen; what must not be, as an error.
    pub(crate) seen: Result<String, String>,
    pub(crate) time: Duration,
    pub(crate) cpu: Duration,
    pub(crate) memory: u64,
    pub(crate) bounds: Bounds,
    /// What an honest client waited for its answers meanwhile.
    pub(crate) honest: Option<Wait>,
    /// What it may have waited by the clock on the wall.
    pub(crate) wall: Duration,
}

impl Row {
    /// What is wrong, with the attack's name.
    pub(crate) fn failure(&self) -> Option<String> {
        let mut wrong: Vec<String> = Vec::new();
        if let Err(error) = &self.seen {
            wrong.push(error.clone());
        }
        for (what, used, bound) in
            [("took", self.time, self.bounds.time), ("used CPU for", self.cpu, self.bounds.cpu)]
        {
            if used > bound {
                wrong.push(format!("{what} {} of at most {}", milliseconds(used), milliseconds(bound)));
            }
        }
        if self.memory > self.bounds.memory {
            let (used, bound) = (kibibytes(self.memory), kibibytes(self.bounds.memory));
            wrong.push(format!("took {used} of memory, of at most {bound}"));
        }
        if let Some(waited) = self.honest.filter(|waited| waited.server > self.bounds.honest) {
            let bound = milliseconds(self.bounds.honest);
            wrong.push(format!(
                "the server worked {} before it answered an honest client, of at most {bound}",
                milliseconds(waited.server)
            ));
        }
        if let Some(waited) = self.honest.filter(|waited| waited.wall > self.wall) {
            let (waited, bound) = (milliseconds(waited.wall), milliseconds(self.wall));
            wrong.push(format!("an honest client waited {waited}, of at most {bound}"));
        }
        (!wrong.is_empty()).then(|| format!("{}: {}: {}", self.group, self.name, wrong.join("; ")))
    }
}

/// All rows, one line each.
pub(crate) fn table(rows: &[Row]) -> String {
    let width = rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0).min(60);
    let mut text = format!(
        "{:18} {:width$} {:>10} {:>10} {:>10} {:>10} {:>10}  outcome\n",
        "group", "attack", "time", "cpu", "memory", "wait: wall", "server"
    );
    for row in rows {
        let (wall, server) = row
            .honest
            .map_or_else(Default::default, |wait| (milliseconds(wait.wall), milliseconds(wait.server)));
        let outcome = match &row.seen {
            Ok(seen) => seen.clone(),
            Err(error) => format!("FAILED: {error}"),
        };
        let mark = if row.failure().is_some() && row.seen.is_ok() { " OVER ITS BOUND" } else { "" };
        let (time, cpu, memory) = (milliseconds(row.time), milliseconds(row.cpu), kibibytes(row.memory));
        let _ = writeln!(
            text,
            "{:18} {:width$} {time:>10} {cpu:>10} {memory:>10} {wall:>10} {server:>10}  {outcome}{mark}",
            row.group, row.name
        );
    }
    text
}

/// A line for each group.
pub(crate) fn summary(rows: &[Row]) -> String {
    let mut groups: Vec<&str> = rows.iter().map(|row| row.group.as_str()).collect();
    groups.dedup();
    let mut text = String::new();
    for group in groups {
        let rows: Vec<_> = rows.iter().filter(|row| row.group == group).collect();
        let failed = rows.iter().filter(|row| row.failure().is_some()).count();
        let time = rows.iter().map(|row| row.time).sum();
        let cpu = rows.iter().map(|row| row.cpu).max().unwrap_or_default();
        let memory = rows.iter().map(|row| row.memory).max().unwrap_or_default();
        let _ = writeln!(
            text,
            "{group}: {} attacks, {failed} did damage; {} in all, the worst took {} of CPU, the worst {} of memory",
            rows.len(),
            milliseconds(time),
            milliseconds(cpu),
            kibibytes(memory)
        );
    }
    text
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}

fn kibibytes(bytes: u64) -> String {
    format!("{} KiB", bytes / 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waited(server: Duration) -> Wait {
        Wait { wall: server, server }
    }

    fn row() -> Row {
        Row {
            group: "frames".to_owned(),
            name: "a".to_owned(),
            seen: Ok("Close 1002".to_owned()),
            time: Bounds::SMALL.time,
            cpu: Bounds::SMALL.cpu,
            memory: Bounds::SMALL.memory,
            bounds: Bounds::SMALL,
            honest: Some(waited(Bounds::SMALL.honest)),
            wall: Bounds::SMALL.honest,
        }
    }

    #[test]
    fn each_bound_may_be_met_and_not_passed() {
        let nanosecond = Duration::from_nanos(1);
        assert_eq!(row().failure(), None);
        let over = [
            Row { seen: Err("open".to_owned()), ..row() },
            Row { time: row().time + nanosecond, ..row() },
            Row { cpu: row().cpu + nanosecond, ..row() },
            Row { memory: row().memory + 1, ..row() },
            Row { honest: Some(waited(Bounds::SMALL.honest + nanosecond)), wall: Duration::MAX, ..row() },
            Row { wall: Bounds::SMALL.honest - nanosecond, ..row() },
        ];
        for row in &over {
            assert!(row.failure().unwrap().starts_with("frames: a: "), "{row:?}");
        }
        assert!(
            table(&over)
                .lines()
                .skip(1)
                .all(|line| line.contains("FAILED") || line.ends_with("OVER ITS BOUND"))
        );
        assert!(summary(&over).starts_with("frames: 6 attacks, 6 did damage"));
    }
}
