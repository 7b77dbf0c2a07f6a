use super::{HeadError, HeadLimits};

/// Finds the empty line that ends a head. Remembers how far it looked, and judges byte by byte: which error comes, and
/// where, does not depend on how the stream was cut.
#[derive(Clone, Debug, Default)]
pub(super) struct Scanner {
    /// Where the first line starts: behind an empty line, if there was one.
    start: usize,
    /// All bytes before it have been looked at.
    offset: usize,
    line_start: usize,
    /// Whole lines, the first one of the head among them.
    lines: usize,
    done: bool,
}

impl Scanner {
    /// Whether it has not looked at anything yet.
    pub(super) fn is_new(&self) -> bool {
        self.offset == 0
    }

    pub(super) fn start(&self) -> usize {
        self.start
    }

    pub(super) fn end(&self) -> usize {
        self.offset
    }

    pub(super) fn header_lines(&self) -> usize {
        self.lines.saturating_sub(1)
    }

    /// The end of the head, once `buf` holds it. `max_line` bounds a request's first line; a response has none.
    pub(super) fn advance(
        &mut self,
        buf: &[u8],
        limits: &HeadLimits,
        max_line: Option<usize>,
    ) -> Result<Option<usize>, HeadError> {
        while !self.done {
            let Some(at) = self.find_break(buf, limits, max_line)? else { return Ok(None) };
            if buf.get(at) != Some(&b'\r') {
                let is_bare = buf.get(at) == Some(&b'\n');
                return Err(if is_bare { HeadError::LineBreak } else { HeadError::ControlCharacter });
            }
            if at + 2 > limits.max_head {
                return Err(HeadError::TooLarge { limit: limits.max_head });
            }
            match buf.get(at + 1) {
                None => return Ok(None),
                Some(b'\n') => self.end_line(at, limits, max_line.is_some())?,
                Some(_) => return Err(HeadError::LineBreak),
            }
        }
        Ok(Some(self.offset))
    }

    /// The next byte that is no part of a line's text.
    fn find_break(
        &mut self,
        buf: &[u8],
        limits: &HeadLimits,
        max_line: Option<usize>,
    ) -> Result<Option<usize>, HeadError> {
        // One byte more than the first line may have: the byte that shows that it is too long.
        let line_bound = match max_line {
            Some(max) if self.lines == 0 => Some(self.start.saturating_add(max)),
            _ => None,
        };
        let bound = line_bound.map_or(limits.max_head, |bound| limits.max_head.min(bound.saturating_add(1)));
        let window = buf.get(self.offset..bound.min(buf.len())).unwrap_or_default();
        if let Some(len) = first_break(window) {
            self.offset += len;
            return Ok(Some(self.offset));
        }
        self.offset += window.len();
        match (line_bound, max_line) {
            (Some(bound), Some(limit)) if self.offset > bound => Err(HeadError::RequestLineTooLong { limit }),
            _ if self.offset >= limits.max_head => Err(HeadError::TooLarge { limit: limits.max_head }),
            _ => Ok(None),
        }
    }

    /// A line's text ends at `at`, and CR LF follows it.
    fn end_line(&mut self, at: usize, limits: &HeadLimits, is_request: bool) -> Result<(), HeadError> {
        let is_empty = at == self.line_start;
        self.offset = at + 2;
        self.line_start = self.offset;
        if !is_empty {
            self.lines += 1;
            if self.header_lines() > limits.max_headers {
                return Err(HeadError::TooManyHeaders { limit: limits.max_headers });
            }
        } else if self.lines > 0 {
            self.done = true;
        } else if is_request && self.start == 0 {
            self.start = self.offset;
        } else {
            return Err(HeadError::StartLine);
        }
        Ok(())
    }
}

/// A byte that is no part of a line's text: a control character other than the tab.
fn is_break(byte: u8) -> bool {
    byte < b' ' && byte != b'\t' || byte == 0x7f
}

/// Where the first such byte is.
#[inline]
pub(super) fn first_break(text: &[u8]) -> Option<usize> {
    first(text, break_suspects, is_break)
}

/// Where the first colon is: the end of a header's name.
#[inline]
pub(super) fn first_colon(text: &[u8]) -> Option<usize> {
    first(text, |word| zeros(word ^ (ONES * u64::from(b':'))), |byte| byte == b':')
}

/// Where the first byte of a kind is. Eight bytes are looked at in one step, as most are of another kind: `suspects` sets the
/// top bit of each that is of this one, and perhaps of others.
#[inline]
fn first(text: &[u8], suspects: impl Fn(u64) -> u64, is_it: impl Fn(u8) -> bool) -> Option<usize> {
    let (words, rest) = text.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let mut suspects = suspects(u64::from_le_bytes(*word));
        while suspects != 0 {
            let at = suspects.trailing_zeros() as usize / 8;
            if is_it(word[at & 7]) {
                return Some(index * 8 + at);
            }
            suspects &= suspects - 1; // a tab, or a false alarm
        }
    }
    rest.iter().position(|&byte| is_it(byte)).map(|at| text.len() - rest.len() + at)
}

