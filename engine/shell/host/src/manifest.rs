//! `plugin.toml`: what a plugin is and what it asks for.

/// A checked manifest.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Manifest {
    pub name: String,
    pub version: String,
    /// What it asks of the network, each with the reason shown to the operator.
    pub http: Vec<HttpRequest>,
    pub secrets: Vec<String>,
    pub limits: Limits,
}

#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct HttpRequest {
    /// `https://pay.example`, or `{config.endpoint}` for an origin bound by configuration.
    pub origin: String,
    pub methods: Vec<String>,
    pub reason: String,
}

#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Limits {
    pub memory_bytes_max: u64,
    pub fuel_max: u64,
    pub wall_ms_max: u64,
    pub output_bytes_max: u64,
}

impl Manifest {
    /// The error is a sentence with what, where and what to write.
    pub fn read(_text: &str) -> Result<Self, String> {
        unimplemented!()
    }
}
