//! Whatever is offered, the answer is one that RFC 7692 allows, and both sides understand the same by it.

use proptest::prelude::*;

use super::*;

fn window() -> impl Strategy<Value = WindowBits> {
    (8..=15u8).prop_map(|bits| WindowBits::new(bits).unwrap())
}

fn takeover() -> impl Strategy<Value = Option<Takeover>> {
    prop::sample::select(vec![None, Some(Takeover::Keep), Some(Takeover::Reset)])
}

fn options() -> impl Strategy<Value = Options> {
    (takeover(), takeover(), window(), window(), any::<[bool; 2]>()).prop_map(
        |(takeover, peer_takeover, window_bits, peer_window_bits, [limit, optional])| Options {
            takeover,
            peer_takeover,
            window_bits,
            peer_window_bits,
            peer_may_limit_window: limit,
            limits_optional: optional,
            ..Options::new()
        },
    )
}

fn terms() -> impl Strategy<Value = Terms> {
    let client = prop_oneof![
        Just(None),
        Just(Some(ClientWindow::Any)),
        window().prop_map(|bits| Some(ClientWindow::Bits(bits))),
    ];
    (any::<[bool; 2]>(), prop::option::of(window()), client).prop_map(
        |([server, client], server_max_window_bits, client_max_window_bits)| Terms {
            server_no_context_takeover: server,
            client_no_context_takeover: client,
            server_max_window_bits,
            client_max_window_bits,
        },
    )
}

/// What RFC 7692 says of an answer to an offer, in the order of its sections.
fn allowed(offer: &Terms, answer: &Terms) -> Result<(), &'static str> {
    if offer.server_no_context_takeover && !answer.server_no_context_takeover {
        return Err("7.1.1.1: server_no_context_takeover was offered and is not in the answer");
    }
    if let Some(offered) = offer.server_max_window_bits
        && answer.server_max_window_bits.is_none_or(|bits| bits > offered)
    {
        return Err("7.1.2.1: server_max_window_bits is not in the answer, or above the offer");
    }
    match (offer.client_max_window_bits, answer.client_max_window_bits) {
        (None, Some(_)) => Err("7.1.2.2: client_max_window_bits was not offered"),
        (_, Some(ClientWindow::Any)) => Err("7.1.2.2: client_max_window_bits has no value"),
        (Some(ClientWindow::Bits(offered)), Some(ClientWindow::Bits(bits))) if bits > offered => {
            Err("7.1.2.2: client_max_window_bits is above the offer")
        }
        _ => Ok(()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2048, ..ProptestConfig::default() })]

    #[test]
    fn answers_are_allowed_and_understood(offer in terms(), options in options()) {
        let read = Terms::read(&offer.params().unwrap()).unwrap();
        prop_assert_eq!(read, offer);
        let answer = offer.response(&options);
        prop_assert_eq!(allowed(&offer, &answer), Ok(()));
        prop_assert_eq!(offer.check(&answer), Ok(()));
        // What the client reads is what the server has written.
        let read = Terms::read(&answer.params().unwrap()).unwrap();
        prop_assert_eq!(read.agreement(), answer.agreement());
        // The server keeps to its own options.
        prop_assert!(answer.agreement().server.bits <= options.window_bits);
        if options.takeover != Some(Takeover::Keep) {
            prop_assert_eq!(answer.agreement().server.takeover, Takeover::Reset);
        }
    }

    #[test]
    fn a_client_takes_what_is_allowed_and_nothing_else(offer in terms(), answer in terms()) {
        let (check, rule) = (offer.check(&answer), allowed(&offer, &answer));
        prop_assert_eq!(check.is_ok(), rule.is_ok(), "{:?} {:?}", check, rule);
    }

    #[test]
    fn what_a_client_offers_says_what_it_wants(options in options()) {
        let offers = Terms::offers(&options);
        prop_assert!(offers.len() == 1 || options.limits_optional);
        let first = offers[0];
        let may_be_limited = first.client_max_window_bits.is_some();
        prop_assert_eq!(first.server_no_context_takeover, options.peer_takeover == Some(Takeover::Reset));
        prop_assert_eq!(first.client_no_context_takeover, options.takeover == Some(Takeover::Reset));
        prop_assert_eq!(may_be_limited, options.peer_may_limit_window);
        prop_assert_eq!(first.agreement().server.bits, options.peer_window_bits);
        if let Some(second) = offers.get(1) {
            prop_assert_eq!(second.server_max_window_bits, None);
            prop_assert!(!second.server_no_context_takeover && *second != first);
        }
    }

    #[test]
    fn no_entry_makes_the_reader_panic(
        entry in prop::collection::vec((
            prop_oneof![
                prop::sample::select(vec![
                    SERVER_NO_CONTEXT_TAKEOVER,
                    CLIENT_NO_CONTEXT_TAKEOVER,
                    SERVER_MAX_WINDOW_BITS,
                    CLIENT_MAX_WINDOW_BITS,
                ]).prop_map(str::to_owned),
                "[a-z_]{1,8}",
            ],
            prop::option::of(prop_oneof!["[0-9]{1,3}", "[!-~]{1,20}"]),
        ), 0..6),
    ) {
        let mut params = Params::new();
        for (name, value) in &entry {
            let _ = params.push(name, value.as_deref());
        }
        if let Ok(terms) = Terms::read(&params) {
            prop_assert_eq!(Terms::read(&terms.params().unwrap()).unwrap(), terms);
            prop_assert!(params.len() <= 4);
        }
    }
}
