//! Compressed messages, well made and not: our receiver, in every cutting, delivers and refuses what an inflater of another
//! make does with the payloads joined, and, where no context is kept, what a receiver of another make does.
#![no_main]

// The same registry that the tests of the crate use.
#[path = "../../../crates/ws-deflate/tests/support/mod.rs"]
mod support;

mod inflation;
mod judges;
mod messages;

use libfuzzer_sys::fuzz_target;
use ws_driver::Role;
use ws_fuzz::{Cuts, Input};
use ws_testkit::{End, Seen};

use self::messages::{Message, messages};

/// How long a message may be.
const LIMITS: [usize; 4] = [4000, 1000, 125, 20];

/// Streams up to this length are fed byte by byte too.
const SHORT: usize = 256;

/// What was agreed.
#[derive(Debug, Clone, Copy)]
pub struct Setup {
    pub role: Role,
    /// Whether the sender may refer back to earlier messages.
    pub keeps: bool,
    pub limit: usize,
}

/// What a receiver makes of a stream that is over.
#[derive(Debug, PartialEq)]
pub struct Verdict {
    pub seen: Vec<Seen>,
    pub end: End,
}

fuzz_target!(|data: &[u8]| {
    let mut input = Input::new(data);
    let bits = input.byte();
    let role = if bits & 1 == 0 { Role::Server } else { Role::Client };
    let setup = Setup { role, keeps: bits & 2 != 0, limit: LIMITS[usize::from(bits >> 2 & 3)] };
    let cuts = Cuts::read(&mut input);
    let messages = messages(setup.keeps, &mut input);
    let stream = bytes(&messages, role);

    let joined = judges::joined(setup, &messages);
    let registry = judges::registry(setup);
    let ours = judges::ours(&registry, setup, [&stream[..]]);
    joined.judge(&ours);
    let pieces = cuts.pieces(&stream);
    assert_eq!(judges::ours(&registry, setup, pieces.iter().copied()), ours, "{messages:x?}");
    if stream.len() <= SHORT {
        assert_eq!(judges::ours(&registry, setup, stream.chunks(1)), ours, "{messages:x?}");
    }

    // Contexts are nothing that the other receiver knows, and it promises less about some messages.
    if !setup.keeps && joined.asked > 0 {
        let mut theirs = judges::other(role, &bytes(&messages[..joined.asked], role));
        let mut end = End::Lost;
        if joined.asked > joined.seen.len() {
            // That a message ends inside of a block is nothing that it looks at.
            match theirs.seen.len() == joined.asked {
                true => assert!(is_part_of_another(theirs.seen.pop(), joined.part), "{messages:x?}"),
                false => end = End::Failed(1007),
            }
        }
        let seen = joined.seen.into_iter().take(joined.asked).collect();
        assert_eq!(theirs, Verdict { seen, end }, "{messages:x?}");
    }
});

/// Whether one of two messages is the beginning of the other: what comes out of one that breaks off depends on how far
/// ahead it was read.
fn is_part_of_another(one: Option<Seen>, other: Option<Seen>) -> bool {
    match (one, other) {
        (Some(Seen::Text(one)), Some(Seen::Text(other)))
        | (Some(Seen::Binary(one)), Some(Seen::Binary(other))) => {
            one.starts_with(&other) || other.starts_with(&one)
        }
        _ => false,
    }
}

fn bytes(messages: &[Message], receiver: Role) -> Vec<u8> {
    messages.iter().flat_map(|message| &message.frames).flat_map(|frame| frame.by(receiver.peer())).collect()
}
