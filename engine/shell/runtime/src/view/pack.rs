//! A pack, as the engine tells of it. Its files are not in it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A pack in force.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PackView {
    pub namespace: String,
    pub title: String,
    /// Of its files and the plugins it was checked against.
    pub digest: String,
    /// When it was put in force; none when an older engine did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deployed: Option<Timestamp>,
    /// Id of who did; none for the configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Classes under which files would go sooner than by the pack before. What is closed already
    /// stays bound by what held then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shortened: Vec<String>,
    pub workflows: Vec<PackWorkflow>,
}

/// A workflow of a pack.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PackWorkflow {
    pub name: String,
    pub version: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}
