//! Text that is not UTF-8, in each position and cutting.

use std::time::Duration;

use anyhow::{Context as _, ensure};

use super::super::peer::{Cut, Ending};
use super::super::plan::{Attack, Bounds};
use super::super::wire::{By, ENDS, GOES_ON, TEXT, TEXT_BEGINS, close, frame, header};
use super::frames::violation;
use super::{Server, expect};

/// What is never UTF-8, wherever it stands.
const BAD: [(&str, &[u8]); 10] = [
    ("a byte that begins nothing", b"\xff"),
    ("a continuation without a beginning", b"\x80"),
    ("an overlong slash", b"\xc0\xaf"),
    ("an overlong NUL", b"\xe0\x80\x80"),
    ("an overlong form of four bytes", b"\xf0\x80\x80\xaf"),
    ("a low surrogate", b"\xed\xb0\x80"),
    ("a high surrogate", b"\xed\xa0\x80"),
    ("above U+10FFFF", b"\xf4\x90\x80\x80"),
    ("a form of five bytes", b"\xf8\x88\x80\x80\x80"),
    ("a character that does not go on", b"\xe2\x82\x28"),
];

pub(super) fn attacks() -> Vec<Attack<Server>> {
    let mut rows = Vec::new();
    for (name, bytes) in BAD {
        rows.push(violation(format!("{name} in text"), frame(By::Client, TEXT, bytes), 1007));
        rows.push(violation(format!("{name} in a reason"), close(By::Client, 1000, bytes), 1007));
    }
    let begins = |payload: &[u8]| frame(By::Client, TEXT_BEGINS, payload);
    rows.extend([
        violation("text that ends inside a character", frame(By::Client, TEXT, b"\xe2\x82"), 1007),
        violation("a reason that ends inside a character", close(By::Client, 1000, b"\xe2\x82"), 1007),
        violation("a bad byte in a first fragment", begins(b"a\xff"), 1007),
        violation(
            "a character cut by a fragment, and not gone on with",
            [begins(b"\xe2\x82"), frame(By::Client, GOES_ON, "(")].concat(),
            1007,
        ),
        violation(
            "a character cut by the last fragment",
            [begins(b"a"), frame(By::Client, ENDS, b"\xf0\x9f\x98")].concat(),
            1007,
        ),
        violation("a bad byte early in a frame that has not come", unfinished(b"ab\xffcd", 1 << 20), 1007),
        each_position(),
        good(),
    ]);
    rows
}

/// The beginning of a masked text frame of this length.
fn unfinished(payload: &[u8], len: u64) -> Vec<u8> {
    let whole = frame(By::Client, TEXT, payload);
    [&header(By::Client, TEXT, len)[..], &whole[whole.len() - payload.len()..]].concat()
}

/// Around the edges of blocks that are validated at once.
fn each_position() -> Attack<Server> {
    let positions = || (0..70).chain(4090..4100).chain(65_530..65_540);
    let bounds = Bounds::SMALL.cpu(Duration::from_millis(100)).time(Duration::from_secs(4));
    Attack::new("a bad byte in each position", bounds, move |server: &Server| {
        for position in positions() {
            let mut text = vec![b'a'; 66_000];
            text[position] = 0xff;
            let seen = server.talk(&frame(By::Client, TEXT, &text), Cut::Whole)?;
            ensure!(seen.frames.is_empty(), "position {position} was echoed");
            expect(&seen, Ending::Close(Some(1007))).with_context(|| format!("position {position}"))?;
        }
        Ok(format!("Close 1007, {} times", positions().count()))
    })
}

/// The first and last characters of each length, and all of them cut anywhere.
fn good() -> Attack<Server> {
    let text = "\u{0}\u{7f}\u{80}\u{7ff}\u{800}\u{d7ff}\u{e000}\u{ffff}\u{10000}\u{10ffff}";
    let bounds = Bounds::SMALL.cpu(Duration::from_millis(50));
    Attack::new("good text, cut into fragments anywhere", bounds, move |server: &Server| {
        for at in 0..=text.len() {
            let (first, last) = text.as_bytes().split_at(at);
            let fragments = [frame(By::Client, TEXT_BEGINS, first), frame(By::Client, ENDS, last)].concat();
            let seen = server.talk(&[fragments, close(By::Client, 1000, "")].concat(), Cut::Whole)?;
            ensure!(seen.frames == [(TEXT, text.as_bytes().to_vec())], "cut at {at}: {:?}", seen.frames);
            expect(&seen, Ending::Close(Some(1000)))?;
        }
        Ok("echoed".to_owned())
    })
}
