//! Lines from a pipe or a file.

use std::{
    io::{self, BufRead, Read},
    thread,
};

use super::input::{self, Input, Inputs};

/// The longest line: what a connection would queue at most.
const LONGEST: u64 = 64 << 20;

/// Reads standard input in a thread of its own, as it cannot be read otherwise on every system.
pub(super) fn read() -> Inputs {
    let (sender, inputs) = input::channel();
    let reader = thread::Builder::new().name("stdin".to_owned()).spawn(move || {
        lines(io::stdin().lock(), |input| sender.blocking_send(input).is_ok());
    });
    match reader {
        Ok(_) => inputs,
        Err(error) => failed(&format!("cannot start a thread: {error}")),
    }
}

/// An input that has failed from the start.
fn failed(error: &str) -> Inputs {
    let (sender, inputs) = input::channel();
    // There is room in a new channel.
    let _ = sender.try_send(Input::Failed(error.to_owned()));
    inputs
}

/// Hands out lines until the end, or until nobody wants them.
fn lines(mut from: impl BufRead, mut hand_out: impl FnMut(Input) -> bool) {
    loop {
        let mut line = Vec::new();
        let read = from.by_ref().take(LONGEST + 2).read_until(b'\n', &mut line);
        let input = match read {
            Ok(0) => return,
            Ok(_) => {
                if line.ends_with(b"\n") {
                    line.pop();
                    line.pop_if(|byte| *byte == b'\r');
                }
                if line.len() as u64 > LONGEST {
                    Input::Failed(format!("a line is longer than {LONGEST} bytes"))
                } else {
                    Input::Line(line)
                }
            }
            Err(error) => Input::Failed(format!("cannot read standard input: {error}")),
        };
        let goes_on = matches!(input, Input::Line(_));
        if !hand_out(input) || !goes_on {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(bytes: &[u8]) -> Vec<Input> {
        let mut inputs = Vec::new();
        lines(bytes, |input| {
            inputs.push(input);
            true
        });
        inputs
    }

    #[test]
    fn lines_come_without_their_ends() {
        let line = |text: &[u8]| Input::Line(text.to_vec());
        assert_eq!(of(b""), []);
        assert_eq!(of(b"a\n\nb\r\nc"), [line(b"a"), line(b""), line(b"b"), line(b"c")]);
        assert_eq!(of(b"a\rb\n\xff\n"), [line(b"a\rb"), line(b"\xff")]);
    }

    #[test]
    fn an_endless_line_is_given_up() {
        let mut inputs = Vec::new();
        lines(io::BufReader::new(io::repeat(b'a')), |input| {
            inputs.push(input);
            true
        });
        assert!(matches!(&inputs[..], [Input::Failed(_)]));
    }

    #[test]
    fn an_input_that_cannot_be_read_says_why_behind_what_was_read() {
        struct Fails;
        impl Read for Fails {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("torn tape"))
            }
        }
        let mut inputs = Vec::new();
        lines(io::BufReader::new(b"a\n".chain(Fails)), |input| {
            inputs.push(input);
            true
        });
        let failed = Input::Failed("cannot read standard input: torn tape".to_owned());
        assert_eq!(inputs, [Input::Line(b"a".to_vec()), failed]);
        assert_eq!(super::failed("no thread").try_recv(), Ok(Input::Failed("no thread".to_owned())));
    }

    #[test]
    fn reading_ends_when_nobody_wants_more() {
        let mut count = 0;
        lines(&b"a\nb\nc\n"[..], |_| {
            count += 1;
            count < 2
        });
        assert_eq!(count, 2);
    }
}
