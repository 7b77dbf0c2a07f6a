//! What is made does not depend on how much room there is for it, where that is up to us.

mod support;

use support::{compress, connect, noise, oracle, pass, prose};
use ws_deflate::{Level, MemoryLevel, Options, Takeover};
use ws_extensions::{Chain, Compress, Fault, MessageHead};
use ws_frame::DataKind;

/// What a client makes of a message, at most so many bytes.
fn limited(options: Options, limit: Option<usize>) -> Chain {
    let mut chain = connect(options.takeover(Takeover::Reset), Options::new()).0.outgoing;
    chain.set_max_message_len(limit);
    chain
}

fn client(options: Options) -> Chain {
    limited(options, None)
}

fn levels() -> impl Iterator<Item = Options> {
    (0..=9).map(|level| Options::new().level(Level::new(level).unwrap()))
}

/// A mark that met the end of the room would be made again behind it: the same message in five bytes more.
#[test]
fn a_mark_at_the_end_of_a_step_is_made_once() {
    let mut messages: Vec<Vec<u8>> = (0..16).map(|seed| prose(seed, 20 + 150 * seed as usize)).collect();
    messages.extend((0..3).map(|seed| noise(seed, 70 + 300 * seed as usize)));
    for options in levels() {
        let mut whole = client(options);
        let expected: Vec<Vec<u8>> = messages.iter().map(|message| compress(&mut whole, message)).collect();
        for (message, payload) in messages.iter().zip(&expected) {
            assert_eq!(oracle::inflate(&[], payload).unwrap().data, *message);
        }
        for room in 64..=300 {
            let mut chain = client(options.chunk_size(room));
            for (message, expected) in messages.iter().zip(&expected) {
                assert!(compress(&mut chain, message) == *expected, "room for {room} bytes, {options:?}");
            }
        }
    }
}

/// In many blocks, as levels 5 and 6 make other bytes where the room ends with a block.
#[test]
fn a_limit_that_is_met_changes_nothing() {
    let message = prose(3, 20_000);
    let head = MessageHead::new(DataKind::Binary).with_compress(Compress::Yes);
    for options in levels() {
        let options = options.memory_level(MemoryLevel::new(1).unwrap());
        let expected = compress(&mut client(options), &message);
        assert_eq!(oracle::inflate(&[], &expected).unwrap().data, message);
        let mut chain = limited(options, Some(expected.len()));
        assert!(compress(&mut chain, &message) == expected, "{options:?}");
        let limit = expected.len() - 1;
        let refused = pass(&mut limited(options, Some(limit)), head, &[&message]).unwrap_err();
        assert_eq!(refused.fault(), &Fault::TooBig { limit });
    }
}
