//! What is said.

use ws_stack::Message;
use ws_testkit::Rng;

/// One in so many messages is long.
const LONG_ONES: usize = 40;

/// One in so many long messages is very long.
const VERY_LONG_ONES: usize = 10;

/// Made-up text, from which compression takes as much as from other text.
const WORDS: [&str; 16] = [
    "the ",
    "quick ",
    "brown ",
    "fox ",
    "jumps ",
    "over ",
    "a ",
    "lazy ",
    "dog ",
    "größer ",
    "{\"id\": ",
    "\"name\": ",
    "}, ",
    "你好",
    "🦀",
    "\n",
];

/// A message: mostly of a hundred bytes or so, now and then longer, sometimes empty; text, or bytes that cannot be compressed.
pub(crate) fn message(rng: &mut Rng) -> Message {
    let longest = match (rng.once_in(LONG_ONES), rng.once_in(VERY_LONG_ONES)) {
        (true, true) => 1 << 19,
        (true, false) => 1 << 16,
        (false, _) => [0, 30, 300, 3_000][rng.below(4)],
    };
    let len = rng.below(longest + 1);
    if rng.once_in(3) { Message::binary(noise(len, rng)) } else { Message::text(text(len, rng)) }
}

/// The payload of a ping: longer than those of heartbeats, which are answered beside it.
pub(crate) fn ping(rng: &mut Rng) -> Vec<u8> {
    noise(8 + rng.below(118), rng)
}

fn text(len: usize, rng: &mut Rng) -> String {
    let mut text = String::with_capacity(len);
    loop {
        let word = WORDS[rng.below(WORDS.len())];
        if text.len() + word.len() > len {
            return text;
        }
        text.push_str(word);
    }
}

fn noise(len: usize, rng: &mut Rng) -> Vec<u8> {
    let mut noise: Vec<u8> = (0..len.div_ceil(8)).flat_map(|_| rng.next_u64().to_le_bytes()).collect();
    noise.truncate(len);
    noise
}
