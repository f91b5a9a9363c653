//! `plugin.toml`: what a plugin is and what it asks for.
//!
//! A manifest only asks. What it gets is decided in [`crate::grant`].

use std::fmt;

use serde::Deserialize;

use crate::origin::{METHODS, Origin};

/// Names that functions of the engine use; a plugin may not take them.
const RESERVED: [&str; 7] = [
    "approval",
    "case",
    "decide",
    "fund",
    "human-task",
    "notify",
    "plan",
];

/// A checked manifest.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Manifest {
    /// `[a-z][a-z0-9-]*`; the first part of the names of its functions.
    pub name: String,
    /// Semantic version.
    pub version: String,
    /// One line for people.
    pub title: String,
    /// A paragraph for people.
    pub description: String,
    /// What it asks of the network, each with the reason shown to the operator.
    pub http: Vec<HttpRequest>,
    /// Secrets that it asks for.
    pub secrets: Vec<SecretRequest>,
    /// What one call may use up.
    pub limits: Limits,
}

/// One origin that a plugin asks to call.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct HttpRequest {
    /// `https://pay.example`, or `{config.endpoint}` for an origin bound by configuration.
    pub origin: OriginRequest,
    /// Upper-case.
    pub methods: Vec<String>,
    /// Secret that goes to the origins which name it, and to no other.
    pub credential: Option<String>,
    /// Shown to the operator.
    pub reason: String,
}

/// An origin in a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OriginRequest {
    /// Fixed by the author.
    Fixed(Origin),
    /// Key of the configuration that holds the whole origin.
    Config(String),
}

/// One secret that a plugin asks for.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SecretRequest {
    /// Name under which pack and operator know it.
    pub name: String,
    /// What the plugin does with it.
    pub purpose: SecretUse,
    /// Shown to the operator.
    pub reason: String,
}

/// What may be done with a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SecretUse {
    /// The host adds it to requests; the plugin never sees it.
    Http,
    /// The host signs with it; the plugin never sees it.
    Hmac,
    /// The plugin reads it.
    Reveal,
}

/// What one call may use up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Linear memories of the plugin together.
    pub memory_bytes_max: u64,
    /// Instructions, as wasmtime counts them.
    pub fuel_max: u64,
    /// Time from start to end, waiting for others included.
    pub wall_ms_max: u64,
    /// JSON text that a call may give back.
    pub output_bytes_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes_max: 64 * MIB,
            fuel_max: 1_000_000_000,
            wall_ms_max: 30_000,
            output_bytes_max: MIB,
        }
    }
}

const MIB: u64 = 1024 * 1024;

impl Limits {
    /// What no manifest can exceed.
    pub const CAPS: Self = Self {
        memory_bytes_max: 512 * MIB,
        fuel_max: 20_000_000_000,
        wall_ms_max: 300_000,
        output_bytes_max: 4 * MIB,
    };

    /// The smaller of both, figure by figure.
    #[must_use]
    pub fn min(self, other: Self) -> Self {
        Self {
            memory_bytes_max: self.memory_bytes_max.min(other.memory_bytes_max),
            fuel_max: self.fuel_max.min(other.fuel_max),
            wall_ms_max: self.wall_ms_max.min(other.wall_ms_max),
            output_bytes_max: self.output_bytes_max.min(other.output_bytes_max),
        }
    }
}

/// Why a manifest is refused: what, where and what to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestError(String);

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "plugin.toml: {}", self.0)
    }
}

impl std::error::Error for ManifestError {}

impl Manifest {
    /// Reads and checks the text of a `plugin.toml`.
    pub fn read(text: &str) -> Result<Self, ManifestError> {
        let document: Document =
            toml::from_str(text).map_err(|e| ManifestError(e.to_string().trim_end().to_owned()))?;
        document.check().map_err(ManifestError)
    }
}

impl fmt::Display for OriginRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(origin) => origin.fmt(f),
            Self::Config(key) => write!(f, "{{config.{key}}}"),
        }
    }
}

