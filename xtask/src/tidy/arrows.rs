//! Rule: a crate depends on those siblings that the table gives it, and on no other.

use super::Finding;
use super::table::{self, TESTKIT};
use super::workspace::Crate;

pub(crate) fn check(member: &Crate) -> Vec<Finding> {
    let Some(row) = table::row(&member.name) else {
        return vec![Finding::error(&member.name, "has no row in xtask/src/tidy/table.rs")];
    };
    let below = row.below();
    let mut findings = Vec::new();
    for (name, for_building) in &member.dependencies {
        if table::row(name).is_none() {
            continue;
        }
        let name = name.as_str();
        let message = if *for_building {
            (!row.arrows.contains(&name)).then(|| format!("depends on {name}, and there is no such arrow"))
        } else {
            let allowed = name == TESTKIT || below.contains(&name);
            (!allowed).then(|| format!("its tests depend on {name}, which does not stand below it"))
        };
        findings.extend(message.map(|message| Finding::error(&member.name, message)));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(name: &str, dependencies: &[(&str, bool)]) -> Crate {
        let dependencies = dependencies.iter().map(|(name, kind)| ((*name).to_owned(), *kind)).collect();
        Crate { name: name.to_owned(), dependencies, ..Crate::default() }
    }

    #[test]
    fn arrows_of_the_table_pass() {
        let driver = member("ws-driver", &[("ws-frame", true), ("bytes", true), ("ws-testkit", false)]);
        assert_eq!(check(&driver), []);
        assert_eq!(check(&member("ws-tokio", &[("ws-endpoint", true), ("ws-frame", false)])), []);
    }

    #[test]
    fn other_arrows_do_not() {
        for (name, dependency) in [
            ("ws-frame", ("ws-extensions", true)),
            ("ws-driver", ("ws-handshake", true)),
            ("ws-tokio", ("ws-deflate", true)),
            ("ws-cli", ("ws-tokio", true)),
            ("ws-tokio", ("ws-testkit", true)),
            ("ws-frame", ("ws-driver", false)),
        ] {
            assert_eq!(check(&member(name, &[dependency])).len(), 1, "{name} {dependency:?}");
        }
    }

    #[test]
    fn a_crate_without_a_row_does_not_pass() {
        assert_eq!(check(&member("ws-new", &[])).len(), 1);
    }
}
