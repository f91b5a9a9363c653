//! `switch`: the first case that holds decides where the flow goes.

use std::collections::BTreeMap;

use super::scope::Moment;
use super::tasks::{self, Body, Found};
use super::{Reader, flow};
use crate::workflow::{Case, Kind, Then};
use crate::yaml::{self, Content, Entry, Fields, Place};

pub(super) fn read(reader: &mut Reader<'_>, body: &Body<'_, '_>) -> Option<Found> {
    let owner = yaml::under(&body.fields.owner, "switch");
    let Content::List(items) = &body.entry.value.content else {
        body.fields
            .expected(&mut reader.findings, body.entry, "a list of cases");
        return None;
    };
    if items.is_empty() {
        reader
            .findings
            .error(
                "CW0109",
                body.entry.place(),
                format!("{owner} has no cases"),
            )
            .help("add one, such as `- approved: { when: .ok, then: pay }`");
        return None;
    }
    let mut cases = Vec::new();
    let mut default: Option<(Case, Place)> = None;
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let mut whole = true;
    for item in items {
        let entry = tasks::single(reader, item, &owner);
        if let Some(entry) = entry {
            check_name(reader, entry, &mut seen);
        }
        match entry.and_then(|entry| case(reader, body, entry)) {
            Some(found) if found.0.when.is_some() => cases.push(found),
            Some(found) => match &default {
                Some((first, _)) => refuse_second(reader, entry, &first.name),
                None => default = Some(found),
            },
            None => whole = false,
        }
    }
    let falls_on = default.is_none();
    cases.extend(default);
    let ways: Vec<(Then, Place)> = cases
        .iter()
        .map(|(case, place)| (case.then, *place))
        .collect();
    let cases = cases.into_iter().map(|(case, _)| case).collect();
    whole.then_some(Found {
        kind: Kind::Switch(cases),
        ways,
        falls_on,
    })
}

fn check_name<'a>(reader: &mut Reader<'_>, entry: &'a Entry, seen: &mut BTreeMap<&'a str, usize>) {
    let (name, place) = (entry.key.text.as_str(), entry.key.place);
    if let Some(line) = seen.insert(name, place.line) {
        reader
            .findings
            .error(
                "CW0110",
                place,
                format!("the switch has two cases named `{name}`"),
            )
            .help(format!(
                "the other is at line {line}; give one of them another name"
            ));
    }
}

fn case(reader: &mut Reader<'_>, body: &Body<'_, '_>, entry: &Entry) -> Option<(Case, Place)> {
    let name = &entry.key.text;
    let owner = format!("the case `{name}` of {}", body.fields.owner);
    let findings = &mut reader.findings;
    let fields = Fields::open(
        findings,
        &entry.value,
        entry.key.place,
        &owner,
        &["when", "then"],
    )?;
    let target = fields.required(findings, "then", "then: <task>");
    let when = fields
        .get("when")
        .map(|when| reader.condition(&when.value, body.scope, Moment::Definition));
    let target = target?;
    let then = flow::then(reader, target, body.siblings)?;
    let when = match when {
        Some(expression) => Some(expression?),
        None => None,
    };
    let case = Case {
        name: name.clone(),
        when,
        then,
    };
    Some((case, target.place()))
}

fn refuse_second(reader: &mut Reader<'_>, entry: Option<&Entry>, first: &str) {
    if let Some(entry) = entry {
        reader
            .findings
            .error(
                "CW0203",
                entry.key.place,
                format!("`{first}` is a default already"),
            )
            .help("only one case may stand without `when`; add a `when` to one of them");
    }
}
