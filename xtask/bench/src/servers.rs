//! The servers that can be measured, and how each is started.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};

use crate::scenario::Setup;
use crate::takeover::Takeover;
use crate::traffic::Dialect;
use crate::versions::version;

const NODE: &str = "node-ws";
/// Ours in the lent form.
pub(crate) const OURS: &str = "ours";
/// Ours in the owned form.
pub(crate) const OWNED: &str = "ours-owned";
/// Ours with contexts of the suggested size, where contexts are kept.
pub(crate) const SMALL: &str = "ours-small";
/// The floor that others are set in proportion to.
pub(crate) const FLOOR: &str = "tokio-floor";
/// The floor of connections over TLS.
pub(crate) const TLS_FLOOR: &str = "tls-echo";
/// The floor of connections that come and go.
pub(crate) const VISIT_FLOOR: &str = "tcp-upgrade";

/// The floors and the libraries that the package `peers` has a server for, each named like its binary, and what they do.
const PEERS: [(&str, Skills); 9] = [
    ("tcp-echo", Skills { visits: false, ..Skills::ECHO }),
    (VISIT_FLOOR, Skills { echo: false, ..Skills::ECHO }),
    (TLS_FLOOR, Skills { echo: false, visits: false, tls: true, ..Skills::ECHO }),
    (FLOOR, Skills::BROADCAST),
    ("tokio-tungstenite", Skills::BROADCAST),
    ("tokio-websockets", Skills::BROADCAST),
    ("fastwebsockets", Skills::BROADCAST),
    ("sockudo-ws", Skills::ALL),
    ("yawc", Skills::ALL),
];

/// Where the port goes in the command of a server given by the user.
const PORT: &str = "{port}";
/// Where the words go that tell it what to do.
const MODE: &str = "{mode}";

/// Whether it is one of our own servers.
pub(crate) fn is_ours(name: &str) -> bool {
    matches!(name, OURS | OWNED | SMALL)
}

/// Whether it is a floor, and no WebSocket library.
pub(crate) fn is_floor(name: &str) -> bool {
    matches!(name, "tcp-echo" | VISIT_FLOOR | TLS_FLOOR | FLOOR)
}

/// Whether it is another library in Rust.
pub(crate) fn is_rust(name: &str) -> bool {
    PEERS.iter().any(|(peer, _)| *peer == name) && !is_floor(name)
}

/// What a server can do.
#[derive(Clone, Copy, Debug)]
struct Skills {
    echo: bool,
    visits: bool,
    broadcast: bool,
    compress: bool,
    tls: bool,
}

impl Skills {
    const ECHO: Self = Self { echo: true, visits: true, broadcast: false, compress: false, tls: false };
    const BROADCAST: Self = Self { broadcast: true, ..Self::ECHO };
    const ALL: Self = Self { compress: true, ..Self::BROADCAST };

    fn suffice(self, setup: Setup) -> bool {
        let plain = !setup.broadcast && !setup.tls && !setup.visits && setup.takeover.is_none();
        (self.echo || !plain)
            && (self.visits || !setup.visits)
            && (self.broadcast || !setup.broadcast)
            && (self.compress || setup.takeover.is_none())
            && self.tls >= setup.tls
            && setup.threads.is_none()
    }
}

/// A server by name.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    pub(crate) name: String,
    pub(crate) version: Option<String>,
    pub(crate) dialect: Dialect,
    program: Program,
}

#[derive(Clone, Debug)]
enum Program {
    /// Takes the port and words: one of the package `peers`, with its name as a binary, or the server on node.
    Words(Vec<OsString>, Skills),
    /// `ws`, and the broadcast in the lent form.
    Ours { ws: OsString, broadcast: Option<OsString> },
    /// `ws` with small contexts.
    Small(OsString),
    /// The echo in the owned form.
    Owned(OsString),
    /// Words with places for the port and for what to do.
    Given(Vec<String>),
}

