//! Extensions that offer and answer as an input says: both sides agree on names, parameters, order and reserved bits,
//! and read what the other writes. Any header in place of the other side's never gets more than the rules allow.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ws_extensions::{
    Codec, Extension, ExtensionError, MessageHead, Negotiated, Offer, Output, Params, Plan, Refusal,
    Registry, Route, Session, SessionOptions, parse,
};
use ws_frame::{DataKind, Role, Rsv};
use ws_fuzz::Input;

const NAMES: [&str; 4] = ["a", "b", "c", "d"];

fuzz_target!(|data: &[u8]| {
    let mut input = Input::new(data);
    let [client, server] = [(); 2].map(|()| registry(&mut input));
    let offer = || client.offer(&SessionOptions::new(Role::Client, Some(1000)));
    let options = SessionOptions::new(Role::Server, Some(1000));

    let ours = offer();
    let answered = server.respond(ours.header(), &options).expect("what we offer is well formed");
    // A server may take what the client did not ask for in these parameters; then the client refuses, and agrees to
    // all else.
    let header = answered.header.clone();
    if let Ok(activated) = offer().activate(header.as_deref()) {
        assert_eq!(activated.agreed, answered.agreed);
        assert_eq!(activated.rsv(), answered.rsv());
        exchange(activated, answered, &mut input);
    }

    let header = String::from_utf8_lossy(input.rest()).into_owned();
    if let Ok(answered) = server.respond(Some(&header), &options) {
        check(&answered, &server, &header);
        let answer = answered.header.as_deref().unwrap_or_default();
        assert_eq!(answer.is_empty(), answered.agreed.is_empty());
        if !answer.is_empty() {
            let read = parse(answer).expect("what we answer is well formed");
            assert!(read.iter().map(|(name, params)| (name.as_str(), params)).eq(agreed(&answered)));
        }
    }
    if let Ok(activated) = offer().activate(Some(&header)) {
        check(&activated, &client, offer().header().unwrap_or_default());
        // RFC 6455 section 9.1: the order of the answer counts.
        let read = parse(&header).unwrap_or_default();
        assert!(read.iter().map(|(name, params)| (name.as_str(), params)).eq(agreed(&activated)));
    }
});

fn agreed(negotiated: &Negotiated) -> impl Iterator<Item = (&str, &Params)> {
    negotiated.agreed.iter().map(|(name, params)| (*name, params))
}

/// Only what was offered and is known here, each once, no reserved bit twice.
fn check(negotiated: &Negotiated, known: &Registry, offered: &str) {
    let offered = parse(offered).unwrap_or_default();
    let mut names: Vec<_> = negotiated.names().collect();
    for name in &names {
        assert!(known.names().any(|known| known == *name), "{name} is not known");
        assert!(offered.iter().any(|(offered, _)| offered == name), "{name} was not offered");
    }
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), negotiated.agreed.len());
    let bits = names.iter().map(|name| rsv(name).bits().count_ones()).sum::<u32>();
    assert_eq!(bits, negotiated.rsv().bits().count_ones(), "a reserved bit is used twice");
}

/// A message through the extensions of the one and of the other.
fn exchange(from: Negotiated, to: Negotiated, input: &mut Input<'_>) {
    let (mut sent, mut received) = (from.outgoing, to.incoming);
    let message = input.data();
    let mut head = MessageHead::new(DataKind::Binary);
    let mut wire = message.to_vec();
    if sent.begin(head, None) == Route::Queued {
        message.chunks(7).for_each(|part| sent.push(part, false));
        sent.push(b"", true);
        let front = sent.front().expect("nothing is deferred");
        assert!(front.finished);
        (head, wire) = (front.head, front.data.to_vec());
    }
    assert!(to.agreed.is_empty() || wire != message || message.is_empty());
    let mut read = wire.clone();
    if received.begin(head, Some(wire.len())) == Route::Queued {
        received.push(&wire, true);
        let front = received.front().expect("nothing is deferred");
        assert!(front.finished && front.head.rsv == Rsv::NONE);
        read = front.data.to_vec();
    }
    assert_eq!(read, message);
}

/// Up to four extensions, some of which want the same bit.
fn registry(input: &mut Input<'_>) -> Registry {
    let mut registry = Registry::new();
    for _ in 0..input.below(5) {
        let name = input.one_of(&NAMES);
        let lists = (0..input.below(3)).map(|_| params(input)).collect();
        let fake = Fake { name, offers: lists, answer: input.byte() };
        let taken = registry.names().any(|known| known == name);
        assert_eq!(registry.register(fake).is_err(), taken);
    }
    registry
}

/// Up to three parameters; texts that are no tokens cannot get in.
fn params(input: &mut Input<'_>) -> Params {
    let mut params = Params::new();
    for _ in 0..input.below(4) {
        let len = input.below(6);
        let name = String::from_utf8_lossy(input.bytes(len)).into_owned();
        let value = (input.byte() & 1 != 0).then(|| input.one_of(&["", "8", "15", "a b", "\"", "x"]));
        let _no_token = params.push(&name, value);
    }
    params
}

fn rsv(name: &str) -> Rsv {
    match name {
        "a" | "b" => Rsv::RSV2,
        "c" => Rsv::RSV3,
        _ => Rsv::NONE,
    }
}

/// Offers these parameters, and answers with some of them. Its key is what both sides know: the answer's length.
struct Fake {
    name: &'static str,
    offers: Vec<Params>,
    answer: u8,
}

impl Extension for Fake {
    fn name(&self) -> &'static str {
        self.name
    }

    fn rsv(&self) -> Rsv {
        rsv(self.name)
    }

    fn offer(&self, _: &SessionOptions) -> Option<Box<dyn Offer>> {
        Some(Box::new(FakeOffer { rsv: rsv(self.name), offers: self.offers.clone() }))
    }

    fn accept(&self, offers: &[Params], _: &SessionOptions) -> Option<(Params, Session)> {
        assert!(!offers.is_empty(), "asked without an offer");
        let answer = match self.answer % 4 {
            0 => return None,
            1 => Params::new(), // which the client may not have offered
            n => offers[usize::from(n) % offers.len()].clone(),
        };
        let session = session(rsv(self.name), &answer);
        Some((answer, session))
    }
}

struct FakeOffer {
    rsv: Rsv,
    offers: Vec<Params>,
}

impl Offer for FakeOffer {
    fn params(&self) -> &[Params] {
        &self.offers
    }

    fn activate(self: Box<Self>, response: &Params) -> Result<Session, Refusal> {
        if !self.offers.contains(response) {
            return Err(Refusal::new("was not offered"));
        }
        Ok(session(self.rsv, response))
    }
}

fn session(rsv: Rsv, params: &Params) -> Session {
    let key = u8::try_from(params.to_string().len() % 255).unwrap_or_default() + 1;
    Session::new(Shift { rsv, by: key.wrapping_neg() }, Shift { rsv, by: key })
}

/// Adds a number to every byte, and says so by its reserved bit.
struct Shift {
    rsv: Rsv,
    by: u8,
}

impl Codec for Shift {
    fn begin(&mut self, head: &mut MessageHead, _: Option<usize>) -> Plan {
        // The other direction has set what this one clears.
        head.rsv =
            if head.rsv.intersects(self.rsv) { head.rsv.without(self.rsv) } else { head.rsv | self.rsv };
        Plan::Stream
    }

    fn push(&mut self, fragment: &[u8], _: bool, out: &mut Output<'_>) -> Result<(), ExtensionError> {
        fragment.iter().try_for_each(|byte| out.extend_from_slice(&[byte.wrapping_add(self.by)]))
    }
}
