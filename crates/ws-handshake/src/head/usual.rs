//! The usual request for a WebSocket, read and judged in a pass of its own.
//!
//! Nearly every one is `GET`, a plain target, HTTP/1.1, and lines of a name, a colon and a value, and arrives whole. Such a
//! head needs no parser of all that HTTP allows, and the names that the rules look at need no check beyond being those.

use super::scan::{first_break, first_colon};
use super::{HeadLimits, JudgedRequest, RequestHead};
use crate::header::{is_token, trim};
use crate::server::ServerPolicy;
use crate::server::check;
use crate::server::fields::{Asked, Fields, Target};

/// Up to this length every head that is well formed has a form as an [`http::Request`], too: the types of the `http` crate
/// have bounds of their own.
pub(super) const ORDINARY: usize = 32 * 1024;

/// What the rules say of the head that a buffer begins with, and its length. `None` where anything is missing, wrong or odd:
/// what that is, and which error comes first, is said by those who look at every byte.
pub(super) fn judge_usual(
    buf: &[u8],
    limits: &HeadLimits,
    policy: &ServerPolicy,
) -> Option<(JudgedRequest, usize)> {
    let buf = buf.get(..buf.len().min(limits.max_head).min(ORDINARY))?;
    let (line, mut at) = line(buf, 0)?;
    let target = line.strip_prefix(b"GET ")?.strip_suffix(b" HTTP/1.1")?;
    if line.len() > limits.max_request_line {
        return None;
    }
    let target = Target::plain(str::from_utf8(target).ok()?)?;
    let mut fields = Fields::default();
    let mut lines = 0;
    loop {
        let (line, next) = self::line(buf, at)?;
        at = next;
        if line.is_empty() {
            break;
        }
        lines += 1;
        let (name, value) = line.split_at_checked(first_colon(line)?)?;
        let is_known = fields.note(name, trim(value.get(1..)?));
        // RFC 9112 section 5.1: no white space between name and colon.
        if !is_known && !is_token(name) {
            return None;
        }
    }
    if lines > limits.max_headers {
        return None;
    }
    let asked = Asked { is_http_11: true, is_get: true, target, fields };
    let verdict = check::judge(&asked, policy);
    let has_upgrade = asked.fields.has_upgrade;
    Some((JudgedRequest { head: RequestHead::default(), has_upgrade, verdict }, at))
}

/// The line at `at`, without the CR LF that ends it, and where the next one begins.
#[inline]
fn line(buf: &[u8], at: usize) -> Option<(&[u8], usize)> {
    let rest = buf.get(at..)?;
    let (line, end) = rest.split_at_checked(first_break(rest)?)?;
    end.starts_with(b"\r\n").then_some((line, at + line.len() + 2))
}
