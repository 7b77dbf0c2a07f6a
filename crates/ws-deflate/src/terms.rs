//! The four parameters of RFC 7692 section 7.1, and what two endpoints agree on by them.

use ws_extensions::{InvalidToken, Params, Refusal};

use crate::{
    options::Options,
    settings::{Takeover, WindowBits},
};

const SERVER_NO_CONTEXT_TAKEOVER: &str = "server_no_context_takeover";
const CLIENT_NO_CONTEXT_TAKEOVER: &str = "client_no_context_takeover";
const SERVER_MAX_WINDOW_BITS: &str = "server_max_window_bits";
const CLIENT_MAX_WINDOW_BITS: &str = "client_max_window_bits";

/// One entry of the header, offer or response.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Terms {
    server_no_context_takeover: bool,
    client_no_context_takeover: bool,
    server_max_window_bits: Option<WindowBits>,
    client_max_window_bits: Option<ClientWindow>,
}

/// The value of `client_max_window_bits`, which only an offer may leave out (RFC 7692 section 7.1.2.2).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum ClientWindow {
    /// The client can be limited.
    Any,
    /// The client will not use more, limited or not.
    Bits(WindowBits),
}

impl ClientWindow {
    const fn bits(self) -> WindowBits {
        match self {
            ClientWindow::Any => WindowBits::MAX,
            ClientWindow::Bits(bits) => bits,
        }
    }
}

/// How one direction of a connection compresses.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Flow {
    pub(crate) takeover: Takeover,
    pub(crate) bits: WindowBits,
}

/// What both sides keep to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Agreement {
    /// From server to client.
    pub(crate) server: Flow,
    /// From client to server.
    pub(crate) client: Flow,
}

impl Terms {
    /// Reads an entry. RFC 7692 section 7.1: an unknown parameter, one that comes twice, or one with a value that it
    /// may not have makes the whole entry unacceptable.
    pub(crate) fn read(params: &Params) -> Result<Self, Refusal> {
        let mut terms = Terms::default();
        for (at, (name, value)) in params.iter().enumerate() {
            if params.iter().take(at).any(|(earlier, _)| earlier == name) {
                return Err(Refusal::parameter(name, "comes more than once"));
            }
            match name {
                SERVER_NO_CONTEXT_TAKEOVER => terms.server_no_context_takeover = flag(name, value)?,
                CLIENT_NO_CONTEXT_TAKEOVER => terms.client_no_context_takeover = flag(name, value)?,
                SERVER_MAX_WINDOW_BITS => {
                    let value = value.ok_or_else(|| Refusal::parameter(name, "lacks its value"))?;
                    terms.server_max_window_bits = Some(bits(name, value)?);
                }
                CLIENT_MAX_WINDOW_BITS => {
                    let value = value.map(|value| bits(name, value)).transpose()?;
                    terms.client_max_window_bits = Some(value.map_or(ClientWindow::Any, ClientWindow::Bits));
                }
                _ => return Err(Refusal::parameter(name, "is not one of permessage-deflate")),
            }
        }
        Ok(terms)
    }

    /// The same as parameters.
    pub(crate) fn params(&self) -> Result<Params, InvalidToken> {
        let mut params = Params::new();
        if self.server_no_context_takeover {
            params.push(SERVER_NO_CONTEXT_TAKEOVER, None)?;
        }
        if self.client_no_context_takeover {
            params.push(CLIENT_NO_CONTEXT_TAKEOVER, None)?;
        }
        if let Some(bits) = self.server_max_window_bits {
            params.push(SERVER_MAX_WINDOW_BITS, Some(&bits.bits().to_string()))?;
        }
        match self.client_max_window_bits {
            Some(ClientWindow::Any) => params.push(CLIENT_MAX_WINDOW_BITS, None)?,
            Some(ClientWindow::Bits(bits)) => {
                params.push(CLIENT_MAX_WINDOW_BITS, Some(&bits.bits().to_string()))?;
            }
            None => {}
        }
        Ok(params)
    }

    /// What a client offers, the most wanted first.
    pub(crate) fn offers(options: &Options) -> Vec<Terms> {
        let own = match limit(options.window_bits) {
            Some(bits) => ClientWindow::Bits(bits),
            None => ClientWindow::Any,
        };
        let wanted = Terms {
            server_no_context_takeover: options.peer_takeover == Some(Takeover::Reset),
            client_no_context_takeover: options.takeover == Some(Takeover::Reset),
            server_max_window_bits: limit(options.peer_window_bits),
            client_max_window_bits: options.peer_may_limit_window.then_some(own),
        };
        let unlimited = Terms { server_no_context_takeover: false, server_max_window_bits: None, ..wanted };
        if options.limits_optional && unlimited != wanted { vec![wanted, unlimited] } else { vec![wanted] }
    }

