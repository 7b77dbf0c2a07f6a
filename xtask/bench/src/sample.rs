//! What one measurement of one server yields.

use std::collections::BTreeMap;

use serde::Serialize;

/// What a figure tells, with its unit. Less is better, but for rates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Metric {
    /// The server's CPU time for each echoed message.
    CpuNsPerMessage,
    /// The same for each receiver of a broadcast message.
    CpuNsPerDelivery,
    /// How many bytes came back for each message, headers of frames counted, where compression has a say.
    BytesPerReply,
    MessagesPerSecond,
    DeliveriesPerSecond,
    /// From a burst's first byte to the last byte of its reply, or until everybody has it.
    LatencyP50Us,
    LatencyP90Us,
    LatencyP99Us,
    LatencyP999Us,
    LatencyP9999Us,
    /// How much of its core the server used, in percent.
    ServerBusy,
    /// How much of its core the load generator used: near 100, it was the limit.
    ClientBusy,
    /// Resident memory for each connection that has sent nothing.
    BytesIdle,
    /// The same after one message on each.
    BytesAfterEcho,
    /// The server's CPU time from connecting to closing.
    CpuNsPerHandshake,
    HandshakesPerSecond,
}

impl Metric {
    /// The metrics of latency, and which quantile each is.
    pub(crate) const LATENCIES: [(Self, f64); 5] = [
        (Self::LatencyP50Us, 0.5),
        (Self::LatencyP90Us, 0.9),
        (Self::LatencyP99Us, 0.99),
        (Self::LatencyP999Us, 0.999),
        (Self::LatencyP9999Us, 0.9999),
    ];

    /// The heading of its column.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::CpuNsPerMessage => "CPU ns/message",
            Self::CpuNsPerDelivery => "CPU ns/delivery",
            Self::BytesPerReply => "bytes/reply",
            Self::MessagesPerSecond => "messages/s",
            Self::DeliveriesPerSecond => "deliveries/s",
            Self::LatencyP50Us => "p50 us",
            Self::LatencyP90Us => "p90 us",
            Self::LatencyP99Us => "p99 us",
            Self::LatencyP999Us => "p99.9 us",
            Self::LatencyP9999Us => "p99.99 us",
            Self::ServerBusy => "server %",
            Self::ClientBusy => "client %",
            Self::BytesIdle => "bytes idle",
            Self::BytesAfterEcho => "bytes after an echo",
            Self::CpuNsPerHandshake => "CPU ns/handshake",
            Self::HandshakesPerSecond => "handshakes/s",
        }
    }
}

/// The figures of one measurement.
pub(crate) type Sample = BTreeMap<Metric, f64>;

/// The middle of several measurements, and how far they lie apart.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Summary {
    pub(crate) median: f64,
    /// From the least to the greatest, in percent of the median.
    pub(crate) spread: f64,
}

/// Summarises the same figure of several rounds; `None` without any.
pub(crate) fn summary(values: impl IntoIterator<Item = f64>) -> Option<Summary> {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let (least, greatest) = (*values.first()?, *values.last()?);
    let middle = values.len() / 2;
    let median = if values.len() % 2 == 1 {
        values[middle]
    } else {
        f64::midpoint(values[middle - 1], values[middle])
    };
    let spread = if median == 0.0 { 0.0 } else { (greatest - least) / median.abs() * 100.0 };
    Some(Summary { median, spread })
}

#[cfg(test)]
mod tests {
    use super::{Summary, summary};

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(summary([]), None);
        assert_eq!(summary([5.0]), Some(Summary { median: 5.0, spread: 0.0 }));
        assert_eq!(summary([9.0, 10.0, 1.0]), Some(Summary { median: 9.0, spread: 100.0 }));
        assert_eq!(summary([4.0, 1.0, 2.0, 3.0]), Some(Summary { median: 2.5, spread: 120.0 }));
    }
}
