//! Three who judge a stream: our receiver, the payloads joined and inflated, and a receiver of another make.

use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use deflate_judge::connection::{Builder, Error};
use deflate_judge::extension::deflate::Deflate;
use deflate_judge::extension::{Extension, Param};
use deflate_judge::{Data, Incoming, Mode};
use futures_io::{AsyncRead, AsyncWrite};
use ws_deflate::{Options, Takeover};
use ws_driver::{Config, Progress, Role};
use ws_extensions::{Negotiated, Registry, SessionOptions};
use ws_testkit::{End, Endpoint, Seen};

use crate::inflation::{Ending, inflate};
use crate::messages::{Message, RSV1};
use crate::{Setup, Verdict, support};

/// How far back a message may refer (RFC 7692 section 7.1.2).
const WINDOW: usize = 1 << 15;

/// What we say. Receivers of one registry share what they inflate with.
pub fn ours<'a>(registry: &Registry, setup: Setup, pieces: impl IntoIterator<Item = &'a [u8]>) -> Verdict {
    let mut config = Config::new(setup.role);
    config.limits.max_message_len = setup.limit;
    let mut endpoint = Endpoint::negotiated(config, negotiated(registry, setup));
    for piece in pieces {
        if endpoint.read(piece) == Progress::Closed {
            break;
        }
    }
    let _progress = endpoint.end_of_stream();
    Verdict { end: endpoint.end(), seen: endpoint.seen }
}

/// Our extension, as it is agreed.
pub fn registry(setup: Setup) -> Registry {
    let takeover = if setup.keeps { Takeover::Keep } else { Takeover::Reset };
    support::registry(Options::new().takeover(takeover).peer_takeover(takeover))
}

fn negotiated(registry: &Registry, Setup { role, keeps, limit }: Setup) -> Negotiated {
    let options = SessionOptions::new(role, Some(limit));
    match role {
        Role::Server => {
            registry.respond(Some("permessage-deflate"), &options).expect("the offer is well formed")
        }
        Role::Client => {
            let answer = if keeps { "" } else { "; server_no_context_takeover; client_no_context_takeover" };
            let answer = format!("permessage-deflate{answer}");
            registry.offer(&options).activate(Some(&answer)).expect("what was asked for is granted")
        }
    }
}

/// What the payloads say, joined.
#[derive(Debug, Default)]
pub struct Joined {
    pub seen: Vec<Seen>,
    /// The codes for what is wrong with the next message.
    pub faults: Vec<u16>,
    /// About how many messages another receiver can be asked.
    pub asked: usize,
    /// What came out of the message that is not whole.
    pub part: Option<Seen>,
}

impl Joined {
    /// Panics when we have seen anything else, or have found a fault that is none.
    pub fn judge(&self, ours: &Verdict) {
        assert_eq!(ours.seen, self.seen);
        let is_right = match ours.end {
            End::Failed(code) => self.faults.contains(&code),
            _ => self.faults.is_empty() && ours.end == End::Lost,
        };
        assert!(is_right, "{:?} for {:?}", ours.end, self.faults);
    }

}

pub fn joined(setup: Setup, messages: &[Message]) -> Joined {
    let (mut joined, mut window, mut asks) = (Joined::default(), Vec::new(), true);
    for Message { frames } in messages {
        // RFC 7692 section 6.1: RSV1 is for the first frame of a message, and the other bits are for nobody.
        let is_odd = |at: usize, rsv: u8| rsv & 0b011 != 0 || at > 0 && rsv != 0;
        let odd = frames.iter().enumerate().position(|(at, frame)| is_odd(at, frame.rsv));
        let judged = &frames[..odd.unwrap_or(frames.len())];
        let payload: Vec<u8> = judged.iter().flat_map(|frame| frame.payload.iter().copied()).collect();
        joined.faults.extend(odd.map(|_| 1002));
        joined.faults.extend((payload.len() > setup.limit).then_some(1009));

        let (is_text, is_compressed) = (frames[0].opcode == 1, frames[0].rsv & RSV1 != 0);
        let (mut data, mut breaks_off) = (payload, odd.is_some());
        if is_compressed {
            let inflation = inflate(&window, &data, setup.limit);
            match inflation.end {
                Ending::Whole => {}
                // What is not over yet can be cut.
                Ending::Cut if odd.is_some() => {}
                Ending::Cut | Ending::Corrupt => joined.faults.push(1007),
                Ending::TooBig => joined.faults.push(1009),
            }
            breaks_off |= inflation.end != Ending::Whole;
            data = inflation.data;
            asks &= !inflation.has_final_block;
        }
        if is_text && let Err(error) = str::from_utf8(&data) {
            let is_open = breaks_off && error.error_len().is_none();
            joined.faults.extend((!is_open).then_some(1007));
            asks = false;
        }
        // It passes over what is empty, and knows no limit for what comes out.
        asks &= odd.is_none() && !joined.faults.contains(&1009);
        asks &= frames.len() == 1 || frames.iter().all(|frame| !frame.payload.is_empty());
        joined.asked += usize::from(asks);
        let seen = if is_text { Seen::text(&data) } else { Seen::binary(&data) };
        if !joined.faults.is_empty() {
            joined.part = Some(seen);
            break;
        }
        if is_compressed && setup.keeps {
            window.extend_from_slice(&data);
            window.drain(..window.len().saturating_sub(WINDOW));
        }
        joined.seen.push(seen);
    }
    joined
}

/// What the other receiver says.
pub fn other(role: Role, stream: &[u8]) -> Verdict {
    let mode = if role == Role::Server { Mode::Server } else { Mode::Client };
    let mut deflate = Deflate::new(mode);
    let agreed = [Param::new("server_no_context_takeover"), Param::new("client_no_context_takeover")];
    deflate.configure(&agreed).expect("it keeps no contexts");
    let mut builder = Builder::new(Played(stream), mode);
    builder.add_extensions([Box::new(deflate) as Box<dyn Extension + Send>]);
    let (_sender, mut receiver) = builder.finish();
    let mut seen = Vec::new();
    let end = loop {
        let mut message = Vec::new();
        let mut context = Context::from_waker(Waker::noop());
        let Poll::Ready(received) = pin!(receiver.receive(&mut message)).poll(&mut context) else {
            unreachable!("what is in memory is always ready")
        };
        match received {
            Ok(Incoming::Data(Data::Text(_))) => seen.push(Seen::Text(message)),
            Ok(Incoming::Data(Data::Binary(_))) => seen.push(Seen::Binary(message)),
            Err(Error::Closed) => break End::Lost,
            Err(Error::Extension(_)) => break End::Failed(1007),
            other => panic!("no verdict: {other:?}"),
        }
    };
    Verdict { seen, end }
}

/// A transport that plays a stream and then ends; what is written goes nowhere.
struct Played<'a>(&'a [u8]);

impl AsyncRead for Played<'_> {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(io::Read::read(&mut self.0, buf))
    }
}

impl AsyncWrite for Played<'_> {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
