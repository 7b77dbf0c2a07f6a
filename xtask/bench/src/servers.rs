//! The servers that can be measured, and how each is started.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};

use crate::takeover::Takeover;
use crate::traffic::Dialect;

/// The floors and the libraries that the package `peers` has a server for, each named like its binary.
const PEERS: [&str; 7] = [
    "tcp-echo",
    "tokio-floor",
    "tokio-tungstenite",
    "tokio-websockets",
    "fastwebsockets",
    "sockudo-ws",
    "yawc",
];
const NODE: &str = "node-ws";
const OURS: &str = "ours";
const OWNED: &str = "ours-owned";
/// Those of our list that compress, when their second argument is the name of a [`Takeover`].
const COMPRESSING: [&str; 3] = ["sockudo-ws", "yawc", NODE];
/// The floor that others are set in proportion to.
pub(crate) const FLOOR: &str = "tokio-floor";

/// Whether it is one of our own servers.
pub(crate) fn is_ours(name: &str) -> bool {
    matches!(name, OURS | OWNED)
}

/// Where the port goes in the command of a server given by the user.
const PORT: &str = "{port}";

/// A server by name.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    pub(crate) name: String,
    pub(crate) dialect: Dialect,
    command: Vec<OsString>,
}

impl Server {
    fn new(name: &str, command: Vec<OsString>) -> Self {
        let dialect = if name == "tcp-echo" { Dialect::Tcp } else { Dialect::WebSocket };
        Self { name: name.to_owned(), dialect, command }
    }

    /// Whether it has a part in the scenarios with compression. A command given by the user is taken at its word.
    pub(crate) fn compresses(&self) -> bool {
        COMPRESSING.contains(&&*self.name) || !(PEERS.contains(&&*self.name) || self.name == OWNED)
    }

    /// What makes it compress.
    fn argument(&self, takeover: Takeover) -> Option<&'static str> {
        match takeover {
            Takeover::Keep if self.name == OURS => Some("--deflate=kept"),
            Takeover::Reset if self.name == OURS => Some("--deflate=pooled"),
            _ => COMPRESSING.contains(&&*self.name).then_some(takeover.name()),
        }
    }

    /// The command that starts it on a port, compressing if that is wanted.
    pub(crate) fn command(&self, port: u16, takeover: Option<Takeover>) -> Vec<OsString> {
        let port = port.to_string();
        let fill = |word: &OsString| {
            word.to_str().map_or_else(|| word.clone(), |text| text.replace(PORT, &port).into())
        };
        let argument = takeover.and_then(|takeover| self.argument(takeover)).map(OsString::from);
        self.command.iter().map(fill).chain(argument).collect()
    }
}

/// What the command line says of servers beside our own list.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct Given {
    /// The binary `ws`: measures `ws serve` as `ours`
    #[arg(long, value_name = "PATH")]
    pub(crate) ours: Option<PathBuf>,
    /// An echo in the owned form that takes a port as its argument: measures it as `ours-owned`
    #[arg(long, value_name = "PATH")]
    pub(crate) owned: Option<PathBuf>,
    /// Any other WebSocket echo on 127.0.0.1 that prints a line once it listens; `{port}` stands for the port
    #[arg(long = "server", value_name = "NAME=COMMAND", value_parser = named)]
    pub(crate) others: Vec<(String, String)>,
}

/// A name and a command, parted by an equals sign.
fn named(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, command)) if !name.is_empty() && command.contains(PORT) => {
            Ok((name.into(), command.into()))
        }
        _ => Err(format!("write NAME=COMMAND, with {PORT} where the port goes")),
    }
}

