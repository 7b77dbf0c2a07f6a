//! How far a run has come: a bar on a terminal, a line for each tenth elsewhere.

use std::io::{IsTerminal as _, stderr};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::cases::CaseId;
use super::role::Role;

/// Counts cases while they run.
#[derive(Debug)]
pub(crate) struct Progress {
    role: Role,
    total: usize,
    done: usize,
    bar: Option<ProgressBar>,
}

impl Progress {
    pub(crate) fn new(role: Role, total: usize) -> Self {
        let bar = stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(total as u64).with_prefix(role.name());
            let template = "{prefix} {bar:40} {pos}/{len} {msg} ({elapsed}, {eta} left)";
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        });
        if bar.is_none() {
            eprintln!("autobahn {role}: {total} cases");
        }
        Self { role, total, done: 0, bar }
    }

    /// A case begins: all before it are done.
    pub(crate) fn begin(&mut self, case: &CaseId, done: usize) {
        if let Some(bar) = &self.bar {
            bar.set_message(case.to_string());
        }
        self.reach(done);
    }

    /// The last case is done.
    pub(crate) fn finish(mut self) {
        self.reach(self.total);
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }

    fn reach(&mut self, done: usize) {
        match &self.bar {
            Some(bar) => bar.set_position(done as u64),
            None => {
                if let Some(percent) = passed_tenth(self.done, done, self.total) {
                    eprintln!("autobahn {}: {percent} % ({done} of {})", self.role, self.total);
                }
            }
        }
        self.done = done;
    }
}

/// The tenth in per cent that was reached between `before` and `now`, if one was.
fn passed_tenth(before: usize, now: usize, total: usize) -> Option<usize> {
    let tenth = |done: usize| (done * 10).checked_div(total).unwrap_or(10);
    (tenth(now) > tenth(before)).then(|| tenth(now) * 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tenth_is_told_once() {
        let told: Vec<_> = (0..25).filter_map(|done| passed_tenth(done, done + 1, 25)).collect();
        assert_eq!(told, [10, 20, 30, 40, 50, 60, 70, 80, 90, 100]);
        assert_eq!(passed_tenth(0, 1, 3), Some(30));
        assert_eq!(passed_tenth(1, 1, 3), None);
    }
}
