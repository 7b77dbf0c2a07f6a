//! Whom a client trusts.

use std::{path::Path, sync::Arc};

use anyhow::Context;
use ws_stack::{
    TlsOptions,
    rustls::{ClientConfig, pki_types::pem},
};

/// The trust that the options ask for; `None` for the system's.
pub(super) fn config(no_check: bool, ca: Option<&Path>) -> anyhow::Result<Option<Arc<ClientConfig>>> {
    let options = match ca {
        Some(ca) => roots(ca)?,
        None if no_check => TlsOptions::new().danger_accept_any_certificate(),
        None => return Ok(None),
    };
    Ok(Some(options.build()?))
}

fn roots(ca: &Path) -> anyhow::Result<TlsOptions> {
    let read = || format!("cannot read certificates from {}", ca.display());
    match TlsOptions::new().root_pem(&std::fs::read(ca).with_context(read)?) {
        Ok(options) => Ok(options.only_added_roots()),
        Err(pem::Error::NoItemsFound) => anyhow::bail!("no certificate in {}", ca.display()),
        Err(error) => Err(error).with_context(read),
    }
}
