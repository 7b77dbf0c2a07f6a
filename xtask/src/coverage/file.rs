//! A file and how much of it was covered.

/// Lines of one file that can be run, and those that were.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct File {
    /// From the top level of the repository.
    pub(crate) path: String,
    pub(crate) covered: usize,
    pub(crate) all: usize,
}

impl File {
    /// In hundredths; a file without code is covered.
    pub(crate) fn share(&self) -> f64 {
        share(self.covered, self.all)
    }

    pub(crate) fn is_below(&self, mark: f64) -> bool {
        self.share() < mark
    }

    /// The crate it belongs to.
    pub(crate) fn package(&self) -> &str {
        self.path.split('/').nth(1).unwrap_or_default()
    }
}

#[expect(clippy::cast_precision_loss, reason = "numbers of lines are far below 2^52")]
pub(crate) fn share(covered: usize, all: usize) -> f64 {
    if all == 0 { 100.0 } else { covered as f64 * 100.0 / all as f64 }
}