/// The servers of the given names, or all there are without names; `binaries` is where the package `peers` was built.
pub(crate) fn select(names: &[String], given: &Given, binaries: &Path, node: &Path) -> Result<Vec<Server>> {
    let mut servers = Vec::new();
    let mut add = |name: &str, command: Vec<OsString>| servers.push(Server::new(name, command));
    for name in PEERS {
        add(name, vec![binaries.join(name.replace('-', "_")).into(), PORT.into()]);
    }
    add(NODE, vec!["node".into(), node.join("server.js").into(), PORT.into()]);
    if let Some(path) = &given.ours {
        let listen = format!("127.0.0.1:{PORT}");
        let arguments = ["serve", "--threads", "1", "--listen", &listen].map(OsString::from);
        add(OURS, [executable(path)?].into_iter().chain(arguments).collect());
    }
    if let Some(path) = &given.owned {
        add(OWNED, vec![executable(path)?, PORT.into()]);
    }
    for (name, command) in &given.others {
        add(name, command.split_whitespace().map(OsString::from).collect());
    }
    if names.is_empty() {
        return Ok(servers);
    }
    let find = |name: &String| match servers.iter().find(|server| &server.name == name) {
        Some(server) => Ok(server.clone()),
        None if name == OURS => bail!("ours: give the path of ws by --ours"),
        None if name == OWNED => bail!("ours-owned: give its path by --owned"),
        None => {
            let known: Vec<_> = servers.iter().map(|server| server.name.as_str()).collect();
            bail!("{name}: there are {}", known.join(", "))
        }
    };
    names.iter().map(find).collect()
}

/// A path that still holds when the server is started.
fn executable(path: &Path) -> Result<OsString> {
    let path = path.canonicalize().with_context(|| format!("cannot find {}", path.display()))?;
    ensure!(path.is_file(), "{} is not a file", path.display());
    Ok(path.into())
}

/// Whether any of these needs the binaries of the package `peers`.
pub(crate) fn need_peers(servers: &[Server]) -> bool {
    servers.iter().any(|server| PEERS.contains(&server.name.as_str()))
}

/// Whether any of these runs on node.
pub(crate) fn need_node(servers: &[Server]) -> bool {
    servers.iter().any(|server| server.name == NODE)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Given, Takeover, named, select};

    #[test]
    fn a_command_gets_the_port_where_it_says_so() {
        let given =
            Given { others: vec![named("other=other --at=:{port}").expect("a command")], ..Given::default() };
        let servers =
            select(&["other".into(), "tcp-echo".into()], &given, Path::new("built"), Path::new("node"));
        let servers = servers.expect("both are known");
        assert_eq!(servers[0].command(99, None), ["other", "--at=:99"]);
        assert_eq!(servers[1].command(99, None), ["built/tcp_echo", "99"]);
    }

    #[test]
    fn a_server_that_compresses_is_told_how() {
        let own = std::env::current_exe().expect("a program");
        let given = Given {
            ours: Some(own),
            others: vec![named("other=other {port}").expect("a command")],
            ..Given::default()
        };
        let servers = select(&[], &given, Path::new("built"), Path::new("node")).expect("all");
        let compressing: Vec<_> = servers.iter().filter(|server| server.compresses()).collect();
        let told = |takeover| {
            compressing.iter().map(move |server| {
                let command = server.command(99, Some(takeover));
                (
                    server.name.clone(),
                    command.last().and_then(|word| word.to_str()).expect("a word").to_owned(),
                )
            })
        };
        let wanted = |ours: &str, others: &str| {
            [("sockudo-ws", others), ("yawc", others), ("node-ws", others), ("ours", ours), ("other", "99")]
                .map(|(name, word)| (name.to_owned(), word.to_owned()))
        };
        assert!(told(Takeover::Reset).eq(wanted("--deflate=pooled", "nct")));
        assert!(told(Takeover::Keep).eq(wanted("--deflate=kept", "ct")));
    }

    #[test]
    fn says_what_is_missing() {
        for name in ["ours", "ours-owned", "nothing"] {
            assert!(select(&[name.into()], &Given::default(), Path::new(""), Path::new("")).is_err());
        }
        assert!(named("other=other").is_err());
        assert!(named("={port}").is_err());
    }
}
