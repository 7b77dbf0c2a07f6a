//! A client's offer, and what it makes of the answer.

use std::fmt;

use thiserror::Error;
use ws_frame::Rsv;

use crate::{
    extension::{Offer, Refusal},
    grammar::{HeaderError, append},
    negotiated::{Negotiated, Negotiation},
    options::SessionOptions,
    registry::{Registered, parse_present},
};

/// What a client offers for one connection, from [`Registry::offer`](crate::Registry::offer).
pub struct ClientOffer {
    offered: Vec<Offered>,
    header: Option<String>,
    options: SessionOptions,
}

struct Offered {
    name: &'static str,
    rsv: Rsv,
    /// Taken by the answer.
    offer: Option<Box<dyn Offer>>,
}

/// Why a client does not accept the server's answer. The handshake fails (RFC 6455 sections 4.1 and 9.1).
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum NegotiationError {
    /// The header is malformed.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// The server answered something that was not offered.
    #[error("the server uses the extension {extension}, which was not offered")]
    NotOffered {
        /// The name in the answer.
        extension: String,
    },
    /// The server answered the same extension twice.
    #[error("the server uses the extension {extension} twice")]
    Repeated {
        /// The name in the answer.
        extension: &'static str,
    },
    /// Two extensions of the answer own the same reserved bit.
    #[error("the extensions {first} and {extension} use the same reserved bit")]
    ReservedBits {
        /// The later one.
        extension: &'static str,
        /// The one that has the bit.
        first: &'static str,
    },
    /// The extension does not accept its parameters.
    #[error("extension {extension}: {refusal}")]
    Refused {
        /// The extension.
        extension: &'static str,
        /// What it says.
        #[source]
        refusal: Refusal,
    },
}

impl ClientOffer {
    pub(crate) fn new(registered: &[Registered], options: SessionOptions) -> Self {
        let mut offered = Vec::new();
        let mut header = String::new();
        for known in registered {
            let Some(offer) = known.extension.offer(&options) else { continue };
            // An offer without entries is not on the wire, so the server cannot answer it.
            if offer.params().is_empty() {
                continue;
            }
            for params in offer.params() {
                append(&mut header, known.name, params);
            }
            offered.push(Offered { name: known.name, rsv: known.rsv, offer: Some(offer) });
        }
        ClientOffer { offered, header: Some(header).filter(|header| !header.is_empty()), options }
    }

    /// The value of the request's `Sec-WebSocket-Extensions` header, if there is anything to offer.
    pub fn header(&self) -> Option<&str> {
        self.header.as_deref()
    }

    /// Judges the header of the response; an absent or empty one means that no extension is in use.
    ///
    /// The order of the answer is the order in which the extensions work (RFC 6455 section 9.1).
    ///
    /// # Errors
    /// [`NegotiationError`] when the answer is malformed or does not fit the offer; the handshake fails.
    pub fn activate(mut self, header: Option<&str>) -> Result<Negotiated, NegotiationError> {
        let mut negotiation = Negotiation::new(self.options);
        for (name, params) in parse_present(header)? {
            let Some(offered) = self.offered.iter_mut().find(|offered| offered.name == name) else {
                return Err(NegotiationError::NotOffered { extension: name });
            };
            let extension = offered.name;
            let offer = offered.offer.take().ok_or(NegotiationError::Repeated { extension })?;
            if let Some(first) = negotiation.conflict(offered.rsv) {
                return Err(NegotiationError::ReservedBits { extension, first });
            }
            let session = offer
                .activate(&params)
                .map_err(|refusal| NegotiationError::Refused { extension, refusal })?;
            negotiation.add(extension, offered.rsv, params, session);
        }
        Ok(negotiation.finish(false))
    }
}

impl fmt::Debug for ClientOffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientOffer").field("header", &self.header).finish_non_exhaustive()
    }
}
