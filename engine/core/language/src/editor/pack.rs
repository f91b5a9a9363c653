//! What an editor is told of `pack.yaml`: its roles and the installed plugins are offered, and any
//! other name will do, since this is the file that says which there are.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{definitions, parsed, reference};
use crate::Surroundings;

const BASE: &str = include_str!("pack.yaml");

/// The schema of a `pack.yaml` that stands in these surroundings.
pub fn schema(around: &Surroundings) -> Value {
    let mut schema = parsed(BASE);
    if let Some(pack) = around.pack.as_ref().filter(|pack| !pack.roles.is_empty()) {
        let offered = json!({"anyOf": [{"enum": pack.roles}, {"type": "string"}]});
        definitions(&mut schema).insert("roleName".to_owned(), offered);
    }
    let functions = around.functions.keys();
    let installed: BTreeSet<&str> = functions
        .filter_map(|name| name.split_once('.'))
        .map(|(plugin, _)| plugin)
        .collect();
    if !installed.is_empty() {
        let named = installed.into_iter();
        let named = named.map(|plugin| (plugin.to_owned(), reference("plugin")));
        schema["properties"]["plugins"]["properties"] = Value::Object(named.collect());
    }
    schema
}
