//! The options of `ws connect`.

use std::{path::PathBuf, time::Duration};

use ws_stack::handshake::ProxyAddress;

/// Connect to a WebSocket server: a prompt in a terminal, a filter in a pipe
///
/// At a prompt each line is a message, what comes in is printed above it, and Ctrl-D closes the connection. In a pipe each
/// line of standard input is a message, each message a line of standard output; at the end of the input the connection is
/// closed, and what still comes until the server has closed is printed. Control characters are printed escaped, binary
/// messages in hex.
///
/// The last line on standard error says how the connection was closed. The exit status is 0 after the codes 1000 and 1001
/// and a close without a code, 1 after any other end, 2 if there was no connection.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Address: ws:// or wss://, with user:password@ where the server asks for it
    pub(crate) url: String,

    /// Header of the opening handshake; may be repeated
    #[arg(short = 'H', long, value_name = "NAME: VALUE", value_parser = header)]
    pub(crate) header: Vec<(String, String)>,

    /// Origin to name, as a browser names its page's
    #[arg(short, long, value_name = "ORIGIN")]
    pub(crate) origin: Option<String>,

    /// Subprotocol to ask for, most wanted first; may be repeated
    #[arg(short, long, value_name = "NAME")]
    pub(crate) subprotocol: Vec<String>,

    /// Accept any certificate: for servers with one of their own making, on networks that you trust
    #[arg(short, long)]
    pub(crate) no_check: bool,

    /// Trust the certificates in this PEM file, instead of the system's
    #[arg(long, value_name = "FILE", conflicts_with = "no_check")]
    pub(crate) ca: Option<PathBuf>,

    /// Basic authentication
    #[arg(long, value_name = "USER:PASSWORD", value_parser = credentials)]
    pub(crate) auth: Option<(String, String)>,

    /// Proxy to connect through: http://, https:// or socks5://, with user:password@ where it asks for it. Without this
    /// option the variables of the environment are heeded that name proxies to other programs
    #[arg(long, value_name = "ADDRESS", conflicts_with = "no_proxy")]
    pub(crate) proxy: Option<ProxyAddress>,

    /// Connect directly, whatever the environment says
    #[arg(long)]
    pub(crate) no_proxy: bool,

    /// How many redirects to follow; credentials stay with the server that they are for
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) max_redirects: usize,

    /// Show pings and pongs that come in
    #[arg(short = 'P', long)]
    pub(crate) show_ping_pong: bool,

    /// Send lines as binary messages, which need not be UTF-8
    #[arg(long)]
    pub(crate) binary: bool,

    /// How long to stay when the input has ended, for servers that answer later
    #[arg(long, value_name = "SECONDS", default_value = "0", value_parser = seconds)]
    pub(crate) wait: Duration,
}

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("a header is written NAME: VALUE")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

fn credentials(text: &str) -> Result<(String, String), String> {
    let (user, password) = text.split_once(':').ok_or("credentials are written USER:PASSWORD")?;
    Ok((user.to_owned(), password.to_owned()))
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().map_err(|_| "a number of seconds, such as 2 or 0.5")?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_cut_at_their_first_colon() {
        assert_eq!(header("X-Time: 12:30 "), Ok(("X-Time".to_owned(), "12:30".to_owned())));
        assert_eq!(credentials("me:a:b "), Ok(("me".to_owned(), "a:b ".to_owned())));
        assert!(header("X-Time").is_err() && credentials("me").is_err());
    }

    #[test]
    fn seconds_may_have_fractions_and_no_sign() {
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
        for text in ["", "-1", "NaN", "inf", "1e300", "soon"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }
}
