//! The header of a frame: read under all rules, and written.

use std::hint::black_box;

use ws_endpoint::frame::{Header, OpCode, Role, Rsv, Rules};

use crate::case::{Case, repeat};
use crate::material::KEY;

const TIMES: usize = 1000;

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, opcode, len) in [
        ("7-bit", OpCode::Binary, 16),
        ("16-bit", OpCode::Text, 1 << 10),
        ("64-bit", OpCode::Binary, 1 << 20),
        ("ping", OpCode::Ping, 0),
    ] {
        for role in [Role::Server, Role::Client] {
            let (to, mask) = match role {
                Role::Server => ("server", Some(KEY)),
                Role::Client => ("client", None),
            };
            let header = Header { fin: true, rsv: Rsv::NONE, opcode, mask, len };
            cases.push(Case::new(format!("header/decode/{to}/{name}"), move || {
                let mut bytes = [0; Header::MAX_LEN];
                let header_len = header.encode(&mut bytes);
                let rules = Rules { role, rsv: Rsv::NONE, message_open: false };
                Ok(repeat(TIMES, move || {
                    black_box(Header::decode(black_box(&bytes[..header_len]), black_box(rules)).ok());
                }))
            }));
            cases.push(Case::new(format!("header/encode/{to}/{name}"), move || {
                let mut bytes = [0; Header::MAX_LEN];
                Ok(repeat(TIMES, move || {
                    black_box(black_box(header).encode(black_box(&mut bytes)));
                }))
            }));
        }
    }
    cases
}
