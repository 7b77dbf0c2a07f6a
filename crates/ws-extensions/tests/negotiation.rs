//! What is offered, what is answered, and what a client makes of the answer.

use std::sync::{Arc, Mutex};

use ws_extensions::{
    Codec, Extension, ExtensionError, HeaderError, MessageHead, NegotiationError, Offer, Output, Params,
    Plan, Refusal, RegisterError, Registry, Session, SessionOptions,
};
use ws_frame::{Role, Rsv};

/// Offers and answers as told, and notes what it was asked.
#[derive(Clone)]
struct Fake {
    name: &'static str,
    rsv: Rsv,
    /// `None`: no offer this time. Several: one entry each.
    offers: Option<Vec<Params>>,
    /// `None`: declines.
    answer: Option<Params>,
    /// A parameter that the client does not accept.
    refuses: Option<&'static str>,
    asked: Arc<Mutex<Vec<String>>>,
}

fn params(text: &str) -> Params {
    if text.is_empty() {
        Params::new()
    } else {
        ws_extensions::parse(format!("x; {text}")).unwrap().remove(0).1
    }
}

fn fake(name: &'static str, rsv: Rsv) -> Fake {
    let (offers, answer) = (Some(vec![Params::new()]), Some(Params::new()));
    Fake { name, rsv, offers, answer, refuses: None, asked: Arc::default() }
}

impl Fake {
    fn offers(mut self, offers: Option<&[&str]>) -> Self {
        self.offers = offers.map(|offers| offers.iter().map(|text| params(text)).collect());
        self
    }

    fn answer(mut self, answer: Option<&str>) -> Self {
        self.answer = answer.map(params);
        self
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

impl Extension for Fake {
    fn name(&self) -> &'static str {
        self.name
    }

    fn rsv(&self) -> Rsv {
        self.rsv
    }

    fn offer(&self, options: &SessionOptions) -> Option<Box<dyn Offer>> {
        self.asked.lock().unwrap().push(format!("{:?} {:?}", options.role, options.max_message_len));
        let offers = self.offers.clone()?;
        Some(Box::new(FakeOffer { fake: self.clone(), offers }))
    }

    fn accept(&self, offers: &[Params], _: &SessionOptions) -> Option<(Params, Session)> {
        let offers: Vec<String> = offers.iter().map(ToString::to_string).collect();
        self.asked.lock().unwrap().push(offers.join(" | "));
        Some((self.answer.clone()?, Session::new(Idle, Idle)))
    }
}

struct FakeOffer {
    fake: Fake,
    offers: Vec<Params>,
}

impl Offer for FakeOffer {
    fn params(&self) -> &[Params] {
        &self.offers
    }

    fn activate(self: Box<Self>, response: &Params) -> Result<Session, Refusal> {
        self.fake.asked.lock().unwrap().push(response.to_string());
        match self.fake.refuses.filter(|name| response.contains(name)) {
            Some(name) => Err(Refusal::parameter(name, "was not offered")),
            None => Ok(Session::new(Idle, Idle)),
        }
    }
}

struct Idle;

impl Codec for Idle {
    fn begin(&mut self, _: &mut MessageHead, _: Option<usize>) -> Plan {
        Plan::Pass
    }

