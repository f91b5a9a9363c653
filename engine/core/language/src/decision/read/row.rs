//! Rows: what each asks of the inputs, and what it gives.

use serde_json::{Map, Value};

use super::Reader;
use crate::decision::{Column, Condition, Kind, Row, condition};
use crate::yaml::{Content, Entry, Fields, Node, Place};

impl Reader<'_> {
    pub(super) fn row(
        &mut self,
        number: usize,
        item: &Node,
        inputs: &[Column],
        outputs: &[Column],
    ) -> Option<Row> {
        let owner = format!("row {number}");
        let known = ["when", "then", "note"];
        let fields = Fields::open(self.findings, item, item.place, &owner, &known)?;
        let note = self.note(&fields);
        let when = match fields.get("when") {
            None => Some(inputs.iter().map(Condition::any).collect()),
            Some(entry) => self.when(&format!("`when` of row {number}"), entry, inputs),
        };
        let write = format!("then: {{ {}: ... }}", outputs.first()?.name);
        let then = fields.required(self.findings, "then", &write)?;
        let then = self.then(&format!("`then` of row {number}"), then, outputs);
        Some(Row {
            when: when?,
            then: then?,
            note,
        })
    }

    fn when(&mut self, owner: &str, entry: &Entry, inputs: &[Column]) -> Option<Vec<Condition>> {
        let names: Vec<&str> = inputs.iter().map(|column| column.name.as_str()).collect();
        let place = entry.key.place;
        let fields = Fields::open(self.findings, &entry.value, place, owner, &names)?;
        let conditions: Vec<_> = inputs
            .iter()
            .map(|column| match fields.get(&column.name) {
                None => Some(Condition::any(column)),
                Some(cell) => self.cell(&cell.value, cell.place(), column),
            })
            .collect();
        conditions.into_iter().collect()
    }

    fn cell(&mut self, cell: &Node, place: Place, column: &Column) -> Option<Condition> {
        let read = match &cell.content {
            Content::List(items) if !items.is_empty() => {
                let parts: Vec<_> = items
                    .iter()
                    .map(|item| self.cell(item, item.place, column))
                    .collect();
                let mut parts = parts.into_iter().collect::<Option<Vec<_>>>()?.into_iter();
                let first = parts.next()?;
                return Some(parts.fold(first, Condition::or));
            }
            Content::Map(entries) => match entries.as_slice() {
                [only] if only.key.text == "not" => {
                    let inner = self.cell(&only.value, only.place(), column)?;
                    let rest = inner.not(column);
                    let empty = rest.is_empty().then(|| "this fits nothing".to_owned());
                    empty.map_or(Ok(rest), Err)
                }
                _ => Err("a condition in a map is `{ not: ... }`".to_owned()),
            },
            _ => match written(cell) {
                Some(text) => Condition::parse(&text, column),
                None => Err(format!("{} is no condition", cell.described())),
            },
        };
        match read {
            Ok(condition) => Some(condition),
            Err(problem) => {
                self.findings
                    .error(
                        "CW1104",
                        place,
                        format!("condition on `{}`: {problem}", column.name),
                    )
                    .help(condition::forms(&column.kind));
                None
            }
        }
    }

    fn then(
        &mut self,
        owner: &str,
        entry: &Entry,
        outputs: &[Column],
    ) -> Option<Map<String, Value>> {
        let names: Vec<&str> = outputs.iter().map(|column| column.name.as_str()).collect();
        let place = entry.key.place;
        let fields = Fields::open(self.findings, &entry.value, place, owner, &names)?;
        let mut given = Map::new();
        for column in outputs {
            let name = &column.name;
            let write = format!("{name}: ...");
            let Some(cell) = fields.required(self.findings, name, &write) else {
                continue;
            };
            let text = written(&cell.value);
            if let Some(value) = text.and_then(|text| column.kind.value(&text)) {
                given.insert(name.clone(), value);
                continue;
            }
            let wanted = match &column.kind {
                Kind::Money { .. } => "an amount such as 2000 or 2000.50".to_owned(),
                other => other.wanted(),
            };
            let found = cell.value.described();
            let message = format!("`{name}` must be {wanted}, found {found}");
            self.findings.error("CW1105", cell.place(), message);
        }
        (given.len() == outputs.len()).then_some(given)
    }
}

/// A text is told apart only from those that conditions of the table name.
pub(super) fn gather_words(inputs: &mut [Column], versions: &Entry) {
    let versions = versions.value.as_list().unwrap_or_default().iter();
    let rows = versions.filter_map(|version| version.get("rows")?.as_list());
    let rows: Vec<&Node> = rows.flatten().collect();
    for column in inputs {
        let Kind::Text(words) = &mut column.kind else {
            continue;
        };
        let mut found = Vec::new();
        for row in &rows {
            if let Some(cell) = row.get("when").and_then(|when| when.get(&column.name)) {
                texts(cell, &mut found);
            }
        }
        found.sort_unstable();
        found.dedup();
        *words = found;
        column.bounds = column.kind.bounds();
    }
}

/// A single value as its author wrote it; numbers as they are written at their shortest.
pub(super) fn written(node: &Node) -> Option<String> {
    match &node.content {
        Content::Bool(value) => Some(value.to_string()),
        Content::Integer(value) => Some(value.to_string()),
        Content::Float(value) => Some(value.to_string()),
        Content::Text(text) => Some(text.value.clone()),
        Content::Null | Content::List(_) | Content::Map(_) => None,
    }
}

/// The texts that a condition names.
fn texts(cell: &Node, found: &mut Vec<String>) {
    match &cell.content {
        Content::List(items) => items.iter().for_each(|item| texts(item, found)),
        Content::Map(entries) => entries.iter().for_each(|entry| texts(&entry.value, found)),
        _ => found.extend(written(cell).filter(|text| text != "any")),
    }
}
