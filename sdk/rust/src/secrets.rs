//! Secrets by name. A credential of a request needs none of this: the engine adds it.

use std::fmt;

use crate::world;

/// Why there is no answer about a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretError {
    /// The plugin has no grant for it.
    Denied,
    /// There is no secret of this name.
    NotFound,
    /// Secrets cannot be read at the moment.
    Unavailable,
}

impl fmt::Display for SecretError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Denied => "the plugin has no grant for this secret",
            Self::NotFound => "there is no secret of this name",
            Self::Unavailable => "secrets cannot be read at the moment",
        })
    }
}

impl std::error::Error for SecretError {}

impl From<SecretError> for crate::Error {
    fn from(error: SecretError) -> Self {
        match error {
            SecretError::Denied => Self::permanent("denied", error.to_string()),
            SecretError::NotFound => Self::permanent("secret-not-found", error.to_string()),
            SecretError::Unavailable => Self::retryable("secrets-unavailable", error.to_string()),
        }
    }
}

/// HMAC-SHA256 under the secret, which itself stays with the engine.
pub fn hmac_sha256(name: &str, bytes: &[u8]) -> Result<Vec<u8>, SecretError> {
    world::hmac_sha256(name, bytes)
}

/// The secret itself; needs the grant `reveal`, which operators see in red.
pub fn reveal(name: &str) -> Result<String, SecretError> {
    world::reveal(name)
}
