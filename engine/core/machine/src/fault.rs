//! An error of a workflow, after RFC 7807.

use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fault {
    /// `https://serverlessworkflow.io/spec/1.0.0/errors/<kind>` or `urn:casewright:error:<code>`.
    #[serde(rename = "type")]
    pub kind: String,
    pub status: i64,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub detail: Option<String>,
    /// JSON pointer of the task: `/do/0/tryGetPet/try/0/getPet`.
    pub instance: String,
    /// What a function said beyond the sentence.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub details: Option<Value>,
}
