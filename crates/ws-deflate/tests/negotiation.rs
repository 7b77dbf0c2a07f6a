//! The header, both ways (RFC 7692 sections 5 and 7.1).

mod support;

use support::{bits, registry};
use ws_deflate::{Options, Takeover};
use ws_extensions::{NegotiationError, SessionOptions};
use ws_frame::{Role, Rsv};

fn keeping() -> Options {
    Options::new().takeover(Takeover::Keep).peer_takeover(Takeover::Keep)
}

fn answer(options: Options, offer: &str) -> Option<String> {
    registry(options).respond(Some(offer), &SessionOptions::new(Role::Server, None)).unwrap().header
}

fn offer(options: Options) -> String {
    let offer = registry(options).offer(&SessionOptions::new(Role::Client, None));
    offer.header().unwrap().to_owned()
}

fn activate(options: Options, answer: &str) -> Result<(), String> {
    let offer = registry(options).offer(&SessionOptions::new(Role::Client, None));
    match offer.activate(Some(answer)) {
        Ok(negotiated) => {
            assert_eq!((negotiated.rsv(), negotiated.names().count()), (Rsv::RSV1, 1));
            Ok(())
        }
        Err(NegotiationError::Refused { extension, refusal }) => {
            assert_eq!(extension, "permessage-deflate");
            Err(refusal.to_string())
        }
        Err(error) => panic!("{error}"),
    }
}

/// An entry without the extension's name in front of every line.
fn entry(params: &str) -> String {
    if params.is_empty() { "permessage-deflate".to_owned() } else { format!("permessage-deflate; {params}") }
}

#[test]
fn what_a_client_offers() {
    let table = [
        (Options::new(), "client_max_window_bits"),
        (keeping(), "client_max_window_bits"),
        (Options::new().refuse_window_limit(), ""),
        (Options::new().takeover(Takeover::Reset), "client_no_context_takeover; client_max_window_bits"),
        (Options::new().peer_takeover(Takeover::Reset), "server_no_context_takeover; client_max_window_bits"),
        (Options::new().window_bits(bits(8)), "client_max_window_bits=8"),
        (Options::new().window_bits(bits(15)), "client_max_window_bits"),
        (Options::new().window_bits(bits(10)).refuse_window_limit(), ""),
        (
            Options::new().peer_window_bits(bits(10)).refuse_window_limit().limits_optional(),
            "server_max_window_bits=10, permessage-deflate",
        ),
        (Options::new().limits_optional(), "client_max_window_bits"),
        (Options::small_contexts(), "server_max_window_bits=12; client_max_window_bits=12"),
    ];
    for (options, params) in table {
        assert_eq!(offer(options), entry(params));
        assert_eq!(offer(options), entry(params), "the same each time");
    }
}

#[test]
fn what_a_server_answers() {
    let both = "server_no_context_takeover; client_no_context_takeover";
    let (ten, twelve) = (keeping().window_bits(bits(10)), keeping().peer_window_bits(bits(12)));
    let table = [
        // Our defaults keep nothing.
        (Options::new(), "", both),
        (Options::new(), "client_max_window_bits", both),
        (Options::new().takeover(Takeover::Keep), "", "client_no_context_takeover"),
        (Options::new().peer_takeover(Takeover::Keep), "", "server_no_context_takeover"),
        // Nothing wanted: what was offered is repeated, a bare client_max_window_bits is not.
        (keeping(), "", ""),
        (keeping(), "server_no_context_takeover", "server_no_context_takeover"),
        (keeping(), "client_no_context_takeover", "client_no_context_takeover"),
        (keeping(), "client_max_window_bits", ""),
        (keeping(), "client_max_window_bits=15", ""),
        (keeping(), "client_max_window_bits=9", "client_max_window_bits=9"),
        (keeping(), "server_max_window_bits=15", "server_max_window_bits=15"),
        (keeping(), "server_max_window_bits=8", "server_max_window_bits=8"),
        (keeping(), "server_max_window_bits=\"10\"", "server_max_window_bits=10"),
        // The smaller of both, ours told in any case, the client's only where it has offered to be limited.
        (ten, "", "server_max_window_bits=10"),
        (ten, "server_max_window_bits=9", "server_max_window_bits=9"),
        (ten, "server_max_window_bits=11", "server_max_window_bits=10"),
        (twelve, "", ""),
        (twelve, "client_max_window_bits", "client_max_window_bits=12"),
        (twelve, "client_max_window_bits=13", "client_max_window_bits=12"),
        (twelve, "client_max_window_bits=11", "client_max_window_bits=11"),
        // The first that can be read is taken.
        (keeping(), "server_max_window_bits=10, permessage-deflate", "server_max_window_bits=10"),
        (keeping(), "server_max_window_bits=7, permessage-deflate", ""),
        (
            keeping(),
            "mystery, x-other, permessage-deflate; client_no_context_takeover",
            "client_no_context_takeover",
        ),
    ];
    for (options, offered, answered) in table {
        assert_eq!(answer(options, &entry(offered)), Some(entry(answered)), "to {offered:?}");
    }
}

