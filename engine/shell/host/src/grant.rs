//! What one plugin may use: manifest ∩ pack ∩ operator. Neither side widens another.
//!
//! A grant is computed once, when a plugin is bound; what was asked for and not granted is kept
//! beside it, so that a denial can say what to add and where.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::{IpAddr, SocketAddr};

use serde_json::{Map, Value};

use crate::address;
use crate::manifest::{HttpRequest, Manifest, OriginRequest, SecretUse};
use crate::origin::{Origin, strict_url};

mod denial;

/// Shortest secret that is looked for in what a plugin says.
const SECRET_BYTES_MIN: usize = 8;

/// The effective grant.
#[derive(Debug, Clone, Default)]
pub struct Grant {
    /// Name of the plugin, for messages.
    pub plugin: String,
    /// The plugin's configuration: the pack's, with the operator's values over it.
    pub config: Value,
    /// Origins that it may call.
    pub origins: Vec<GrantedOrigin>,
    /// Secrets that it may use.
    pub secrets: BTreeMap<String, GrantedSecret>,
    /// What the manifest asks for and this grant lacks.
    pub withheld: Vec<Withheld>,
    /// Whether the log has the plugin's own words.
    pub heard: bool,
    /// Whether a pack had a say.
    pub(crate) packed: bool,
    /// Addresses that the operator named, special ones too.
    pub(crate) addresses: BTreeSet<(IpAddr, u16)>,
}

/// An origin that may be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantedOrigin {
    /// Scheme, host and port, all three.
    pub origin: Origin,
    /// Upper-case.
    pub methods: Vec<String>,
    /// The secret that goes here; others that name no origin may go here as well.
    pub credential: Option<String>,
    /// Whether the operator named this origin although it is this machine or a private address.
    pub private: bool,
}

/// A secret with what may be done with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantedSecret {
    /// Never shown.
    pub value: Secret,
    /// The one use it is granted for.
    pub purpose: SecretUse,
}

/// A value that no debug output shows.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

/// Something that the manifest asks for and does not get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withheld {
    /// What.
    pub what: Asked,
    /// Sides that would have to allow it.
    pub missing: Vec<Side>,
}

/// A thing asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// An origin, resolved.
    Origin(Origin),
    /// An origin whose configuration key holds no origin.
    Unbound(String),
    /// A secret by name.
    Secret(String),
}

/// Who has a say in a grant besides the manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// `pack.yaml`.
    Pack,
    /// Whoever runs the engine.
    Operator,
}

/// What the pack binds for a plugin; `None` where there is no pack.
#[derive(Debug, Clone, Default)]
pub struct PackSide {
    /// Configuration of the plugin. A key that the pack binds here is an origin that it allows
    /// wherever the manifest says `{config.<key>}`.
    pub config: Value,
    /// Origins, or `{config.<key>}` as the manifest writes it.
    pub origins: Vec<String>,
    /// Names of secrets.
    pub secrets: Vec<String>,
}

/// What the operator allows.
#[derive(Clone, Default)]
pub struct OperatorSide {
    /// Overrides of configuration values (an endpoint differs between test and production).
    pub config: Value,
    /// `HOST:PORT` or origins; naming a private address or `localhost` also allows connecting to
    /// it. An empty list allows nothing.
    pub hosts: Vec<String>,
    /// Name to value.
    pub secrets: BTreeMap<String, String>,
    /// Whether the words of a plugin's log are written. They may be of a case: nobody but the
    /// plugin knows what they hold.
    pub heard: bool,
}

impl Secret {
    /// Keeps a value from being shown.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// Whether the value stands in a text. Very short values stand in any text by chance.
    pub(crate) fn stands_in(&self, text: &str) -> bool {
        self.0.len() >= SECRET_BYTES_MIN && text.contains(&self.0)
    }

    /// The value itself.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl fmt::Debug for OperatorSide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OperatorSide")
            .field("config", &self.config)
            .field("hosts", &self.hosts)
            .field("secrets", &self.secrets.keys())
            .field("heard", &self.heard)
            .finish()
    }
}

