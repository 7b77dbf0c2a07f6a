//! The table, and what is wrong with it.

use std::time::Duration;

use super::{Args, Watched, clients::Tally, series::Trend};
use crate::attack::process::Usage;

/// The growth of memory behind the warm-up that is let pass.
const FLAT: f64 = 0.02;

/// The share of the connections that must be open in each second behind the warm-up: who has gone comes again at once, so
/// that fewer of them are those that cannot.
const OPEN: f64 = 0.95;

/// What a soak has shown.
#[derive(Debug)]
pub(super) struct Report<'a> {
    pub(super) args: &'a Args,
    pub(super) warm_up: Duration,
    /// The server before the first client, and behind the last.
    pub(super) before: Usage,
    pub(super) after: Usage,
    pub(super) watched: &'a Watched,
    /// Behind the warm-up: the server's memory, what of it is on its heap where that is counted, and the connections that were
    /// open.
    pub(super) memory: Option<Trend>,
    pub(super) heap: Option<Trend>,
    pub(super) open: Option<Trend>,
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
        match self.memory.map(Trend::growth) {
            Some(growth) if growth <= FLAT => {}
            Some(growth) => wrong.push(format!("memory has grown by {:.1} %", growth * 100.0)),
            None => wrong.push("it was too short to tell whether memory grows".to_owned()),
        }
        match self.heap.map(Trend::growth) {
            Some(growth) if growth > FLAT => {
                wrong.push(format!("what is on the heap has grown by {:.1} %", growth * 100.0));
            }
            _ => {}
        }
        let wanted = self.args.connections as f64;
        if let Some(open) = self.open
            && open.least < wanted * OPEN
        {
            wrong.push(format!("only {} of {wanted} connections were open", open.least));
        }
        let (before, after) = (self.before.descriptors, self.after.descriptors);
        if after != before {
            wrong.push(format!("there were {before} descriptors, and at the end {after}"));
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
        let warm = format!("behind {} s of warm-up", self.warm_up.as_secs());
        if let Some(memory) = self.memory {
            let growth = format!("{} ({:+.1} %)", mebibytes(memory.last), memory.growth() * 100.0);
            rows.push((format!("{warm}, by the best line"), mebibytes(memory.first)));
            rows.push(("at the end, by the same line".to_owned(), growth));
            rows.push((format!("{warm}, the most"), mebibytes(memory.most)));
        }
        if let Some(heap) = self.heap {
            let growth = format!("{} ({:+.1} %)", mebibytes(heap.last), heap.growth() * 100.0);
            rows.push((format!("on its heap {warm}, by the best line"), mebibytes(heap.first)));
            rows.push(("on its heap at the end, by the same line".to_owned(), growth));
            rows.push((
                "the least and the most".to_owned(),
                format!("{} and {}", mebibytes(heap.least), mebibytes(heap.most)),
            ));
        }
        if let Some(open) = self.open {
            let fall = format!("{:.0} ({:+.1} %)", open.last, open.growth() * 100.0);
            rows.push((format!("open {warm}, the least"), open.least.to_string()));
            rows.push(("open at the end, by the best line".to_owned(), fall));
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

    fn wrong(tally: Tally, memory: [u64; 4], open: u64, descriptors: usize) -> Vec<String> {
        wrong_with_heap(tally, memory, None, open, descriptors)
    }

    fn wrong_with_heap(
        tally: Tally,
        memory: [u64; 4],
        heap: Option<[u64; 4]>,
        open: u64,
        descriptors: usize,
    ) -> Vec<String> {
        let counted = heap.is_some();
        let args = Args { minutes: 1.0, connections: 5, seed: 0, pause: 3.0, counted, svg: None };
        let watched = Watched { series: series(memory), tally, failures: Vec::new() };
        let usage = Usage { descriptors: 12, ..Usage::default() };
        let memory = watched.series.trend(Duration::ZERO, |sample| sample.resident as f64);
        let heap = heap.and_then(|heap| series(heap).trend(Duration::ZERO, |sample| sample.resident as f64));
        let open = memory.map(|trend| Trend { least: open as f64, ..trend });
        Report {
            args: &args,
            warm_up: Duration::ZERO,
            before: usage,
            after: Usage { descriptors, ..usage },
            memory,
            heap,
            open,
            watched: &watched,
        }
        .wrong()
    }

    #[test]
    fn nothing_is_wrong_with_a_flat_line_and_an_answer_to_each() {
        let tally = Tally { asked: 7, answered: 7, ..Tally::default() };
        assert_eq!(wrong(tally, [1_000, 1_005, 1_010, 1_015], 5, 12), [""; 0]);
        assert_eq!(wrong(tally, [1_000, 1_500, 1_500, 500], 5, 12), [""; 0]);
    }

    #[test]
    fn a_heap_that_grows_is_told_though_the_allocator_had_room_for_it() {
        let well = Tally { asked: 7, answered: 7, ..Tally::default() };
        let flat = [1_000; 4];
        assert_eq!(wrong_with_heap(well, flat, Some([700, 705, 700, 705]), 5, 12), [""; 0]);
        let found = wrong_with_heap(well, flat, Some([700, 707, 714, 721]), 5, 12);
        assert_eq!(found, ["what is on the heap has grown by 3.0 %"]);
    }

    #[test]
    fn each_promise_is_judged() {
        let well = Tally { asked: 7, answered: 7, ..Tally::default() };
        let flat = [1_000; 4];
        for (tally, memory, open, descriptors, found) in [
            (Tally { asked: 8, ..well }, flat, 5, 12, "7 of 8 messages were answered"),
            (Tally::default(), flat, 5, 12, "0 of 0 messages were answered"),
            (Tally { failed: 1, ..well }, flat, 5, 12, "1 lives were not as they should be"),
            (well, [1_000, 1_010, 1_020, 1_030], 5, 12, "memory has grown by 3.0 %"),
            (well, flat, 4, 12, "only 4 of 5 connections were open"),
            (well, flat, 5, 14, "there were 12 descriptors, and at the end 14"),
            (well, flat, 5, 11, "there were 12 descriptors, and at the end 11"),
        ] {
            assert_eq!(wrong(tally, memory, open, descriptors), [found]);
        }
    }
}
