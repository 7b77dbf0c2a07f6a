//! What is said in each setting of permessage-deflate, and how it must look on the wire.

use ws_stack::extensions::Compress;

use super::{
    Failure,
    process::Role,
    script::{
        Data::{self, Binary, LongBinary, LongText, Noise, Text},
        Kind,
        Sight::{self, Closed},
        Step::{self, Await, Close, Echo, Fragments, Hinted, Send},
    },
    settings::{Flow, Setting},
    wire::Sent,
};

/// One connection.
#[derive(Debug)]
pub(crate) struct Conversation {
    pub(crate) name: &'static str,
    pub(crate) ours: Speaker,
    pub(crate) theirs: Speaker,
}

/// One side: what it does and sees, and what of it is compressed.
#[derive(Debug)]
pub(crate) struct Speaker {
    pub(crate) steps: Vec<Step>,
    pub(crate) sees: Vec<Sight>,
    /// How this side compresses.
    flow: Option<Flow>,
    is_ours: bool,
}

/// The last that both sides see.
const DONE: Sight = Closed(1000, "done");

/// Below this, we and node's `ws` do not compress where no context is kept.
const THRESHOLD: usize = 1024;

/// Those of a setting, with a peer in this role.
pub(crate) fn conversations(setting: &Setting, role: Role, peer: &str) -> Vec<Conversation> {
    let own_role = if role == Role::Client { Role::Server } else { Role::Client };
    let (ours, theirs) = (setting.flow(own_role), setting.flow(role));
    let between = |name, [we, they]: [(Vec<Step>, Vec<Sight>); 2]| Conversation {
        name,
        ours: Speaker { steps: we.0, sees: we.1, flow: ours, is_ours: true },
        theirs: Speaker { steps: they.0, sees: they.1, flow: theirs, is_ours: false },
    };
    let mut all = vec![
        between("all kinds of messages, by us", echoed(messages(true))),
        between("all kinds of messages, by the peer", reversed(echoed(messages(peer == "node")))),
        between("the same again, by us", twins(ours)),
        between("the same again, by the peer", reversed(twins(theirs))),
    ];
    // Once for each way to keep contexts is enough.
    if !setting.name.ends_with("bits") {
        all.push(between("16 MiB", echoed(vec![Send(LongBinary(16 << 20))])));
    }
    all
}

/// Messages of each kind; `hints` where the sender can say whether to compress one.
fn messages(hints: bool) -> Vec<Step> {
    let hinted = |data, compress| if hints { Hinted(data, compress) } else { Send(data) };
    vec![
        Send(Text("hello")),
        Send(Text("")),
        Send(Binary(&[])),
        Send(Binary(&[0, 1, 0x7f, 0x80, 0xff])),
        Send(LongText(160_000)),
        Send(Noise(100_000)),
        Fragments(LongText(160_000), 1_100),
        Fragments(Noise(20_000), 3_000),
        // What is not compressed does not enter the context.
        hinted(LongText(1_600), Compress::No),
        hinted(Text("hello"), Compress::Yes),
        Send(LongText(1_600)),
        Send(Text("hello")),
    ]
}

/// One side sends, the other sends all of it back and closes.
fn echoed(steps: Vec<Step>) -> [(Vec<Step>, Vec<Sight>); 2] {
    let sees: Vec<_> =
        steps.iter().filter_map(|step| said(step).map(|(data, _)| Sight::Message(data))).collect();
    let echo = vec![Echo(sees.len()), Close(1000, "done")];
    let sees: Vec<_> = sees.into_iter().chain([DONE]).collect();
    [(steps, sees.clone()), (echo, sees)]
}

/// One side sends what cannot be compressed, and the same again: first so that it does not lie within the sender's
/// window any more, then so that it does.
fn twins(flow: Option<Flow>) -> [(Vec<Step>, Vec<Sight>); 2] {
    let [near, far] = distances(flow);
    let data = [Noise(far), Noise(far), Noise(near), Noise(near)];
    let sees = data.map(Sight::Message).into_iter().chain([DONE]).collect();
    let waits = [Await(Kind::Message); 4].into_iter().chain([Close(1000, "done")]).collect();
    [(data.map(Send).to_vec(), vec![DONE]), (waits, sees)]
}

