//! The table.

use super::DEFAULT_PING;

/// What a crowd has taken.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) connections: usize,
    pub(super) open_ms: usize,
    /// Bytes of the server's memory.
    pub(super) resident_each: usize,
    /// Seconds of CPU of the server's, in a second.
    pub(super) heartbeat_cpu: f64,
    /// Seconds between two pings to a client.
    pub(super) ping: f64,
    pub(super) broadcasts: usize,
    /// The slowest, until the last client had it.
    pub(super) broadcast_ms: u128,
    /// Seconds of CPU of the server's, for each delivery.
    pub(super) delivery_cpu: f64,
    pub(super) answered: usize,
    pub(super) shutdown_ms: usize,
}

impl Report {
    pub(super) fn print(&self) {
        for (what, figure) in self.rows() {
            println!("| {what:<48} | {figure:>22} |");
        }
    }

    fn rows(&self) -> Vec<(String, String)> {
        let each = self.connections.max(1) as f64;
        let beat = self.heartbeat_cpu * self.ping / each;
        vec![
            ("connections open".to_owned(), self.connections.to_string()),
            ("until all were open".to_owned(), format!("{} ms", self.open_ms)),
            ("server's memory, each, task and all".to_owned(), format!("{} B", self.resident_each)),
            (
                format!("server's CPU, a ping to each every {} s", self.ping),
                format!("{:.2} ms/s", self.heartbeat_cpu * 1e3),
            ),
            (
                format!("the same, every {DEFAULT_PING} s"),
                format!("{:.2} ms/s", self.heartbeat_cpu * self.ping / DEFAULT_PING * 1e3),
            ),
            ("server's CPU, one heartbeat".to_owned(), format!("{:.2} us", beat * 1e6)),
            (
                format!("{} broadcasts delivered", self.broadcasts),
                format!("{}", self.broadcasts * self.connections),
            ),
            ("slowest broadcast, until the last had it".to_owned(), format!("{} ms", self.broadcast_ms)),
            ("server's CPU, one delivery".to_owned(), format!("{:.2} us", self.delivery_cpu * 1e6)),
            ("Closes answered at the shutdown".to_owned(), self.answered.to_string()),
            ("shutdown".to_owned(), format!("{} ms", self.shutdown_ms)),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_heartbeat_is_scaled_to_its_default() {
        let report = Report {
            connections: 10_000,
            open_ms: 1,
            resident_each: 1500,
            heartbeat_cpu: 0.01,
            ping: 5.0,
            broadcasts: 2,
            broadcast_ms: 3,
            delivery_cpu: 1e-6,
            answered: 10_000,
            shutdown_ms: 4,
        };
        let figures: Vec<_> = report.rows().into_iter().map(|(_, figure)| figure).collect();
        assert_eq!(figures[3..7], ["10.00 ms/s", "2.00 ms/s", "5.00 us", "20000"]);
    }
}
