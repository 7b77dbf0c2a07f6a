//! From the options to an open connection.

use ws_stack::{ClientStream, Connect, Limits, WebSocket, handshake::ClientRequestError};

use super::{args::Args, hint, tls};

/// Opens the connection.
///
/// # Errors
/// What to tell the user, with what may help.
pub(super) async fn open(args: &Args) -> Result<WebSocket<ClientStream>, String> {
    let mut connect = request(args).map_err(|error| hint::request(&args.url, &error))?;
    // Even for ws://, which may lead to wss://.
    connect.tls = tls::config(args.no_check, args.ca.as_deref()).map_err(|error| format!("{error:#}"))?;
    connect = match &args.proxy {
        Some(proxy) => connect.proxy(proxy.clone()),
        None => connect.proxy_from_env().map_err(|error| error.to_string())?,
    };
    if args.no_proxy {
        connect = connect.no_proxy_for("*");
    }
    connect = connect.follow_redirects(args.max_redirects);
    // A connection that holds back what arrives while much waits to be sent would stand still in front of a server that
    // does the same: the session bounds what it queues itself.
    connect.config.connection.limits.high_water_mark = Limits::UNLIMITED;
    connect.open().await.map_err(|error| hint::connection(&error))
}

fn request(args: &Args) -> Result<Connect, ClientRequestError> {
    let mut connect = Connect::new(&args.url)?;
    let mut request = connect.request;
    for (name, value) in &args.header {
        request = request.header(name.as_str(), value.as_str())?;
    }
    if let Some(origin) = &args.origin {
        request = request.origin(origin)?;
    }
    if let Some((user, password)) = &args.auth {
        request = request.basic_auth(user, password)?;
    }
    connect.request = request.subprotocols(&args.subprotocol)?;
    Ok(connect)
}