/// A distance that is found in a window, and one that is not. A compressor keeps 262 bytes away from the end of its
/// window, and does not have one below 512 bytes.
fn distances(flow: Option<Flow>) -> [usize; 2] {
    let bits = flow.map_or(15, |flow| flow.bits);
    let far = 1 << bits;
    [if bits < 10 { 200 } else { far / 8 * 5 }, far]
}

fn reversed<T>([one, other]: [T; 2]) -> [T; 2] {
    [other, one]
}

/// How a message is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Whole(Compress),
    Fragments,
}

/// The message that a step says.
fn said(step: &Step) -> Option<(Data, Form)> {
    match *step {
        Send(data) => Some((data, Form::Whole(Compress::Default))),
        Hinted(data, compress) => Some((data, Form::Whole(compress))),
        Fragments(data, _) => Some((data, Form::Fragments)),
        _ => None,
    }
}

impl Speaker {
    /// Looks at what this side has sent.
    pub(crate) fn check(&self, who: &str, sent: &[Sent]) -> Result<(), Failure> {
        let said = self.said();
        if said.len() != sent.len() {
            return Err(format!("{who} should send {} messages, but sent {}", said.len(), sent.len()).into());
        }
        for (at, (&(data, form), &sent)) in said.iter().zip(sent).enumerate() {
            let len = data.bytes().len();
            let is_repeated = at > 0 && matches!(said[at - 1], (Noise(before), _) if before == len);
            if !self.is_as_it_should(data, len, form, is_repeated, sent) {
                let flow = self.flow;
                return Err(format!("{who} sent message {at}, {len} bytes, as {sent:?} with {flow:?}").into());
            }
        }
        Ok(())
    }

    /// The messages that this side sends.
    fn said(&self) -> Vec<(Data, Form)> {
        let mut received = self.sees.iter().filter_map(|sight| match sight {
            Sight::Message(data) => Some((*data, Form::Whole(Compress::Default))),
            _ => None,
        });
        let mut all = Vec::new();
        for step in &self.steps {
            match *step {
                Echo(count) => all.extend(received.by_ref().take(count)),
                _ => all.extend(said(step)),
            }
        }
        all
    }

    fn is_as_it_should(&self, data: Data, len: usize, form: Form, is_repeated: bool, sent: Sent) -> bool {
        let sent_len = usize::try_from(sent.len).unwrap_or(usize::MAX);
        if !sent.is_compressed {
            return sent_len == len && self.compresses(len, form) != Some(true);
        }
        let is_small = sent_len <= len / 4;
        self.compresses(len, form) != Some(false)
            && match data {
                Noise(_) if is_repeated => is_small == self.finds(len),
                // Stored blocks have five bytes each, and are short where the window is small.
                Noise(_) => (len / 10 * 9..=len + len / 40 + 64).contains(&sent_len),
                _ => is_small || len < THRESHOLD,
            }
    }

    /// Whether this side sets RSV1. Where a peer does as it likes, `None`.
    fn compresses(&self, len: usize, form: Form) -> Option<bool> {
        let Some(flow) = self.flow else { return Some(false) };
        match form {
            Form::Whole(Compress::No) => Some(false),
            _ if !self.is_ours => (len >= THRESHOLD).then_some(true),
            Form::Whole(Compress::Default) => Some(len >= THRESHOLD || flow.keeps_context && len > 0),
            Form::Whole(Compress::Yes) | Form::Fragments => Some(len > 0),
        }
    }

    /// Whether this side finds what it has sent so many bytes before.
    fn finds(&self, distance: usize) -> bool {
        let [near, _] = distances(self.flow);
        self.flow.is_some_and(|flow| flow.keeps_context && distance <= near)
    }
}
