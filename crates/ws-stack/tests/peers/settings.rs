//! The table of settings of permessage-deflate: what each side wants, and what comes of it.

use serde_json::{Value, json};
use ws_stack::deflate::{Options, OutOfRange, Takeover, WindowBits};

use super::process::Role;

/// What both sides want of compression, and what the wire must show of it.
#[derive(Debug)]
pub(crate) struct Setting {
    pub(crate) name: String,
    pub(crate) ours: Options,
    /// The peer's options, by the names of the parameters; null for its defaults.
    pub(crate) theirs: Value,
    /// The parameters of the client's offer.
    pub(crate) offer: String,
    /// Those of the server's answer; `None` where it declines.
    pub(crate) answer: Option<String>,
}

/// How one direction compresses, by the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Flow {
    pub(crate) keeps_context: bool,
    pub(crate) bits: u8,
}

impl Setting {
    /// How the side in this role compresses; `None` where it does not.
    pub(crate) fn flow(&self, role: Role) -> Option<Flow> {
        let answer = self.answer.as_deref()?;
        let side = if role == Role::Client { "client" } else { "server" };
        let params = || answer.split("; ");
        let bits = params().find_map(|param| param.strip_prefix(&*format!("{side}_max_window_bits=")));
        let resets = params().any(|param| param == format!("{side}_no_context_takeover"));
        Some(Flow { keeps_context: !resets, bits: bits.map_or(15, |bits| bits.parse().unwrap_or(0)) })
    }
}

/// What a client offers that can be limited.
const ANY: &str = "client_max_window_bits";
const CLIENT_RESETS: &str = "client_no_context_takeover";
const SERVER_RESETS: &str = "server_no_context_takeover";
const SMALL: &str = "server_max_window_bits=12; client_max_window_bits=12";

/// The settings in which our side plays with a peer in this role. Python's has no compressor for 8 bits, and declines
/// or does not offer what would need one.
pub(crate) fn settings(peer: &str, role: Role) -> Result<Vec<Setting>, OutOfRange> {
    let least = if peer == "python" { 9 } else { 8 };
    match role {
        Role::Server => our_client(least, if peer == "python" { SMALL } else { "" }),
        Role::Client => our_server(least),
    }
}

/// Our client with servers that compress with `least` bits at least, and answer `default` unless told otherwise.
fn our_client(least: u8, default: &str) -> Result<Vec<Setting>, OutOfRange> {
    let ours = Options::new();
    let unset = || json!({});
    let resets = ours.takeover(Takeover::Reset);
    let asks = ours.peer_takeover(Takeover::Reset);
    let mut all = vec![
        row("defaults", ours, Value::Null, ANY, default),
        row("we reset", resets, unset(), &join(CLIENT_RESETS, ANY), CLIENT_RESETS),
        row("we ask the peer to reset", asks, unset(), &join(SERVER_RESETS, ANY), SERVER_RESETS),
        row(
            "both reset",
            resets.peer_takeover(Takeover::Reset),
            unset(),
            &join(SERVER_RESETS, &join(CLIENT_RESETS, ANY)),
            &join(SERVER_RESETS, CLIENT_RESETS),
        ),
        row("the peer resets", ours, json!({ SERVER_RESETS: true }), ANY, SERVER_RESETS),
        row("the peer asks us to reset", ours, json!({ CLIENT_RESETS: true }), ANY, CLIENT_RESETS),
        row("small contexts", Options::small_contexts(), unset(), SMALL, SMALL),
        row("we cannot be limited", ours.refuse_window_limit(), unset(), "", ""),
    ];
    for bits in 8..=15 {
        let window = WindowBits::new(bits)?;
        let (server, client) = (server_bits(bits), client_bits(bits));
        if bits < 15 {
            let name = format!("we limit the peer's window to {bits} bits");
            let asking = row(&name, ours.peer_window_bits(window), unset(), &join(&server, ANY), &server);
            let answer = asking.answer.clone().filter(|_| bits >= least);
            all.push(Setting { answer, ..asking });
            let name = format!("we limit our window to {bits} bits");
            all.push(row(&name, ours.window_bits(window), unset(), &client, &client));
        }
        if bits >= least {
            let name = format!("the peer limits its window to {bits} bits");
            all.push(row(&name, ours, json!({ "server_max_window_bits": bits }), ANY, &server));
        }
        let name = format!("the peer limits our window to {bits} bits");
        all.push(row(&name, ours, json!({ "client_max_window_bits": bits }), ANY, &client));
    }
    Ok(all)
}

/// Our server with clients that compress with `least` bits at least.
fn our_server(least: u8) -> Result<Vec<Setting>, OutOfRange> {
    let resets = Options::new();
    let keeps = resets.takeover(Takeover::Keep).peer_takeover(Takeover::Keep);
    let unset = || json!({});
    let uncertain = json!({ "client_max_window_bits": false });
    let mut all = vec![
        row("defaults", resets, Value::Null, ANY, &join(SERVER_RESETS, CLIENT_RESETS)),
        row("both keep", keeps, unset(), ANY, ""),
        row("we ask the peer to reset", keeps.peer_takeover(Takeover::Reset), unset(), ANY, CLIENT_RESETS),
        row("we reset", keeps.takeover(Takeover::Reset), unset(), ANY, SERVER_RESETS),
        row(
            "the peer asks us to reset",
            keeps,
            json!({ SERVER_RESETS: true }),
            &join(SERVER_RESETS, ANY),
            SERVER_RESETS,
        ),
        row(
            "the peer resets",
            keeps,
            json!({ CLIENT_RESETS: true }),
            &join(CLIENT_RESETS, ANY),
            CLIENT_RESETS,
        ),
        row("small contexts", Options::small_contexts(), unset(), ANY, SMALL),
        row("the peer cannot be limited", keeps.peer_window_bits(WindowBits::MIN), uncertain, "", ""),
    ];
    for bits in 8..=15 {
        let window = WindowBits::new(bits)?;
        let (server, client) = (server_bits(bits), client_bits(bits));
        let name = format!("the peer limits our window to {bits} bits");
        let theirs = json!({ "server_max_window_bits": bits });
        all.push(row(&name, keeps, theirs, &join(&server, ANY), &server));
        if bits < 15 {
            let name = format!("we limit our window to {bits} bits");
            all.push(row(&name, keeps.window_bits(window), unset(), ANY, &server));
        }
        if bits >= least {
            let name = format!("the peer limits its window to {bits} bits");
            // A limit that is none is not repeated.
            let answer = if bits < 15 { &*client } else { "" };
            all.push(row(&name, keeps, json!({ "client_max_window_bits": bits }), &client, answer));
        }
        if bits >= least && bits < 15 {
            let name = format!("we limit the peer's window to {bits} bits");
            all.push(row(&name, keeps.peer_window_bits(window), unset(), ANY, &client));
        }
    }
    Ok(all)
}

fn row(name: &str, ours: Options, theirs: Value, offer: &str, answer: &str) -> Setting {
    Setting { name: name.to_owned(), ours, theirs, offer: offer.to_owned(), answer: Some(answer.to_owned()) }
}

fn server_bits(bits: u8) -> String {
    format!("server_max_window_bits={bits}")
}

fn client_bits(bits: u8) -> String {
    format!("client_max_window_bits={bits}")
}

fn join(one: &str, other: &str) -> String {
    format!("{one}; {other}")
}