#[test]
fn what_a_server_declines() {
    let entries = [
        "server_max_window_bits",
        "server_max_window_bits=7",
        "server_max_window_bits=16",
        "server_max_window_bits=08",
        "server_max_window_bits=1e1",
        "server_max_window_bits=0xA",
        "server_max_window_bits=+9",
        "client_max_window_bits=0",
        "client_max_window_bits=16",
        "client_max_window_bits=010",
        "client_max_window_bits=99999999999999999999",
        "server_no_context_takeover=true",
        "client_no_context_takeover=1",
        "server_no_context_takeover; server_no_context_takeover",
        "client_max_window_bits; client_max_window_bits=10",
        "server_max_window_bits=10; server_max_window_bits=10",
        "Server_No_Context_Takeover",
        "client_window_bits=10",
    ];
    for params in entries {
        assert_eq!(answer(keeping(), &entry(params)), None, "{params}");
        let second = format!("{}, permessage-deflate", entry(params));
        assert_eq!(answer(keeping(), &second), Some(entry("")), "{params}");
    }
    // Nothing that is ours.
    assert_eq!(answer(keeping(), "x-webkit-deflate-frame, permessage-bzip2"), None);
}

#[test]
fn what_a_client_accepts_and_refuses() {
    let server_limits = Options::new().peer_takeover(Takeover::Reset).peer_window_bits(bits(10));
    let optional = server_limits.limits_optional();
    let own = Options::new().window_bits(bits(10));
    let closed = Options::new().refuse_window_limit();
    let table = [
        (Options::new(), "", None),
        (Options::new(), "server_no_context_takeover; client_no_context_takeover", None),
        (Options::new(), "server_max_window_bits=8", None),
        (Options::new(), "client_max_window_bits=8; server_max_window_bits=15", None),
        (Options::new(), "client_max_window_bits", Some("client_max_window_bits: lacks its value")),
        (Options::new(), "server_max_window_bits", Some("server_max_window_bits: lacks its value")),
        (
            Options::new(),
            "server_max_window_bits=16",
            Some("server_max_window_bits: must be a number from 8 to 15 without leading zeros"),
        ),
        (Options::new(), "mystery", Some("mystery: is not one of permessage-deflate")),
        (Options::new(), "server_no_context_takeover=1", Some("server_no_context_takeover: takes no value")),
        (
            Options::new(),
            "client_no_context_takeover; client_no_context_takeover",
            Some("client_no_context_takeover: comes more than once"),
        ),
        (closed, "client_max_window_bits=10", Some("client_max_window_bits: was not offered")),
        (own, "client_max_window_bits=10", None),
        (own, "client_max_window_bits=11", Some("client_max_window_bits: is above what was offered")),
        (server_limits, "server_no_context_takeover; server_max_window_bits=10", None),
        (server_limits, "server_no_context_takeover; server_max_window_bits=9", None),
        (
            server_limits,
            "server_no_context_takeover; server_max_window_bits=11",
            Some("server_max_window_bits: is above what was asked for"),
        ),
        (
            server_limits,
            "server_no_context_takeover",
            Some("server_max_window_bits: was asked for and not granted"),
        ),
        (
            server_limits,
            "server_max_window_bits=10",
            Some("server_no_context_takeover: was asked for and not granted"),
        ),
        // The second entry of the offer asks for nothing.
        (optional, "", None),
        (optional, "server_max_window_bits=11", None),
        (optional, "server_no_context_takeover; server_max_window_bits=10", None),
        (optional, "client_max_window_bits", Some("client_max_window_bits: lacks its value")),
    ];
    for (options, params, refusal) in table {
        let expected = refusal.map(|refusal| format!("parameter {refusal}"));
        assert_eq!(activate(options, &entry(params)).err(), expected, "{params:?}");
    }
}

#[test]
fn an_extension_serves_both_roles_and_is_cheap_to_clone() {
    let extension = ws_deflate::PermessageDeflate::new(Options::small_contexts());
    let mut registry = ws_extensions::Registry::new();
    registry.register(extension.clone()).unwrap();
    assert_eq!(extension.options(), &Options::small_contexts());
    let client = registry.offer(&SessionOptions::new(Role::Client, None));
    let server = registry.respond(client.header(), &SessionOptions::new(Role::Server, None)).unwrap();
    let answer = "permessage-deflate; server_max_window_bits=12; client_max_window_bits=12";
    assert_eq!(server.header.as_deref(), Some(answer));
    assert!(client.activate(Some(answer)).is_ok());
}
