//! What a server may not send: the client answers with the right Close, and its exit status is 1.

use super::super::plan::Attack;
use super::super::wire::{BINARY, By, CLOSE, ENDS, PING, PONG, RSV1, TEXT, TEXT_BEGINS, close, frame};
use super::answers::BOUNDS;
use super::stage::{Ended, Stage};

/// Bytes that fail the connection with this code, in the packet of the answer and behind it.
fn violation(name: impl Into<String>, bytes: Vec<u8>, code: u16) -> Attack<Stage> {
    played(name, bytes, Ended::Closed(code), 1)
}

fn played(name: impl Into<String>, bytes: Vec<u8>, ended: Ended, status: i32) -> Attack<Stage> {
    Attack::new(name, BOUNDS, move |stage: &Stage| {
        stage.play(|play| {
            play.open("")?;
            play.send(&bytes)?;
            play.send(&frame(By::Server, TEXT, "behind"))?;
            play.expect(ended, status)
        })
    })
}

pub(super) fn attacks() -> Vec<Attack<Stage>> {
    let server = |first, payload: &[u8]| frame(By::Server, first, payload);
    let open = server(TEXT_BEGINS, b"open");
    let opened = |behind: Vec<u8>| [open.clone(), behind].concat();
    let mut rows = vec![
        violation("text with a mask", frame(By::Client, TEXT, "x"), 1002),
        violation("a ping with a mask", frame(By::Client, PING, ""), 1002),
        violation("a Close with a mask", frame(By::Client, CLOSE, ""), 1002),
        violation("a continuation of nothing", server(ENDS, b"x"), 1002),
        violation("text inside a message", opened(server(TEXT, b"x")), 1002),
        violation("RSV1 inside a message", opened(server(ENDS | RSV1, b"")), 1002),
        violation("RSV1 without the extension", server(TEXT | RSV1, b"x"), 1002),
        violation("RSV2", server(TEXT | 0x20, b"x"), 1002),
        violation("RSV3", server(TEXT | 0x10, b"x"), 1002),
        violation("a ping in fragments", server(PING & 15, b""), 1002),
        violation("a Close in fragments", server(CLOSE & 15, b""), 1002),
        violation("a ping of 126 bytes", vec![PING, 126], 1002),
        violation("a pong of a 64-bit length", vec![PONG, 127], 1002),
        violation("16 bits for a length of 125", vec![BINARY, 126, 0, 125], 1002),
        violation("a length with its top bit set", vec![BINARY, 127, 0x80], 1002),
        violation("a length of 2^63 - 1", [&[BINARY, 127, 0x7F][..], &[0xFF; 7]].concat(), 1009),
        violation("a length of 64 MiB and one byte", vec![BINARY, 127, 0, 0, 0, 0, 4, 0, 0, 1], 1009),
        violation("bad text", server(TEXT, b"a\xff"), 1007),
        violation("bad text in a fragment", server(TEXT_BEGINS, b"\xff"), 1007),
        violation("text that ends inside a character", server(TEXT, b"\xe2\x82"), 1007),
        violation("a bad reason", close(By::Server, 1000, b"\xff"), 1007),
        violation("a Close of one byte", server(CLOSE, b"x"), 1002),
        played("an empty Close", server(CLOSE, b""), Ended::Closed(1005), 0),
        played("a reset of everything, code 1011", close(By::Server, 1011, "no"), Ended::Closed(1011), 1),
    ];
    for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
        rows.push(violation(format!("opcode {opcode}"), server(0x80 | opcode, b""), 1002));
    }
    for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535] {
        rows.push(violation(format!("code {code}"), close(By::Server, code, ""), 1002));
    }
    rows.push(Attack::new("the end inside a frame", BOUNDS, |stage: &Stage| {
        stage.play(|play| {
            play.open("")?;
            play.send(&frame(By::Server, TEXT, "cut short")[..5])?;
            play.leave();
            play.expect(Ended::Dropped, 1)
        })
    }));
    rows
}
