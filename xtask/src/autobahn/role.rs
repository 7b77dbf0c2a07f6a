//! The two sides that the suite can test.

use std::fmt;

use clap::ValueEnum;
use serde::Deserialize;

/// Which of our sides is tested.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Role {
    /// `ws serve`, against the suite's fuzzing client
    Server,
    /// The example `echo_client`, against the suite's fuzzing server
    Client,
}

impl Role {
    /// Both, in the order in which they run.
    pub(crate) const ALL: [Self; 2] = [Self::Server, Self::Client];

    /// The role's name in file names and reports.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Client => "client",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
