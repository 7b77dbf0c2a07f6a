//! The extensions that an endpoint knows, and what a server makes of a request.

use std::{fmt, sync::Arc};

use thiserror::Error;
use ws_frame::Rsv;

use crate::{
    client::ClientOffer,
    extension::Extension,
    grammar::{HeaderError, parse},
    negotiated::{Negotiated, Negotiation},
    options::SessionOptions,
    params::{Params, check_token},
};

/// The extensions that an endpoint can use, in order of preference.
///
/// Clones share what was registered. A client [offers](Self::offer) them, a server [responds](Self::respond) to an
/// offer.
#[derive(Clone, Default)]
pub struct Registry(Arc<Vec<Registered>>);

#[derive(Clone)]
pub(crate) struct Registered {
    pub(crate) name: &'static str,
    pub(crate) rsv: Rsv,
    pub(crate) extension: Arc<dyn Extension>,
}

/// Why an extension cannot be registered.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[non_exhaustive]
pub enum RegisterError {
    /// Another one has the same name.
    #[error("an extension named {0} is registered already")]
    NameTaken(&'static str),
    /// The name cannot stand in the header.
    #[error("the extension's name {0:?} is not a token")]
    InvalidName(&'static str),
}

impl Registry {
    /// Knows no extension.
    pub fn new() -> Self {
        Registry::default()
    }

    /// Adds an extension behind the others. Clones made before do not know it.
    ///
    /// # Errors
    /// [`RegisterError`] when the name is no token, or taken.
    pub fn register(&mut self, extension: impl Extension + 'static) -> Result<(), RegisterError> {
        let (name, rsv) = (extension.name(), extension.rsv());
        check_token(name).map_err(|_| RegisterError::InvalidName(name))?;
        if self.names().any(|known| known == name) {
            return Err(RegisterError::NameTaken(name));
        }
        Arc::make_mut(&mut self.0).push(Registered { name, rsv, extension: Arc::new(extension) });
        Ok(())
    }

    /// Whether no extension is registered.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The names in order.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|registered| registered.name)
    }

    /// The client's first step: asks each extension what to offer. Extensions that want the same reserved bit may
    /// all be offered, the server chooses.
    pub fn offer(&self, options: &SessionOptions) -> ClientOffer {
        ClientOffer::new(&self.0, *options)
    }

    /// The server's only step: lets each extension answer what was offered under its name. Extensions are asked in
    /// order of registration; one whose reserved bits are taken is not asked. Unknown names are ignored, and an
    /// absent or empty header is no offer.
    ///
    /// # Errors
    /// [`HeaderError`] when the header is malformed: the request is answered with 400.
    pub fn respond(&self, header: Option<&str>, options: &SessionOptions) -> Result<Negotiated, HeaderError> {
        let offered = parse_present(header)?;
        let mut negotiation = Negotiation::new(*options);
        for known in self.0.iter() {
            let offers = offered.iter().filter(|(name, _)| name == known.name).map(|(_, params)| params);
            let offers: Vec<Params> = offers.cloned().collect();
            if offers.is_empty() || negotiation.conflict(known.rsv).is_some() {
                continue;
            }
            if let Some((params, session)) = known.extension.accept(&offers, options) {
                negotiation.add(known.name, known.rsv, params, session);
            }
        }
        Ok(negotiation.finish(true))
    }
}

/// Reads a header that may be absent, or empty, which means the same.
pub(crate) fn parse_present(header: Option<&str>) -> Result<Vec<(String, Params)>, HeaderError> {
    match header.map(|header| header.trim_matches([' ', '\t'])) {
        None | Some("") => Ok(Vec::new()),
        Some(header) => parse(header),
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}
