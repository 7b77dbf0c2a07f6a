//! Frames good and bad, given to our receiver and to two receivers of another make: what they deliver before the end
//! and how they judge the end are the same, but for the differences that are meant: [`rules`].
#![no_main]

mod judges;
mod rules;
mod stream;

use libfuzzer_sys::fuzz_target;
use ws_driver::Role;
use ws_fuzz::Input;
use ws_testkit::{End, Seen};

use self::stream::{FrameAt, stream};

/// How long a message, and so a frame, may be. What bounds messages does not bound control frames: those have their own
/// 125 bytes (RFC 6455 section 5.5), and no limit here is below.
const LIMITS: [usize; 4] = [2000, 1000, 300, 125];

/// What a receiver makes of a stream that is over.
#[derive(Debug, PartialEq)]
pub struct Verdict {
    /// Messages, pings and pongs, in order.
    pub seen: Vec<Seen>,
    /// A Close, a violation of the class that this code stands for, or neither.
    pub end: End,
}

fuzz_target!(|data: &[u8]| {
    let mut input = Input::new(data);
    let role = if input.byte() & 1 == 0 { Role::Server } else { Role::Client };
    let limit = input.one_of(&LIMITS);
    let mut stream = stream(role.peer(), &mut input);

    let (ours, consumed) = judges::ours(role, limit, &stream);
    let frame = FrameAt::new(&stream, consumed.saturating_sub(1));
    if matches!(ours.end, End::Failed(_)) {
        // We judge at the first wrong byte. Who judges whole frames gets the rest of this one.
        frame.complete(&mut stream, limit);
    }
    for judge in [judges::second, judges::third] {
        let theirs = judge(role, limit, &stream);
        if theirs != ours && !rules::is_meant(&stream, &frame, &ours, &theirs, limit) {
            panic!("as {role:?}, limit {limit}, up to {frame:?} of {stream:x?}:\n{ours:?}\n{theirs:?}");
        }
    }
});
