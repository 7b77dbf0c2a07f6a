//! What the rules of the handshake say of a head, without a map of headers.

use core::mem::MaybeUninit;

use bytes::Bytes;
use http::header::UPGRADE;

use super::usual::ORDINARY;
use super::{HeadError, RequestHead, request};
use crate::server::check;
use crate::server::fields::{Asked, Fields, Target};
use crate::server::{RequestError, ServerPolicy, Upgrade};

/// Up to so many header lines are parsed without an allocation.
const USUAL: usize = 32;

/// A request that was read, and what the rules of the handshake say of it. Made by
/// [`HeadReader::judge_request`](crate::HeadReader::judge_request).
#[derive(Debug)]
#[non_exhaustive]
pub struct JudgedRequest {
    /// The request.
    pub head: RequestHead,
    /// Whether it has an `Upgrade` header: without one it asks for something else, a page say.
    pub has_upgrade: bool,
    /// What it asks for, or the first rule that it breaks; see [`check`](crate::check).
    pub verdict: Result<Upgrade, RequestError>,
}

/// What the rules say of a head that was found whole. Unless it is an odd one, the parsed lines are enough, and its bytes
/// are yet to be taken out of the buffer.
pub(super) fn judge(
    head: &[u8],
    lines: usize,
    max_headers: usize,
    policy: &ServerPolicy,
) -> Result<JudgedRequest, HeadError> {
    let judged = with_slots(lines, |slots| {
        let mut parsed = httparse::Request::new(&mut []);
        complete(parsed.parse_with_uninit_headers(head, slots), head)?;
        Ok(if head.len() <= ORDINARY { judge_parsed(&parsed, policy) } else { None })
    })?;
    if let Some(judged) = judged {
        return Ok(judged);
    }
    let request = request::parse(&Bytes::copy_from_slice(head), max_headers)?;
    let (has_upgrade, verdict) = (request.headers().contains_key(UPGRADE), check::validate(&request, policy));
    Ok(JudgedRequest { head: request.into(), has_upgrade, verdict })
}

/// `None` for what is better judged as a request: another method than GET, a target of odd bytes.
fn judge_parsed(parsed: &httparse::Request<'_, '_>, policy: &ServerPolicy) -> Option<JudgedRequest> {
    let target = Target::plain(parsed.path.filter(|_| parsed.method == Some("GET"))?)?;
    let mut fields = Fields::default();
    for header in parsed.headers.iter() {
        let _is_known = fields.note(header.name.as_bytes(), header.value);
    }
    let asked = Asked { is_http_11: parsed.version == Some(1), is_get: true, target, fields };
    let verdict = check::judge(&asked, policy);
    Some(JudgedRequest { head: RequestHead::default(), has_upgrade: asked.fields.has_upgrade, verdict })
}

/// Lends room for the parsed lines of a head: that of an ordinary one is on the stack.
pub(super) fn with_slots<'b, R>(
    lines: usize,
    parse: impl FnOnce(&mut [MaybeUninit<httparse::Header<'b>>]) -> R,
) -> R {
    if lines <= USUAL {
        parse(&mut [const { MaybeUninit::uninit() }; USUAL])
    } else {
        parse(&mut (0..lines).map(|_| MaybeUninit::uninit()).collect::<Vec<_>>())
    }
}

/// The head is one, and nothing else.
pub(super) fn complete(parsed: httparse::Result<usize>, head: &[u8]) -> Result<(), HeadError> {
    match parsed {
        Ok(httparse::Status::Complete(len)) if len == head.len() => Ok(()),
        Ok(_) => Err(HeadError::StartLine),
        Err(error) => Err(HeadError::from_parser(error, head)),
    }
}
