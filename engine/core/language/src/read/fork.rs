//! `fork`: tasks side by side. No branch sees another, and none leads to another.

use super::tasks::{self, Body, Found};
use super::{Reader, flat};
use crate::workflow::{Fork, Kind, Task, Then};
use crate::yaml::{self, Entry, Fields};

pub(super) fn read(reader: &mut Reader<'_>, body: &Body<'_, '_>) -> Option<Found> {
    let owner = yaml::under(&body.fields.owner, "fork");
    let entry = body.entry;
    let findings = &mut reader.findings;
    let known = ["branches", "compete"];
    let fields = Fields::open(findings, &entry.value, entry.key.place, &owner, &known)?;
    let list = fields.required(findings, "branches", "branches: [ ... ]");
    let compete = fields
        .get("compete")
        .map(|entry| compete(reader, &fields, entry));
    let branches = list.and_then(|list| branches(reader, body, list, &owner));
    let kind = Kind::Fork(Fork {
        branches: branches?,
        compete: flat(compete)?.unwrap_or(false),
    });
    Some(kind.into())
}

fn compete(reader: &mut Reader<'_>, fields: &Fields<'_>, entry: &Entry) -> Option<bool> {
    let compete = entry.value.as_bool();
    if compete.is_none() {
        fields.expected(&mut reader.findings, entry, "`true` or `false`");
    }
    compete
}

fn branches(
    reader: &mut Reader<'_>,
    body: &Body<'_, '_>,
    list: &Entry,
    owner: &str,
) -> Option<Vec<Task>> {
    let reference = format!("{}/fork", body.reference);
    let read = tasks::branches(reader, list, owner, body.scope, &reference)?;
    let (branches, outlines): (Vec<_>, Vec<_>) = read.into_iter().unzip();
    let mut apart = true;
    for outline in &outlines {
        for (then, place) in &outline.ways {
            if let Then::Task(index) = then {
                let other = outlines.get(*index).map_or("", |other| other.name.as_str());
                let message = format!(
                    "`{}` cannot lead to `{other}`: both are branches of a fork",
                    outline.name
                );
                reader.findings.error("CW0212", *place, message).help(
                    "branches run side by side; tasks that follow each other belong into the \
                     `do` of one branch",
                );
                apart = false;
            }
        }
    }
    apart.then_some(branches)
}
