//! The programs that the tests play with: without one its tests pass and have shown nothing, which is to be said.

use std::{env, path::Path, process::Command};

use super::packages;
use super::step::Outcome;
use crate::repo;

/// What the tests of interoperation start, and can bring no further than the machine has it.
const LANGUAGES: [&str; 3] = ["node", "npm", "python3"];

/// The proxies that the tests put before a server or a client, with their packages in Debian.
const PROXIES: [(&str, &str); 4] =
    [("nginx", "nginx-light"), ("haproxy", "haproxy"), ("squid", "squid"), ("danted", "dante-server")];

/// Looks for them all. In continuous integration, proxies that are missing are installed first.
pub(crate) fn check() -> Outcome {
    let mut lacking = missing_packages(is_installed);
    if !lacking.is_empty() && repo::is_ci() {
        packages::install(&lacking);
        lacking = missing_packages(is_installed);
    }
    let mut missing: Vec<_> = LANGUAGES.into_iter().filter(|program| !answers(program)).collect();
    missing.extend(&lacking);
    if missing.is_empty() {
        return Outcome::Passed;
    }
    let advice = match lacking.as_slice() {
        [] => String::new(),
        lacking => format!("; on Debian: apt-get install {}", lacking.join(" ")),
    };
    Outcome::NotTested(format!("{} not found: real peers were not played with{advice}", missing.join(", ")))
}

fn answers(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
}

/// The packages of the proxies that are not there.
fn missing_packages(is_installed: impl Fn(&str) -> bool) -> Vec<&'static str> {
    PROXIES.into_iter().filter(|(program, _)| !is_installed(program)).map(|(_, package)| package).collect()
}

/// Whether a program is where servers are, which need not be on an ordinary user's path.
fn is_installed(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    let sbin = ["/usr/sbin", "/usr/local/sbin"].map(Path::new).map(Path::to_owned);
    env::split_paths(&path).chain(sbin).any(|dir| dir.join(program).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_not_there_does_not_answer() {
        assert!(!answers("no such program"));
        assert!(!is_installed("no such program"));
    }

    #[test]
    fn what_is_missing_is_named_by_its_package() {
        assert_eq!(missing_packages(|_| true), [""; 0]);
        assert_eq!(missing_packages(|program| program != "danted"), ["dante-server"]);
    }
}
