//! Streams of frames for property tests: valid, broken, mutated, random.

use proptest::{collection::vec, prelude::*, sample::Index};
use ws_driver::Role;

use crate::Frame;

/// A client or a server.
pub fn role() -> impl Strategy<Value = Role> {
    prop_oneof![Just(Role::Client), Just(Role::Server)]
}

/// Text of many scripts, up to `max` characters.
pub fn text(max: usize) -> impl Strategy<Value = String> {
    let character = prop_oneof![
        3 => prop::char::range('a', 'z'),
        1 => Just('é'),
        1 => Just('€'),
        1 => Just('😀'),
        1 => any::<char>(),
    ];
    vec(character, 0..=max).prop_map(|characters| characters.into_iter().collect())
}

/// The payload of a message: mostly short, sometimes of a length at which headers change.
fn payload() -> impl Strategy<Value = (bool, Vec<u8>)> {
    prop_oneof![
        4 => text(40).prop_map(|text| (true, text.into_bytes())),
        4 => vec(any::<u8>(), 0..40).prop_map(|data| (false, data)),
        1 => (any::<bool>(), prop_oneof![125..128usize, 65_535..65_537usize])
            .prop_map(|(text, len)| (text, vec![b'x'; len])),
    ]
}

fn control() -> impl Strategy<Value = Frame> {
    let data = prop_oneof![3 => vec(any::<u8>(), 0..10), 1 => vec(any::<u8>(), 124..=125)];
    (any::<bool>(), data).prop_map(|(ping, data)| if ping { Frame::ping(data) } else { Frame::pong(data) })
}

/// A message in one or more frames with control frames between them.
fn message() -> impl Strategy<Value = Vec<Frame>> {
    (payload(), vec(any::<Index>(), 0..4), vec(control(), 0..3), any::<bool>()).prop_map(
        |((text, data), cuts, controls, interleaved)| {
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(data.len() + 1)).collect();
            cuts.sort_unstable();
            cuts.push(data.len());
            let (mut frames, mut from, mut controls) = (Vec::new(), 0, controls.into_iter());
            for (n, &to) in cuts.iter().enumerate() {
                let opcode = if n > 0 {
                    0
                } else if text {
                    1
                } else {
                    2
                };
                let mut frame = Frame::new(opcode, &data[from..to]);
                frame.fin = n + 1 == cuts.len();
                frames.push(frame);
                if interleaved {
                    frames.extend(controls.next());
                }
                from = to;
            }
            frames.extend(controls);
            frames
        },
    )
}

fn close() -> impl Strategy<Value = Frame> {
    let code = prop_oneof![Just(1000u16), 1000..1016u16, 2999..5001u16, any::<u16>()];
    let reason = prop_oneof![4 => text(20).prop_map(String::into_bytes), 1 => vec(any::<u8>(), 0..20)];
    prop_oneof![
        1 => Just(Frame::empty_close()),
        3 => (code, reason).prop_map(|(code, reason)| Frame::close(code, reason)),
    ]
}

/// Frames that a careful sender may send.
pub fn valid_frames() -> impl Strategy<Value = Vec<Frame>> {
    let end = prop_oneof![
        Just(None),
        Just(Some(Frame::empty_close())),
        text(20).prop_map(|reason| Some(Frame::close(1000, reason))),
    ];
    (vec(message(), 0..5), end)
        .prop_map(|(messages, end)| messages.into_iter().flatten().chain(end).collect())
}

/// A frame of which anything may be wrong.
fn any_frame() -> impl Strategy<Value = Frame> {
    let opcode = prop_oneof![6 => 0..3u8, 3 => 8..11u8, 1 => 0..16u8];
    let rsv = prop_oneof![12 => Just(0u8), 1 => 0..8u8];
    let data = prop_oneof![
        4 => text(10).prop_map(String::into_bytes),
        3 => vec(any::<u8>(), 0..10),
        1 => vec(Just(b'y'), 124..129),
    ];
    (any::<bool>(), opcode, rsv, data).prop_map(|(fin, opcode, rsv, payload)| Frame {
        fin,
        rsv,
        opcode,
        payload,
    })
}

/// The bytes that a peer sends to a receiver in this role: valid ones, valid ones with bytes changed, frames in any
/// order, a Close behind, and plain noise.
pub fn bytes_for(receiver: Role) -> impl Strategy<Value = Vec<u8>> {
    let sender = receiver.peer();
    let encode = move |frames: Vec<Frame>| encode(sender, &frames);
    let mutation = (any::<Index>(), any::<u8>());
    let mutated =
        (valid_frames().prop_map(encode), vec(mutation, 1..4)).prop_map(|(mut bytes, mutations)| {
            for (at, byte) in mutations {
                if !bytes.is_empty() {
                    let at = at.index(bytes.len());
                    bytes[at] = byte;
                }
            }
            bytes
        });
    let masked = (vec(any_frame(), 0..6), any::<[u8; 4]>(), 0..20u8).prop_map(move |(frames, key, slip)| {
        let masks = sender.masks() != (slip == 0);
        frames.iter().flat_map(|frame| frame.bytes(masks.then_some(key))).collect()
    });
    let closed = (valid_frames(), close(), vec(any::<u8>(), 0..8)).prop_map(move |(frames, close, rest)| {
        let mut bytes = encode(frames.into_iter().filter(|frame| frame.opcode != 8).collect());
        bytes.extend(close.by(sender));
        bytes.extend(rest);
        bytes
    });
    prop_oneof![
        3 => valid_frames().prop_map(encode),
        3 => mutated,
        3 => masked,
        2 => closed,
        1 => vec(any::<u8>(), 0..60),
    ]
}

/// The frames as `sender` sends them.
#[must_use]
pub fn encode(sender: Role, frames: &[Frame]) -> Vec<u8> {
    frames.iter().flat_map(|frame| frame.by(sender)).collect()
}

/// Places at which to cut a stream of any length, given as fractions.
pub fn cuts() -> impl Strategy<Value = Vec<Index>> {
    vec(any::<Index>(), 0..8)
}

/// The pieces between the cuts.
#[must_use]
pub fn pieces<'a>(bytes: &'a [u8], cuts: &[Index]) -> Vec<&'a [u8]> {
    let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    at.extend([0, bytes.len()]);
    at.sort_unstable();
    at.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect()
}