/// Whether a text can name a plugin, a function or a secret.
pub(crate) fn name_is_valid(name: &str) -> bool {
    name.len() <= 64
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// The file as it stands.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    schema: u32,
    name: String,
    version: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    http: Vec<HttpDocument>,
    #[serde(default)]
    secret: Vec<SecretDocument>,
    #[serde(default)]
    limits: LimitsDocument,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HttpDocument {
    origin: String,
    methods: Vec<String>,
    credential: Option<String>,
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SecretDocument {
    name: String,
    #[serde(rename = "use")]
    purpose: SecretUse,
    reason: String,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct LimitsDocument {
    memory_mib: Option<u64>,
    fuel: Option<u64>,
    wall_ms: Option<u64>,
    output_bytes: Option<u64>,
}

impl Document {
    fn check(self) -> Result<Manifest, String> {
        if self.schema != 1 {
            return Err(format!(
                "schema {} is not known here; write `schema = 1`",
                self.schema
            ));
        }
        if !name_is_valid(&self.name) {
            return Err(format!(
                "name `{}` is not a plugin's name; write a lower-case letter, then letters, \
                digits and hyphens",
                self.name
            ));
        }
        if RESERVED.contains(&self.name.as_str()) {
            return Err(format!(
                "name `{}` belongs to a function of the engine; choose another, such as \
                `agency-{}`",
                self.name, self.name
            ));
        }
        if let Err(error) = semver::Version::parse(&self.version) {
            return Err(format!(
                "version `{}` is not a semantic version ({error}); write three numbers, such as \
                `0.1.0`",
                self.version
            ));
        }
        let secrets = self.secret.into_iter().map(SecretDocument::check);
        let secrets: Vec<_> = secrets.collect::<Result<_, _>>()?;
        if let Some(twice) = duplicate(secrets.iter().map(|s| s.name.as_str())) {
            return Err(format!("two [[secret]] are called `{twice}`; keep one"));
        }
        let http: Vec<_> = self
            .http
            .into_iter()
            .map(HttpDocument::check)
            .collect::<Result<_, _>>()?;
        for request in &http {
            check_credential(request, &secrets)?;
        }
        Ok(Manifest {
            title: if self.title.is_empty() {
                self.name.clone()
            } else {
                self.title
            },
            name: self.name,
            version: self.version,
            description: self.description,
            http,
            secrets,
            limits: self.limits.check()?,
        })
    }
}

impl HttpDocument {
    fn check(self) -> Result<HttpRequest, String> {
        let origin = match config_key(&self.origin) {
            Some(key) => OriginRequest::Config(key.to_owned()),
            None => OriginRequest::Fixed(Origin::read(&self.origin).map_err(|error| {
                format!(
                    "[[http]] origin: {error}; or write `{{config.endpoint}}` to have the whole \
                     origin bound by the configuration"
                )
            })?),
        };
        if self.methods.is_empty() {
            return Err(format!(
                "[[http]] {origin}: methods is empty and would allow nothing; write `methods = \
                [\"GET\"]`"
            ));
        }
        if let Some(odd) = self.methods.iter().find(|m| !METHODS.contains(&m.as_str())) {
            return Err(format!(
                "[[http]] {origin}: method `{odd}` is not offered; choose from {}",
                METHODS.join(", ")
            ));
        }
        if self.reason.trim().is_empty() {
            return Err(format!(
                "[[http]] {origin}: reason is empty; say what the plugin does there, the \
                operator reads it"
            ));
        }
        Ok(HttpRequest {
            origin,
            methods: self.methods,
            credential: self.credential,
            reason: self.reason,
        })
    }
}

impl SecretDocument {
    fn check(self) -> Result<SecretRequest, String> {
        if !name_is_valid(&self.name) {
            return Err(format!(
                "[[secret]] name `{}`: write a lower-case letter, then letters, digits and hyphens",
                self.name
            ));
        }
        if self.reason.trim().is_empty() {
            return Err(format!(
                "[[secret]] {}: reason is empty; say what the plugin does with it, the operator \
                reads it",
                self.name
            ));
        }
        Ok(SecretRequest {
            name: self.name,
            purpose: self.purpose,
            reason: self.reason,
        })
    }
}

impl LimitsDocument {
    fn check(self) -> Result<Limits, String> {
        let default = Limits::default();
        let caps = Limits::CAPS;
        let figure = |name: &str, asked: Option<u64>, default: u64, cap: u64| match asked {
            None => Ok(default),
            Some(value) if (1..=cap).contains(&value) => Ok(value),
            Some(value) => Err(format!(
                "[limits] {name} = {value} is out of range; write 1 to {cap}"
            )),
        };
        let memory_default = default.memory_bytes_max / MIB;
        let memory_cap = caps.memory_bytes_max / MIB;
        Ok(Limits {
            memory_bytes_max: MIB
                * figure("memory_mib", self.memory_mib, memory_default, memory_cap)?,
            fuel_max: figure("fuel", self.fuel, default.fuel_max, caps.fuel_max)?,
            wall_ms_max: figure(
                "wall_ms",
                self.wall_ms,
                default.wall_ms_max,
                caps.wall_ms_max,
            )?,
            output_bytes_max: figure(
                "output_bytes",
                self.output_bytes,
                default.output_bytes_max,
                caps.output_bytes_max,
            )?,
        })
    }
}

fn check_credential(request: &HttpRequest, secrets: &[SecretRequest]) -> Result<(), String> {
    let Some(name) = &request.credential else {
        return Ok(());
    };
    match secrets.iter().find(|secret| secret.name == *name) {
        Some(secret) if secret.purpose == SecretUse::Http => Ok(()),
        Some(_) => Err(format!(
            "[[http]] {}: credential `{name}` is a secret with another use; give it `use = \
            \"http\"`",
            request.origin
        )),
        None => Err(format!(
            "[[http]] {}: credential `{name}` is not asked for; add a [[secret]] with `name = \
            \"{name}\"` and `use = \"http\"`",
            request.origin
        )),
    }
}

/// The key in `{config.<key>}`.
pub(crate) fn config_key(text: &str) -> Option<&str> {
    let key = text.strip_prefix("{config.")?.strip_suffix('}')?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    (!key.is_empty() && key.bytes().all(plain)).then_some(key)
}

fn duplicate<'a>(names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let mut seen = std::collections::BTreeSet::new();
    names.into_iter().find(|name| !seen.insert(*name))
}

#[cfg(test)]
mod tests;
