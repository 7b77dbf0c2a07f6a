//! What the repository does to itself: tests, conformance, fuzzing, measurements, tidiness.
//!
//! `cargo xtask test` is what continuous integration runs. `cargo xtask autobahn` runs the conformance suite
//! against the shipped programs, `cargo xtask attack` hostile peers against them, `cargo xtask fuzz` the fuzz targets,
//! `cargo xtask simulate` lives in virtual time, `cargo xtask soak` a server under all that clients do, `cargo xtask bench`
//! the measurements. `cargo xtask rfc` ties the RFCs' requirements to tests, and `cargo xtask tidy` checks the rules that
//! keep the workspace in shape.
//! One file per command, one file per step, rule or stage below it.
#![forbid(unsafe_code)]

mod attack;
mod autobahn;
mod bench;
mod counts;
mod coverage;
mod crowd;
mod deny;
mod fuzz;
mod repo;
mod rfc;
mod simulate;
mod soak;
mod test;
mod tidy;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// What the repository does to itself.
#[derive(Parser)]
#[command(name = "xtask", bin_name = "cargo xtask", disable_help_subcommand = true)]
struct Xtask {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Everything that continuous integration checks, from formatting to a short conformance run
    Test,
    /// The Autobahn conformance suite against `ws serve` and the example `echo_client`
    Autobahn(autobahn::Args),
    /// Hostile peers over real sockets, against `ws serve` and `ws connect`
    Attack(attack::Args),
    /// The fuzz targets in turn, with a nightly toolchain and cargo-fuzz
    Fuzz(fuzz::Args),
    /// Lives of connections in virtual time, each replayable by its seed
    Simulate(simulate::Args),
    /// Our echo servers beside others, by the CPU that a message costs
    Bench(bench::Args),
    /// Thousands of connections that stay: memory, heartbeats, a broadcast, the shutdown
    Crowd(crowd::Args),
    /// Thousands of connections that come, talk and go, for minutes: memory, descriptors, every answer
    Soak(soak::Args),
    /// What the RFCs require: where it is enforced, which tests show it
    Rfc,
    /// Which lines of the published crates the tests run through
    Coverage(coverage::Args),
    /// The graph of dependencies: crates that are banned, licences, sources
    Deny(deny::Args),
    /// The shape of the workspace: arrows between crates, file sizes, documented features
    Tidy,
}

fn main() -> ExitCode {
    let done = match Xtask::parse().command {
        Command::Test => test::run(),
        Command::Autobahn(args) => autobahn::run(&args).map(|()| ExitCode::SUCCESS),
        Command::Attack(args) => attack::run(&args).map(|()| ExitCode::SUCCESS),
        Command::Fuzz(args) => fuzz::run(&args).map(|()| ExitCode::SUCCESS),
        Command::Simulate(args) => simulate::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::Crowd(args) => crowd::run(&args).map(|()| ExitCode::SUCCESS),
        Command::Soak(args) => soak::run(&args).map(|()| ExitCode::SUCCESS),
        Command::Rfc => rfc::run().map(|()| ExitCode::SUCCESS),
        Command::Coverage(args) => coverage::run(&args).map(|()| ExitCode::SUCCESS),
        Command::Deny(args) => deny::run(&args).map(|()| ExitCode::SUCCESS),
        Command::Tidy => tidy::run().map(|()| ExitCode::SUCCESS),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
