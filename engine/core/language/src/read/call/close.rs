//! `case.close`: the end of an episode, with a reason that the pack counts.

use super::argument::{Arguments, computed};
use super::{arguments, found};
use crate::diagnostic::suggestion;
use crate::read::Reader;
use crate::read::tasks::{Body, Found};
use crate::yaml::Entry;

const REASON: &str = "reason: <name in closingReasons of pack.yaml>";
const CONSENT: &str = "consentGiven: '${ $steps.proposal.data.consentGiven }'";
const FACTS: &str = "facts: { goals: '${ $steps.proposal.data.goals }' }";
const LEAVE: &str = "leave: [ <name of a workflow> ]";

pub(super) fn read(reader: &mut Reader<'_>, body: &Body<'_, '_>, name: &str) -> Option<Found> {
    let owner = body.fields.owner.as_str();
    let function = format!("call: {name}");
    let mut all = Arguments::open(&mut reader.findings, &function, owner, arguments(body))?;
    let findings = &mut reader.findings;
    all.refuse_unknown(findings, &["reason", "consentGiven", "facts", "leave"]);
    if let Some(entry) = all.required(findings, "reason", REASON) {
        reason(reader, &all, entry);
    }
    let findings = &mut reader.findings;
    if let Some(entry) = all.required(findings, "consentGiven", CONSENT)
        && !computed(&entry.value)
        && entry.value.as_bool().is_none()
    {
        all.expected(findings, entry, "`true` or `false`", CONSENT);
    }
    if let Some(entry) = all.get("facts")
        && !computed(&entry.value)
        && entry.value.as_map().is_none()
    {
        all.expected(findings, entry, "a map of facts", FACTS);
    }
    if let Some(entry) = all.get("leave")
        && !computed(&entry.value)
        && entry.value.as_list().is_none()
    {
        all.expected(findings, entry, "a list of workflows", LEAVE);
    }
    found(reader, body, name, None)
}

fn reason(reader: &mut Reader<'_>, all: &Arguments<'_>, entry: &Entry) {
    if computed(&entry.value) {
        return;
    }
    let Some(name) = entry.value.as_text() else {
        all.expected(&mut reader.findings, entry, "the name of a reason", REASON);
        return;
    };
    let Some(pack) = &reader.surroundings.pack else {
        return;
    };
    if !pack.closing_reasons.contains(name) {
        let known = pack.closing_reasons.iter().map(String::as_str);
        let otherwise = "add it to `closingReasons` in pack.yaml";
        reader
            .findings
            .error(
                "CW0489",
                entry.place(),
                format!("the pack has no reason for closing `{name}`"),
            )
            .help(suggestion(name, known, otherwise));
    }
}