    fn push(&mut self, _: &[u8], _: bool, _: &mut Output<'_>) -> Result<(), ExtensionError> {
        Ok(())
    }
}

fn registry<const N: usize>(fakes: [&Fake; N]) -> Registry {
    let mut registry = Registry::new();
    fakes.into_iter().for_each(|fake| registry.register(fake.clone()).unwrap());
    registry
}

fn client() -> SessionOptions {
    SessionOptions::new(Role::Client, Some(1000))
}

fn server() -> SessionOptions {
    SessionOptions::new(Role::Server, Some(1000))
}

#[test]
fn a_name_is_registered_once_and_is_a_token() {
    let mut registry = Registry::new();
    assert!(registry.is_empty());
    registry.register(fake("a", Rsv::RSV1)).unwrap();
    let before = registry.clone();
    assert_eq!(registry.register(fake("a", Rsv::RSV2)), Err(RegisterError::NameTaken("a")));
    for bad in ["", "a b", "a,b", "a;b", "ä", "a\r\n"] {
        assert_eq!(registry.register(fake(bad, Rsv::NONE)), Err(RegisterError::InvalidName(bad)));
    }
    registry.register(Arc::new(fake("b", Rsv::RSV1))).unwrap();
    assert!(registry.names().eq(["a", "b"]));
    assert!(before.names().eq(["a"]), "a clone keeps what it knew");
    assert_eq!(format!("{registry:?}"), r#"["a", "b"]"#);
}

#[test]
fn a_client_offers_in_order_of_registration() {
    let (a, b) = (fake("a", Rsv::RSV1).offers(Some(&["x=1", "x=2; y", ""])), fake("b", Rsv::RSV1));
    let (none, empty) = (fake("none", Rsv::NONE).offers(None), fake("empty", Rsv::NONE).offers(Some(&[])));
    let registry = registry([&a, &none, &empty, &b]);
    for _ in 0..2 {
        assert_eq!(registry.offer(&client()).header(), Some("a; x=1, a; x=2; y, a, b"), "the same each time");
    }
    assert_eq!(a.asked(), ["Client Some(1000)"; 2]);
    assert_eq!(none.asked().len(), 2);
    assert_eq!(Registry::new().offer(&client()).header(), None);
}

#[test]
fn a_client_offers_nothing_when_there_is_nothing() {
    let none = fake("none", Rsv::NONE).offers(None);
    assert_eq!(registry([&none]).offer(&client()).header(), None);
}

#[test]
fn a_client_takes_the_order_of_the_answer() {
    let (a, b, c) = (fake("a", Rsv::RSV1), fake("b", Rsv::NONE), fake("c", Rsv::RSV3));
    let negotiated = registry([&a, &b, &c]).offer(&client()).activate(Some("c; z=1, a")).unwrap();
    assert!(negotiated.names().eq(["c", "a"]));
    assert_eq!(negotiated.agreed, [("c", params("z=1")), ("a", params(""))]);
    assert_eq!(negotiated.rsv(), Rsv::RSV1 | Rsv::RSV3);
    assert_eq!(negotiated.header, None);
    assert_eq!(c.asked(), ["Client Some(1000)", "z=1"]);
    assert_eq!(b.asked().len(), 1, "an extension that was not answered is not activated");
    assert!(format!("{:?}", negotiated.incoming).contains(r#"["a", "c"]"#));
    assert!(format!("{:?}", negotiated.outgoing).contains(r#"["c", "a"]"#));
}

#[test]
fn no_answer_means_no_extension() {
    for header in [None, Some(""), Some(" \t")] {
        let negotiated = registry([&fake("a", Rsv::RSV1)]).offer(&client()).activate(header).unwrap();
        assert!(negotiated.incoming.is_empty() && negotiated.outgoing.is_empty());
        assert_eq!((negotiated.rsv(), negotiated.names().count()), (Rsv::NONE, 0));
    }
}

#[test]
fn a_client_refuses_answers_that_do_not_fit() {
    let mut picky = fake("picky", Rsv::RSV2);
    picky.refuses = Some("evil");
    let fakes = [&fake("a", Rsv::RSV1), &fake("b", Rsv::RSV1), &fake("free", Rsv::NONE), &picky];
    let unasked = fake("unasked", Rsv::NONE).offers(Some(&[]));
    let mut registry = registry(fakes);
    registry.register(unasked).unwrap();
    let cases = [
        ("c", NegotiationError::NotOffered { extension: "c".to_owned() }),
        ("A", NegotiationError::NotOffered { extension: "A".to_owned() }),
        ("unasked", NegotiationError::NotOffered { extension: "unasked".to_owned() }),
        ("a, c", NegotiationError::NotOffered { extension: "c".to_owned() }),
        ("a, a", NegotiationError::Repeated { extension: "a" }),
        // Also without a reserved bit to tell it by.
        ("free, free", NegotiationError::Repeated { extension: "free" }),
        ("a, b", NegotiationError::ReservedBits { extension: "b", first: "a" }),
        ("b, picky, a", NegotiationError::ReservedBits { extension: "a", first: "b" }),
        ("a;", NegotiationError::Header(HeaderError::ExpectedToken { at: 2 })),
        (
            "picky; evil",
            NegotiationError::Refused {
                extension: "picky",
                refusal: Refusal::parameter("evil", "was not offered"),
            },
        ),
    ];
    for (header, error) in cases {
        assert_eq!(registry.offer(&client()).activate(Some(header)).unwrap_err(), error, "{header}");
    }
    let error = registry.offer(&client()).activate(Some("picky; evil")).unwrap_err();
    assert_eq!(error.to_string(), "extension picky: parameter evil: was not offered");
    // A conflict among the offers that is none in the answer is fine.
    for header in ["a", "b", "b, free", "picky; fine, a"] {
        assert!(registry.offer(&client()).activate(Some(header)).is_ok(), "{header}");
    }
}

#[test]
fn a_refusal_tells_what_is_to_blame() {
    let whole = Refusal::new("comes too late");
    assert_eq!((whole.parameter_name(), whole.reason()), (None, "comes too late"));
    assert_eq!(whole.to_string(), "comes too late");
    let one = Refusal::parameter("x", "is not a number".to_owned());
    assert_eq!((one.parameter_name(), one.reason()), (Some("x"), "is not a number"));
    assert_eq!(one.to_string(), "parameter x: is not a number");
}

#[test]
fn an_extension_behind_an_arc_is_that_extension() {
    let shared = Arc::new(fake("a", Rsv::RSV1).offers(Some(&["x"])).answer(Some("x")));
    let mut registry = Registry::new();
    registry.register(Arc::clone(&shared)).unwrap();
    let offer = registry.offer(&client());
    let theirs = registry.respond(offer.header(), &server()).unwrap();
    let ours = offer.activate(theirs.header.as_deref()).unwrap();
    assert!(ours.names().eq(["a"]) && theirs.names().eq(["a"]));
    assert_eq!((ours.rsv(), theirs.rsv()), (Rsv::RSV1, Rsv::RSV1));
    assert_eq!(shared.asked(), ["Client Some(1000)", "x", "x"], "offered, accepted, activated");
    assert!(ours.outgoing.classes().is_none(), "a codec that does not say so is like no other");
}

#[test]
fn a_server_answers_in_order_of_registration() {
    let (a, b) = (fake("a", Rsv::RSV1).answer(Some("x=1; y")), fake("b", Rsv::NONE));
    let registry = registry([&a, &b]);
    let negotiated = registry.respond(Some("b, unknown; q, a; x=1, a; x=2"), &server()).unwrap();
    assert_eq!(negotiated.header.as_deref(), Some("a; x=1; y, b"));
    assert!(negotiated.names().eq(["a", "b"]));
    assert_eq!(negotiated.rsv(), Rsv::RSV1);
    assert_eq!(a.asked(), ["x=1 | x=2"], "asked once, with all that was offered, in order");
    assert_eq!(b.asked(), [""]);
}

#[test]
fn a_server_without_anything_to_answer_has_no_header() {
    let declines = fake("a", Rsv::RSV1).answer(None);
    for header in [None, Some(""), Some("  "), Some("unknown"), Some("A"), Some("a; x=1")] {
        let negotiated = registry([&declines]).respond(header, &server()).unwrap();
        assert_eq!((negotiated.header, negotiated.agreed.len()), (None, 0), "{header:?}");
        assert!(negotiated.incoming.is_empty() && negotiated.outgoing.is_empty());
    }
    assert_eq!(declines.asked(), ["x=1"], "not asked unless offered");
}

#[test]
fn a_declined_extension_leaves_its_bits_to_others() {
    let (declines, takes, late) =
        (fake("a", Rsv::RSV1).answer(None), fake("b", Rsv::RSV1), fake("c", Rsv::RSV1));
    let negotiated = registry([&declines, &takes, &late]).respond(Some("c, b, a"), &server()).unwrap();
    assert_eq!(negotiated.header.as_deref(), Some("b"));
    assert_eq!((declines.asked().len(), takes.asked().len(), late.asked().len()), (1, 1, 0));
}

#[test]
fn a_malformed_request_is_an_error_for_every_server() {
    let malformed = ["a,", "a;x=", "a b", "a;x=\"y z\"", ",a"];
    for header in malformed {
        assert!(registry([&fake("a", Rsv::RSV1)]).respond(Some(header), &server()).is_err(), "{header}");
        assert!(Registry::new().respond(Some(header), &server()).is_err(), "{header}");
    }
    let many = vec!["a"; 17].join(", ");
    assert_eq!(Registry::new().respond(Some(&many), &server()).unwrap_err(), HeaderError::TooManyExtensions);
}

#[test]
fn a_client_and_a_server_agree() {
    let (a, b) = (fake("a", Rsv::RSV1).offers(Some(&["x", "y=2"])).answer(Some("y=2")), fake("b", Rsv::RSV2));
    let offer = registry([&a, &b]).offer(&client());
    let theirs = registry([&b, &a]).respond(offer.header(), &server()).unwrap();
    let ours = offer.activate(theirs.header.as_deref()).unwrap();
    assert_eq!((ours.agreed, ours.header), (theirs.agreed, None));
    assert_eq!(theirs.header.as_deref(), Some("b, a; y=2"));
}
