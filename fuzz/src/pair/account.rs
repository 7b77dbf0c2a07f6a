//! What one side has seen, against what the other has sent.

use ws_driver::{ABNORMAL, NO_STATUS, Wants};
use ws_testkit::{End, Seen, read_frames};

use super::side::{PING, PONG, Side};

/// Judges what `this` side has seen. A pair that nothing disturbed, no loss and no waiting, ends cleanly.
pub(super) fn judge(this: &mut Side, other: &Side, disturbed: bool) {
    let end = this.endpoint.end();
    // Both keep the rules, so nothing but silence may be held against either.
    assert!(!matches!(end, End::Open | End::Failed(..=1010 | 1012..)), "{end:?}");
    assert_eq!(this.endpoint.connection.wants(), Wants::NOTHING, "{end:?}");

    // Whoever has the other's Close has all that was sent before it, and all others have the beginning of it.
    let whole = matches!(end, End::Close(_));
    let seen = &this.endpoint.seen;
    compare(seen, &other.sent, whole, |seen| matches!(seen, Seen::Text(_) | Seen::Binary(_)));
    compare(seen, &other.sent, whole, |seen| matches!(seen, Seen::Ping(data) if data.starts_with(PING)));
    compare(seen, &other.sent, whole, |seen| matches!(seen, Seen::Pong(data) if data.starts_with(PONG)));

    // Answers to pings come in order. Some may be missing: those that had to wait for too long.
    let mut pings = this.sent.iter().filter_map(ping);
    for answer in seen.iter().filter_map(answer) {
        assert!(pings.any(|ping| ping == answer), "a pong answers no ping, or another one than is due");
    }

    let (Some(closed), Some(theirs)) =
        (this.endpoint.connection.closed(), other.endpoint.connection.closed())
    else {
        panic!("no account of the end")
    };
    let code = match &end {
        End::Close(Some((code, _))) => *code,
        End::Close(None) => NO_STATUS,
        _ => ABNORMAL,
    };
    assert_eq!(closed.code, code);
    assert!(disturbed || closed.is_clean(), "{closed:?}");
    if closed.is_clean() {
        assert!(whole && ends_with_close(this), "{closed:?}");
    }
    if whole {
        let sent = theirs.sent.expect("a Close that arrived was sent");
        assert_eq!(sent.map_or(NO_STATUS, |code| code.get()), code);
        assert!(ends_with_close(other));
    }
}

/// Whether a Close has left, and nothing behind it (RFC 6455 section 5.5.1).
fn ends_with_close(side: &Side) -> bool {
    let frames = read_frames(side.role, &side.written);
    let close = frames.iter().position(|frame| frame.opcode == 8);
    close.is_some() && close == frames.len().checked_sub(1)
}

/// What was seen of one sort is what was sent of it, all or from the beginning.
fn compare(seen: &[Seen], sent: &[Seen], whole: bool, sort: impl Fn(&&Seen) -> bool) {
    let seen: Vec<_> = seen.iter().filter(&sort).collect();
    let sent: Vec<_> = sent.iter().filter(&sort).collect();
    assert!(sent.starts_with(&seen), "seen {seen:?} of {sent:?}");
    assert!(!whole || seen.len() == sent.len(), "seen {seen:?} of {sent:?} before the Close");
}

fn ping(sent: &Seen) -> Option<&[u8]> {
    match sent {
        Seen::Ping(data) => Some(data),
        _ => None,
    }
}

fn answer(seen: &Seen) -> Option<&[u8]> {
    match seen {
        Seen::Pong(data) if data.starts_with(PING) => Some(data),
        _ => None,
    }
}
