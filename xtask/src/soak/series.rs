//! Memory and descriptors over time.

use std::time::Duration;

use crate::attack::process::Usage;

/// What the server had at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sample {
    /// Since the start.
    pub(super) at: Duration,
    /// Bytes of resident memory.
    pub(super) resident: u64,
    pub(super) descriptors: usize,
}

impl Sample {
    pub(super) fn new(at: Duration, usage: &Usage) -> Self {
        Self { at, resident: usage.resident, descriptors: usage.descriptors }
    }
}

/// A sample for each second.
#[derive(Debug, Default)]
pub(super) struct Series(Vec<Sample>);

/// Resident memory soon after the warm-up, and at the end: each the mean of a third of the time between them.
///
/// Who comes and goes is left to chance, so that single seconds differ by more than a leak would add to them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Drift {
    pub(super) first: f64,
    pub(super) last: f64,
    /// The most in any second behind the warm-up.
    pub(super) most: u64,
}

impl Series {
    pub(super) fn push(&mut self, sample: Sample) {
        self.0.push(sample);
    }

    pub(super) fn samples(&self) -> &[Sample] {
        &self.0
    }

    /// `None` when there are too few samples behind the warm-up.
    pub(super) fn drift(&self, warm_up: Duration) -> Option<Drift> {
        let warm = &self.0[self.0.partition_point(|sample| sample.at < warm_up)..];
        let third = warm.len() / 3;
        let mean = |samples: &[Sample]| {
            samples.iter().map(|sample| sample.resident as f64).sum::<f64>() / samples.len() as f64
        };
        let most = warm.iter().map(|sample| sample.resident).max()?;
        let (first, last) = (&warm[..third], &warm[warm.len() - third..]);
        (third > 0).then(|| Drift { first: mean(first), last: mean(last), most })
    }
}

impl Drift {
    /// How much more there was at the end, as a share of what there was before.
    pub(super) fn growth(self) -> f64 {
        self.last / self.first - 1.0
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A sample for each second, with so many bytes.
    pub(crate) fn series(resident: impl IntoIterator<Item = u64>) -> Series {
        let at = (0..).map(Duration::from_secs);
        let sample = |(at, resident)| Sample { at, resident, descriptors: 12 };
        Series(at.zip(resident).map(sample).collect())
    }

    #[test]
    fn growth_is_told_between_the_thirds_behind_the_warm_up() {
        let grows = series([1, 1, 100, 120, 110, 150, 121, 121]);
        let drift = grows.drift(Duration::from_secs(2)).unwrap();
        assert_eq!((drift.first, drift.last, drift.most), (110.0, 121.0, 150));
        assert!((drift.growth() - 0.1).abs() < 1e-9);
    }

    #[test]
    fn too_few_samples_tell_nothing() {
        assert_eq!(series([1, 2, 3, 4]).drift(Duration::from_secs(2)), None);
        assert_eq!(series([]).drift(Duration::ZERO), None);
    }
}
