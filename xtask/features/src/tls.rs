//! TLS by rustls.

/// `rustls`: both sides, with a provider of cryptography.
#[cfg(feature = "rustls")]
pub fn rustls(connect: ws_stack::Connect, pem: &[u8]) -> Result<ws_stack::ServerBuilder, ws_stack::BoxError> {
    drop(connect.tls(ws_stack::TlsOptions::new().build()?));
    Ok(ws_stack::Server::builder().tls(ws_stack::tls_config(pem, pem)?))
}

/// `rustls-no-provider`: both sides, with one of the application's.
#[cfg(feature = "rustls-no-provider")]
pub fn rustls_no_provider(
    options: ws_stack::TlsOptions,
    provider: std::sync::Arc<ws_stack::rustls::crypto::CryptoProvider>,
    server: std::sync::Arc<ws_stack::rustls::ServerConfig>,
) -> Result<(ws_stack::TlsOptions, ws_stack::ServerBuilder), ws_stack::BoxError> {
    Ok((options.provider(provider), ws_stack::Server::builder().tls(server)))
}

/// `rustls-webpki-roots`.
#[cfg(feature = "rustls-webpki-roots")]
pub fn rustls_webpki_roots(options: ws_stack::TlsOptions) -> ws_stack::TlsOptions {
    options.webpki_roots()
}

/// `rustls-native-roots`.
#[cfg(feature = "rustls-native-roots")]
pub fn rustls_native_roots(options: ws_stack::TlsOptions) -> std::io::Result<ws_stack::TlsOptions> {
    options.native_roots()
}

/// `self-signed`.
#[cfg(feature = "self-signed")]
pub fn self_signed() -> Result<ws_stack::ServerBuilder, ws_stack::BoxError> {
    Ok(ws_stack::Server::builder().tls(ws_stack::SelfSigned::new(["localhost"])?.config()))
}
