//! permessage-deflate, by level and takeover: a run of messages out through one chain, and in through the other.

use std::hint::black_box;

use anyhow::Context as _;
use ws_endpoint::deflate::{Level, Options, PermessageDeflate, Takeover};
use ws_endpoint::extensions::{Chain, Compress, MessageHead, Negotiated, Registry, SessionOptions};
use ws_endpoint::frame::{DataKind, Role};

use crate::case::{Case, Run};
use crate::material::quotes;

/// Messages of one run. Where contexts are kept, the first of a run find the last of the one before in the window.
const MESSAGES: u64 = 8;

pub(crate) fn cases() -> anyhow::Result<Vec<Case>> {
    let mut cases = Vec::new();
    for len in [1 << 10, 16 << 10] {
        for (name, takeover) in [("reset", Takeover::Reset), ("kept", Takeover::Keep)] {
            let options = Options::new().takeover(takeover).peer_takeover(takeover);
            for level in [1, 5, 7] {
                let options = options.level(Level::new(level)?);
                let name = format!("deflate/level-{level}/{name}/{len}");
                cases.push(Case::new(name, move || deflate(options, len)));
            }
            let name = format!("inflate/{name}/{len}");
            cases.push(Case::new(name, move || inflate(options, len)));
        }
    }
    Ok(cases)
}

/// Both ends of a connection.
fn ends(options: Options) -> anyhow::Result<(Negotiated, Negotiated)> {
    let mut registry = Registry::new();
    registry.register(PermessageDeflate::new(options))?;
    let offer = registry.offer(&SessionOptions::new(Role::Client, None));
    let server = registry.respond(offer.header(), &SessionOptions::new(Role::Server, None))?;
    let client = offer.activate(server.header.as_deref())?;
    Ok((client, server))
}

fn messages(len: usize) -> Vec<Vec<u8>> {
    (0..MESSAGES).map(|number| quotes(number, len)).collect()
}

const HEAD: MessageHead = MessageHead::new(DataKind::Text).with_compress(Compress::Yes);

fn deflate(options: Options, len: usize) -> anyhow::Result<Run> {
    let (mut client, _) = ends(options)?;
    let messages = messages(len);
    Ok(Box::new(move || {
        let made = messages.iter().filter(|message| pass(&mut client.outgoing, HEAD, message, |_, _| ()));
        made.count()
    }))
}

fn inflate(options: Options, len: usize) -> anyhow::Result<Run> {
    let (mut client, mut server) = ends(options)?;
    let mut wire = Vec::new();
    for message in messages(len) {
        let sent = pass(&mut client.outgoing, HEAD, &message, |head, data| wire.push((head, data.to_vec())));
        sent.then_some(()).context("a message was deferred")?;
    }
    Ok(Box::new(move || {
        let read = wire.iter().filter(|(head, data)| {
            pass(&mut server.incoming, *head, data, |_, data| {
                black_box(data);
            })
        });
        read.count()
    }))
}

/// Whether a message came out, which `then` looks at.
fn pass(chain: &mut Chain, head: MessageHead, data: &[u8], then: impl FnOnce(MessageHead, &[u8])) -> bool {
    let _ = black_box(chain.begin(head, Some(data.len())));
    chain.push(black_box(data), true);
    let Some(front) = chain.front() else { return false };
    then(front.head, black_box(front.data));
    chain.pop();
    true
}