impl OperatorSide {
    /// Entries of `hosts` that can never match, each with what to write instead.
    pub fn problems(&self) -> Vec<String> {
        self.hosts
            .iter()
            .filter_map(|text| AllowedHost::read(text).err())
            .collect()
    }
}

impl Grant {
    /// What all three sides agree on. Without a pack: manifest ∩ operator.
    pub fn intersect(
        manifest: &Manifest,
        pack: Option<&PackSide>,
        operator: &OperatorSide,
    ) -> Self {
        let hosts: Vec<_> = operator
            .hosts
            .iter()
            .filter_map(|text| AllowedHost::read(text).ok())
            .collect();
        let mut grant = Self {
            plugin: manifest.name.clone(),
            config: merged(pack.map_or(&Value::Null, |p| &p.config), &operator.config),
            packed: pack.is_some(),
            heard: operator.heard,
            addresses: hosts.iter().filter_map(AllowedHost::address).collect(),
            ..Self::default()
        };
        for request in &manifest.http {
            grant.add_origin(request, pack, &hosts);
        }
        for request in &manifest.secrets {
            let bound = pack.is_none_or(|pack| pack.secrets.contains(&request.name));
            let value = operator.secrets.get(&request.name);
            if let (true, Some(value)) = (bound, value) {
                let granted = GrantedSecret {
                    value: Secret::new(value),
                    purpose: request.purpose,
                };
                grant.secrets.insert(request.name.clone(), granted);
            } else {
                grant.withhold(Asked::Secret(request.name.clone()), bound, value.is_some());
            }
        }
        grant
    }

    /// The granted origin for a request, or a sentence that says what to add and where.
    pub(crate) fn origin(&self, origin: &Origin, method: &str) -> Result<&GrantedOrigin, String> {
        let fits = |g: &&GrantedOrigin| {
            g.origin == *origin && g.methods.iter().any(|allowed| allowed == method)
        };
        self.origins
            .iter()
            .find(fits)
            .ok_or_else(|| self.deny_origin(origin, method))
    }

    /// Whether a connection to `address` is allowed for an origin that resolved to it; the error
    /// says what kind of address it is.
    pub(crate) fn connection(
        &self,
        granted: &GrantedOrigin,
        address: SocketAddr,
    ) -> Result<(), String> {
        let ip = address.ip().to_canonical();
        let Some(kind) = address::special(address.ip()) else {
            return Ok(());
        };
        let by_name = granted.private && granted.origin.names_loopback() && ip.is_loopback();
        if by_name || self.addresses.contains(&(ip, address.port())) {
            return Ok(());
        }
        Err(self.deny_address(&granted.origin, SocketAddr::new(ip, address.port()), kind))
    }

    /// The secret to add to a request for `granted`, or a sentence.
    pub(crate) fn credential(
        &self,
        name: &str,
        granted: &GrantedOrigin,
    ) -> Result<&Secret, String> {
        let secret = self.secret(name, SecretUse::Http)?;
        let elsewhere = self
            .origins
            .iter()
            .any(|origin| origin.credential.as_deref() == Some(name));
        if elsewhere && granted.credential.as_deref() != Some(name) {
            return Err(format!(
                "secret `{name}` may not go to {}: the manifest binds it to another origin; \
                 write `credential = \"{name}\"` under that [[http]] in plugin.toml",
                granted.origin
            ));
        }
        Ok(&secret.value)
    }

    /// A secret granted for this use, or a sentence.
    pub(crate) fn secret(&self, name: &str, purpose: SecretUse) -> Result<&GrantedSecret, String> {
        match self.secrets.get(name) {
            Some(secret) if secret.purpose == purpose => Ok(secret),
            Some(secret) => Err(denial::other_use(
                &self.plugin,
                name,
                purpose,
                secret.purpose,
            )),
            None => Err(self.deny_secret(name, purpose)),
        }
    }

