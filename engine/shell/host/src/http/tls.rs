//! Which servers are trusted: those the operating system trusts. Nothing is resumed, so that no
//! session of one plugin is known to another.

use std::error::Error;
use std::io;
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::{ClientConfig, RootCertStore, crypto};
use rustls_platform_verifier::BuilderVerifierExt as _;

/// The system's roots.
pub(super) fn platform() -> Result<ClientConfig, String> {
    let mut config =
        ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| format!("TLS cannot be set up: {error}"))?
            .with_platform_verifier()
            .map_err(|error| format!("the system's certificates cannot be read: {error}"))?
            .with_no_client_auth();
    config.resumption = Resumption::disabled();
    Ok(config)
}

/// Trusts nobody; for requests that do not use TLS, whose client asks for a setting all the same.
pub(super) fn unused() -> ClientConfig {
    ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the provider supports the default versions")
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth()
}

/// Whether a failed connection failed in TLS.
pub(super) fn caused(error: &(dyn Error + 'static)) -> bool {
    if error.is::<rustls::Error>() {
        return true;
    }
    // The `source` of an IO error is its content's source, so the content is looked at by itself.
    let content = error
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref);
    content.is_some_and(|content| caused(content)) || error.source().is_some_and(caused)
}
