//! What goes over the wire: small JSON objects, told apart by their `type`.

use serde::{Deserialize, Serialize};

/// The longest name of a person or a room, in characters.
pub(crate) const MAX_NAME: usize = 24;

/// The longest text that is said, in characters.
pub(crate) const MAX_TEXT: usize = 1000;

/// The longest message, in bytes: the longest text with every character escaped, and what is around it.
pub(crate) const MAX_MESSAGE: usize = 12 * MAX_TEXT + 256;

/// What a client asks for.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(crate) enum Asked {
    /// To enter a room under a name: the first message, and only that.
    Join { room: String, name: String },
    /// To say something to everyone in the room.
    Say { text: String },
    /// To be answered, for the round-trip time: scripts of a page see no pings.
    Echo { id: u32 },
}

/// What a client is told.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(crate) enum Told<'a> {
    /// It has entered: under which name, and who is there, itself included.
    Welcome { room: &'a str, name: &'a str, people: Vec<&'a str> },
    /// Someone has come.
    Joined { name: &'a str },
    /// Someone has gone.
    Left { name: &'a str },
    /// Someone has said something.
    Said { name: &'a str, text: &'a str },
    /// The answer to an echo.
    Echo { id: u32 },
}

impl Asked {
    /// `None` for what is no message of the chat, or breaks a bound. What it gives is tidied.
    pub(crate) fn read(json: &str) -> Option<Self> {
        Some(match serde_json::from_str(json).ok()? {
            Self::Join { room, name } => Self::Join { room: one_line(&room)?, name: one_line(&name)? },
            Self::Say { text } => {
                let text = text.trim_end();
                let fits = !text.is_empty() && text.chars().count() <= MAX_TEXT;
                fits.then(|| Self::Say { text: text.to_owned() })?
            }
            Self::Echo { id } => Self::Echo { id },
        })
    }
}

/// A name without what would look like another one: blanks in a row, and characters that show nothing or turn the text.
fn one_line(name: &str) -> Option<String> {
    let unseen = |c: char| {
        c.is_control()
            || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    let seen: String = name.chars().map(|c| if unseen(c) { ' ' } else { c }).collect();
    let line = seen.split_whitespace().collect::<Vec<_>>().join(" ");
    (!line.is_empty() && line.chars().count() <= MAX_NAME).then_some(line)
}

impl Told<'_> {
    /// As it is sent.
    pub(crate) fn json(&self) -> String {
        // Nothing in it can fail: there are strings and numbers only.
        serde_json::to_string(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_tidied_and_bounded() {
        let long = "水".repeat(MAX_NAME);
        for (name, tidied) in [
            ("Ada", Some("Ada")),
            ("  Ada \t Lovelace\n", Some("Ada Lovelace")),
            ("A\u{202e}da\u{200b}", Some("A da")),
            (&*long, Some(&*long)),
            (&*format!("{long}a"), None),
            ("", None),
            (" \u{feff} ", None),
        ] {
            assert_eq!(one_line(name).as_deref(), tidied, "{name:?}");
        }
    }

    #[test]
    fn the_longest_text_fits_into_the_longest_message_however_it_is_escaped() {
        let text = "\u{1d11e}".repeat(MAX_TEXT);
        let escaped = r"\ud834\udd1e".repeat(MAX_TEXT);
        let json = format!(r#"{{"type":"say","text":"{escaped}"}}"#);
        assert!(json.len() <= MAX_MESSAGE);
        assert_eq!(Asked::read(&json), Some(Asked::Say { text: text.clone() }));
        assert_eq!(Asked::read(&json.replace(r#"text":""#, r#"text":"a"#)), None);
    }
}
