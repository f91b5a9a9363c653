//! What OpenAPI 3.0 and 3.1 say of an operation.

use serde_json::{Map, Value};

use super::address;
use super::operation::{
    Body, Found, Operation, Parameter, Place, accepted, flag, is_own_header, members, parameters,
    preferred, resolved, text, written,
};
use super::style::Style;

pub(super) fn operation(
    document: &Value,
    address: &str,
    found: &Found<'_>,
) -> Result<Operation, String> {
    let given = parameters(document, found)?.into_iter();
    let given = given.filter(|it| {
        let name = it.get("name").and_then(Value::as_str).unwrap_or_default();
        it.get("in").and_then(Value::as_str) != Some("header") || !is_own_header(name)
    });
    Ok(Operation {
        method: found.method,
        server: server(document, address, found)?,
        path: found.path.to_owned(),
        parameters: given.map(parameter).collect::<Result<_, String>>()?,
        body: body(document, found.operation)?,
        accept: accept(document, found.operation),
        digest: String::new(),
    })
}

/// Longest address of a server.
const SERVER_BYTES_MAX: usize = 4096;

fn too_long() -> String {
    format!("the address of the server is longer than {SERVER_BYTES_MAX} bytes")
}

/// The first server of the nearest list.
fn server(document: &Value, address: &str, found: &Found<'_>) -> Result<String, String> {
    let lists = [found.operation, found.item, document].map(|it| it.get("servers"));
    let first = |list: &Value| list.as_array().and_then(|list| list.first()).cloned();
    let Some(server) = lists.into_iter().flatten().find_map(first) else {
        return address::resolve(address, "/");
    };
    let mut url = server["url"].as_str().unwrap_or("/").to_owned();
    if url.len() > SERVER_BYTES_MAX {
        return Err(too_long());
    }
    let variables = server["variables"].as_object();
    for (name, variable) in variables.into_iter().flatten() {
        let default = match &variable["default"] {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => return Err(format!("the server's variable `{name}` has no default")),
        };
        let written = format!("{{{name}}}");
        // A long value at many places would be longer than anything else here.
        let length = url.len() + url.matches(&written).count() * default.len();
        if length > SERVER_BYTES_MAX {
            return Err(too_long());
        }
        url = url.replace(&written, &default);
    }
    if url.contains(['{', '}']) {
        return Err("the address of the server has a variable without a value".to_owned());
    }
    address::resolve(address, &url)
}

fn parameter(given: &Map<String, Value>) -> Result<Parameter, String> {
    let name = text(given, "name")?.to_owned();
    let place = match text(given, "in")? {
        "path" => Place::Path,
        "query" => Place::Query,
        "header" => Place::Header,
        "cookie" => Place::Cookie,
        _ => {
            return Err(format!(
                "the parameter `{name}` stands nowhere that is known"
            ));
        }
    };
    let usual = match place {
        Place::Path | Place::Header => Style::Simple,
        Place::Query | Place::Cookie | Place::Form => Style::Form,
    };
    let style = match given.get("style").and_then(Value::as_str) {
        _ if given.contains_key("content") => Style::Json,
        None => usual,
        Some(style) => Style::named(style, place)
            .ok_or_else(|| format!("the parameter `{name}` has a style that is not known"))?,
    };
    Ok(Parameter {
        required: place == Place::Path || flag(given, "required") == Some(true),
        explode: flag(given, "explode").unwrap_or(style == Style::Form),
        reserved: place == Place::Query && flag(given, "allowReserved") == Some(true),
        name,
        place,
        style,
    })
}

fn body(document: &Value, operation: &Value) -> Result<Option<Body>, String> {
    let Some(body) = operation.get("requestBody") else {
        return Ok(None);
    };
    let body = resolved(document, body)?;
    let required = body["required"].as_bool() == Some(true);
    let content = body["content"].as_object();
    let kind = content.and_then(|content| preferred(content.keys().map(String::as_str)));
    let Some((kind, content)) = kind.zip(content) else {
        return Ok(None);
    };
    let name = body["x-bodyName"].as_str().map(str::to_owned);
    Ok(Some(Body {
        required,
        kind: written(kind),
        name,
        members: members(document, &content[kind]["schema"]),
    }))
}

/// What it answers with when all is well.
fn accept(document: &Value, operation: &Value) -> Option<String> {
    let answers = operation["responses"].as_object()?;
    let well = answers
        .iter()
        .filter(|(status, _)| status.starts_with('2') || *status == "default");
    let content = well.filter_map(|(_, answer)| {
        let answer = resolved(document, answer).ok()?;
        answer.get("content")?.as_object()
    });
    accepted(content.flat_map(|content| content.keys().map(String::as_str)))
}
