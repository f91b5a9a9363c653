//! What Swagger 2.0 says of an operation.

use serde_json::{Map, Value};

use super::address;
use super::operation::{
    Body, FORM, Found, JSON, Operation, Parameter, Place, accepted, flag, is_own_header, members,
    parameters, preferred, text, written,
};
use super::style::Style;

pub(super) fn operation(
    document: &Value,
    address: &str,
    found: &Found<'_>,
) -> Result<Operation, String> {
    let kinds = kinds(document, found.operation, "consumes");
    let mut all = Vec::new();
    let mut body = None;
    for given in parameters(document, found)? {
        let name = text(given, "name")?;
        match text(given, "in")? {
            "body" => {
                let kind = preferred(kinds.iter().copied()).unwrap_or(JSON);
                let schema = given.get("schema").unwrap_or(&Value::Null);
                body = Some(Body {
                    required: flag(given, "required") == Some(true),
                    kind: written(kind),
                    name: Some(name.to_owned()),
                    members: members(document, schema),
                });
            }
            "header" if is_own_header(name) => {}
            place => all.extend(parameter(given, name, place)?),
        }
    }
    let forms = all.iter().any(|it: &Parameter| it.place == Place::Form);
    if forms && !kinds.is_empty() && !kinds.contains(&FORM) {
        return Err(format!(
            "the operation takes no `{FORM}`, the one kind of form that is sent"
        ));
    }
    Ok(Operation {
        method: found.method,
        server: server(document, address)?,
        path: found.path.to_owned(),
        parameters: all,
        body,
        accept: accepted(self::kinds(document, found.operation, "produces").into_iter()),
        digest: String::new(),
    })
}

/// Of the operation, or else of the whole document.
fn kinds<'a>(document: &'a Value, operation: &'a Value, key: &str) -> Vec<&'a str> {
    let list = operation.get(key).or_else(|| document.get(key));
    let list = list.and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

/// What is not said is as it is for the document itself.
fn server(document: &Value, address: &str) -> Result<String, String> {
    let own = address
        .split_once("://")
        .map_or("https", |(scheme, _)| scheme);
    let schemes = document["schemes"].as_array();
    let schemes: Vec<&str> = schemes
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let scheme = if schemes.is_empty() || schemes.contains(&own) {
        own
    } else if schemes.contains(&"https") {
        "https"
    } else {
        "http"
    };
    let base = document["basePath"].as_str().unwrap_or("/");
    let base = format!("/{}", base.trim_start_matches('/'));
    let whole = match document["host"].as_str() {
        Some(host) => format!("{scheme}://{host}{base}"),
        None if schemes.is_empty() || schemes.contains(&own) => base,
        None => {
            let host = address.split_once("://").map_or("", |(_, rest)| rest);
            let host = host.split(['/', '?', '#']).next().unwrap_or_default();
            format!("{scheme}://{host}{base}")
        }
    };
    address::resolve(address, &whole)
}

/// `None` for a file that may be left out.
fn parameter(
    given: &Map<String, Value>,
    name: &str,
    place: &str,
) -> Result<Option<Parameter>, String> {
    let place = match place {
        "path" => Place::Path,
        "query" => Place::Query,
        "header" => Place::Header,
        "formData" => Place::Form,
        _ => {
            return Err(format!(
                "the parameter `{name}` stands nowhere that is known"
            ));
        }
    };
    let required = place == Place::Path || flag(given, "required") == Some(true);
    if given.get("type").and_then(Value::as_str) == Some("file") {
        let reason = format!("the operation takes a file as `{name}`, which is not sent");
        return if required { Err(reason) } else { Ok(None) };
    }
    let simple = matches!(place, Place::Path | Place::Header);
    let usual = if simple { Style::Simple } else { Style::Form };
    let (style, explode) = match given.get("collectionFormat").and_then(Value::as_str) {
        None | Some("csv") => (usual, false),
        Some("ssv") => (Style::SpaceDelimited, false),
        Some("tsv") => (Style::TabDelimited, false),
        Some("pipes") => (Style::PipeDelimited, false),
        Some("multi") if !simple => (Style::Form, true),
        Some(_) => {
            return Err(format!(
                "the parameter `{name}` has a collection format that is not known"
            ));
        }
    };
    Ok(Some(Parameter {
        name: name.to_owned(),
        place,
        required,
        style,
        explode,
        reserved: false,
    }))
}
