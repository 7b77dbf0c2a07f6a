//! When connections may share what was compressed for one of them.

mod support;

use support::{connect, pass, prose};
use ws_deflate::{Level, MemoryLevel, Options, Strategy, Takeover, WindowBits};
use ws_extensions::{Class, MessageHead};
use ws_frame::DataKind;

fn server(options: Options) -> ws_extensions::Chain {
    connect(Options::new(), options).1.outgoing
}

fn classes(options: Options) -> Option<Vec<Class>> {
    server(options).classes().map(Iterator::collect)
}

#[test]
fn a_kept_context_shares_nothing() {
    assert_eq!(classes(Options::smallest()), None);
    assert_eq!(classes(Options::small_contexts()), None);
    assert!(classes(Options::new()).is_some());
}

#[test]
fn servers_with_the_same_settings_make_the_same() {
    let settings = [
        Options::new(),
        Options::new().level(Level::SMALLEST),
        Options::new().level(Level::new(4).unwrap()),
        Options::new().memory_level(MemoryLevel::new(3).unwrap()),
        Options::new().strategy(Strategy::HuffmanOnly),
        Options::new().window_bits(WindowBits::new(9).unwrap()),
        Options::new().threshold(1 << 40),
        Options::new().chunk_size(100),
    ];
    let message = prose(1, 20_000);
    for (index, one) in settings.into_iter().enumerate() {
        for (other_index, other) in settings.into_iter().enumerate() {
            // What has no influence on the bytes does not divide.
            let other = other.pool_size(1).defer_from(10).peer_takeover(Takeover::Keep);
            assert_eq!(classes(one) == classes(other), index == other_index, "{one:?} {other:?}");
            if index == other_index {
                let made = |options, before: usize| {
                    let mut chain = server(options);
                    let head = MessageHead::new(DataKind::Text);
                    for _ in 0..before {
                        pass(&mut chain, head, &[&prose(2, 5_000)]).unwrap();
                    }
                    pass(&mut chain, head, &[&message]).unwrap()
                };
                assert_eq!(made(one, 0), made(other, 2), "{one:?}");
            }
        }
    }
}
