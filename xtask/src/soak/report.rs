//! The table, and what is wrong with it.

use std::time::Duration;

use super::{Args, Watched, clients::Tally, series::Drift};
use crate::attack::process::Usage;

/// The growth of memory behind the warm-up that is let pass.
const FLAT: f64 = 0.02;

/// What a soak has shown.
#[derive(Debug)]
pub(super) struct Report<'a> {
    pub(super) args: &'a Args,
    pub(super) warm_up: Duration,
    /// The server before the first client, and behind the last.
    pub(super) before: Usage,
    pub(super) after: Usage,
    pub(super) watched: &'a Watched,
    pub(super) drift: Option<Drift>,
}

impl Report<'_> {
    pub(super) fn print(&self) {
        for (what, figure) in self.rows() {
            println!("| {what:<44} | {figure:>30} |");
        }
        for failure in &self.watched.failures {
            println!("not as it should be: life {failure}");
        }
    }

    /// What stands above the plot.
    pub(super) fn title(&self) -> String {
        let Args { connections, minutes, .. } = self.args;
        let Tally { lives, answered, .. } = self.watched.tally;
        format!(
            "{connections} connections for {minutes} minutes: {lives} lives, {answered} messages answered"
        )
    }

    /// Why it has failed; nothing when it has not.
    pub(super) fn wrong(&self) -> Vec<String> {
        let Tally { asked, answered, failed, .. } = self.watched.tally;
        let mut wrong = Vec::new();
        if answered == 0 || asked != answered {
            wrong.push(format!("{answered} of {asked} messages were answered"));
        }
        if failed > 0 {
            wrong.push(format!("{failed} lives were not as they should be"));
        }
        match self.drift.map(Drift::growth) {
            Some(growth) if growth <= FLAT => {}
            Some(growth) => wrong.push(format!("memory has grown by {:.1} %", growth * 100.0)),
            None => wrong.push("it was too short to tell whether memory grows".to_owned()),
        }
        let (before, after) = (self.before.descriptors, self.after.descriptors);
        if after > before {
            wrong.push(format!("{} descriptors are left", after - before));
        }
        wrong
    }

    fn rows(&self) -> Vec<(String, String)> {
        let Tally { lives, asked, answered, bytes, failed, .. } = self.watched.tally;
        let samples = self.watched.series.samples();
        let seconds = samples.last().map_or(Duration::ZERO, |sample| sample.at).as_secs_f64().max(1.0);
        let cpu = (self.after.cpu.saturating_sub(self.before.cpu)).as_secs_f64() / seconds;
        let mut rows = vec![
            ("connections at once".to_owned(), self.args.connections.to_string()),
            ("lives".to_owned(), lives.to_string()),
            ("messages and pings answered".to_owned(), format!("{answered} of {asked}")),
            ("bytes in the answers".to_owned(), mebibytes(bytes as f64)),
            ("not as it should be".to_owned(), failed.to_string()),
            ("server's CPU".to_owned(), format!("{:.0} % of a core", cpu * 100.0)),
            ("its memory before".to_owned(), mebibytes(self.before.resident as f64)),
        ];
        if let Some(drift) = self.drift {
            let after = format!("behind {} s of warm-up", self.warm_up.as_secs());
            let growth = format!("{} ({:+.1} %)", mebibytes(drift.last), drift.growth() * 100.0);
            rows.push((format!("{after}, the first third"), mebibytes(drift.first)));
            rows.push((format!("{after}, the last third"), growth));
            rows.push((format!("{after}, the most"), mebibytes(drift.most as f64)));
        }
        let descriptors = format!("{} and {}", self.before.descriptors, self.after.descriptors);
        rows.push(("when all were gone".to_owned(), mebibytes(self.after.resident as f64)));
        rows.push(("descriptors before and at the end".to_owned(), descriptors));
        rows
    }
}

pub(super) fn mebibytes(bytes: f64) -> String {
    format!("{:.1} MiB", bytes / f64::from(1 << 20))
}

#[cfg(test)]
mod tests {
    use super::super::series::tests::series;
    use super::*;

    fn wrong(tally: Tally, memory: [u64; 4], descriptors: usize) -> Vec<String> {
        let args = Args { minutes: 1.0, connections: 5, seed: 0, svg: None };
        let watched = Watched { series: series(memory), tally, failures: Vec::new() };
        let usage = Usage { descriptors: 12, ..Usage::default() };
        Report {
            args: &args,
            warm_up: Duration::ZERO,
            before: usage,
            after: Usage { descriptors, ..usage },
            drift: watched.series.drift(Duration::ZERO),
            watched: &watched,
        }
        .wrong()
    }

    #[test]
    fn nothing_is_wrong_with_a_flat_line_and_an_answer_to_each() {
        let tally = Tally { asked: 7, answered: 7, ..Tally::default() };
        assert_eq!(wrong(tally, [1_000, 1_500, 1_500, 1_019], 12), [""; 0]);
        assert_eq!(wrong(tally, [1_000, 1_500, 1_500, 500], 11), [""; 0]);
    }

    #[test]
    fn each_promise_is_judged() {
        let well = Tally { asked: 7, answered: 7, ..Tally::default() };
        let flat = [1_000; 4];
        for (tally, memory, descriptors, found) in [
            (Tally { asked: 8, ..well }, flat, 12, "7 of 8 messages were answered"),
            (Tally::default(), flat, 12, "0 of 0 messages were answered"),
            (Tally { failed: 1, ..well }, flat, 12, "1 lives were not as they should be"),
            (well, [1_000, 1, 1, 1_030], 12, "memory has grown by 3.0 %"),
            (well, flat, 14, "2 descriptors are left"),
        ] {
            assert_eq!(wrong(tally, memory, descriptors), [found]);
        }
    }
}
