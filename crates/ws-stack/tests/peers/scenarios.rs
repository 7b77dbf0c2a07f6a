//! The table: what both sides do on an open connection, and what each must see.

use super::{
    matrix::Compression,
    script::{
        Data::{Binary, LongBinary, LongText, Text},
        Kind,
        Sight::{self, Closed, Violation},
        Step::{self, Await, Close, CloseEmpty, Echo, Fragments, LastPart, Part, Raw, Send, Terminate},
    },
};

/// What one side does, and what it must see.
#[derive(Debug, Clone)]
pub(crate) struct Side {
    pub(crate) steps: Vec<Step>,
    pub(crate) sees: Vec<Sight>,
}

/// One connection.
#[derive(Debug, Clone)]
pub(crate) struct Scenario {
    pub(crate) name: String,
    pub(crate) ours: Side,
    pub(crate) theirs: Side,
}

/// The last a side sees of a connection that was closed as it should be.
const DONE: Sight = Closed(1000, "done");

/// Longer than any buffer on the way.
const LONG: usize = 16 << 20;

/// The longest reason that fits into a Close: 125 bytes without the two of the code.
const LONGEST: &str = match str::from_utf8(&[b'r'; 123]) {
    Ok(reason) => reason,
    Err(_) => unreachable!(),
};

/// All of them.
pub(crate) fn scenarios(compression: Compression) -> Vec<Scenario> {
    let mut all = messages();
    all.extend(control());
    all.extend(closing());
    all.extend(violations(compression));
    all
}

/// Messages of each kind and size, whole and in fragments.
fn messages() -> Vec<Scenario> {
    let mut all = Vec::new();
    for (name, data) in [
        ("text", Text("hello")),
        ("text of every length of character", Text("aß水𝄞\u{10ffff}\u{0}")),
        ("empty text", Text("")),
        ("binary", Binary(&[0, 1, 0x7f, 0x80, 0xff])),
        ("empty binary", Binary(&[])),
        ("125 bytes", Binary(&[0xa5; 125])),
        ("126 bytes", Binary(&[0xa5; 126])),
        ("65,535 bytes", LongBinary(65_535)),
        ("65,536 bytes", LongBinary(65_536)),
        ("16 MiB of text", LongText(LONG)),
        ("16 MiB", LongBinary(LONG)),
    ] {
        all.extend(both_ways(name, talk(vec![Send(data)], data)));
    }
    for (name, data, size) in [
        ("text in fragments of a byte", Text("aß水𝄞"), 1),
        ("binary in fragments", Binary(&[1, 2, 3, 4, 5]), 2),
        ("long text in fragments that cut characters", LongText(160_000), 1_001),
        ("16 MiB in fragments", LongBinary(LONG), 65_536),
    ] {
        all.extend(both_ways(name, talk(vec![Fragments(data, size)], data)));
    }
    let empty_parts = vec![Part(Text("")), Part(Text("a")), Part(Text("")), LastPart(Text(""))];
    all.extend(both_ways("empty fragments", talk(empty_parts, Text("a"))));
    all.push(full_duplex());
    all.push(in_parts());
    all.extend(both_ways("many messages at once", many()));
    all
}

/// One side sends a message by `sending`; the other sends it back and closes.
fn talk(sending: Vec<Step>, data: super::script::Data) -> [Side; 2] {
    let first = Side { steps: sending, sees: vec![Sight::Message(data), DONE] };
    let second = Side { steps: vec![Echo(1), Close(1000, "done")], sees: vec![Sight::Message(data), DONE] };
    [first, second]
}

/// One side sends many without waiting, the other sends each back.
fn many() -> [Side; 2] {
    let data = [Text("a"), Binary(&[1]), Text(""), LongBinary(5_000), Text("z")];
    let sees = || data.iter().cycle().take(500).map(|data| Sight::Message(*data));
    let steps = data.iter().cycle().take(500).map(|data| Send(*data));
    let first = Side { steps: steps.collect(), sees: sees().chain([DONE]).collect() };
    let second = Side { steps: vec![Echo(500), Close(1000, "done")], sees: sees().chain([DONE]).collect() };
    [first, second]
}

