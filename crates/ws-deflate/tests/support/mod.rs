//! Two endpoints without a wire between them, and ways to drive their chains.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]

pub mod oracle;

use bytes::Bytes;
use ws_deflate::{Options, PermessageDeflate, WindowBits};
use ws_extensions::{Chain, ExtensionError, MessageHead, Negotiated, Registry, Route, SessionOptions};
use ws_frame::{DataKind, Role, Rsv};

pub fn bits(bits: u8) -> WindowBits {
    WindowBits::new(bits).unwrap()
}

pub fn registry(options: Options) -> Registry {
    let mut registry = Registry::new();
    registry.register(PermessageDeflate::new(options)).unwrap();
    registry
}

/// A server's end of a connection whose client sent this offer.
pub fn server(offer: &str, options: Options, limit: Option<usize>) -> Negotiated {
    registry(options).respond(Some(offer), &SessionOptions::new(Role::Server, limit)).unwrap()
}

/// A server that accepts whatever the offer says, and adds nothing: contexts are kept both ways.
pub fn plain_server(offer: &str) -> Negotiated {
    server(offer, Options::smallest(), None)
}

/// Both ends of a connection, client first, and the server's answer.
pub fn connect(client: Options, server: Options) -> (Negotiated, Negotiated, String) {
    connect_limited(client, server, None)
}

pub fn connect_limited(
    client: Options,
    server: Options,
    limit: Option<usize>,
) -> (Negotiated, Negotiated, String) {
    let offer = registry(client).offer(&SessionOptions::new(Role::Client, limit));
    let server = registry(server).respond(offer.header(), &SessionOptions::new(Role::Server, limit)).unwrap();
    let answer = server.header.clone().unwrap();
    (offer.activate(Some(&answer)).unwrap(), server, answer)
}

pub const COMPRESSED: MessageHead = MessageHead::new(DataKind::Binary).with_rsv(Rsv::RSV1);

/// Runs what was deferred, and takes out what is at the front: the head as it came out, and the payload.
fn drain(chain: &mut Chain, parts: &mut Vec<Vec<u8>>) -> Option<MessageHead> {
    while let Some((id, job)) = chain.next_job() {
        chain.complete_job(id, job.run().unwrap());
    }
    let front = chain.front()?;
    parts.push(front.data.split().to_vec());
    let (head, finished) = (front.head, front.finished);
    if finished {
        chain.pop();
        return Some(head);
    }
    None
}

/// Sends one message through a chain, in these parts. Gives the head and what each part has become.
pub fn pass(
    chain: &mut Chain,
    head: MessageHead,
    parts: &[&[u8]],
) -> Result<(MessageHead, Vec<Vec<u8>>), ExtensionError> {
    let len = if let [whole] = parts { Some(whole.len()) } else { None };
    if chain.begin(head, len) == Route::Direct {
        return Ok((head, parts.iter().map(|part| part.to_vec()).collect()));
    }
    let (last, rest) = parts.split_last().expect("a message has at least one part");
    let mut made = Vec::new();
    for part in rest {
        chain.push(part, false);
        drain(chain, &mut made);
    }
    chain.push(last, true);
    match drain(chain, &mut made) {
        Some(head) => Ok((head, made)),
        None => Err(chain.failure().expect("a message that does not come out has failed")),
    }
}

/// The same, of which only the payload matters.
pub fn pass_whole(chain: &mut Chain, head: MessageHead, parts: &[&[u8]]) -> Result<Vec<u8>, ExtensionError> {
    pass(chain, head, parts).map(|(_, made)| made.concat())
}

/// Compresses a message that is sent in one piece.
pub fn compress(chain: &mut Chain, data: &[u8]) -> Vec<u8> {
    let head = MessageHead::new(DataKind::Binary).with_compress(ws_extensions::Compress::Yes);
    let (head, made) = pass(chain, head, &[data]).unwrap();
    assert_eq!(head.rsv, Rsv::RSV1);
    made.concat()
}

/// Decompresses a message that came in one piece.
pub fn decompress(chain: &mut Chain, data: &[u8]) -> Result<Vec<u8>, ExtensionError> {
    let (head, made) = pass(chain, COMPRESSED, &[data])?;
    assert_eq!(head.rsv, Rsv::NONE);
    Ok(made.concat())
}

/// Cuts data at these places.
pub fn cut<'a>(data: &'a [u8], places: &[usize]) -> Vec<&'a [u8]> {
    let mut places: Vec<usize> = places.iter().map(|place| place % (data.len() + 1)).collect();
    places.sort_unstable();
    let mut parts = Vec::new();
    let mut start = 0;
    for place in places {
        parts.push(&data[start..place]);
        start = place;
    }
    parts.push(&data[start..]);
    parts
}

/// Text of the kind that is sent: words in an order of their own, the same for the same seed.
pub fn prose(seed: u64, len: usize) -> Vec<u8> {
    const WORDS: [&str; 12] = [
        "\"price\":",
        "message ",
        "{\"id\":",
        "the ",
        "connection",
        ",\n",
        "0.",
        "true",
        "window ",
        "}, ",
        "of ",
        "a ",
    ];
    let mut state = seed | 1;
    let mut text = Vec::with_capacity(len + 16);
    while text.len() < len {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let at = (state >> 33) as usize;
        if at.is_multiple_of(5) {
            text.extend_from_slice((at % 10_000).to_string().as_bytes());
        } else {
            text.extend_from_slice(WORDS[at % WORDS.len()].as_bytes());
        }
    }
    text.truncate(len);
    text
}

/// Bytes that nothing can be said about.
pub fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut state = seed | 1;
    std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 24) as u8
    })
    .take(len)
    .collect()
}

pub fn bytes(data: &[u8]) -> Bytes {
    Bytes::copy_from_slice(data)
}
