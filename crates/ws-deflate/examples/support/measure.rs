//! Times messages through both chains.

use std::{error::Error, time::Instant};

use ws_deflate::{Options, PermessageDeflate};
use ws_extensions::{Chain, Compress, MessageHead, Registry, SessionOptions};
use ws_frame::{DataKind, Role};

/// The quickest counts: whatever else the machine does makes the others slower.
const ROUNDS: usize = 7;

/// Ratio, and the fewest microseconds for a message in each direction.
pub(crate) fn best(options: Options, messages: &[&[u8]]) -> Result<(f64, f64, f64), Box<dyn Error>> {
    let mut best = (0.0, f64::MAX, f64::MAX);
    for _ in 0..ROUNDS {
        let (ratio, compress, decompress) = run(options, messages)?;
        best = (ratio, best.1.min(compress), best.2.min(decompress));
    }
    Ok(best)
}

fn run(options: Options, messages: &[&[u8]]) -> Result<(f64, f64, f64), Box<dyn Error>> {
    let mut registry = Registry::new();
    registry.register(PermessageDeflate::new(options))?;
    let offer = registry.offer(&SessionOptions::new(Role::Client, None));
    let mut server = registry.respond(offer.header(), &SessionOptions::new(Role::Server, None))?;
    let mut client = offer.activate(server.header.as_deref())?;
    let head = MessageHead::new(DataKind::Binary).with_compress(Compress::Yes);
    let begun = Instant::now();
    let mut wire = Vec::new();
    for message in messages {
        wire.push(pass(&mut client.outgoing, head, message).ok_or("a message was lost")?);
    }
    let compressed = begun.elapsed();
    let begun = Instant::now();
    for ((head, payload), message) in wire.iter().zip(messages) {
        let (_, received) = pass(&mut server.incoming, *head, payload).ok_or("a message was refused")?;
        if received != *message {
            return Err("a message was changed".into());
        }
    }
    let decompressed = begun.elapsed();
    let before: usize = messages.iter().map(|message| message.len()).sum();
    let after: usize = wire.iter().map(|(_, payload)| payload.len()).sum();
    let each = |time: std::time::Duration| time.as_secs_f64() * 1e6 / messages.len() as f64;
    Ok((before as f64 / after as f64, each(compressed), each(decompressed)))
}

fn pass(chain: &mut Chain, head: MessageHead, data: &[u8]) -> Option<(MessageHead, Vec<u8>)> {
    let _ = chain.begin(head, Some(data.len()));
    chain.push(data, true);
    let front = chain.front()?;
    let made = (front.head, front.data.to_vec());
    chain.pop();
    Some(made)
}
