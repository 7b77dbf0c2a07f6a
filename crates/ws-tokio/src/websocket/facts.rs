//! What of the opening handshake is kept.

use http::Response;
use tokio::io::{AsyncRead, AsyncWrite};
use ws_endpoint::Agreed;

use super::{Extras, WebSocket};

/// What of the opening handshake is kept.
#[derive(Debug)]
pub(super) struct Facts {
    subprotocol: Option<String>,
    extensions: Vec<&'static str>,
    response: Option<Response<()>>,
    url: Option<String>,
}

impl Facts {
    /// `None` where there is nothing to be kept, which is looked at before anything is moved.
    #[inline]
    pub(super) fn new(agreed: Agreed, keeps_response: bool) -> Option<Self> {
        if agreed.subprotocol.is_none() && agreed.extensions.is_empty() && !keeps_response {
            return None;
        }
        let Agreed { subprotocol, extensions, response, .. } = agreed;
        let response = keeps_response.then(|| response.into_response());
        Some(Self { subprotocol, extensions, response, url: None })
    }
}

/// What the opening handshake has come to.
impl<S: AsyncRead + AsyncWrite + Unpin> WebSocket<S> {
    /// The subprotocol in use.
    #[must_use]
    pub fn subprotocol(&self) -> Option<&str> {
        self.facts()?.subprotocol.as_deref()
    }

    /// The names of the extensions in use.
    #[must_use]
    pub fn extensions(&self) -> &[&'static str] {
        self.facts().map_or(&[], |facts| &facts.extensions)
    }

    /// The server's answer to the opening handshake; kept by clients only.
    #[must_use]
    pub fn response(&self) -> Option<&Response<()>> {
        self.facts()?.response.as_ref()
    }

    /// The address that the connection was opened with, behind all redirects; kept by clients only. Without user
    /// information, its scheme `ws`, `wss` or `ws+unix`.
    #[must_use]
    pub fn url(&self) -> Option<&str> {
        self.facts()?.url.as_deref()
    }

    pub(crate) fn set_url(&mut self, url: String) {
        if let Some(Extras { facts: Some(facts), .. }) = self.extras.as_deref_mut() {
            facts.url = Some(url);
        }
    }

    fn facts(&self) -> Option<&Facts> {
        self.extras.as_ref()?.facts.as_ref()
    }
}
