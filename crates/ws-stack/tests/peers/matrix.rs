//! Goes through the table of scenarios with a peer in either role.

use serde_json::{Value, json};
use tokio::net::TcpListener;
use ws_stack::{Connect, Upgrade, extensions::Registry};

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

/// Our client against the peer's server, in every scenario.
pub(crate) async fn our_client_plays(language: &Language, transport: Transport) -> Result<(), Failure> {
    go_through(language, transport, Role::Server).await
}

/// Our server against the peer's client, in every scenario.
pub(crate) async fn our_server_plays(language: &Language, transport: Transport) -> Result<(), Failure> {
    go_through(language, transport, Role::Client).await
}

async fn go_through(language: &Language, transport: Transport, role: Role) -> Result<(), Failure> {
    let Some(installed) = language.install()? else { return Ok(()) };
    let table = Table { installed, transport, listener: TcpListener::bind("127.0.0.1:0").await? };
    let is_tls = transport == Transport::Tls;
    let mut peer = Peer::start(&table.installed, role, is_tls).await?;
    let mut failures = Vec::new();
    for scenario in scenarios() {
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
        connect.config.extensions = Registry::new();
        let socket = within("our client", connect.open()).await??;
        let noted = ours::play(socket, &scenario.ours.steps).await;
        let report = peer.report().await?;
        judge(scenario, noted, &report)
    }

    /// One connection of the peer's client to our server.
    async fn serve(&self, peer: &mut Peer, scenario: &Scenario) -> Result<(), Failure> {
        let mut job = job(scenario);
        job["url"] = address(self.transport, "", self.listener.local_addr()?.port(), "/").into();
        peer.connect(&job).await?;
        let (tcp, _) = within("the peer's client", self.listener.accept()).await??;
        let noted = match self.transport {
            Transport::Tcp => serve(tcp, scenario).await,
            Transport::Tls => {
                let accept = tls::acceptor(&self.installed.tls)?.accept(tcp);
                serve(within("TLS", accept).await??, scenario).await
            }
        };
        let report = peer.report().await?;
        judge(scenario, noted, &report)
    }
}

/// Where a server is; `user` is empty or ends with `@`.
pub(crate) fn address(transport: Transport, user: &str, port: u16, path: &str) -> String {
    let scheme = if transport == Transport::Tls { "wss" } else { "ws" };
    format!("{scheme}://{user}127.0.0.1:{port}{path}")
}

async fn serve<S>(stream: S, scenario: &Scenario) -> Result<Vec<String>, Failure>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let upgrade = within("the request", Upgrade::read(stream, &Default::default())).await??;
    // Both peers offer compression, and go on without it.
    if upgrade.facts().extensions().is_none_or(|offer| !offer.contains("permessage-deflate")) {
        return Err("the peer does not offer permessage-deflate".into());
    }
    let socket = within("our answer", upgrade.accept()).await??;
    ours::play(socket, &scenario.ours.steps).await
}

fn job(scenario: &Scenario) -> Value {
    json!({ "steps": scenario.theirs.steps.iter().map(|step| step.json()).collect::<Vec<_>>() })
}

fn judge(scenario: &Scenario, noted: Result<Vec<String>, Failure>, report: &Report) -> Result<(), Failure> {
    let noted = noted.map_err(|failure| format!("{failure}; the peer: {report:?}"))?;
    let opened = report.opened.as_ref().ok_or_else(|| format!("the peer has not opened: {report:?}"))?;
    if opened["extensions"] != "" {
        return Err(format!("the peer uses {}", opened["extensions"]).into());
    }
    compare("we", &scenario.ours.sees, &noted)?;
    compare("the peer", &scenario.theirs.sees, &report.saw)
        .map_err(|failure| format!("{failure} {:?}", report.errors).into())
}

fn compare(who: &str, expected: &[Sight], noted: &[String]) -> Result<(), Failure> {
    let is_same =
        expected.len() == noted.len() && expected.iter().zip(noted).all(|(sight, line)| sight.is(line));
    if is_same {
        return Ok(());
    }
    let expected: Vec<_> = expected.iter().map(ToString::to_string).collect();
    Err(format!("{who} should see {expected:?}, but saw {noted:?}").into())
}
