//! One operation, out of what a service says of itself: OpenAPI 3 or Swagger 2.0.
//!
//! A description comes from outside: it may be wrong, endless or hostile. References stay within
//! it and end, everything is counted, and what cannot be sent is said before it is tried.

use std::collections::VecDeque;

use casewright_language::workflow::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Style, three, two};

/// Longest way from one reference to the next.
const REFERENCES_MAX: usize = 16;
/// Parameters of one operation.
const PARAMETERS_MAX: usize = 256;
/// Members of a body that may be given like parameters.
const MEMBERS_MAX: usize = 512;
/// Schemas that are looked into for members: parts of parts may be many times many.
const SCHEMAS_MAX: usize = 256;
/// Names that an error lists, and how much of each.
const LISTED_MAX: usize = 8;
const LISTED_CHARS_MAX: usize = 48;

const METHODS: [(&str, Method); 7] = [
    ("get", Method::Get),
    ("head", Method::Head),
    ("options", Method::Options),
    ("post", Method::Post),
    ("put", Method::Put),
    ("patch", Method::Patch),
    ("delete", Method::Delete),
];

/// How an operation is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    pub method: Method,
    /// Whole, without a slash at the end.
    pub server: String,
    /// As the description has it, with names in braces.
    pub path: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<Parameter>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Body>,
    /// What it answers with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accept: Option<String>,
    /// SHA-256 of the description.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub digest: String,
}

/// One parameter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameter {
    pub name: String,
    #[serde(rename = "in")]
    pub place: Place,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
    pub style: Style,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub explode: bool,
    /// Signs that structure an address stay as they are.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reserved: bool,
}

/// Where a parameter stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    Path,
    Query,
    Header,
    Cookie,
    /// Of Swagger 2.0: part of a form.
    Form,
}

impl Place {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Query => "query",
            Self::Header => "header",
            Self::Cookie => "cookie",
            Self::Form => "form",
        }
    }
}

/// What is sent besides the parameters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Body {
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
    /// `application/json`
    pub kind: String,
    /// Its name among the parameters, where it has one besides `body`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Names of its members that may be given like parameters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<String>,
}

/// An operation where it stands in its description.
pub(super) struct Found<'a> {
    pub(super) method: Method,
    pub(super) path: &'a str,
    pub(super) item: &'a Value,
    pub(super) operation: &'a Value,
}

impl Operation {
    /// The operation of this name, in the description that stands at this address. The sentence
    /// says what is wrong with the description.
    pub fn of(document: &Value, address: &str, id: &str) -> Result<Self, String> {
        let version = |key: &str| match document.get(key) {
            Some(Value::String(text)) => text.clone(),
            // YAML without quotes.
            Some(Value::Number(number)) => number.to_string(),
            _ => String::new(),
        };
        if version("openapi").starts_with("3.") {
            three::operation(document, address, &find(document, id)?)
        } else if matches!(version("swagger").as_str(), "2.0" | "2") {
            two::operation(document, address, &find(document, id)?)
        } else {
            Err(
                "the document describes no service: neither `openapi: 3.x` nor `swagger: '2.0'` \
                 stands in it"
                    .to_owned(),
            )
        }
    }
}

fn find<'a>(document: &'a Value, id: &str) -> Result<Found<'a>, String> {
    let paths = document.get("paths").and_then(Value::as_object);
    let mut found: Option<Found<'a>> = None;
    let mut names = Vec::new();
    for (path, item) in paths.into_iter().flatten() {
        // What is wrong elsewhere in the description is no matter of this operation.
        let Some(item) = resolved(document, item)
            .ok()
            .filter(|item| item.is_object())
        else {
            continue;
        };
        for (name, operation) in item.as_object().into_iter().flatten() {
            let Some(known) = operation.get("operationId").and_then(Value::as_str) else {
                continue;
            };
            if known != id {
                names.push(known);
                continue;
            }
            let method = METHODS.iter().find(|(method, _)| method == name);
            let Some(&(_, method)) = method else {
                return Err(format!(
                    "the operation `{id}` wants a method that is not spoken"
                ));
            };
            if found.is_some() {
                return Err(format!("the document describes `{id}` twice"));
            }
            found = Some(Found {
                method,
                path,
                item,
                operation,
            });
        }
    }
    found.ok_or_else(|| {
        let known = listed(names.into_iter());
        let known = if known.is_empty() {
            "none".to_owned()
        } else {
            known
        };
        format!("the document describes no operation `{id}`; it has {known}")
    })
}

/// Some names, each cut.
pub(super) fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut names = names.peekable();
    let mut shown = Vec::new();
    for name in names.by_ref().take(LISTED_MAX) {
        let name: String = name.chars().take(LISTED_CHARS_MAX).collect();
        shown.push(format!("`{name}`"));
    }
    let more = names.count();
    if more > 0 {
        shown.push(format!("and {more} more"));
    }
    shown.join(", ")
}

