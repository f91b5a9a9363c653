//! The request of an operation: its parameters where they belong, and what is missing or unknown
//! said by name. Values are never in what an error says.

use std::collections::{BTreeMap, BTreeSet};

use casewright_language::uri::encoded;
use casewright_language::workflow::Piece;
use serde_json::{Map, Value};

use super::operation::{
    Body, FORM, JSON, Operation, Parameter, Place, is_json, is_own_header, listed,
};
use super::{Wish, style};
use crate::http::{Request, Sealed};
use crate::run::kind_of;

/// What the body is called among the parameters.
const BODY: &str = "body";

pub(super) fn request(operation: &Operation, wish: &Wish) -> Result<Request, String> {
    let given = wish.parameters.keys().chain(wish.sealed.keys());
    let mut rest: BTreeSet<&str> = given.map(String::as_str).collect();
    let mut sealed = Sealed::default();
    let mut parts = Parts::default();
    let mut missing = Vec::new();
    for parameter in &operation.parameters {
        let name = parameter.name.as_str();
        if let Some(pieces) = wish.sealed.get(name) {
            rest.remove(name);
            seal(&mut sealed, parameter, pieces)?;
            continue;
        }
        let Some(value) = wish.parameters.get(name) else {
            if parameter.required {
                missing.push(format!("`{name}` ({})", parameter.place.name()));
            }
            continue;
        };
        rest.remove(name);
        if value.is_null() {
            return Err(format!("the parameter `{name}` is null"));
        }
        parts.add(parameter, value)?;
    }
    let given = parts.body(operation, &wish.parameters, &mut rest, &mut missing)?;
    if !missing.is_empty() {
        let id = &wish.operation_id;
        return Err(format!("the operation `{id}` needs {}", missing.join(", ")));
    }
    if let Some(name) = rest.first() {
        return Err(unknown(operation, &wish.operation_id, name));
    }
    let mut headers = parts.headers;
    if !parts.cookies.is_empty() {
        headers.insert("cookie".to_owned(), parts.cookies.join("; "));
    }
    if let Some(accept) = &operation.accept {
        headers.insert("accept".to_owned(), accept.clone());
    }
    let body = match given {
        None => None,
        Some((kind, body)) => {
            headers.insert("content-type".to_owned(), kind);
            Some(body)
        }
    };
    let mut uri = format!("{}{}", operation.server, path(operation, &parts.path)?);
    if !parts.query.is_empty() {
        uri.push(if uri.contains('?') { '&' } else { '?' });
        uri.push_str(&parts.query.join("&"));
    }
    Ok(Request {
        method: operation.method,
        uri,
        headers,
        body,
        sealed,
        authentication: wish.authentication.clone(),
        output: wish.output,
        redirect: wish.redirect,
    })
}

/// Where a secret may stand, it is neither kept nor shown.
fn seal(sealed: &mut Sealed, parameter: &Parameter, pieces: &[Piece]) -> Result<(), String> {
    let (name, pieces) = (parameter.name.clone(), pieces.to_vec());
    match parameter.place {
        Place::Header => drop(sealed.headers.insert(name, pieces)),
        Place::Query => drop(sealed.query.insert(name, pieces)),
        Place::Path | Place::Cookie | Place::Form => {
            return Err(format!(
                "the parameter `{name}` holds a secret, which stands only in a header or in the \
                 query; the operation takes it in the {}",
                parameter.place.name()
            ));
        }
    }
    Ok(())
}

fn unknown(operation: &Operation, id: &str, name: &str) -> String {
    if is_own_header(name) {
        return format!("`{name}` is no parameter: the engine and `authentication` write it");
    }
    let body = operation.body.as_ref();
    let own = body
        .and_then(|body| body.name.as_deref())
        .or(body.map(|_| BODY));
    let members = body
        .into_iter()
        .flat_map(|body| body.members.iter().map(String::as_str));
    let names = operation.parameters.iter().map(|it| it.name.as_str());
    let known = listed(names.chain(own).chain(members));
    let known = if known.is_empty() {
        "none".to_owned()
    } else {
        known
    };
    format!("the operation `{id}` has no parameter `{name}`; it has {known}")
}

/// What the parameters come to.
#[derive(Default)]
struct Parts<'a> {
    path: BTreeMap<&'a str, String>,
    query: Vec<String>,
    headers: BTreeMap<String, String>,
    cookies: Vec<String>,
    form: Vec<String>,
}

