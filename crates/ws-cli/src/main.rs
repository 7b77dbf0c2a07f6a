//! `ws`, the command line of the WebSocket stack.
//!
//! - `ws serve` is a server that echoes or broadcasts: [`serve`].
//! - `ws connect` is a client for people and for pipes: [`connect`].
//!
//! It is built on `ws-stack` alone, and does nothing that another program could not do with it.
#![forbid(unsafe_code)]

mod connect;
mod print;
mod serve;
mod signals;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// WebSockets from the command line: a client for people and pipes, and a server to try clients on.
#[derive(Debug, Parser)]
#[command(name = "ws", version, arg_required_else_help = true, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Args),
    Connect(connect::Args),
}

const EXAMPLES: &str = "\
Examples:
  ws serve                                      echo server on ws://127.0.0.1:9001/
  ws serve --mode broadcast --tls-self-signed   chat room under TLS
  ws connect ws://127.0.0.1:9001/               prompt: line in, message out
  printf 'hello\\n' | ws connect ws://127.0.0.1:9001/
                                                pipe: one message for each line";

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Serve(args) => serve::run(&args).unwrap_or_else(|error| {
            print::error(format_args!("error: {error:#}"));
            ExitCode::FAILURE
        }),
        Command::Connect(args) => connect::run(&args),
    }
}