/// Both send long messages before they have received the other's.
fn full_duplex() -> Scenario {
    let data = LongBinary(4 << 20);
    let sees: Vec<_> = std::iter::repeat_n(Sight::Message(data), 3).chain([DONE]).collect();
    let exchange = Step::Exchange(data, 3);
    Scenario {
        name: "thrice 4 MiB both ways at once".to_owned(),
        ours: Side { steps: vec![exchange, Close(1000, "done")], sees: sees.clone() },
        theirs: Side { steps: vec![exchange], sees },
    }
}

/// We receive messages part by part, as they arrive.
fn in_parts() -> Scenario {
    let data = [Text(""), LongText(160_000), LongBinary(1 << 20), LongText(160_000)];
    let sees: Vec<_> = data.into_iter().map(Sight::Message).chain([DONE]).collect();
    let whole = data[..3].iter().map(|data| Send(*data));
    Scenario {
        name: "messages received part by part".to_owned(),
        ours: Side {
            steps: vec![Step::AwaitParts; 4].into_iter().chain([Close(1000, "done")]).collect(),
            sees,
        },
        theirs: Side { steps: whole.chain([Fragments(data[3], 1_001)]).collect(), sees: vec![DONE] },
    }
}

/// Pings and pongs.
fn control() -> Vec<Scenario> {
    let pinging = |payloads: &[&'static str]| {
        let pings = payloads.iter().map(|payload| Step::Ping(payload));
        let pongs = payloads.iter().map(|_| Await(Kind::Pong));
        let first = Side {
            steps: pings.chain(pongs).chain([Close(1000, "done")]).collect(),
            sees: payloads.iter().map(|payload| Sight::Pong(payload)).chain([DONE]).collect(),
        };
        let sees = payloads.iter().map(|payload| Sight::Ping(payload)).chain([DONE]);
        [first, Side { steps: Vec::new(), sees: sees.collect() }]
    };
    let mut all = Vec::new();
    all.extend(both_ways("ping", pinging(&["are you there"])));
    all.extend(both_ways("ping without payload", pinging(&[""])));
    all.extend(both_ways("ten pings at once", pinging(&["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"])));

    let between = Side {
        steps: vec![
            Part(Text("he")),
            Step::Ping("between"),
            Await(Kind::Pong),
            LastPart(Text("llo")),
            Close(1000, "done"),
        ],
        sees: vec![Sight::Pong("between"), DONE],
    };
    let sees = vec![Sight::Ping("between"), Sight::Message(Text("hello")), DONE];
    all.extend(both_ways("ping between fragments", [between, Side { steps: Vec::new(), sees }]));

    let unasked = Side { steps: vec![Step::Pong("unasked"), Close(1000, "done")], sees: vec![DONE] };
    let sees = vec![Sight::Pong("unasked"), DONE];
    all.extend(both_ways("pong that nobody asked for", [unasked, Side { steps: Vec::new(), sees }]));
    all
}

