//! Goes through the table of settings of permessage-deflate with a peer in either role, and looks at the wire.

use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use ws_stack::{Connect, ServerConfig, Upgrade};

use super::{
    Failure, Language, Transport,
    conversations::{Conversation, conversations},
    matrix::{address, compare},
    ours,
    process::{Peer, Report, Role},
    settings::{Setting, settings},
    wire::{Relay, Wire, messages},
    within,
};

const NAME: &str = "permessage-deflate";

/// Our client against the peer's server in every setting. Gives how many there are.
pub(crate) async fn our_client_compresses(language: &Language) -> Result<Option<usize>, Failure> {
    go_through(language, Role::Server).await
}

/// Our server against the peer's client in every setting. Gives how many there are.
pub(crate) async fn our_server_compresses(language: &Language) -> Result<Option<usize>, Failure> {
    go_through(language, Role::Client).await
}

/// `None` where the peer cannot be had.
async fn go_through(language: &Language, role: Role) -> Result<Option<usize>, Failure> {
    let Some(installed) = language.install()? else { return Ok(None) };
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let mut peer = Peer::start(&installed, role, false).await?;
    let mut failures = Vec::new();
    let settings = settings(language.name, role)?;
    for setting in &settings {
        for conversation in conversations(setting, role, language.name) {
            let result = match role {
                Role::Client => serve(&listener, &mut peer, setting, &conversation).await,
                Role::Server => connect(&mut peer, setting, &conversation).await,
            };
            if let Err(failure) = result {
                failures.push(format!("{}, {}: {failure}", setting.name, conversation.name));
                // Whatever it was waiting for, the next conversation shall not wait for it.
                peer = Peer::start(&installed, role, false).await?;
            }
        }
    }
    if failures.is_empty() { Ok(Some(settings.len())) } else { Err(failures.join("\n").into()) }
}

/// One connection of our client to the peer's server.
async fn connect(peer: &mut Peer, setting: &Setting, conversation: &Conversation) -> Result<(), Failure> {
    peer.expect(&job(setting, conversation)).await?;
    let relay = Relay::start(peer.port).await?;
    let mut connect = Connect::new(&address(Transport::Tcp, "", relay.port, "/"))?;
    connect.config.set_deflate(setting.ours);
    let socket = within("our client", connect.open()).await??;
    let header = socket.response().and_then(|response| response.headers().get("sec-websocket-extensions"));
    let answer = header.and_then(|header| header.to_str().ok()).map(str::to_owned);
    let noted = Noted { extensions: socket.extensions().join(", "), header: answer, saw: Vec::new() };
    let saw = ours::play(socket, &conversation.ours.steps).await;
    let report = peer.report().await?;
    let noted = Noted { saw: saw.map_err(|failure| format!("{failure}; the peer: {report:?}"))?, ..noted };
    check_params("offer", header_of(&report), Some(&setting.offer))?;
    check_params("answer", noted.header.as_deref(), setting.answer.as_deref())?;
    judge(setting, conversation, &noted, &report)?;
    let Wire { from_client, from_server } = relay.wire().await?;
    conversation.ours.check("we", &messages(&from_client)?)?;
    conversation.theirs.check("the peer", &messages(&from_server)?)
}

/// One connection of the peer's client to our server.
async fn serve(
    listener: &TcpListener,
    peer: &mut Peer,
    setting: &Setting,
    conversation: &Conversation,
) -> Result<(), Failure> {
    let relay = Relay::start(listener.local_addr()?.port()).await?;
    let mut job = job(setting, conversation);
    job["url"] = address(Transport::Tcp, "", relay.port, "/").into();
    peer.connect(&job).await?;
    let (tcp, _) = within("the peer's client", listener.accept()).await??;
    tcp.set_nodelay(true)?;
    let noted = answer(tcp, setting, conversation).await;
    let report = peer.report().await?;
    let noted = noted.map_err(|failure| format!("{failure}; the peer: {report:?}"))?;
    check_params("offer", noted.header.as_deref(), Some(&setting.offer))?;
    check_params("answer", header_of(&report), setting.answer.as_deref())?;
    judge(setting, conversation, &noted, &report)?;
    let Wire { from_client, from_server } = relay.wire().await?;
    conversation.theirs.check("the peer", &messages(&from_client)?)?;
    conversation.ours.check("we", &messages(&from_server)?)
}

/// What we have noted of a connection.
struct Noted {
    extensions: String,
    /// The other side's `Sec-WebSocket-Extensions`.
    header: Option<String>,
    saw: Vec<String>,
}

async fn answer(tcp: TcpStream, setting: &Setting, conversation: &Conversation) -> Result<Noted, Failure> {
    let mut config = ServerConfig::default();
    config.set_deflate(setting.ours);
    let upgrade = within("the request", Upgrade::read(tcp, &config.into())).await??;
    let header = upgrade.facts().extensions().map(str::to_owned);
    let socket = within("our answer", upgrade.accept()).await??;
    let extensions = socket.extensions().join(", ");
    Ok(Noted { extensions, header, saw: ours::play(socket, &conversation.ours.steps).await? })
}

fn job(setting: &Setting, conversation: &Conversation) -> Value {
    let steps: Vec<_> = conversation.theirs.steps.iter().map(|step| step.json()).collect();
    json!({ "steps": steps, "deflate": setting.theirs })
}

/// The header that the peer was sent.
fn header_of(report: &Report) -> Option<&str> {
    report.opened.as_ref()?["headers"]["sec-websocket-extensions"].as_str()
}

/// Whether a header has these parameters, in whichever order.
fn check_params(what: &str, header: Option<&str>, params: Option<&str>) -> Result<(), Failure> {
    let sorted = |header: &str| {
        let mut params: Vec<_> = header.split("; ").map(str::to_owned).collect();
        params.sort_unstable();
        params
    };
    let expected =
        params.map(|params| if params.is_empty() { NAME.into() } else { format!("{NAME}; {params}") });
    if header.map(sorted) == expected.as_deref().map(sorted) {
        return Ok(());
    }
    Err(format!("the {what} should be {expected:?}, but is {header:?}").into())
}

fn judge(
    setting: &Setting,
    conversation: &Conversation,
    noted: &Noted,
    report: &Report,
) -> Result<(), Failure> {
    let name = if setting.answer.is_some() { NAME } else { "" };
    let theirs = report.opened.as_ref().and_then(|opened| opened["extensions"].as_str());
    if noted.extensions != name || theirs != Some(name) {
        return Err(format!("in use: {:?} by us, {theirs:?} by the peer", noted.extensions).into());
    }
    compare("we", &conversation.ours.sees, &noted.saw)?;
    compare("the peer", &conversation.theirs.sees, &report.saw)
        .map_err(|failure| format!("{failure} {:?}", report.errors).into())
}
