//! A receiver against the oracle, in every cutting.

use ws_driver::{Config, Connection, Delivery, MaskSource, Negotiated, Progress, Role, Scratch};
use ws_testkit::{Bounds, End, Endpoint, Oracle, Seen};

use crate::{Cuts, Input, Meter};

/// What came of a stream.
#[derive(Debug, PartialEq)]
struct Outcome {
    seen: Vec<Seen>,
    end: End,
    sent: Vec<u8>,
}

/// How the stream is received; the input's first byte says it.
#[derive(Debug, Clone, Copy)]
struct Setup {
    role: Role,
    parts: bool,
    validates: bool,
    pongs: bool,
    tight: bool,
    scratch: bool,
    owned: bool,
}

/// What is held beside the bytes of the message in progress: the room that a read is offered, pongs that wait on
/// either side of the halves, and small change.
const BESIDE: usize = 68 * 1024 + 2 * 64 * 132 + 4 * 1024;

/// Streams up to this length are fed byte by byte too.
const SHORT: usize = 512;

/// Reads a setup, cuts and a stream. However the stream is cut, the events, the end, the bytes sent and the byte at
/// which the end is found are the same, those that the oracle has found too, and memory stays in proportion to what
/// has arrived.
pub fn check(role: Role, input: &[u8]) {
    let mut input = Input::new(input);
    let setup = Setup::read(role, input.byte());
    let cuts = Cuts::read(&mut input);
    let stream = input.rest();
    let pieces = cuts.pieces(stream);

    let (whole, _) = setup.receive([stream]);
    let (cut, found) = setup.receive(pieces.iter().copied());
    assert_eq!(whole, cut, "cut into {pieces:?}");
    let mut consumed = None;
    if setup.validates {
        let mut oracle = Oracle::judge(role, setup.bounds(), stream);
        consumed = (oracle.end != End::Open).then_some(oracle.consumed);
        oracle.end_of_stream();
        assert_eq!((&whole.seen, &whole.end), (&oracle.seen, &oracle.end));
        assert_eq!(found, consumed.map(|at| boundary(&pieces, at)), "found at another byte");
    }
    if stream.len() <= SHORT {
        let (bytes, found) = setup.receive(stream.chunks(1));
        assert_eq!(whole, bytes, "byte by byte");
        assert!(!setup.validates || found == consumed, "found at {found:?} instead of {consumed:?}");
    }
    setup.weigh(&pieces);
}

/// The end of the piece in which the byte before `at` stands.
fn boundary(pieces: &[&[u8]], at: usize) -> usize {
    let mut end = 0;
    pieces
        .iter()
        .find_map(|piece| {
            end += piece.len();
            (end >= at).then_some(end)
        })
        .unwrap_or(end)
}

impl Setup {
    fn read(role: Role, bits: u8) -> Self {
        let bit = |n: u8| bits >> n & 1 != 0;
        Self {
            role,
            parts: bit(0),
            validates: !bit(1),
            pongs: !bit(2),
            tight: bit(3),
            scratch: bit(4),
            owned: bit(5),
        }
    }

    fn bounds(self) -> Bounds {
        if self.tight { Bounds { message: 40, frame: 30, fragments: 3 } } else { Bounds::default() }
    }

    fn config(self) -> Config {
        let mut config = Config::new(self.role);
        config.validate_utf8 = self.validates;
        config.auto_pong = self.pongs;
        config.delivery = if self.parts { Delivery::Parts } else { Delivery::Whole };
        config.mask_source = MaskSource::custom(|| [1, 2, 3, 4]); // the same bytes each time
        if self.tight {
            config.limits.max_message_len = 40;
            config.limits.max_frame_len = 30;
            config.limits.max_fragments = 3;
        }
        config
    }

    /// Feeds the pieces; also says after how many bytes the end was found.
    fn receive<'a>(self, pieces: impl IntoIterator<Item = &'a [u8]>) -> (Outcome, Option<usize>) {
        let mut endpoint = Endpoint::with(self.config());
        let mut scratch = Scratch::default();
        let (mut fed, mut found) = (0, None);
        for piece in pieces {
            if self.scratch {
                endpoint.swap_scratch(&mut scratch, true);
            }
            endpoint.connection.receiver().buffer().extend_from_slice(piece);
            fed += piece.len();
            if self.advance(&mut endpoint) == Progress::Closed {
                found.get_or_insert(fed);
            }
            if self.scratch {
                endpoint.swap_scratch(&mut scratch, false);
            }
        }
        endpoint.connection.end_of_stream();
        assert_eq!(self.advance(&mut endpoint), Progress::Closed);
        let sent = endpoint.write();
        (Outcome { seen: std::mem::take(&mut endpoint.seen), end: endpoint.end(), sent }, found)
    }

    fn advance(self, endpoint: &mut Endpoint) -> Progress {
        loop {
            match endpoint.connection.advance() {
                Progress::Ready if self.owned => endpoint.note_owned(),
                Progress::Ready => endpoint.note(),
                progress => return progress,
            }
        }
    }

    /// Feeds the pieces and keeps nothing: what is held is the connection's own.
    fn weigh(self, pieces: &[&[u8]]) {
        let mut connection = Connection::new(self.config(), Negotiated::default(), std::time::Instant::now());
        let before = Meter::start();
        let mut fed = 0;
        for piece in pieces {
            connection.receiver().buffer().extend_from_slice(piece);
            fed += piece.len();
            while connection.advance() == Progress::Ready {}
            let held = Meter::peak().saturating_sub(before);
            assert!(held <= 2 * fed + BESIDE, "{held} bytes are held after {fed} have arrived");
        }
    }
}
