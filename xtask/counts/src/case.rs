//! What is measured.

use std::fmt;

/// One run of a case; gives how many operations it was.
pub type Run = Box<dyn FnMut() -> usize>;

/// A workload: what is made beforehand, and what is measured.
pub struct Case {
    /// Subject, variant and size, as in `parse/server/16`.
    pub name: String,
    prepare: Box<dyn Fn() -> anyhow::Result<Run>>,
}

impl Case {
    /// A case that `prepare` makes ready for any number of runs, each of the same work.
    pub(crate) fn new(name: impl Into<String>, prepare: impl Fn() -> anyhow::Result<Run> + 'static) -> Self {
        Self { name: name.into(), prepare: Box::new(prepare) }
    }

    /// Makes all that is not measured.
    ///
    /// # Errors
    /// When that fails.
    pub fn prepare(&self) -> anyhow::Result<Run> {
        (self.prepare)()
    }
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Case").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A run that repeats an operation.
pub(crate) fn repeat(times: usize, mut operation: impl FnMut() + 'static) -> Run {
    Box::new(move || {
        for _ in 0..times {
            operation();
        }
        times
    })
}

#[cfg(test)]
mod tests {
    use crate::cases;

    #[test]
    fn every_case_does_the_same_work_in_every_run() {
        for case in cases(64 << 10).unwrap() {
            let mut run = case.prepare().unwrap();
            let first = run();
            assert!(first > 0, "{} does nothing", case.name);
            assert_eq!(run(), first, "{}", case.name);
        }
    }

    #[test]
    fn every_case_has_a_name_of_its_own() {
        let mut names: Vec<_> = cases(64 << 10).unwrap().into_iter().map(|case| case.name).collect();
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count);
        assert!(names.iter().all(|name| name.chars().all(|c| c.is_ascii_alphanumeric() || "/-".contains(c))));
    }
}
