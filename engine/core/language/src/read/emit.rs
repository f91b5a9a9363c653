//! `emit`: an event of the author's own, and whom it may reach.

use super::tasks::{Body, Found};
use super::{Reader, event};
use crate::Template;
use crate::workflow::{Emission, Kind, Reach};
use crate::yaml::{self, Fields};

const WRITE: &str =
    "event: { with: { source: https://agency.example/plans, type: agency.plan.agreed } }";

pub(super) fn read(reader: &mut Reader<'_>, body: &Body<'_, '_>) -> Option<Found> {
    let reach = reach(reader, body);
    let owner = yaml::under(&body.fields.owner, "emit");
    let entry = body.entry;
    let findings = &mut reader.findings;
    let fields = Fields::open(findings, &entry.value, entry.key.place, &owner, &["event"])?;
    let event = fields.required(findings, "event", WRITE)?;
    let owner = yaml::under(&owner, "event");
    let fields = Fields::open(findings, &event.value, event.key.place, &owner, &["with"])?;
    let with = fields.required(findings, "with", WRITE)?;
    let owner = yaml::under(&owner, "with");
    let fields = Fields::open_any(findings, &with.value, with.key.place, &owner)?;
    let mut whole = true;
    for (key, example) in [
        ("source", "https://agency.example/plans"),
        ("type", "agency.plan.agreed"),
    ] {
        if fields.get(key).is_none() {
            whole = false;
            findings
                .error("CW0605", with.key.place, format!("{owner} has no `{key}`"))
                .help(format!("add `{key}: {example}`"));
        }
    }
    let attributes = event::attributes(reader, &fields, body.scope)?;
    let emission = Emission {
        with: Template::Map(attributes),
        reach: reach?,
    };
    whole.then(|| Kind::Emit(emission).into())
}

fn reach(reader: &mut Reader<'_>, body: &Body<'_, '_>) -> Option<Reach> {
    let metadata = body.fields.get("metadata").and_then(|it| it.value.as_map());
    let mut entries = metadata.unwrap_or_default().iter();
    let Some(entry) = entries.find(|entry| entry.key.text == "deliver") else {
        return Some(Reach::Case);
    };
    match entry.value.as_text() {
        Some("case") => Some(Reach::Case),
        Some("agency") => Some(Reach::Agency),
        Some(_) | None => {
            reader
                .findings
                .error(
                    "CW0606",
                    entry.place(),
                    "`deliver` must be `case` or `agency`",
                )
                .help("without it the event reaches the instances of its own case");
            None
        }
    }
}
