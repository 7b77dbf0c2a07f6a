//! Goes through the table of scenarios with a peer in either role.

use serde_json::{Value, json};
use tokio::net::TcpListener;
use ws_stack::{Connect, ServerConfig, Upgrade, deflate::Options, extensions::Registry};

use super::{
    Failure, Language,
    install::Installed,
    ours,
    process::{Peer, Report, Role},
    scenarios::{Scenario, scenarios},
    script::Sight,
    tls, within,
};

/// What is below the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    Tcp,
    Tls,
}

/// Whether permessage-deflate is in use. Peers are always ready for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compression {
    Off,
    On,
}

/// Our client against the peer's server, in every scenario.
pub(crate) async fn our_client_plays(
    language: &Language,
    transport: Transport,
    compression: Compression,
) -> Result<(), Failure> {
    go_through(language, transport, compression, Role::Server).await
}

/// Our server against the peer's client, in every scenario.
pub(crate) async fn our_server_plays(
    language: &Language,
    transport: Transport,
    compression: Compression,
) -> Result<(), Failure> {
    go_through(language, transport, compression, Role::Client).await
}

async fn go_through(
    language: &Language,
    transport: Transport,
    compression: Compression,
    role: Role,
) -> Result<(), Failure> {
    let Some(installed) = language.install()? else { return Ok(()) };
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let table = Table { installed, transport, compression, listener };
    let is_tls = transport == Transport::Tls;
    let mut peer = Peer::start(&table.installed, role, is_tls).await?;
    let mut failures = Vec::new();
    for scenario in scenarios(compression) {
        let result = match role {
            Role::Client => table.serve(&mut peer, &scenario).await,
            Role::Server => table.connect(&mut peer, &scenario).await,
        };
        if let Err(failure) = result {
            failures.push(format!("{}: {failure}", scenario.name));
            // Whatever it was waiting for, the next scenario shall not wait for it.
            peer = Peer::start(&table.installed, role, is_tls).await?;
        }
    }
    if failures.is_empty() { Ok(()) } else { Err(failures.join("\n").into()) }
}

struct Table {
    installed: Installed,
    transport: Transport,
    compression: Compression,
    /// Where our server listens.
    listener: TcpListener,
}

impl Table {
    /// One connection of our client to the peer's server.
    async fn connect(&self, peer: &mut Peer, scenario: &Scenario) -> Result<(), Failure> {
        peer.expect(&job(scenario)).await?;
        let mut connect = Connect::new(&address(self.transport, "", peer.port, "/"))?;
        if self.transport == Transport::Tls {
            connect.tls = Some(tls::client_config(&self.installed.tls)?);
        }
        if self.compression == Compression::Off {
            connect.config.extensions = Registry::new();
        }
        let socket = within("our client", connect.open()).await??;
        let noted = ours::play(socket, &scenario.ours.steps).await;
        let report = peer.report().await?;
        judge(scenario, self.compression, noted, &report)
    }

    /// One connection of the peer's client to our server.
    async fn serve(&self, peer: &mut Peer, scenario: &Scenario) -> Result<(), Failure> {
        let mut job = job(scenario);
        job["url"] = address(self.transport, "", self.listener.local_addr()?.port(), "/").into();
        peer.connect(&job).await?;
        let (tcp, _) = within("the peer's client", self.listener.accept()).await??;
        let noted = match self.transport {
            Transport::Tcp => serve(tcp, self.compression, scenario).await,
            Transport::Tls => {
                let accept = tls::acceptor(&self.installed.tls)?.accept(tcp);
                serve(within("TLS", accept).await??, self.compression, scenario).await
            }
        };
        let report = peer.report().await?;
        judge(scenario, self.compression, noted, &report)
    }
}

/// Where a server is; `user` is empty or ends with `@`.
pub(crate) fn address(transport: Transport, user: &str, port: u16, path: &str) -> String {
    let scheme = if transport == Transport::Tls { "wss" } else { "ws" };
    format!("{scheme}://{user}127.0.0.1:{port}{path}")
}

async fn serve<S>(stream: S, compression: Compression, scenario: &Scenario) -> Result<Vec<String>, Failure>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let mut config = ServerConfig::default();
    if compression == Compression::On {
        config.set_deflate(Options::new());
    }
    let upgrade = within("the request", Upgrade::read(stream, &config.into())).await??;
    // Both peers offer compression, and go on without it if they must.
    if upgrade.facts().extensions().is_none_or(|offer| !offer.contains("permessage-deflate")) {
        return Err("the peer does not offer permessage-deflate".into());
    }
    let socket = within("our answer", upgrade.accept()).await??;
    ours::play(socket, &scenario.ours.steps).await
}

fn job(scenario: &Scenario) -> Value {
    json!({ "steps": scenario.theirs.steps.iter().map(|step| step.json()).collect::<Vec<_>>() })
}

fn judge(
    scenario: &Scenario,
    compression: Compression,
    noted: Result<Vec<String>, Failure>,
    report: &Report,
) -> Result<(), Failure> {
    let noted = noted.map_err(|failure| format!("{failure}; the peer: {report:?}"))?;
    let opened = report.opened.as_ref().ok_or_else(|| format!("the peer has not opened: {report:?}"))?;
    let in_use = if compression == Compression::On { "permessage-deflate" } else { "" };
    if opened["extensions"] != in_use {
        return Err(format!("the peer uses {}, not {in_use:?}", opened["extensions"]).into());
    }
    compare("we", &scenario.ours.sees, &noted)?;
    compare("the peer", &scenario.theirs.sees, &report.saw)
        .map_err(|failure| format!("{failure} {:?}", report.errors).into())
}

pub(crate) fn compare(who: &str, expected: &[Sight], noted: &[String]) -> Result<(), Failure> {
    let is_same =
        expected.len() == noted.len() && expected.iter().zip(noted).all(|(sight, line)| sight.is(line));
    if is_same {
        return Ok(());
    }
    let expected: Vec<_> = expected.iter().map(ToString::to_string).collect();
    Err(format!("{who} should see {expected:?}, but saw {noted:?}").into())
}