/// A one in each byte.
const ONES: u64 = u64::MAX / 0xff;

/// The top bit of each byte that is below a space, or 0x7f.
#[inline]
fn break_suspects(word: u64) -> u64 {
    below(word, b' ') | zeros(word ^ (ONES * 0x7f))
}

/// The top bit of each byte that is zero.
#[inline]
fn zeros(word: u64) -> u64 {
    below(word, 1)
}

/// The top bit of each byte that is below `bound`. A subtraction that borrows sets it, unless it was set before, as in bytes
/// from 0x80 on; behind a byte that borrows it may be set without need.
#[inline]
fn below(word: u64, bound: u8) -> u64 {
    word.wrapping_sub(ONES * u64::from(bound)) & !word & (ONES * 0x80)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_break_is_found_wherever_it_stands_and_whatever_it_is() {
        for len in 0..40 {
            let text: Vec<u8> = (0..len).map(|n| b"a \t~\x80\xff-Z"[n % 8]).collect();
            assert_eq!(first_break(&text), None);
            for at in 0..len {
                for byte in 0..=u8::MAX {
                    let mut text = text.clone();
                    text[at] = byte;
                    assert_eq!(
                        first_break(&text),
                        is_break(byte).then_some(at),
                        "{byte:#04x} at {at} of {len}"
                    );
                }
            }
        }
    }

    #[test]
    fn the_first_colon_is_found_wherever_it_stands() {
        for len in 0..20 {
            let text: Vec<u8> = (0..len).map(|n| b";9\x3b\xba\0A-\x80"[n % 8]).collect();
            assert_eq!(first_colon(&text), None);
            for at in 0..len {
                let mut text = text.clone();
                text[at..].fill(b':');
                assert_eq!(first_colon(&text), Some(at), "of {len}");
            }
        }
    }

    /// Feeds one byte more with every call; counts the bytes that are looked at.
    fn bytes_scanned(head: &[u8], limits: &HeadLimits) -> (Result<Option<usize>, HeadError>, usize) {
        let mut scanner = Scanner::default();
        let mut scanned = 0;
        for len in 1..=head.len() {
            scanned += len - scanner.offset;
            match scanner.advance(&head[..len], limits, Some(limits.max_request_line)) {
                Ok(None) => {}
                result => return (result, scanned),
            }
        }
        (Ok(None), scanned)
    }

    #[test]
    fn one_byte_reads_of_the_largest_head_look_at_each_byte_about_once() {
        let limits = HeadLimits { max_headers: 10_000, ..HeadLimits::default() };
        for line in ["a: b\r\n", "a:\r\n", &format!("a: {}\r\n", "b".repeat(4000))] {
            let mut head = b"GET / HTTP/1.1\r\n".to_vec();
            while head.len() + line.len() + 2 <= limits.max_head {
                head.extend_from_slice(line.as_bytes());
            }
            head.extend_from_slice(b"\r\n");
            let (result, scanned) = bytes_scanned(&head, &limits);
            assert_eq!(result, Ok(Some(head.len())));
            // A CR is looked at again when the LF behind it comes.
            assert!(scanned <= 2 * head.len(), "{scanned} bytes scanned of {}", head.len());
        }
    }

    #[test]
    fn a_head_without_end_stops_at_the_limit() {
        let limits = HeadLimits { max_request_line: usize::MAX, ..HeadLimits::default() };
        let (result, scanned) = bytes_scanned(&vec![b'a'; 1024 * 1024], &limits);
        assert_eq!(result, Err(HeadError::TooLarge { limit: limits.max_head }));
        assert_eq!(scanned, limits.max_head);
    }

    #[test]
    fn each_limit_is_met_exactly() {
        let head = b"GET / HTTP/1.1\r\nHost: a\r\nB: c\r\n\r\n";
        let exact = HeadLimits { max_head: head.len(), max_headers: 2, max_request_line: 14 };
        assert_eq!(bytes_scanned(head, &exact).0, Ok(Some(head.len())));
        for (limits, error) in [
            (HeadLimits { max_head: head.len() - 1, ..exact }, HeadError::TooLarge { limit: head.len() - 1 }),
            (HeadLimits { max_headers: 1, ..exact }, HeadError::TooManyHeaders { limit: 1 }),
            (HeadLimits { max_request_line: 13, ..exact }, HeadError::RequestLineTooLong { limit: 13 }),
            (
                HeadLimits { max_head: 0, max_headers: 0, max_request_line: 0 },
                HeadError::TooLarge { limit: 0 },
            ),
        ] {
            assert_eq!(bytes_scanned(head, &limits).0, Err(error));
            assert_eq!(Scanner::default().advance(head, &limits, Some(limits.max_request_line)), Err(error));
        }
    }
}
