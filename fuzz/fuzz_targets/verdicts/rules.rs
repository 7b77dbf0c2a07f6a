//! The differences that are meant, each as narrow as it can be: anything else is a finding. `docs/reliability/verdicts.md`
//! says why each rule is ours.

use ws_testkit::End;

use crate::Verdict;
use crate::stream::{FrameAt, Header};

/// One difference, at the frame with which our verdict falls.
struct Difference<'a> {
    frame: &'a FrameAt,
    header: Header<'a>,
    limit: usize,
    ours: &'a Verdict,
    theirs: &'a Verdict,
}

/// Whether one of our rules explains that another receiver says something else.
pub fn is_meant(stream: &[u8], frame: &FrameAt, ours: &Verdict, theirs: &Verdict, limit: usize) -> bool {
    let difference = Difference { frame, header: frame.header(stream), limit, ours, theirs };
    // Whoever goes on where we have ended has seen the same up to there.
    theirs.seen.starts_with(&ours.seen)
        && [
            Difference::is_length_not_minimal,
            Difference::is_code_not_to_be_sent,
            Difference::is_code_registered_since,
            Difference::is_header_cut,
            Difference::is_character_cut_by_the_end,
            Difference::is_first_of_two_faults,
        ]
        .iter()
        .any(|rule| rule(&difference))
}

impl Difference<'_> {
    /// RFC 6455 section 5.2: "the minimal number of bytes MUST be used to encode the length".
    fn is_length_not_minimal(&self) -> bool {
        let needed = match self.header.len() {
            Some(0..=125) => 0,
            Some(126..=0xFFFF) => 2,
            _ => 8,
        };
        self.ours.end == End::Failed(1002) && self.header.extended() > needed
    }

    /// RFC 6455 section 7.4: a code that is reserved, or that nobody has registered, is no reason to close.
    fn is_code_not_to_be_sent(&self) -> bool {
        let payload = self.header.payload();
        let Some(code) = payload.first_chunk().map(|code| u16::from_be_bytes(*code)) else { return false };
        let may_be_sent = matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999);
        // It is answered like any other Close, or its reason is looked at first.
        let theirs = matches!(self.theirs.end, End::Close(Some((1002, _))) | End::Failed(1007));
        self.header.opcode() == 8
            && !may_be_sent
            && self.ours.end == End::Failed(1002)
            && theirs
            && self.theirs.seen.len() == self.ours.seen.len()
    }

    /// RFC 6455 section 11.7: codes are registered as time goes by; 1014, "bad gateway", is the latest.
    fn is_code_registered_since(&self) -> bool {
        matches!(self.ours.end, End::Close(Some((1014, _))))
            && matches!(self.theirs.end, End::Close(Some((1002, _))))
            && self.theirs.seen.len() == self.ours.seen.len()
    }

    /// RFC 6455 section 8.1: a message whose text ends inside of a character is none, be the last frame empty or not.
    fn is_character_cut_by_the_end(&self) -> bool {
        self.ours.end == End::Failed(1007)
            && self.frame.is_text
            && self.header.opcode() == 0
            && self.header.is_fin()
            && self.header.len() == Some(0)
    }

    /// A length is judged when its header is whole: where the stream ends before that, there is no verdict.
    fn is_header_cut(&self) -> bool {
        let too_long = self.header.announced().is_some_and(|len| len > self.limit as u64);
        let ends = (&self.ours.end, &self.theirs.end);
        too_long && self.header.len().is_none() && ends == (&End::Lost, &End::Failed(1009))
    }

    /// RFC 6455 section 7.1.7 leaves open which of two faults of a frame counts: ours is the first in the order of its
    /// bytes.
    fn is_first_of_two_faults(&self) -> bool {
        let too_long = self.header.len().is_some_and(|len| len > self.limit as u64);
        let both = match (&self.ours.end, &self.theirs.end) {
            (End::Failed(1002), End::Failed(1009)) => too_long,
            // Too long together with the frames before it, and no text.
            (End::Failed(1009), End::Failed(1007)) => self.frame.is_text && self.header.opcode() == 0,
            _ => false,
        };
        both && self.theirs.seen.len() == self.ours.seen.len()
    }
}
