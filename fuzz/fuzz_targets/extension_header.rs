//! Any bytes as an extensions header: what is accepted keeps its bounds, says the same when it is written and read
//! again, plain or quoted, and costs memory in proportion to its length. What is refused is refused at a byte.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ws_extensions::{HeaderError, MAX_EXTENSIONS, MAX_PARAMS, Params, format, parse};
use ws_fuzz::Meter;

fuzz_target!(|header: &[u8]| {
    let before = Meter::total();
    let parsed = parse(header);
    let asked = Meter::total() - before;
    // Texts that grow by doubling, and a list of entries with their parameters: no more than one of each for a byte.
    assert!(asked <= 256 * header.len() + 1024, "{asked} bytes asked for to read {}", header.len());

    match &parsed {
        Ok(entries) => accepted(header, entries),
        Err(
            HeaderError::ExpectedToken { at }
            | HeaderError::ExpectedSeparator { at }
            | HeaderError::UnclosedQuote { at }
            | HeaderError::QuotedNotToken { at },
        ) => {
            let at = *at;
            assert!(at <= header.len());
            // What stands behind that byte does not matter, unless it is in the quotes that begin there.
            if !matches!(header.get(at), Some(b'"')) && at < header.len() {
                assert_eq!(parse(&header[..=at]), parsed);
            }
        }
        Err(_) => {}
    }
});

fn accepted(header: &[u8], entries: &[(String, Params)]) {
    assert!((1..=MAX_EXTENSIONS).contains(&entries.len()));
    assert!(entries.iter().all(|(_, params)| params.len() <= MAX_PARAMS));
    // Only visible characters and white space have a place in it.
    assert!(header.iter().all(|byte| matches!(byte, b'\t' | b' '..=b'~')));

    let text =
        format(entries.iter().map(|(name, params)| (name.as_str(), params))).expect("names are tokens");
    assert_eq!(parse(&text).as_deref(), Ok(entries), "{text:?}");
    let quoted = quoted(entries);
    assert_eq!(parse(&quoted).as_deref(), Ok(entries), "{quoted:?}");
}

/// The same with each value quoted, each of its characters escaped, and all the white space that may be there.
fn quoted(entries: &[(String, Params)]) -> String {
    let mut header = String::from("\t ");
    for (at, (name, params)) in entries.iter().enumerate() {
        header.push_str(if at == 0 { "" } else { " ,\t" });
        header.push_str(name);
        for (name, value) in params.iter() {
            header.push_str("\t; ");
            header.push_str(name);
            if let Some(value) = value {
                let escaped: String = value.chars().flat_map(|character| ['\\', character]).collect();
                header.push_str("=\"");
                header.push_str(&escaped);
                header.push('"');
            }
        }
    }
    header.push_str(" \t");
    header
}