    /// What a server answers to this offer. Each offer that can be read can be met.
    ///
    /// - RFC 7692 section 7.1.1: contexts are reset where the offer or we want it; the answer says so.
    /// - Section 7.1.2.1: the server's window is never above the offered one, and the answer gives it.
    /// - Section 7.1.2.2: the client's window is limited only where it was offered to be, never above the offer.
    pub(crate) fn response(&self, options: &Options) -> Terms {
        let server_bits = options.window_bits.min(self.server_max_window_bits.unwrap_or(WindowBits::MAX));
        let server_limit = limit(server_bits).or(self.server_max_window_bits.map(|_| server_bits));
        let client_limit = self
            .client_max_window_bits
            .and_then(|offered| limit(offered.bits().min(options.peer_window_bits)))
            .map(ClientWindow::Bits);
        let resets = |takeover: Option<Takeover>| takeover != Some(Takeover::Keep);
        Terms {
            server_no_context_takeover: self.server_no_context_takeover || resets(options.takeover),
            client_no_context_takeover: self.client_no_context_takeover || resets(options.peer_takeover),
            server_max_window_bits: server_limit,
            client_max_window_bits: client_limit,
        }
    }

    /// Whether a client whose offer this is may take that answer.
    pub(crate) fn check(&self, response: &Terms) -> Result<(), Refusal> {
        // RFC 7692 section 7.1.1.1: a server that accepts the offer resets its context and says so.
        if self.server_no_context_takeover && !response.server_no_context_takeover {
            return Err(Refusal::parameter(SERVER_NO_CONTEXT_TAKEOVER, "was asked for and not granted"));
        }
        // Section 7.1.2.1: the answer has the same or a smaller value. Unasked for, it is a hint.
        if let Some(asked) = self.server_max_window_bits {
            match response.server_max_window_bits {
                Some(granted) if granted <= asked => {}
                Some(_) => {
                    return Err(Refusal::parameter(SERVER_MAX_WINDOW_BITS, "is above what was asked for"));
                }
                None => {
                    return Err(Refusal::parameter(SERVER_MAX_WINDOW_BITS, "was asked for and not granted"));
                }
            }
        }
        // Section 7.1.2.2: never in an answer unless it was in the offer, with a value, and not above the offered one.
        match (self.client_max_window_bits, response.client_max_window_bits) {
            (_, None) => Ok(()),
            (None, Some(_)) => Err(Refusal::parameter(CLIENT_MAX_WINDOW_BITS, "was not offered")),
            (Some(_), Some(ClientWindow::Any)) => {
                Err(Refusal::parameter(CLIENT_MAX_WINDOW_BITS, "lacks its value"))
            }
            (Some(offered), Some(ClientWindow::Bits(bits))) if bits > offered.bits() => {
                Err(Refusal::parameter(CLIENT_MAX_WINDOW_BITS, "is above what was offered"))
            }
            (Some(_), Some(ClientWindow::Bits(_))) => Ok(()),
        }
    }

    /// What a response means for both directions.
    pub(crate) fn agreement(&self) -> Agreement {
        let takeover = |reset| if reset { Takeover::Reset } else { Takeover::Keep };
        Agreement {
            server: Flow {
                takeover: takeover(self.server_no_context_takeover),
                bits: self.server_max_window_bits.unwrap_or(WindowBits::MAX),
            },
            client: Flow {
                takeover: takeover(self.client_no_context_takeover),
                bits: self.client_max_window_bits.map_or(WindowBits::MAX, ClientWindow::bits),
            },
        }
    }
}

/// A window that is a limit at all.
fn limit(bits: WindowBits) -> Option<WindowBits> {
    Some(bits).filter(|bits| *bits < WindowBits::MAX)
}

fn flag(name: &str, value: Option<&str>) -> Result<bool, Refusal> {
    if value.is_some() { Err(Refusal::parameter(name, "takes no value")) } else { Ok(true) }
}

fn bits(name: &str, value: &str) -> Result<WindowBits, Refusal> {
    WindowBits::read(value)
        .ok_or_else(|| Refusal::parameter(name, "must be a number from 8 to 15 without leading zeros"))
}

#[cfg(test)]
mod tests;
