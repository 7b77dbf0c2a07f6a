//! Debian's packages, for the machine of continuous integration.

use std::process::Command;

/// Installs packages; whether that went well is seen by looking again.
pub(crate) fn install(packages: &[&str]) {
    for arguments in [&["update"][..], &["install", "--yes", "--no-install-recommends"]] {
        let mut command = Command::new("apt-get");
        command.args(arguments);
        if arguments[0] == "install" {
            command.args(packages);
        }
        // Run level 1: nothing is started for having been installed.
        command.env("DEBIAN_FRONTEND", "noninteractive").env("RUNLEVEL", "1");
        if let Err(error) = command.status() {
            println!("apt-get does not start: {error}");
        }
    }
}
