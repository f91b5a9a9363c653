//! A small store of the plugin's own, per agency. For caches and cursors, not for case data.

use std::fmt;
use std::time::Duration;

use crate::world;

/// A stored value and its version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The bytes.
    pub value: Vec<u8>,
    /// Goes up with every write.
    pub version: u64,
}

/// Why the store refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KvError {
    /// The plugin has no grant for a store.
    Denied,
    /// The value is too large.
    TooLarge,
    /// The store of this plugin is full.
    Quota,
    /// The store cannot be reached at the moment.
    Unavailable,
}

impl fmt::Display for KvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Denied => "the plugin has no grant for a store",
            Self::TooLarge => "the value is too large for the plugin's store",
            Self::Quota => "the plugin's store is full",
            Self::Unavailable => "the plugin's store cannot be reached at the moment",
        })
    }
}

impl std::error::Error for KvError {}

impl From<KvError> for crate::Error {
    fn from(error: KvError) -> Self {
        match error {
            KvError::Denied => Self::permanent("denied", error.to_string()),
            KvError::TooLarge | KvError::Quota => Self::permanent("kv-full", error.to_string()),
            KvError::Unavailable => Self::retryable("kv-unavailable", error.to_string()),
        }
    }
}

/// The value under a key.
pub fn get(key: &str) -> Result<Option<Stored>, KvError> {
    world::kv_get(key)
}

/// Writes if the stored version is `expected` (`None`: nothing may be stored); false if it is not.
pub fn put(
    key: &str,
    value: &[u8],
    expected: Option<u64>,
    lifetime: Option<Duration>,
) -> Result<bool, KvError> {
    world::kv_put(key, value, expected, lifetime)
}

/// Forgets a key.
pub fn delete(key: &str) -> Result<(), KvError> {
    world::kv_delete(key)
}
