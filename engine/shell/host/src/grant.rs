//! What one plugin may use: manifest ∩ pack ∩ operator. Neither side widens another.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::manifest::Manifest;

/// The effective grant.
#[derive(Debug, Clone, Default)]
pub struct Grant {
    pub config: Value,
    /// Allowed origins, `http://127.0.0.1:8080`, with methods; private addresses are reachable
    /// only when the operator named them.
    pub origins: Vec<GrantedOrigin>,
    /// Name to value.
    pub secrets: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantedOrigin {
    pub origin: String,
    pub methods: Vec<String>,
    /// Whether loopback, private and link-local addresses may be connected to.
    pub private: bool,
}

/// What the pack binds for a plugin; `None` where there is no pack.
#[derive(Debug, Clone, Default)]
pub struct PackSide {
    pub config: Value,
    pub origins: Vec<String>,
    pub secrets: Vec<String>,
}

/// What the operator allows.
#[derive(Debug, Clone, Default)]
pub struct OperatorSide {
    /// Overrides of configuration values (an endpoint differs between test and production).
    pub config: Value,
    /// `HOST:PORT` or origins; naming one that is private also allows connecting to it.
    pub hosts: Vec<String>,
    pub secrets: BTreeMap<String, String>,
}

impl Grant {
    pub fn intersect(
        _manifest: &Manifest,
        _pack: Option<&PackSide>,
        _operator: &OperatorSide,
    ) -> Self {
        unimplemented!()
    }
}
