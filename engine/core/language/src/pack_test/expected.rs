//! Data that a test expects, compared with what was found. Every difference has its place.

use serde_json::Value;

use super::Spot;
use crate::yaml::{Content, Node};

/// Expected data.
#[derive(Debug, Clone, PartialEq)]
pub struct Expected(pub(super) Node);

/// One thing that is not as expected.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Difference {
    pub spot: Spot,
    /// `money.minor`, `quotes.0.date`; empty for the whole.
    pub path: String,
    pub expected: Value,
    /// Null also for what is not there.
    pub found: Value,
}

impl Expected {
    /// Where it is written.
    pub fn spot(&self) -> Spot {
        Spot(self.0.place)
    }

    /// In the order of the text.
    pub fn differences(&self, found: &Value) -> Vec<Difference> {
        let mut differences = Vec::new();
        compare(&self.0, found, "", &mut differences);
        differences
    }
}

fn compare(node: &Node, found: &Value, path: &str, differences: &mut Vec<Difference>) {
    let below = |name: &str| match path {
        "" => name.to_owned(),
        path => format!("{path}.{name}"),
    };
    match (&node.content, found) {
        (Content::Map(entries), Value::Object(members)) => {
            for entry in entries {
                let name = &entry.key.text;
                let member = members.get(name).unwrap_or(&Value::Null);
                compare(&entry.value, member, &below(name), differences);
            }
        }
        (Content::List(items), Value::Array(elements)) if items.len() == elements.len() => {
            for (index, (item, element)) in items.iter().zip(elements).enumerate() {
                compare(item, element, &below(&index.to_string()), differences);
            }
        }
        (Content::Float(_), Value::Number(number))
            if node.to_json().as_f64() == number.as_f64() => {}
        _ if node.to_json() == *found => {}
        _ => differences.push(Difference {
            spot: Spot(node.place),
            path: path.to_owned(),
            expected: node.to_json(),
            found: found.clone(),
        }),
    }
}
