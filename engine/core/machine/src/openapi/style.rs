//! One value as a part of a path, a query, a header or a cookie, in the style that a description
//! asks for.
//!
//! Nothing is left out in silence: an empty list or a null would ask for everything, or for
//! something else, so it is an error.

use casewright_language::uri::encoded;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::operation::{Parameter, Place};
use crate::run::kind_of;

/// How lists and objects are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Style {
    Form,
    Simple,
    Label,
    Matrix,
    SpaceDelimited,
    TabDelimited,
    PipeDelimited,
    DeepObject,
    /// As JSON.
    Json,
}

impl Style {
    /// A style by the name that OpenAPI 3 has for it, where it may stand at this place.
    pub(super) fn named(name: &str, place: Place) -> Option<Self> {
        let (style, places): (_, &[Place]) = match name {
            "form" => (Self::Form, &[Place::Query, Place::Cookie]),
            "simple" => (Self::Simple, &[Place::Path, Place::Header]),
            "label" => (Self::Label, &[Place::Path]),
            "matrix" => (Self::Matrix, &[Place::Path]),
            "spaceDelimited" => (Self::SpaceDelimited, &[Place::Query]),
            "pipeDelimited" => (Self::PipeDelimited, &[Place::Query]),
            "deepObject" => (Self::DeepObject, &[Place::Query]),
            _ => return None,
        };
        places.contains(&place).then_some(style)
    }
}

/// A value with its signs as its place needs them, and names where the style has them.
pub(super) fn written(parameter: &Parameter, value: &Value) -> Result<String, String> {
    let Parameter { name, style, .. } = parameter;
    if *style == Style::Json {
        let text = parameter.sign(&value.to_string());
        return Ok(parameter.with_name(text));
    }
    match value {
        Value::Array(items) => {
            if items.is_empty() {
                return Err(format!("`{name}` is an empty list"));
            }
            let items = items.iter().map(|item| parameter.scalar(item));
            parameter.list(&items.collect::<Result<Vec<_>, String>>()?)
        }
        Value::Object(members) => {
            if members.is_empty() {
                return Err(format!("`{name}` is an empty object"));
            }
            parameter.object(members)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            let text = parameter.scalar(value)?;
            Ok(match style {
                Style::Label => format!(".{text}"),
                Style::Matrix => format!(";{}={text}", encoded(name)),
                _ => parameter.with_name(text),
            })
        }
    }
}

impl Parameter {
    /// Where names stand beside values.
    fn with_name(&self, text: String) -> String {
        match self.place {
            Place::Query | Place::Form | Place::Cookie => format!("{}={text}", encoded(&self.name)),
            Place::Path | Place::Header => text,
        }
    }

    fn list(&self, items: &[String]) -> Result<String, String> {
        let name = encoded(&self.name);
        Ok(match (self.style, self.explode) {
            (Style::Label, true) => format!(".{}", items.join(".")),
            (Style::Label, false) => format!(".{}", items.join(",")),
            (Style::Matrix, true) => {
                let between = format!(";{name}=");
                format!("{between}{}", items.join(&between))
            }
            (Style::Matrix, false) => format!(";{name}={}", items.join(",")),
            (Style::DeepObject, _) => {
                return Err(format!("`{}` must be an object, but is a list", self.name));
            }
            (Style::Simple, _) => items.join(","),
            (Style::Form | Style::SpaceDelimited | Style::PipeDelimited, true) => {
                let pairs: Vec<String> =
                    items.iter().map(|item| format!("{name}={item}")).collect();
                pairs.join(self.between())
            }
            (style, _) => self.with_name(items.join(self.delimiter(style))),
        })
    }

    fn object(&self, members: &Map<String, Value>) -> Result<String, String> {
        let name = encoded(&self.name);
        if self.style == Style::DeepObject {
            let mut pairs = Vec::new();
            deep(self, &name, members, &mut pairs)?;
            return Ok(pairs.join("&"));
        }
        let member = |(key, value): (&String, &Value)| Ok((self.sign(key), self.scalar(value)?));
        let members = members.iter().map(member);
        let members: Vec<(String, String)> = members.collect::<Result<_, String>>()?;
        let pairs = |between: &str| {
            let pairs = members.iter();
            let pairs: Vec<String> = pairs
                .map(|(key, value)| format!("{key}{between}{value}"))
                .collect();
            pairs
        };
        Ok(match (self.style, self.explode) {
            (Style::Label, true) => format!(".{}", pairs("=").join(".")),
            (Style::Label, false) => format!(".{}", pairs(",").join(",")),
            (Style::Matrix, true) => format!(";{}", pairs("=").join(";")),
            (Style::Matrix, false) => format!(";{name}={}", pairs(",").join(",")),
            (Style::Simple, true) => pairs("=").join(","),
            (Style::Simple, false) => pairs(",").join(","),
            (_, true) => pairs("=").join(self.between()),
            (style, false) => {
                let delimiter = self.delimiter(style);
                self.with_name(pairs(delimiter).join(delimiter))
            }
        })
    }

    /// Between two pairs of names and values.
    fn between(&self) -> &'static str {
        match self.place {
            Place::Cookie => "; ",
            Place::Path | Place::Query | Place::Header | Place::Form => "&",
        }
    }

    fn delimiter(&self, style: Style) -> &'static str {
        let plain = self.place == Place::Header;
        match style {
            Style::SpaceDelimited if plain => " ",
            Style::SpaceDelimited => "%20",
            Style::TabDelimited if plain => "\t",
            Style::TabDelimited => "%09",
            Style::PipeDelimited if plain => "|",
            Style::PipeDelimited => "%7C",
            Style::Form
            | Style::Simple
            | Style::Label
            | Style::Matrix
            | Style::DeepObject
            | Style::Json => ",",
        }
    }

    fn scalar(&self, value: &Value) -> Result<String, String> {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Bool(truth) => truth.to_string(),
            Value::Null | Value::Array(_) | Value::Object(_) => {
                let found = kind_of(value);
                return Err(format!(
                    "`{}` holds {found}, where text must stand",
                    self.name
                ));
            }
        };
        Ok(self.sign(&text))
    }

    /// Text with its signs as the place needs them.
    fn sign(&self, text: &str) -> String {
        match self.place {
            Place::Header => text.to_owned(),
            _ if self.reserved => {
                let plain = |sign: char| ":/?@!$'()*,;".contains(sign);
                let parts = text.split_inclusive(plain);
                let coded = |part: &str| match part.strip_suffix(plain) {
                    Some(before) => encoded(before) + &part[before.len()..],
                    None => encoded(part),
                };
                parts.map(coded).collect()
            }
            Place::Path | Place::Query | Place::Cookie | Place::Form => encoded(text),
        }
    }
}

/// `filter[beds]=3&filter[near][street]=x`
fn deep(
    parameter: &Parameter,
    name: &str,
    members: &Map<String, Value>,
    pairs: &mut Vec<String>,
) -> Result<(), String> {
    for (key, value) in members {
        let name = format!("{name}%5B{}%5D", encoded(key));
        match value {
            // Values are at most so deep as an expression may give them.
            Value::Object(inner) => deep(parameter, &name, inner, pairs)?,
            value => pairs.push(format!("{name}={}", parameter.scalar(value)?)),
        }
    }
    Ok(())
}
