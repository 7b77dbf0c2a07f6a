//! A connection between the user's lines and the user's screen.

use std::{
    future::{pending, poll_fn},
    io,
    pin::pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::{self, Instant},
};
use ws_stack::{CloseCode, Error, Event, Message, Text, WebSocket};

use super::{
    end::End,
    input::{Input, Inputs},
    output::Output,
};
use crate::signals::Signals;

/// Above so many bytes that wait to be sent, lines stay where they are.
const MARK: usize = 1 << 20;

/// How a session behaves.
#[derive(Debug)]
pub(super) struct Options {
    /// Whether lines are sent as binary messages.
    pub(super) binary: bool,
    /// Whether pings and pongs are shown.
    pub(super) shows_pings: bool,
    /// How long to stay behind the end of the input.
    pub(super) wait: Duration,
}

struct Session<'a, S> {
    ws: WebSocket<S>,
    inputs: Inputs,
    output: Output,
    options: &'a Options,
    state: State,
    /// The first thing that went wrong.
    failure: Option<String>,
}

/// How far the talk has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Lines are sent.
    Talking,
    /// The input has ended; closes when this has come.
    Waiting(Instant),
    /// A Close was sent; what still comes is printed.
    Closing,
}

/// What happens next.
enum Step {
    /// Something came in, and was printed, if that worked.
    Shown(io::Result<()>),
    /// The user says something; `None` at the end of the input.
    Input(Option<Input>),
    /// The connection has ended.
    Ended(Option<Error>),
}

/// Talks until the connection has ended.
pub(super) async fn run<S>(
    ws: WebSocket<S>,
    inputs: Inputs,
    output: Output,
    options: &Options,
    mut signals: Signals,
) -> End
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut session = Session { ws, inputs, output, options, state: State::Talking, failure: None };
    loop {
        let state = session.state;
        let step = tokio::select! {
            step = poll_fn(|cx| session.poll_step(cx)) => step,
            () = until(state) => {
                session.close();
                continue;
            }
            () = signals.next() => {
                if state == State::Closing {
                    session.fail("interrupted");
                    break;
                }
                session.close();
                continue;
            }
        };
        match step {
            Step::Shown(Ok(())) => {}
            // Nobody reads on, as behind `| head -1`: that is the end, and no failure.
            Step::Shown(Err(_)) => session.close(),
            Step::Input(input) => session.take(input),
            Step::Ended(error) => {
                if let Some(error) = error {
                    session.fail(error.to_string());
                }
                break;
            }
        }
    }
    End::new(session.ws.closed(), session.failure)
}

/// Ready when a wait is over; never in another state.
async fn until(state: State) {
    match state {
        State::Waiting(end) => time::sleep_until(end).await,
        State::Talking | State::Closing => pending().await,
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Session<'_, S> {
    /// Lines first, as long as there is room for them; then the connection, which makes room while it waits.
    fn poll_step(&mut self, cx: &mut Context<'_>) -> Poll<Step> {
        loop {
            let has_room = self.ws.queued() < MARK;
            if has_room
                && self.state == State::Talking
                && let Poll::Ready(input) = self.inputs.poll_recv(cx)
            {
                return Poll::Ready(Step::Input(input));
            }
            // The future holds no state: what it has done is in the connection, and it may be made anew for each poll.
            let step = pin!(self.ws.recv_event()).poll(cx).map(|event| match event {
                Some(Ok(event)) => Step::Shown(show(&self.output, self.options, &event)),
                Some(Err(error)) => Step::Ended(Some(error)),
                None => Step::Ended(None),
            });
            let has_made_room = !has_room && self.ws.queued() < MARK;
            if step.is_ready() || !has_made_room {
                return step;
            }
        }
    }

    fn take(&mut self, input: Option<Input>) {
        match input {
            Some(Input::Line(line)) => self.send(line),
            Some(Input::Failed(error)) => {
                self.fail(error);
                self.close();
            }
            None if self.options.wait.is_zero() => self.close(),
            None => match Instant::now().checked_add(self.options.wait) {
                Some(end) => self.state = State::Waiting(end),
                None => self.close(),
            },
        }
    }

    /// Queues a line; it leaves while the next event is waited for.
    fn send(&mut self, line: Vec<u8>) {
        let message = if self.options.binary {
            Message::binary(line)
        } else {
            match Text::from_utf8(line) {
                Ok(text) => Message::Text(text),
                Err(_) => {
                    self.fail("a line of the input is not UTF-8: send it with --binary");
                    return self.close();
                }
            }
        };
        let (_, tx) = self.ws.halves();
        if tx.send(message).is_err() {
            // The connection is closing already; how it ends is told when it has.
            self.close();
        }
    }

    /// Queues a Close, and goes on receiving until the peer has answered.
    fn close(&mut self) {
        let (_, tx) = self.ws.halves();
        // It fails for a long reason only.
        let _ = tx.close(CloseCode::NORMAL, "");
        self.state = State::Closing;
    }

    fn fail(&mut self, failure: impl Into<String>) {
        self.failure.get_or_insert_with(|| failure.into());
    }
}

fn show(output: &Output, options: &Options, event: &Event<'_>) -> io::Result<()> {
    match event {
        Event::Message(message) => output.message(message.kind(), message.as_bytes()),
        Event::Ping(data) if options.shows_pings => output.control("ping", data),
        Event::Pong(data) if options.shows_pings => output.control("pong", data),
        _ => Ok(()),
    }
}
