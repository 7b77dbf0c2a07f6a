//! Rule: a crate stays free of the packages that the table forbids it; where it does no I/O, also of those that
//! others would bring in.

use super::Finding;
use super::table;
use super::workspace::Crate;

pub(crate) fn check(member: &Crate) -> Vec<Finding> {
    let Some(row) = table::row(&member.name) else { return Vec::new() };
    let mut findings = Vec::new();
    for forbidden in row.forbidden() {
        let named = member.dependencies.iter().any(|(name, for_building)| name == forbidden && *for_building);
        if named {
            findings.push(Finding::error(
                &member.name,
                format!("depends on {forbidden}, which it never imports"),
            ));
        } else if row.sans_io && member.reach.contains(forbidden) {
            let message = format!("is built with {forbidden}, which a dependency brings in");
            findings.push(Finding::error(&member.name, message));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(name: &str, dependency: &str, reach: &str) -> Crate {
        Crate {
            name: name.to_owned(),
            dependencies: vec![(dependency.to_owned(), true)],
            reach: [dependency, reach].map(str::to_owned).into(),
            ..Crate::default()
        }
    }

    #[test]
    fn what_is_not_forbidden_passes() {
        assert_eq!(check(&member("ws-driver", "bytes", "getrandom")), []);
        assert_eq!(check(&member("ws-tokio", "tokio", "mio")), []);
    }

    #[test]
    fn what_is_forbidden_does_not() {
        for (name, dependency) in [
            ("ws-frame", "bytes"),
            ("ws-extensions", "http"),
            ("ws-handshake", "tokio"),
            ("ws-driver", "http"),
            ("ws-driver", "flate2"),
            ("ws-endpoint", "tokio"),
            ("ws-endpoint", "mio"),
            ("ws-tokio", "hyper"),
        ] {
            assert_eq!(check(&member(name, dependency, "x")).len(), 1, "{name} {dependency}");
        }
    }

    #[test]
    fn without_io_others_must_not_bring_it_in() {
        assert_eq!(check(&member("ws-driver", "handy", "tokio")).len(), 1);
        assert_eq!(check(&member("ws-tokio", "hyper-util", "hyper")), []);
    }

    #[test]
    fn tests_may_use_what_they_like() {
        let mut driver = member("ws-driver", "tokio", "x");
        driver.dependencies[0].1 = false;
        driver.reach.clear();
        assert_eq!(check(&driver), []);
    }
}
