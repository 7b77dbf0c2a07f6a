//! Decoding a frame header from any bytes: nothing panics, every cut of the bytes gives the same answer, and what
//! decodes encodes to the same bytes (RFC 6455 section 5.2 has one encoding for each length).
#![no_main]

use libfuzzer_sys::fuzz_target;
use ws_frame::{Header, Role, Rsv, Rules};

fuzz_target!(|data: &[u8]| {
    let Some((&choice, bytes)) = data.split_first() else { return };
    let rules = Rules {
        role: if choice & 1 == 0 { Role::Server } else { Role::Client },
        message_open: choice & 2 != 0,
        rsv: Rsv::from_bits(choice >> 2 & 0b111).expect("three bits are reserved bits"),
    };
    let whole = Header::decode(bytes, rules);

    // No header is longer than its maximum, so these are all the cuts that can matter. A cut may only be asked for
    // more; once it answers, the answer is that of the whole.
    let mut answer = None;
    for end in 0..=bytes.len().min(Header::MAX_LEN) {
        let cut = Header::decode(&bytes[..end], rules);
        assert!(cut == Ok(None) || cut == whole, "cut at {end}: {cut:?}, whole: {whole:?}");
        assert!(answer.is_none() || answer == Some(cut), "cut at {end}: {cut:?} after {answer:?}");
        if cut != Ok(None) {
            answer = Some(cut);
        }
    }

    if let Ok(Some((header, len))) = whole {
        let mut encoded = [0; Header::MAX_LEN];
        let written = header.encode(&mut encoded);
        assert_eq!(&encoded[..written], &bytes[..len]);
        assert_eq!(header.encoded_len(), len);
    }
});
