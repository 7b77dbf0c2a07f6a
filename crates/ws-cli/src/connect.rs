//! `ws connect`: a client for people, with a prompt, and for pipes.
//!
//! Lines come from a thread of their own ([`input`]: a prompt or a pipe), the connection lives in [`session`], what it
//! says is put into lines by [`show`] and printed by [`output`].

mod args;
mod end;
mod hint;
mod input;
mod open;
mod output;
mod pipe;
mod prompt;
mod screen;
mod session;
mod show;
mod tls;

use std::{
    io::{self, IsTerminal},
    process::ExitCode,
};

use tokio::runtime::Builder;
use ws_stack::http::header::SEC_WEBSOCKET_EXTENSIONS;

pub(crate) use self::args::Args;
use self::{end::End, output::Output, show::Line};
use crate::{print, signals::Signals};

/// The status for a connection that could not be opened; clap has the same for bad options.
const NOT_OPENED: u8 = 2;

/// Connects, talks until one side closes, and gives the exit status.
pub(crate) fn run(args: &Args) -> ExitCode {
    let runtime = match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return not_opened(&format!("cannot start a runtime: {error}")),
    };
    let opened = runtime.block_on(async {
        let mut signals = Signals::new().map_err(|error| format!("cannot listen for signals: {error}"))?;
        tokio::select! {
            opened = open::open(args) => Ok((opened?, signals)),
            () = signals.next() => Err("interrupted".to_owned()),
        }
    });
    let (ws, signals) = match opened {
        Ok(opened) => opened,
        Err(error) => return not_opened(&error),
    };
    let options = session::Options { binary: args.binary, shows_pings: args.show_ping_pong, wait: args.wait };
    let end: End = if io::stdin().is_terminal() && io::stdout().is_terminal() {
        let subprotocol = ws.subprotocol().map(|name| format!(", subprotocol {name}")).unwrap_or_default();
        let extensions = ws.response().and_then(|response| response.headers().get(SEC_WEBSOCKET_EXTENSIONS));
        let extensions = extensions.and_then(|list| list.to_str().ok());
        let extensions = extensions.map(|list| format!(", {list}")).unwrap_or_default();
        print::error(format_args!("connected{}; Ctrl-D closes", Line(&format!("{subprotocol}{extensions}"))));
        prompt::with(|input, output| runtime.block_on(session::run(ws, input, output, &options, signals)))
    } else {
        runtime.block_on(session::run(ws, pipe::read(), Output::Pipe, &options, signals))
    };
    print::error(format_args!("{}", Line(&end.to_string())));
    // Not the runtime's own way to end: a thread may be reading standard input for ever.
    runtime.shutdown_background();
    end.status()
}

fn not_opened(error: &str) -> ExitCode {
    print::error(format_args!("error: {}", Line(error)));
    ExitCode::from(NOT_OPENED)
}
