use proptest::prelude::*;

use super::*;

fn params(list: &[(&str, Option<&str>)]) -> Params {
    list.iter().fold(Params::new(), |params, (name, value)| params.with(name, *value).unwrap())
}

#[test]
fn what_the_grammar_allows_is_read() {
    type Entries<'a> = &'a [(&'a str, &'a [(&'a str, Option<&'a str>)])];
    let cases: &[(&str, Entries<'_>)] = &[
        ("a", &[("a", &[])]),
        ("a,b", &[("a", &[]), ("b", &[])]),
        ("a, a;x", &[("a", &[]), ("a", &[("x", None)])]),
        (" \ta\t ;\t x \t,\tb ", &[("a", &[("x", None)]), ("b", &[])]),
        ("a;x=1;x;x=2", &[("a", &[("x", Some("1")), ("x", None), ("x", Some("2"))])]),
        ("a;x=\"1\"", &[("a", &[("x", Some("1"))])]),
        ("a;x=\"\\1\\2\"", &[("a", &[("x", Some("12"))])]),
        ("a; x=\"q\" ; y , b", &[("a", &[("x", Some("q")), ("y", None)]), ("b", &[])]),
        ("!#$%&'*+-.^_`|~09azAZ;~=~", &[("!#$%&'*+-.^_`|~09azAZ", &[("~", Some("~"))])]),
        // Names that mean something in some languages mean nothing here.
        (
            "hasOwnProperty;__proto__=constructor",
            &[("hasOwnProperty", &[("__proto__", Some("constructor"))])],
        ),
        ("x-webkit; server_max_window_bits=08", &[("x-webkit", &[("server_max_window_bits", Some("08"))])]),
    ];
    for (header, expected) in cases {
        let expected: Vec<_> = expected.iter().map(|(name, list)| (name.to_string(), params(list))).collect();
        assert_eq!(parse(header), Ok(expected.clone()), "{header:?}");
        assert_eq!(parse(header), Ok(expected), "{header:?}, a second time");
    }
}

#[test]
fn what_breaks_the_grammar_is_refused_where_it_breaks() {
    use HeaderError::{ExpectedSeparator, ExpectedToken, QuotedNotToken, UnclosedQuote};
    let cases: &[(&[u8], HeaderError)] = &[
        (b"", ExpectedToken { at: 0 }),
        (b" \t", ExpectedToken { at: 2 }),
        (b",", ExpectedToken { at: 0 }),
        (b"a,", ExpectedToken { at: 2 }),
        (b",a", ExpectedToken { at: 0 }),
        (b"a,,b", ExpectedToken { at: 2 }),
        (b"a;", ExpectedToken { at: 2 }),
        (b"a;;x", ExpectedToken { at: 2 }),
        (b"a;,b", ExpectedToken { at: 2 }),
        (b";x", ExpectedToken { at: 0 }),
        (b"a;=1", ExpectedToken { at: 2 }),
        (b"a;x=", ExpectedToken { at: 4 }),
        (b"a;x= 1", ExpectedToken { at: 4 }),
        (b"a;x==1", ExpectedToken { at: 4 }),
        (b"a;x=;y", ExpectedToken { at: 4 }),
        (b"a;x =1", ExpectedSeparator { at: 4 }),
        (b"a=1", ExpectedSeparator { at: 1 }),
        (b"a b", ExpectedSeparator { at: 2 }),
        (b"a;x y", ExpectedSeparator { at: 4 }),
        (b"a;x=1 2", ExpectedSeparator { at: 6 }),
        (b"a;x=\"1\"2", ExpectedSeparator { at: 7 }),
        (b"a;x=1\"2\"", ExpectedSeparator { at: 5 }),
        (b"\"a\"", ExpectedToken { at: 0 }),
        (b"a;\"x\"=1", ExpectedToken { at: 2 }),
        (b"a;x=\"", UnclosedQuote { at: 4 }),
        (b"a;x=\"1", UnclosedQuote { at: 4 }),
        (b"a;x=\"1\\", UnclosedQuote { at: 4 }),
        (b"a;x=\"1\\\"", QuotedNotToken { at: 4 }),
        (b"a;x=\"\"", QuotedNotToken { at: 4 }),
        (b"a;x=\"1 2\"", QuotedNotToken { at: 4 }),
        (b"a;x=\"1,2\"", QuotedNotToken { at: 4 }),
        (b"a;x=\"\\\\\"", QuotedNotToken { at: 4 }),
        (b"a;x=\"\xff\"", QuotedNotToken { at: 4 }),
        (b"a\r\n", ExpectedSeparator { at: 1 }),
        (b"a\0", ExpectedSeparator { at: 1 }),
        (b"\xc3\xa4", ExpectedToken { at: 0 }),
        (b"a(b)", ExpectedSeparator { at: 1 }),
    ];
    for (header, error) in cases {
        assert_eq!(parse(header), Err(*error), "{:?}", String::from_utf8_lossy(header));
    }
}

#[test]
fn entries_and_parameters_have_bounds() {
    let entries = |count| vec!["a"; count].join(",");
    assert_eq!(parse(entries(MAX_EXTENSIONS)).unwrap().len(), MAX_EXTENSIONS);
    assert_eq!(parse(entries(MAX_EXTENSIONS + 1)), Err(HeaderError::TooManyExtensions));
    let params = |count| format!("a{}", ";x".repeat(count));
    assert_eq!(parse(params(MAX_PARAMS)).unwrap()[0].1.len(), MAX_PARAMS);
    assert_eq!(parse(params(MAX_PARAMS + 1)), Err(HeaderError::TooManyParams));
    assert_eq!(parse(format!("{}, b", params(MAX_PARAMS))).unwrap().len(), 2);
}

/// The shapes that have made other parsers go over the same bytes again and again.
#[test]
fn large_hostile_headers_are_judged_in_one_pass() {
    const SIZE: usize = 64 * 1024;
    let fill = |start: &str, unit: &str, end: &str| format!("{start}{}{end}", unit.repeat(SIZE / unit.len()));
    let cases = [
        (fill("a;x=\"", "\\\\", ""), Err(HeaderError::QuotedNotToken { at: 4 })),
        (fill("a;x=\"", "\\1", ""), Err(HeaderError::UnclosedQuote { at: 4 })),
        (fill("a;x=\"", "1", ""), Err(HeaderError::UnclosedQuote { at: 4 })),
        (fill("a;x=\"", "\\1", "\""), Ok(1)),
        (fill("a", " ", ""), Ok(1)),
        (fill("a", " \t", "b"), Err(HeaderError::ExpectedSeparator { at: 1 + SIZE })),
        (fill("", "\t", ""), Err(HeaderError::ExpectedToken { at: SIZE })),
        (fill("", "a", ""), Ok(1)),
        (fill("a", ";x", ""), Err(HeaderError::TooManyParams)),
        (fill("a", ",a", ""), Err(HeaderError::TooManyExtensions)),
        (fill("", ",", ""), Err(HeaderError::ExpectedToken { at: 0 })),
        (fill("a", ";x=\"", ""), Err(HeaderError::QuotedNotToken { at: 4 })),
    ];
    for (header, expected) in cases {
        // Enough rounds that anything worse than linear time would be felt: 64 KiB squared is 4 billion steps.
        for _ in 0..20 {
            assert_eq!(parse(&header).map(|entries| entries.len()), expected, "{:?}", &header[..8]);
        }
    }
}

#[test]
fn only_tokens_are_written() {
    assert_eq!(format([("a b", &Params::new())]), Err(InvalidToken("a b".to_owned())));
    assert_eq!(format([("a\r\nb", &Params::new())]), Err(InvalidToken("a\r\nb".to_owned())));
    assert_eq!(format([]), Ok(String::new()));
}

fn any_entries() -> impl Strategy<Value = Vec<(String, Params)>> {
    let token = || "[!#$%&'*+.^_`|~0-9A-Za-z-]{1,12}";
    let params = prop::collection::vec((token(), prop::option::of(token())), 0..=MAX_PARAMS);
    let params = params.prop_map(|list| {
        list.iter().fold(Params::new(), |params, (name, value)| params.with(name, value.as_deref()).unwrap())
    });
    prop::collection::vec((token(), params), 1..=MAX_EXTENSIONS)
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(entries in any_entries()) {
        let header = format(entries.iter().map(|(name, params)| (name.as_str(), params))).unwrap();
        prop_assert!(header.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
        prop_assert_eq!(parse(&header), Ok(entries));
    }

    #[test]
    fn any_bytes_are_read_or_refused(header in prop::collection::vec(prop::sample::select(b"a1;=,\"\\ \t\xff".as_slice()), 0..40)) {
        if let Ok(entries) = parse(&header) {
            let again = format(entries.iter().map(|(name, params)| (name.as_str(), params))).unwrap();
            prop_assert_eq!(parse(&again), Ok(entries));
        }
    }
}
