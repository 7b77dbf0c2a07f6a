//! Memory, descriptors and connections over time.

use std::time::Duration;

use crate::attack::process::Usage;

/// What there was at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sample {
    /// Since the start.
    pub(super) at: Duration,
    /// Bytes of the server's resident memory.
    pub(super) resident: u64,
    /// Bytes that it has on its heap, if it counts them.
    pub(super) heap: u64,
    pub(super) descriptors: usize,
    /// The clients' connections that were open.
    pub(super) open: u64,
}

impl Sample {
    pub(super) fn new(at: Duration, usage: &Usage, heap: u64, open: u64) -> Self {
        Self { at, resident: usage.resident, heap, descriptors: usage.descriptors, open }
    }
}

/// A sample for each second.
#[derive(Debug, Default)]
pub(super) struct Series(Vec<Sample>);

/// Where a value stood behind the warm-up and where it had come to, both on the straight line that fits all samples best.
///
/// Who comes and goes is left to chance, so that single seconds differ by more than a leak would add to them: the line
/// takes all of them into account, where two points would tell of two moments.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Trend {
    pub(super) first: f64,
    pub(super) last: f64,
    /// The least and the most in any second behind the warm-up.
    pub(super) least: f64,
    pub(super) most: f64,
}

/// Fewer samples than this tell nothing.
const ENOUGH: usize = 3;

impl Series {
    pub(super) fn push(&mut self, sample: Sample) {
        self.0.push(sample);
    }

    pub(super) fn samples(&self) -> &[Sample] {
        &self.0
    }

    /// How a value went; `None` when there are too few samples behind the warm-up.
    pub(super) fn trend(&self, warm_up: Duration, value: fn(&Sample) -> f64) -> Option<Trend> {
        let warm = &self.0[self.0.partition_point(|sample| sample.at < warm_up)..];
        let (begin, end) = (warm.first()?.at.as_secs_f64(), warm.last()?.at.as_secs_f64());
        let count = warm.len() as f64;
        let mean_of = |of: &dyn Fn(&Sample) -> f64| warm.iter().map(of).sum::<f64>() / count;
        let at = |sample: &Sample| sample.at.as_secs_f64();
        let (mean_at, mean) = (mean_of(&at), mean_of(&value));
        let spread = mean_of(&|sample| (at(sample) - mean_at).powi(2));
        let slope = mean_of(&|sample| (at(sample) - mean_at) * (value(sample) - mean)) / spread;
        let line = |at: f64| mean + slope * (at - mean_at);
        let (least, most) = warm
            .iter()
            .map(value)
            .fold((f64::MAX, f64::MIN), |(least, most), value| (least.min(value), most.max(value)));
        (warm.len() >= ENOUGH).then(|| Trend { first: line(begin), last: line(end), least, most })
    }
}

impl Trend {
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
        let sample = |(at, resident)| Sample { at, resident, heap: 0, descriptors: 12, open: 5 };
        Series(at.zip(resident).map(sample).collect())
    }

    fn memory(series: &Series, warm_up: u64) -> Option<Trend> {
        series.trend(Duration::from_secs(warm_up), |sample| sample.resident as f64)
    }

    #[test]
    fn growth_is_that_of_the_line_behind_the_warm_up() {
        let trend = memory(&series([1, 1, 100, 102, 104, 106, 108, 110]), 2).unwrap();
        assert!((trend.first - 100.0).abs() < 1e-9 && (trend.last - 110.0).abs() < 1e-9, "{trend:?}");
        assert_eq!((trend.least, trend.most), (100.0, 110.0));
        assert!((trend.growth() - 0.1).abs() < 1e-9);
    }

    #[test]
    fn a_single_second_is_no_growth_and_no_fall() {
        for peak in [10_000, 1] {
            let trend = memory(&series([100, 100, 100, 100, peak, 100, 100, 100, 100]), 0).unwrap();
            assert!(trend.growth().abs() < 1e-9, "{trend:?}");
        }
    }

    #[test]
    fn too_few_samples_tell_nothing() {
        assert_eq!(memory(&series([1, 2, 3, 4]), 2), None);
        assert_eq!(memory(&series([]), 0), None);
    }
}
