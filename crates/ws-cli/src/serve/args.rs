//! The options of `ws serve`.

use std::{num::NonZeroUsize, path::PathBuf};

use clap::ValueEnum;

use super::compression::Compression;

/// Serve WebSockets: echo every message, or send it to everybody
///
/// Prints `listening on URL` when it listens. A browser that opens the address with http:// finds a page to try it on.
/// Ctrl-C and SIGTERM close every connection with 1001 and wait for the answers; a second Ctrl-C does not wait.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Address to listen on; port 0 takes a free one
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:9001")]
    pub(crate) listen: String,

    /// Threads, each with a listener of its own
    #[arg(long, value_name = "N", default_value = "1")]
    pub(crate) threads: NonZeroUsize,

    /// What becomes of a message
    #[arg(long, value_enum, default_value = "echo")]
    pub(crate) mode: Mode,

    /// Longest message that is accepted; a longer one closes its connection with 1009 [default: 64 MiB]
    #[arg(long, value_name = "BYTES")]
    pub(crate) max_message: Option<usize>,

    /// Compress messages with clients that offer permessage-deflate; without a preset, pooled
    #[arg(
        long,
        value_enum,
        value_name = "PRESET",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "pooled"
    )]
    pub(crate) deflate: Option<Compression>,

    /// Let in pages of this origin only, scheme://host:port; may be repeated. same-host lets in the pages of the server's own
    /// host and port. Programs that name no origin are always let in
    #[arg(long, value_name = "ORIGIN")]
    pub(crate) origin: Vec<String>,

    /// Serve wss:// with the certificates in this PEM file, the server's own first
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,

    /// The private key of the certificate, a PEM file
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,

    /// Serve wss:// with a certificate made for this run; clients must be told to accept it (ws connect -n)
    #[arg(long, conflicts_with_all = ["tls_cert", "tls_key"])]
    pub(crate) tls_self_signed: bool,

    /// Tell on standard error why connections fail
    #[arg(short, long)]
    pub(crate) verbose: bool,
}

/// What becomes of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mode {
    /// It goes back to its sender
    Echo,
    /// It goes to everybody who is connected, its sender too; who cannot keep up is closed with 1013
    Broadcast,
}