/// The ends of a connection.
fn closing() -> Vec<Scenario> {
    let idle = |sees: Sight| Side { steps: Vec::new(), sees: vec![sees] };
    let mut all = Vec::new();
    for code in [1000, 1001, 1003, 1007, 1008, 1009, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999] {
        let sees = Closed(code, "wörld");
        let first = Side { steps: vec![Close(code, "wörld")], sees: vec![sees] };
        all.extend(both_ways(&format!("close with {code}"), [first, idle(sees)]));
    }
    for (name, step, sees) in [
        ("close with a code alone", Close(1000, ""), Closed(1000, "")),
        ("close with the longest reason", Close(1000, LONGEST), Closed(1000, LONGEST)),
        ("close without a code", CloseEmpty, Closed(1005, "")),
    ] {
        let first = Side { steps: vec![step], sees: vec![sees] };
        all.extend(both_ways(name, [first, idle(sees)]));
    }

    let gone = Side { steps: vec![Terminate], sees: Vec::new() };
    all.extend(both_ways("transport ended without a close", [gone, idle(Closed(1006, ""))]));

    // Whoever sends the message sends its Close at once, and whoever receives it answers with one of its own before
    // it reads on: the two Closes pass each other.
    let first =
        Side { steps: vec![Send(Text("now")), Close(4001, "first")], sees: vec![Closed(4002, "second")] };
    let sees = vec![Sight::Message(Text("now")), Closed(4001, "first")];
    let second = Side { steps: vec![Await(Kind::Message), Close(4002, "second")], sees };
    all.push(Scenario { name: "both close at once".to_owned(), ours: second, theirs: first });

    // A Close may cut a message short. The answer is the same code, or the complaint that the message is incomplete.
    let sees = vec![Sight::ClosedWithEither([1001, 1002])];
    let unfinished = Side { steps: vec![Part(Text("unfini")), Close(1001, "")], sees };
    all.extend(both_ways("close during a fragmented message", [unfinished, idle(Closed(1001, ""))]));

    let unfinished = Side { steps: vec![Part(Text("unfini")), Terminate], sees: Vec::new() };
    all.extend(both_ways(
        "transport ended during a fragmented message",
        [unfinished, idle(Closed(1006, ""))],
    ));

    // The messages behind the first are on their way when the Close that answers it is sent.
    let sending = Side {
        steps: vec![Send(Text("a")), Send(Text("b")), Send(Binary(&[3]))],
        sees: vec![Closed(1000, "enough")],
    };
    let messages = [Text("a"), Text("b"), Binary(&[3])].map(Sight::Message);
    let sees = messages.into_iter().chain([Closed(1000, "enough")]).collect();
    let enough = Side { steps: vec![Await(Kind::Message), Close(1000, "enough")], sees };
    all.extend(both_ways("messages on their way when we close", [sending, enough]));
    all
}

/// What breaks a rule, sent to us.
fn violations(compression: Compression) -> Vec<Scenario> {
    let mut frames: Vec<(&str, u8, &'static [u8], u16)> = vec![
        ("close with half a code", 0x88, &[3], 1002),
        ("close with 999", 0x88, &[3, 231], 1002),
        ("close with 1004", 0x88, &[3, 236], 1002),
        ("close with 1005", 0x88, &[3, 237], 1002),
        ("close with 1006", 0x88, &[3, 238], 1002),
        ("close with 1015", 0x88, &[3, 247], 1002),
        ("close with 2999", 0x88, &[11, 183], 1002),
        ("close with 5000", 0x88, &[19, 136], 1002),
        ("close with a reason that is not UTF-8", 0x88, &[3, 232, 0xc0, 0xaf], 1007),
        ("fragmented close", 0x08, &[3, 232], 1002),
        ("reserved opcode", 0x83, b"x", 1002),
        ("reserved bit", 0xa1, b"x", 1002),
        ("reserved bit of a ping", 0xc9, b"x", 1002),
        ("continuation of nothing", 0x80, b"x", 1002),
        ("text that is not UTF-8", 0x81, &[b'a', 0xff], 1007),
    ];
    frames.push(match compression {
        Compression::Off => ("reserved bit of an extension", 0xc1, b"x", 1002),
        // There is no block of the type that the payload begins with (RFC 1951 section 3.2.3).
        Compression::On => ("damaged compression", 0xc1, &[0x07], 1007),
    });
    let violation = |(name, first, payload, code): (&str, u8, &'static [u8], u16)| Scenario {
        name: name.to_owned(),
        // What came whole before it still counts.
        ours: Side { steps: Vec::new(), sees: vec![Sight::Message(Text("before")), Violation(code)] },
        theirs: Side { steps: vec![Send(Text("before")), Raw(first, payload)], sees: vec![Violation(code)] },
    };
    // Only the first frame of a message says whether it is compressed (RFC 7692 section 6.1).
    let inside = Scenario {
        name: "reserved bit inside a message".to_owned(),
        ours: Side { steps: Vec::new(), sees: vec![Violation(1002)] },
        theirs: Side { steps: vec![Part(Text("a")), Raw(0xc0, b"x")], sees: vec![Violation(1002)] },
    };
    frames.into_iter().map(violation).chain([inside]).collect()
}

/// A scenario and its mirror image: each side plays each part.
fn both_ways(name: &str, [first, second]: [Side; 2]) -> [Scenario; 2] {
    [
        Scenario { name: format!("{name}, by us"), ours: first.clone(), theirs: second.clone() },
        Scenario { name: format!("{name}, by the peer"), ours: second, theirs: first },
    ]
}
