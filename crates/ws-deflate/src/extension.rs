//! The extension as it is registered, in both roles.

use std::{fmt, sync::Arc};

use ws_extensions::{Extension, Offer, Params, Refusal, Session, SessionOptions};
use ws_frame::Rsv;

use crate::{
    deflater::Deflater,
    inflater::Inflater,
    options::Options,
    pool::Pool,
    settings::Takeover,
    terms::{Flow, Terms},
};

/// permessage-deflate (RFC 7692), for a [`Registry`](ws_extensions::Registry) of a client, a server, or both.
///
/// Registered once, it serves any number of connections, whose compressors come from one pool. Clones share it.
///
/// ```
/// use ws_deflate::{Options, PermessageDeflate};
/// use ws_extensions::{Registry, SessionOptions};
/// use ws_frame::Role;
///
/// let mut registry = Registry::new();
/// registry.register(PermessageDeflate::new(Options::small_contexts()))?;
/// let offer = Some("permessage-deflate; client_max_window_bits");
/// let session = registry.respond(offer, &SessionOptions::new(Role::Server, Some(1 << 20)))?;
/// let answer = "permessage-deflate; server_max_window_bits=12; client_max_window_bits=12";
/// assert_eq!(session.header.as_deref(), Some(answer));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct PermessageDeflate(Arc<Shared>);

/// What all connections have in common.
#[derive(Default)]
pub(crate) struct Shared {
    pub(crate) options: Options,
    pub(crate) pool: Pool,
}

impl PermessageDeflate {
    /// The name in the header.
    pub const NAME: &'static str = "permessage-deflate";

    /// The extension with these options. Nothing is allocated for compression until there is a message to compress.
    pub fn new(options: Options) -> Self {
        PermessageDeflate(Arc::new(Shared { pool: Pool::new(options.pool_size), options }))
    }

    /// The options that it was made with.
    pub fn options(&self) -> &Options {
        &self.0.options
    }

    fn session(&self, incoming: Flow, outgoing: Flow) -> Session {
        Session::new(
            Inflater::new(Arc::clone(&self.0), incoming),
            Deflater::new(Arc::clone(&self.0), outgoing),
        )
    }
}

impl Extension for PermessageDeflate {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn rsv(&self) -> Rsv {
        Rsv::RSV1
    }

    fn offer(&self, _: &SessionOptions) -> Option<Box<dyn Offer>> {
        let terms = Terms::offers(&self.0.options);
        let params = terms.iter().map(Terms::params).collect::<Result<_, _>>().ok()?;
        Some(Box::new(Offered { extension: self.clone(), terms, params }))
    }

    /// The first offer that can be met; one that cannot be read is passed over (RFC 7692 section 7.1: declined).
    fn accept(&self, offers: &[Params], _: &SessionOptions) -> Option<(Params, Session)> {
        let offer = offers.iter().find_map(|params| Terms::read(params).ok())?;
        let response = offer.response(&self.0.options);
        let agreement = response.agreement();
        Some((response.params().ok()?, self.session(agreement.client, agreement.server)))
    }
}

/// A client's offer.
struct Offered {
    extension: PermessageDeflate,
    /// One for each of `params`.
    terms: Vec<Terms>,
    params: Vec<Params>,
}

impl Offer for Offered {
    fn params(&self) -> &[Params] {
        &self.params
    }

    /// The answer has to fit one of the entries; which one the server meant is not said. If it fits none, it is told
    /// what it lacks for the last, which asks for the least.
    fn activate(self: Box<Self>, response: &Params) -> Result<Session, Refusal> {
        let response = Terms::read(response)?;
        let checks = self.terms.iter().map(|terms| terms.check(&response));
        checks.reduce(Result::or).unwrap_or(Ok(()))?;
        let options = &self.extension.0.options;
        let agreement = response.agreement();
        let mut own = agreement.client;
        // Section 7.1.1.2: what the client said of itself holds whether the server repeats it or not.
        if options.takeover == Some(Takeover::Reset) {
            own.takeover = Takeover::Reset;
        }
        own.bits = own.bits.min(options.window_bits);
        Ok(self.extension.session(agreement.server, own))
    }
}

impl fmt::Debug for PermessageDeflate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PermessageDeflate").field(&self.0.options).finish()
    }
}
