//! `call: openapi`: first the service is asked what it offers, then for the operation itself.
//!
//! Two calls, so that a crash in between asks again only what may be asked again: the first changes
//! nothing, and what it found is in the event that brings its answer. The second is a request like
//! any other, fixed with its key; nothing but [`Operation`] and the task decides what it is.

mod address;
mod operation;
mod request;
mod style;
#[cfg(test)]
mod tests;
mod three;
mod two;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use casewright_language::workflow::{OpenApi, OutputAs, Piece};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::Fault;
use crate::call::{self, Calling, Wanted};
use crate::http::{self, Authentication, Repeat};
use crate::position::{Progress, Signal, State};
use crate::run::{Run, Stop, kind_of};
use crate::task::Here;

pub use operation::{Body, Operation, Parameter, Place};
pub use style::Style;

/// What [`crate::Call::function`] is while a service is asked what it offers.
pub const FUNCTION: &str = "openapi";

/// Operations that a run remembers; what is beyond is asked for each time.
pub(crate) const KEPT_MAX: usize = 64;

/// What a task wants, as the input of its first call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Wish {
    /// Where the service describes itself.
    pub document: Document,
    /// The operation's name in the description.
    pub operation_id: String,
    /// By name.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub parameters: Map<String, Value>,
    /// Those that hold secrets.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sealed: BTreeMap<String, Vec<Piece>>,
    /// Who asks for the operation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authentication: Option<Authentication>,
    /// What of the answer becomes output.
    #[serde(default, skip_serializing_if = "http::is_content")]
    pub output: OutputAs,
    /// Whether an answer of 300 to 399 is no error.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub redirect: bool,
}

/// Where a service describes itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// The whole address.
    pub uri: String,
    /// Who asks for the description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authentication: Option<Authentication>,
}

impl Wish {
    /// What a call was given.
    pub fn of(input: &Value) -> Option<Self> {
        Self::deserialize(input).ok()
    }

    /// What one run remembers an operation by.
    fn name(&self) -> String {
        digest(
            json!([self.document, self.operation_id])
                .to_string()
                .as_bytes(),
        )
    }
}

/// SHA-256 in lower-case hexadecimal.
pub fn digest(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in Sha256::digest(bytes) {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

pub(crate) fn enter(
    run: &mut Run<'_>,
    here: &Here<'_>,
    written: &OpenApi,
) -> Result<Progress<State>, Stop> {
    let given = run.value(&written.with, here.input, &here.sight(run))?;
    let wish = wish(here, written, &given)
        .map_err(|sentence| Fault::validation(here.place(), sentence))?;
    if let Some(known) = run.record.operations.get(&wish.name()) {
        let operation = Arc::clone(known);
        return send(run, here, &operation, &wish, 1);
    }
    let wanted = Wanted {
        function: FUNCTION,
        version: None,
        input: json!(wish),
        kept: false,
        attempt: 1,
    };
    call::start(run, here, wanted)
}

pub(crate) fn resume(
    run: &mut Run<'_>,
    here: &Here<'_>,
    calling: Calling,
    signal: &Signal<'_>,
) -> Result<Progress<State>, Stop> {
    let asked = Some(calling.call()).filter(|call| call.function == FUNCTION);
    let asked = asked.cloned();
    let progress = call::resume(run, here, calling, signal)?;
    // What the operation itself gave is the task's.
    let (Progress::Finished { output, .. }, Some(asked)) = (&progress, asked) else {
        return Ok(progress);
    };
    let torn = || Stop::Torn(format!("no operation at {}", here.place()));
    let wish = Wish::of(&asked.input).ok_or_else(torn)?;
    let operation = Operation::deserialize(&**output).map_err(|_| torn())?;
    let operation = Arc::new(operation);
    let known = &mut run.record.operations;
    if known.len() < KEPT_MAX {
        known.insert(wish.name(), Arc::clone(&operation));
    }
    send(run, here, &operation, &wish, asked.delivery.attempt + 1)
}

/// The request itself, as `call: http` would send it.
fn send(
    run: &mut Run<'_>,
    here: &Here<'_>,
    operation: &Operation,
    wish: &Wish,
    attempt: u32,
) -> Result<Progress<State>, Stop> {
    let request = request::request(operation, wish)
        .map_err(|sentence| Fault::validation(here.place(), sentence))?;
    let wanted = Wanted {
        function: http::FUNCTION,
        version: None,
        kept: here.scope.kept && request.repeat() != Repeat::Free,
        input: json!(request),
        attempt,
    };
    call::start(run, here, wanted)
}

/// Values are never in what an error says.
fn wish(here: &Here<'_>, written: &OpenApi, given: &Value) -> Result<Wish, String> {
    let uri = match &written.document {
        Some(written) => written.fill(here.input)?,
        None => match given.get("endpoint") {
            Some(Value::String(uri)) => uri.clone(),
            other => {
                let found = kind_of(other.unwrap_or(&Value::Null));
                return Err(format!(
                    "the document's endpoint must be text, but is {found}"
                ));
            }
        },
    };
    let parameters = match given.get("parameters") {
        None => Map::new(),
        Some(Value::Object(members)) => members.clone(),
        Some(other) => {
            let found = kind_of(other);
            return Err(format!("`parameters` must be an object, but is {found}"));
        }
    };
    let who = |written: &Option<_>, words: &str| {
        let written = written.as_ref();
        let who =
            written.map(|written| http::authentication(here.input, written, given.get(words)));
        who.transpose()
    };
    Ok(Wish {
        document: Document {
            uri,
            authentication: who(&written.document_authentication, "document")?,
        },
        operation_id: written.operation_id.clone(),
        parameters,
        sealed: written.sealed.iter().cloned().collect(),
        authentication: who(&written.authentication, "authentication")?,
        output: written.output,
        redirect: written.redirect,
    })
}