    /// Whether the manifest asks for the secret and the operator has no value for it.
    pub(crate) fn secret_is_missing(&self, name: &str) -> bool {
        self.withheld.iter().any(|withheld| {
            withheld.what == Asked::Secret(name.to_owned()) && withheld.missing == [Side::Operator]
        })
    }

    fn add_origin(
        &mut self,
        request: &HttpRequest,
        pack: Option<&PackSide>,
        hosts: &[AllowedHost],
    ) {
        let origin = match &request.origin {
            OriginRequest::Fixed(origin) => origin.clone(),
            OriginRequest::Config(key) => {
                let bound = self.config.get(key).and_then(Value::as_str);
                match bound.map(Origin::read) {
                    Some(Ok(origin)) => origin,
                    Some(Err(_)) | None => {
                        return self.withhold(Asked::Unbound(key.clone()), false, true);
                    }
                }
            }
        };
        let bound = pack.is_none_or(|pack| pack.binds(&request.origin, &origin));
        let allowed = hosts.iter().any(|host| host.covers(&origin));
        if !(bound && allowed) {
            return self.withhold(Asked::Origin(origin), bound, allowed);
        }
        let special = origin
            .address()
            .is_some_and(|ip| address::special(ip).is_some());
        self.origins.push(GrantedOrigin {
            private: special || origin.names_loopback(),
            origin,
            methods: request.methods.clone(),
            credential: request.credential.clone(),
        });
    }

    fn withhold(&mut self, what: Asked, bound: bool, allowed: bool) {
        let missing = [(Side::Pack, bound), (Side::Operator, allowed)];
        let missing = missing
            .into_iter()
            .filter(|(_, given)| !given)
            .map(|(side, _)| side);
        self.withheld.push(Withheld {
            what,
            missing: missing.collect(),
        });
    }
}

impl PackSide {
    fn binds(&self, request: &OriginRequest, origin: &Origin) -> bool {
        let listed = self.origins.iter().any(|text| {
            *text == request.to_string() || Origin::read(text).is_ok_and(|own| own == *origin)
        });
        let configured = match request {
            OriginRequest::Config(key) => self.config.get(key).is_some_and(Value::is_string),
            OriginRequest::Fixed(_) => false,
        };
        listed || configured
    }
}

/// One entry of the operator's list.
pub(crate) struct AllowedHost {
    origin: Origin,
    /// `HOST:PORT` covers both schemes.
    any_scheme: bool,
}

impl AllowedHost {
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        if text.contains("://") {
            return Ok(Self {
                origin: Origin::read(text)?,
                any_scheme: false,
            });
        }
        let advice = || format!("`{text}` is not a host with its port; write `pay.example:443`");
        let port = text
            .rsplit_once(':')
            .and_then(|(_, port)| port.parse::<u16>().ok());
        let url = strict_url(&format!("http://{text}")).map_err(|_| advice())?;
        let origin = Origin::of(&url);
        let whole = url.path() == "/" && url.query().is_none() && !text.ends_with('/');
        if !whole || port != Some(origin.port()) {
            return Err(advice());
        }
        Ok(Self {
            origin,
            any_scheme: true,
        })
    }

    pub(crate) fn covers(&self, origin: &Origin) -> bool {
        self.origin == *origin
            || (self.any_scheme
                && self.origin.host() == origin.host()
                && self.origin.port() == origin.port())
    }

    pub(crate) fn address(&self) -> Option<(IpAddr, u16)> {
        let address = self.origin.address()?;
        Some((address.to_canonical(), self.origin.port()))
    }
}

/// The pack's object with the operator's values over it, key by key.
fn merged(pack: &Value, operator: &Value) -> Value {
    let mut config = Map::new();
    for side in [pack, operator] {
        if let Value::Object(entries) = side {
            config.extend(entries.clone());
        }
    }
    Value::Object(config)
}

#[cfg(test)]
mod tests;