impl Server {
    fn new(name: &str, program: Program) -> Self {
        let tcp = ["tcp-echo", TLS_FLOOR].contains(&name);
        let dialect = if tcp { Dialect::Tcp } else { Dialect::WebSocket };
        Self { name: name.to_owned(), version: version(name), dialect, program }
    }

    /// The command that starts it on a port; `None` when it has no part in such scenarios.
    pub(crate) fn command(&self, port: u16, setup: Setup) -> Option<Vec<OsString>> {
        let words = || {
            let takeover = setup.takeover.map(Takeover::name);
            takeover.into_iter().chain(setup.broadcast.then_some("broadcast"))
        };
        let port = port.to_string();
        match &self.program {
            Program::Words(command, skills) if skills.suffice(setup) => {
                let arguments = [port.as_str()].into_iter().chain(words()).map(OsString::from);
                Some(command.iter().cloned().chain(arguments).collect())
            }
            Program::Ours { broadcast: Some(broadcast), .. } if setup.broadcast => {
                let deflate = setup.takeover.map(|_| "deflate");
                let arguments = [port.as_str()].into_iter().chain(deflate).map(OsString::from);
                Some([broadcast.clone()].into_iter().chain(arguments).collect())
            }
            Program::Ours { ws, .. } if !setup.broadcast => Some(serve(ws, &port, setup)),
            Program::Small(ws) if setup.takeover == Some(Takeover::Keep) && !setup.broadcast => {
                let plain = serve(ws, &port, Setup { takeover: None, ..setup });
                Some(plain.into_iter().chain(["--deflate=small-contexts".into()]).collect())
            }
            Program::Owned(echo) if Skills::ECHO.suffice(setup) => Some(vec![echo.clone(), port.into()]),
            Program::Given(command) => given(command, &port, setup, words()),
            _ => None,
        }
    }
}

/// `ws serve` for a scenario.
fn serve(ws: &OsString, port: &str, setup: Setup) -> Vec<OsString> {
    let mut command = vec![ws.clone(), "serve".into()];
    let threads = setup.threads.unwrap_or(1).to_string();
    command.extend(["--threads", &threads, "--listen", &format!("127.0.0.1:{port}")].map(OsString::from));
    command.extend(setup.takeover.map(|takeover| match takeover {
        Takeover::Keep => OsString::from("--deflate=kept"),
        Takeover::Reset => OsString::from("--deflate=pooled"),
    }));
    command.extend(setup.tls.then(|| OsString::from("--tls-self-signed")));
    command
}

/// A command given by the user. Without a place for words it is taken at its word: it echoes, and compresses as it likes.
fn given<'a>(
    command: &[String],
    port: &str,
    setup: Setup,
    words: impl Iterator<Item = &'a str>,
) -> Option<Vec<OsString>> {
    let takes_words = command.iter().any(|word| word == MODE);
    if setup.tls || setup.threads.is_some() || (setup.broadcast && !takes_words) {
        return None;
    }
    let words: Vec<_> = words.map(OsString::from).collect();
    let fill = |word: &String| match word == MODE {
        true => words.clone(),
        false => vec![word.replace(PORT, port).into()],
    };
    Some(command.iter().flat_map(fill).collect())
}

/// What the command line says of servers beside our own list.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct Given {
    /// The binary `ws`: measures `ws serve` as `ours`
    #[arg(long, value_name = "PATH")]
    pub(crate) ours: Option<PathBuf>,
    /// A broadcast in the lent form that takes a port as its argument: the part of `ours` in broadcasts
    #[arg(long, value_name = "PATH", requires = "ours")]
    pub(crate) broadcast: Option<PathBuf>,
    /// An echo in the owned form that takes a port as its argument: measures it as `ours-owned`
    #[arg(long, value_name = "PATH")]
    pub(crate) owned: Option<PathBuf>,
    /// Any other WebSocket server on 127.0.0.1 that prints a line once it listens; `{port}` stands for the port, `{mode}` for
    /// words that tell what to do: none for an echo, `ct` or `nct` to compress, `broadcast`
    #[arg(long = "server", value_name = "NAME[@VERSION]=COMMAND", value_parser = named)]
    pub(crate) others: Vec<(String, String)>,
}