/// What a value refers to, if it refers to anything.
pub(super) fn resolved<'a>(document: &'a Value, value: &'a Value) -> Result<&'a Value, String> {
    let mut value = value;
    for _ in 0..REFERENCES_MAX {
        let Some(reference) = value.get("$ref").and_then(Value::as_str) else {
            return Ok(value);
        };
        let Some(pointer) = reference.strip_prefix('#') else {
            return Err("the document refers to another one, which is not read".to_owned());
        };
        let found = document.pointer(&decoded(pointer));
        value = found.ok_or("the document refers to something that is not in it")?;
    }
    Err("the references of the document go in a circle, or too far".to_owned())
}

/// A pointer in an address is percent-encoded.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let coded = (*first == b'%').then(|| after.get(..2)).flatten();
        let coded = coded.and_then(|coded| std::str::from_utf8(coded).ok());
        let coded = coded.and_then(|coded| u8::from_str_radix(coded, 16).ok());
        bytes.push(coded.unwrap_or(*first));
        rest = if coded.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Parameters of the path and of the operation; the operation's own take the place of the path's.
pub(super) fn parameters<'a>(
    document: &'a Value,
    found: &Found<'a>,
) -> Result<Vec<&'a Map<String, Value>>, String> {
    let mut all: Vec<&Map<String, Value>> = Vec::new();
    for around in [found.item, found.operation] {
        let here = around.get("parameters").and_then(Value::as_array);
        for parameter in here.into_iter().flatten() {
            let parameter = resolved(document, parameter)?.as_object();
            let parameter = parameter.ok_or("the document has a parameter that is none")?;
            let same = |known: &&Map<String, Value>| {
                ["name", "in"]
                    .iter()
                    .all(|key| known.get(*key) == parameter.get(*key))
            };
            all.retain(|known| !same(known));
            all.push(parameter);
            if all.len() > PARAMETERS_MAX {
                return Err(format!(
                    "the operation has more than {PARAMETERS_MAX} parameters"
                ));
            }
        }
    }
    Ok(all)
}

pub(super) fn text<'a>(value: &'a Map<String, Value>, key: &str) -> Result<&'a str, String> {
    let text = value.get(key).and_then(Value::as_str);
    text.ok_or_else(|| format!("the document has a parameter without `{key}`"))
}

pub(super) fn flag(value: &Map<String, Value>, key: &str) -> Option<bool> {
    value.get(key).and_then(Value::as_bool)
}

/// Headers that a description must not ask for: who asks and what is sent say other parts, and
/// some are the engine's.
pub(super) fn is_own_header(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let own = ["accept", "authorization", "content-type", "idempotency-key"];
    own.contains(&name.as_str())
}

/// Names of the members of an object's schema, and of all that it is made of.
pub(super) fn members(document: &Value, schema: &Value) -> Vec<String> {
    let mut names = Vec::new();
    let mut parts = VecDeque::from([schema]);
    for _ in 0..SCHEMAS_MAX {
        let Some(part) = parts.pop_front() else {
            break;
        };
        // A schema that cannot be followed names nothing; the body can still be given whole.
        let Ok(part) = resolved(document, part) else {
            continue;
        };
        let properties = part.get("properties").and_then(Value::as_object);
        for name in properties.into_iter().flatten().map(|(name, _)| name) {
            if names.len() < MEMBERS_MAX && !names.contains(name) {
                names.push(name.clone());
            }
        }
        let more = part.get("allOf").and_then(Value::as_array);
        parts.extend(more.into_iter().flatten().take(SCHEMAS_MAX));
    }
    names
}

/// The kind of body that is sent, of those an operation takes.
pub(super) fn preferred<'a>(kinds: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let rank = |kind: &&str| {
        let essence = essence(kind);
        match essence.as_str() {
            "application/json" => 0,
            "*/*" | "application/*" => 1,
            kind if kind.ends_with("+json") => 2,
            FORM => 3,
            kind if kind.starts_with("text/") => 4,
            kind if kind.starts_with("multipart/") => 6,
            _ => 5,
        }
    };
    kinds.min_by_key(rank)
}

/// What a kind is called in a header.
pub(super) fn written(kind: &str) -> String {
    match essence(kind) {
        any if any.contains('*') => JSON.to_owned(),
        kind => kind,
    }
}

/// What an operation answers with, of all that it may.
pub(super) fn accepted<'a>(kinds: impl Iterator<Item = &'a str>) -> Option<String> {
    let mut kinds: Vec<String> = kinds.map(essence).collect();
    kinds.retain(|kind| kind != "*/*" && kind.bytes().all(|b| b.is_ascii_graphic()));
    kinds.sort_by_key(|kind| (!is_json(kind), kind.clone()));
    kinds.dedup();
    match kinds.first() {
        None => None,
        Some(first) if is_json(first) => Some(first.clone()),
        Some(_) => Some(
            kinds
                .into_iter()
                .take(LISTED_MAX)
                .collect::<Vec<_>>()
                .join(", "),
        ),
    }
}

pub(super) const JSON: &str = "application/json";
pub(super) const FORM: &str = "application/x-www-form-urlencoded";

pub(super) fn is_json(kind: &str) -> bool {
    kind == JSON || kind.ends_with("+json")
}

fn essence(kind: &str) -> String {
    let kind = kind.split(';').next().unwrap_or_default();
    kind.trim().to_ascii_lowercase()
}
