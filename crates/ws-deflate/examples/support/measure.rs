//! Times messages through both chains.

use std::{
    error::Error,
    time::{Duration, Instant},
};

use ws_deflate::{Options, PermessageDeflate};
use ws_extensions::{Chain, Compress, MessageHead, Registry, SessionOptions};
use ws_frame::{DataKind, Role};

/// The quickest of each message counts: whatever else the machine does makes the others slower.
const ROUNDS: usize = 15;

/// Ratio, and the fewest microseconds for a message in each direction.
pub(crate) fn best(options: Options, messages: &[&[u8]]) -> Result<(f64, f64, f64), Box<dyn Error>> {
    let mut quickest = vec![[Duration::MAX; 2]; messages.len()];
    let mut after = 0;
    for _ in 0..ROUNDS {
        after = run(options, messages, &mut quickest)?;
    }
    let before: usize = messages.iter().map(|message| message.len()).sum();
    let each = |direction: usize| {
        let time: Duration = quickest.iter().map(|message| message[direction]).sum();
        time.as_secs_f64() * 1e6 / messages.len() as f64
    };
    Ok((before as f64 / after as f64, each(0), each(1)))
}

/// One round; the bytes on the wire.
fn run(
    options: Options,
    messages: &[&[u8]],
    quickest: &mut [[Duration; 2]],
) -> Result<usize, Box<dyn Error>> {
    let mut registry = Registry::new();
    registry.register(PermessageDeflate::new(options))?;
    let offer = registry.offer(&SessionOptions::new(Role::Client, None));
    let mut server = registry.respond(offer.header(), &SessionOptions::new(Role::Server, None))?;
    let mut client = offer.activate(server.header.as_deref())?;
    let head = MessageHead::new(DataKind::Binary).with_compress(Compress::Yes);
    let mut after = 0;
    for (message, [compress, decompress]) in messages.iter().zip(quickest) {
        let begun = Instant::now();
        let (head, payload) = pass(&mut client.outgoing, head, message).ok_or("a message was lost")?;
        *compress = begun.elapsed().min(*compress);
        after += payload.len();
        let begun = Instant::now();
        let (_, received) = pass(&mut server.incoming, head, &payload).ok_or("a message was refused")?;
        *decompress = begun.elapsed().min(*decompress);
        if received != *message {
            return Err("a message was changed".into());
        }
    }
    Ok(after)
}

fn pass(chain: &mut Chain, head: MessageHead, data: &[u8]) -> Option<(MessageHead, Vec<u8>)> {
    let _ = chain.begin(head, Some(data.len()));
    chain.push(data, true);
    let front = chain.front()?;
    let made = (front.head, front.data.to_vec());
    chain.pop();
    Some(made)
}