/// A name and a command, parted by an equals sign.
fn named(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, command)) if !name.is_empty() && !name.starts_with('@') && command.contains(PORT) => {
            Ok((name.into(), command.into()))
        }
        _ => Err(format!("write NAME=COMMAND, with {PORT} where the port goes")),
    }
}

/// The servers of the given names, or all there are without names; `binaries` is where the package `peers` was built.
pub(crate) fn select(names: &[String], given: &Given, binaries: &Path, node: &Path) -> Result<Vec<Server>> {
    let mut servers = Vec::new();
    for (name, skills) in PEERS {
        let command = vec![binaries.join(name.replace('-', "_")).into()];
        servers.push(Server::new(name, Program::Words(command, skills)));
    }
    let command = vec!["node".into(), node.join("server.js").into()];
    servers.push(Server::new(NODE, Program::Words(command, Skills::ALL)));
    for (name, command) in &given.others {
        let (name, version) = name.split_once('@').map_or((name.as_str(), None), |(a, b)| (a, Some(b)));
        let command = command.split_whitespace().map(str::to_owned).collect();
        let server = Server::new(name, Program::Given(command));
        servers.push(Server { version: version.map(str::to_owned), ..server });
    }
    if let Some(path) = &given.owned {
        servers.push(Server::new(OWNED, Program::Owned(executable(path)?)));
    }
    if let Some(path) = &given.ours {
        let ws = executable(path)?;
        let broadcast = given.broadcast.as_deref().map(executable).transpose()?;
        servers.push(Server::new(SMALL, Program::Small(ws.clone())));
        servers.push(Server::new(OURS, Program::Ours { ws, broadcast }));
    }
    if names.is_empty() {
        return Ok(servers);
    }
    let find = |name: &String| match servers.iter().find(|server| &server.name == name) {
        Some(server) => Ok(server.clone()),
        None if name == OURS || name == SMALL => bail!("ours: give the path of ws by --ours"),
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
    servers.iter().any(|server| PEERS.iter().any(|(name, _)| *name == server.name))
}

/// Whether any of these runs on node.
pub(crate) fn need_node(servers: &[Server]) -> bool {
    servers.iter().any(|server| server.name == NODE)
}

/// Leaves out what runs on node.
pub(crate) fn without_node(servers: &mut Vec<Server>) {
    servers.retain(|server| server.name != NODE);
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Given, Server, Setup, Takeover, named, select};

    fn all(given: &Given) -> Vec<Server> {
        select(&[], given, Path::new("built"), Path::new("node")).expect("all")
    }

    fn given(commands: &[&str]) -> Given {
        let own = std::env::current_exe().ok();
        let others = commands.iter().map(|command| named(command).expect("a command")).collect();
        Given { ours: own.clone(), broadcast: own.clone(), owned: own, others }
    }

    /// The name and the last word of each that has a part in a scenario.
    fn told(servers: &[Server], setup: Setup) -> Vec<(&str, String)> {
        let command = |server: &Server| Some(server.command(99, setup)?.pop()?.into_string().expect("text"));
        servers.iter().filter_map(|server| Some((server.name.as_str(), command(server)?))).collect()
    }

    #[test]
    fn a_command_gets_the_port_where_it_says_so() {
        let given = Given {
            others: vec![named("other@1.2=other --at=:{port}").expect("a command")],
            ..Given::default()
        };
        let servers =
            select(&["other".into(), "tcp-echo".into()], &given, Path::new("built"), Path::new("node"));
        let servers = servers.expect("both are known");
        let command = |server: &Server| server.command(99, Setup::default()).expect("an echo");
        assert_eq!(command(&servers[0]), ["other", "--at=:99"]);
        assert_eq!(servers[0].version.as_deref(), Some("1.2"));
        assert_eq!(command(&servers[1]), ["built/tcp_echo", "99"]);
    }

    #[test]
    fn a_server_that_compresses_is_told_how() {
        let servers = all(&given(&["other=other {port}"]));
        for (takeover, word, ours) in
            [(Takeover::Reset, "nct", "--deflate=pooled"), (Takeover::Keep, "ct", "--deflate=kept")]
        {
            let setup = Setup { takeover: Some(takeover), ..Setup::default() };
            let small = ("ours-small", "--deflate=small-contexts");
            let wanted =
                [("sockudo-ws", word), ("yawc", word), ("node-ws", word), ("other", "99")].into_iter();
            let wanted = wanted.chain((takeover == Takeover::Keep).then_some(small)).chain([("ours", ours)]);
            let wanted: Vec<_> = wanted.map(|(name, word)| (name, word.to_owned())).collect();
            assert_eq!(told(&servers, setup), wanted);
        }
    }

    #[test]
    fn a_broadcast_is_for_those_who_can() {
        let servers = all(&given(&["other=other {port}", "talker=talker {port} {mode}"]));
        let mut setup = Setup { broadcast: true, ..Setup::default() };
        let told_all = told(&servers, setup);
        assert!(told_all.contains(&("tokio-floor", "broadcast".into())));
        assert!(
            told_all.contains(&("talker", "broadcast".into())) && told_all.contains(&("ours", "99".into()))
        );
        assert!(told_all.iter().all(|(name, _)| !["tcp-echo", "other", "ours-owned"].contains(name)));
        setup.takeover = Some(Takeover::Reset);
        let talker = servers.iter().find(|server| server.name == "talker").expect("it was given");
        assert_eq!(talker.command(7, setup).expect("a part"), ["talker", "7", "nct", "broadcast"]);
        assert_eq!(told(&servers, setup).last(), Some(&("ours", "deflate".into())));
    }

    #[test]
    fn tls_and_threads_are_for_ours_and_the_floor() {
        let servers = all(&given(&["other=other {port} {mode}"]));
        let tls = Setup { tls: true, ..Setup::default() };
        assert_eq!(told(&servers, tls), [("tls-echo", "99".into()), ("ours", "--tls-self-signed".into())]);
        let threads = Setup { threads: Some(2), ..Setup::default() };
        assert_eq!(told(&servers, threads), [("ours", "127.0.0.1:99".into())]);
        assert!(told(&servers, Setup::default()).iter().all(|(name, _)| *name != "tls-echo"));
    }

    #[test]
    fn visits_are_for_all_who_shake_hands() {
        let servers = all(&given(&[]));
        let told =
            |visits| told(&servers, Setup { visits, ..Setup::default() }).into_iter().map(|(name, _)| name);
        let only =
            |some: Vec<_>, others: Vec<_>| some.into_iter().filter(|name| !others.contains(name)).collect();
        let (echoes, visits): (Vec<_>, Vec<_>) = (told(false).collect(), told(true).collect());
        let (only_echoes, only_visits): (Vec<_>, Vec<_>) =
            (only(echoes.clone(), visits.clone()), only(visits, echoes));
        assert_eq!((only_echoes, only_visits), (vec!["tcp-echo"], vec!["tcp-upgrade"]));
    }

    #[test]
    fn says_what_is_missing() {
        for name in ["ours", "ours-owned", "nothing"] {
            assert!(select(&[name.into()], &Given::default(), Path::new(""), Path::new("")).is_err());
        }
        assert!(named("other=other").is_err());
        assert!(named("={port}").is_err());
        assert!(named("@1={port}").is_err());
    }
}
