//! `input`, `output` and `export`: schemas and what reshapes data on its way.

use super::Reader;
use super::scope::{Moment, Scope};
use crate::Schema;
use crate::workflow::{Export, Inlet, Outlet};
use crate::yaml::{self, Entry, Fields};

pub(super) fn input(
    reader: &mut Reader<'_>,
    entry: &Entry,
    owner: &str,
    scope: &Scope,
    moment: Moment,
) -> Inlet {
    let owner = yaml::under(owner, "input");
    let Some(fields) = open(reader, entry, &owner, &["schema", "from"]) else {
        return Inlet::default();
    };
    Inlet {
        schema: fields
            .get("schema")
            .and_then(|entry| schema(reader, entry, &owner)),
        from: fields
            .get("from")
            .and_then(|entry| reader.transform(entry, scope, moment)),
    }
}

pub(super) fn output(
    reader: &mut Reader<'_>,
    entry: &Entry,
    owner: &str,
    scope: &Scope,
    moment: Moment,
) -> Outlet {
    let owner = yaml::under(owner, "output");
    let Some(fields) = open(reader, entry, &owner, &["schema", "as"]) else {
        return Outlet::default();
    };
    Outlet {
        transform: fields
            .get("as")
            .and_then(|entry| reader.transform(entry, scope, moment)),
        schema: fields
            .get("schema")
            .and_then(|entry| schema(reader, entry, &owner)),
    }
}

pub(super) fn export(
    reader: &mut Reader<'_>,
    entry: &Entry,
    owner: &str,
    scope: &Scope,
) -> Option<Export> {
    let owner = yaml::under(owner, "export");
    let fields = open(reader, entry, &owner, &["schema", "as"])?;
    let schema = fields
        .get("schema")
        .and_then(|entry| schema(reader, entry, &owner));
    let written = fields.required(
        &mut reader.findings,
        "as",
        "as: '$context + { name: .value }'",
    )?;
    let transform = reader.transform(written, scope, Moment::Export)?;
    if reader.names.exports > 1 && !written.value.to_json().to_string().contains("$context") {
        reader
            .findings
            .warning(
                "CW0207",
                written.place(),
                "this export replaces all that others exported",
            )
            .help("to add to it, write `as: '$context + { name: .value }'`");
    }
    Some(Export { transform, schema })
}

fn schema(reader: &mut Reader<'_>, entry: &Entry, owner: &str) -> Option<Schema> {
    let owner = yaml::under(owner, "schema");
    let fields = open(reader, entry, &owner, &["format", "document", "resource"])?;
    if let Some(resource) = fields.get("resource") {
        reader
            .findings
            .error(
                "CW0906",
                resource.key.place,
                "schemas from elsewhere are not fetched: they could change under a running case",
            )
            .help("write the schema out under `document`");
        return None;
    }
    if let Some(format) = fields.get("format")
        && !format
            .value
            .as_text()
            .is_some_and(|name| name == "json" || name.starts_with("json:"))
    {
        reader
            .findings
            .error(
                "CW0104",
                format.place(),
                format!("`format` of {owner} must be `json`"),
            )
            .help("write `format: json`, or leave it out");
    }
    let document = fields.required(
        &mut reader.findings,
        "document",
        "document: { type: object }",
    )?;
    match Schema::new(document.value.to_json()) {
        Ok(schema) => Some(schema),
        Err(violation) => {
            let at = document.value.nearest(&violation.pointer);
            reader.findings.error("CW0114", at.place, violation.message);
            None
        }
    }
}

fn open<'a>(
    reader: &mut Reader<'_>,
    entry: &'a Entry,
    owner: &str,
    known: &[&str],
) -> Option<Fields<'a>> {
    Fields::open(
        &mut reader.findings,
        &entry.value,
        entry.key.place,
        owner,
        known,
    )
}