impl<'a> Parts<'a> {
    fn add(&mut self, parameter: &'a Parameter, value: &Value) -> Result<(), String> {
        let text = style::written(parameter, value)?;
        let name = parameter.name.as_str();
        match parameter.place {
            Place::Path if text.is_empty() => {
                return Err(format!("the parameter `{name}` is empty"));
            }
            Place::Path => drop(self.path.insert(name, text)),
            Place::Query => self.query.push(text),
            Place::Header => drop(self.headers.insert(name.to_owned(), text)),
            Place::Cookie => self.cookies.push(text),
            Place::Form => self.form.push(text),
        }
        Ok(())
    }

    /// The body with its kind: given whole, or by its members.
    fn body(
        &self,
        operation: &Operation,
        given: &Map<String, Value>,
        rest: &mut BTreeSet<&str>,
        missing: &mut Vec<String>,
    ) -> Result<Option<(String, Value)>, String> {
        if !self.form.is_empty() {
            return Ok(Some((FORM.to_owned(), self.form.join("&").into())));
        }
        let Some(body) = &operation.body else {
            return Ok(None);
        };
        let name = body.name.as_deref().filter(|name| rest.contains(name));
        let name = name.or_else(|| rest.contains(BODY).then_some(BODY));
        let whole = name.and_then(|name| given.get(name));
        if let Some(name) = name {
            rest.remove(name);
        } else {
            let members = body
                .members
                .iter()
                .filter(|name| rest.contains(name.as_str()));
            let members: Map<String, Value> = members
                .filter_map(|name| Some((name.clone(), given.get(name)?.clone())))
                .collect();
            rest.retain(|name| !members.contains_key(*name));
            if !members.is_empty() {
                return sent(body, &Value::Object(members)).map(Some);
            }
        }
        if let Some(whole) = whole.filter(|whole| !whole.is_null()) {
            return sent(body, whole).map(Some);
        }
        let name = body.name.as_deref().unwrap_or(BODY);
        missing.extend(body.required.then(|| format!("`{name}` (body)")));
        Ok(None)
    }
}

/// A value as the kind of body that the operation takes.
fn sent(body: &Body, value: &Value) -> Result<(String, Value), String> {
    let kind = body.kind.as_str();
    let sent = match value {
        _ if kind.starts_with("multipart/") => {
            return Err(format!(
                "the operation takes its body only as `{kind}`, which is not sent; let a plugin \
                 send it"
            ));
        }
        // Text would be sent as it is, and be no JSON.
        Value::String(text) if is_json(kind) => Value::from(text.as_str()).to_string().into(),
        value if is_json(kind) => value.clone(),
        Value::Object(members) if kind == FORM => form(members)?.into(),
        Value::String(text) => text.clone().into(),
        value => {
            let wanted = if kind == FORM { "an object" } else { "text" };
            let found = kind_of(value);
            return Err(format!(
                "the body must be {wanted} to be sent as `{kind}`, but is {found}"
            ));
        }
    };
    let kind = if kind == JSON {
        JSON.to_owned()
    } else {
        body.kind.clone()
    };
    Ok((kind, sent))
}

fn form(members: &Map<String, Value>) -> Result<String, String> {
    let mut pairs = Vec::new();
    for (name, value) in members {
        let one = |value: &Value| match value {
            Value::String(text) => Ok(format!("{}={}", encoded(name), encoded(text))),
            Value::Null => Err(format!("`{name}` of the body is null")),
            value => Ok(format!("{}={}", encoded(name), encoded(&value.to_string()))),
        };
        match value {
            Value::Array(items) => {
                for item in items {
                    pairs.push(one(item)?);
                }
            }
            value => pairs.push(one(value)?),
        }
    }
    Ok(pairs.join("&"))
}

/// The path with its names filled in. A value never leads elsewhere.
fn path(operation: &Operation, given: &BTreeMap<&str, String>) -> Result<String, String> {
    let mut path = String::new();
    let mut rest = operation.path.as_str();
    while let Some((before, after)) = rest.split_once('{') {
        let (name, tail) = after
            .split_once('}')
            .ok_or("the document has a path that is none")?;
        let value = given.get(name);
        let value =
            value.ok_or_else(|| format!("the document does not describe `{name}` of the path"))?;
        path.push_str(before);
        path.push_str(value);
        rest = tail;
    }
    path.push_str(rest);
    let upward = |segment: &str| {
        let plain = segment.to_ascii_lowercase().replace("%2e", ".");
        plain == "." || plain == ".."
    };
    if path.split('/').any(upward) {
        return Err("a value makes the path lead upwards, with `.` or `..`".to_owned());
    }
    if !path.starts_with('/') {
        path.insert(0, '/');
    }
    Ok(path)
}
