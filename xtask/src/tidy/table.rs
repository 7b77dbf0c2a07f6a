//! The table of arrows: which crate may depend on which, and what none of it may import.

/// A crate's row.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    /// The siblings that it may depend on.
    pub(crate) arrows: &'static [&'static str],
    /// The packages from elsewhere that it must not depend on; without I/O, not through others either.
    pub(crate) never: &'static [&'static str],
    /// Whether it does no I/O, reads no clock, spawns nothing.
    pub(crate) sans_io: bool,
}

/// The one crate that every other may depend on for its tests, and for nothing else.
pub(crate) const TESTKIT: &str = "ws-testkit";

const LIBRARIES: &[&str] = &[
    "ws-frame",
    "ws-extensions",
    "ws-deflate",
    "ws-handshake",
    "ws-driver",
    "ws-endpoint",
    "ws-tokio",
    "ws-sync",
    "ws-hyper",
    "ws-hub",
    "ws-redis",
    "ws-nats",
];

/// What does I/O, and has no place below the crates that are for it.
const IO: &[&str] = &["tokio", "mio", "socket2", "async-io", "hyper", "rustls", "native-tls"];

const TABLE: &[Row] = &[
    Row {
        name: "ws-frame",
        arrows: &[],
        never: &["bytes", "http", "flate2", "thiserror", "getrandom", "tokio"],
        sans_io: true,
    },
    Row {
        name: "ws-extensions",
        arrows: &["ws-frame"],
        never: &["http", "flate2", "zlib-rs", "tokio"],
        sans_io: true,
    },
    Row {
        name: "ws-deflate",
        arrows: &["ws-extensions", "ws-frame"],
        never: &["http", "tokio"],
        sans_io: true,
    },
    Row {
        name: "ws-handshake",
        arrows: &["ws-extensions"],
        never: &["flate2", "zlib-rs", "tokio"],
        sans_io: true,
    },
    Row {
        name: "ws-driver",
        arrows: &["ws-frame", "ws-extensions"],
        never: &["http", "httparse", "flate2", "zlib-rs", "tokio"],
        sans_io: true,
    },
    Row {
        name: "ws-endpoint",
        arrows: &["ws-deflate", "ws-handshake", "ws-driver", "ws-extensions", "ws-frame"],
        never: &["tokio"],
        sans_io: true,
    },
    Row { name: "ws-tokio", arrows: &["ws-endpoint"], never: &["hyper", "axum"], sans_io: false },
    Row { name: "ws-sync", arrows: &["ws-endpoint"], never: &["tokio", "hyper"], sans_io: false },
    Row { name: "ws-hyper", arrows: &["ws-tokio", "ws-endpoint"], never: &["axum"], sans_io: false },
    Row {
        name: "ws-hub",
        arrows: &["ws-tokio", "ws-endpoint"],
        never: &["redis", "async-nats"],
        sans_io: false,
    },
    Row { name: "ws-redis", arrows: &["ws-hub"], never: &["async-nats"], sans_io: false },
    Row { name: "ws-nats", arrows: &["ws-hub"], never: &["redis"], sans_io: false },
    Row { name: "ws-stack", arrows: LIBRARIES, never: &[], sans_io: false },
    Row { name: "ws-cli", arrows: &["ws-stack"], never: &[], sans_io: false },
    Row { name: TESTKIT, arrows: LIBRARIES, never: &[], sans_io: false },
    Row { name: "xtask", arrows: &[], never: &[], sans_io: false },
    Row { name: "features", arrows: &["ws-stack"], never: &[], sans_io: false },
    Row { name: "counts", arrows: &["ws-endpoint"], never: &["tokio"], sans_io: false },
];

/// A crate's row, if it has one.
pub(crate) fn row(name: &str) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.name == name)
}

impl Row {
    /// What must not be reached: the row's own list, and all I/O for a crate that does none.
    pub(crate) fn forbidden(&self) -> impl Iterator<Item = &'static str> {
        let io = if self.sans_io { IO } else { &[] };
        self.never.iter().chain(io.iter().filter(|name| !self.never.contains(name))).copied()
    }

    /// The siblings that stand below the crate, directly or through others.
    pub(crate) fn below(&self) -> Vec<&'static str> {
        let mut below = self.arrows.to_vec();
        let mut next = 0;
        while let Some(name) = below.get(next) {
            for arrow in row(name).map_or(&[][..], |row| row.arrows) {
                if !below.contains(arrow) {
                    below.push(arrow);
                }
            }
            next += 1;
        }
        below
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arrows_form_no_circle() {
        for row in TABLE {
            assert!(!row.below().contains(&row.name), "{} stands below itself", row.name);
        }
    }

    #[test]
    fn every_arrow_leads_to_a_row() {
        for arrow in TABLE.iter().flat_map(|row| row.arrows) {
            assert!(row(arrow).is_some(), "{arrow} has no row");
        }
    }

    #[test]
    fn below_goes_through_others() {
        assert_eq!(row("ws-deflate").unwrap().below(), ["ws-extensions", "ws-frame"]);
        assert!(row("ws-tokio").unwrap().below().contains(&"ws-frame"));
        assert!(row("ws-driver").unwrap().forbidden().any(|name| name == "mio"));
    }
}
