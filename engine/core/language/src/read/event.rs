//! Events in documents: attributes, filters and the strategies `one`, `any`, `all` with `until`.
//!
//! What is done with them stands in `emit` and `listen`.

use super::raise::warn_of_address;
use super::scope::{Moment, Scope};
use super::{Reader, flat};
use crate::Template;
use crate::diagnostic::{similar, suggestion};
use crate::workflow::{Correlation, EventFilter, Strategy, Until};
use crate::yaml::{self, Content, Entry, Fields, Node, Place};

/// Attributes that CloudEvents itself names and an author may write.
const ATTRIBUTES: [&str; 8] = [
    "id",
    "source",
    "type",
    "time",
    "subject",
    "datacontenttype",
    "dataschema",
    "data",
];

const STRATEGIES: [&str; 3] = ["one", "any", "all"];

/// Attributes by name; a wrong name is reported.
pub(super) fn attributes(
    reader: &mut Reader<'_>,
    fields: &Fields<'_>,
    scope: &Scope,
) -> Option<Vec<(String, Template)>> {
    let mut read = Vec::new();
    let mut whole = true;
    for entry in fields.entries() {
        whole &= attribute_name(reader, entry);
        if let "source" | "dataschema" = entry.key.text.as_str() {
            let (what, write) = (&entry.key.text, "https://agency.example/plans");
            warn_of_address(reader, entry, &format!("`{what}` of an event"), write);
        }
        match reader.template(&entry.value, scope, Moment::Definition) {
            Some(template) => read.push((entry.key.text.clone(), template)),
            None => whole = false,
        }
    }
    whole.then_some(read)
}

fn attribute_name(reader: &mut Reader<'_>, entry: &Entry) -> bool {
    let name = entry.key.text.as_str();
    let well = !name.is_empty()
        && name
            .bytes()
            .all(|sign| sign.is_ascii_lowercase() || sign.is_ascii_digit());
    if well && name != "specversion" {
        return true;
    }
    let message = if well {
        "`specversion` of an event is not for authors to say".to_owned()
    } else {
        format!("`{name}` is no name of an attribute of an event")
    };
    let otherwise = "attributes are written in small letters and digits";
    reader
        .findings
        .error("CW0601", entry.key.place, message)
        .help(suggestion(name, ATTRIBUTES.iter().copied(), otherwise));
    false
}

/// `one`, `any` or `all` below a key.
pub(super) fn strategy(
    reader: &mut Reader<'_>,
    entry: &Entry,
    owner: &str,
    scope: &Scope,
) -> Option<Strategy> {
    let owner = yaml::under(owner, &entry.key.text);
    let known = ["one", "any", "all", "until"];
    let findings = &mut reader.findings;
    let fields = Fields::open(findings, &entry.value, entry.key.place, &owner, &known)?;
    let chosen: Vec<&Entry> = STRATEGIES
        .iter()
        .filter_map(|name| fields.get(name))
        .collect();
    let [chosen] = chosen[..] else {
        refuse_choice(reader, entry.key.place, &owner, chosen.len());
        return None;
    };
    let until = fields.get("until");
    if let Some(until) = until.filter(|_| chosen.key.text != "any") {
        reader
            .findings
            .error(
                "CW0604",
                until.key.place,
                format!("`until` does not belong to `{}`", chosen.key.text),
            )
            .help("it says when `any` stops; remove it");
        return None;
    }
    match chosen.key.text.as_str() {
        "one" => filter(reader, &chosen.value, chosen.key.place, &owner, scope).map(Strategy::One),
        "all" => all(reader, chosen, &owner, scope),
        _ => {
            let filters = filters(reader, chosen, &owner, scope);
            let until = flat(until.map(|until| read_until(reader, until, &owner, scope)));
            Some(Strategy::Any {
                filters: filters?,
                until: until?,
            })
        }
    }
}

fn refuse_choice(reader: &mut Reader<'_>, place: Place, owner: &str, count: usize) {
    let message = if count == 0 {
        format!("{owner} does not say what to listen to")
    } else {
        format!("{owner} says more than one of `one`, `any` and `all`")
    };
    reader
        .findings
        .error("CW0603", place, message)
        .help("write one of them: `one: { with: { type: org.family.reply } }`");
}

fn all(reader: &mut Reader<'_>, entry: &Entry, owner: &str, scope: &Scope) -> Option<Strategy> {
    let read = filters(reader, entry, owner, scope)?;
    if read.is_empty() {
        reader
            .findings
            .error("CW0603", entry.place(), "`all` of no events is nothing")
            .help("name the events, or write `any: []` to take every event");
        return None;
    }
    Some(Strategy::All(read))
}

fn read_until(reader: &mut Reader<'_>, entry: &Entry, owner: &str, scope: &Scope) -> Option<Until> {
    let Content::Map(_) = &entry.value.content else {
        let read = reader.condition(&entry.value, scope, Moment::Definition);
        return read.map(Until::Condition);
    };
    if let Some(inner) = entry.value.as_map().and_then(|entries| {
        let mut entries = entries.iter();
        entries.find(|entry| entry.key.text == "until")
    }) {
        reader
            .findings
            .error(
                "CW0604",
                inner.key.place,
                "`until` does not belong to the events of an `until`",
            )
            .help("it says when `any` stops; remove it");
        return None;
    }
    let read = strategy(reader, entry, owner, scope)?;
    Some(Until::Events(Box::new(read)))
}

fn filters(
    reader: &mut Reader<'_>,
    entry: &Entry,
    owner: &str,
    scope: &Scope,
) -> Option<Vec<EventFilter>> {
    let owner = yaml::under(owner, &entry.key.text);
    let Content::List(items) = &entry.value.content else {
        let findings = &mut reader.findings;
        yaml::expected(
            findings,
            entry.place(),
            &owner,
            "a list of filters",
            &entry.value,
        );
        return None;
    };
    let read: Vec<Option<EventFilter>> = items
        .iter()
        .map(|item| filter(reader, item, item.place, &owner, scope))
        .collect();
    read.into_iter().collect()
}

fn filter(
    reader: &mut Reader<'_>,
    node: &Node,
    place: Place,
    owner: &str,
    scope: &Scope,
) -> Option<EventFilter> {
    let owner = format!("a filter in {owner}");
    let findings = &mut reader.findings;
    let fields = Fields::open(findings, node, place, &owner, &["with", "correlate"])?;
    let with = fields.required(findings, "with", "with: { type: org.family.reply }");
    let with = with.and_then(|with| with_of(reader, with, scope));
    let correlate = match fields.get("correlate") {
        Some(entry) => correlations(reader, entry, scope),
        None => Some(Vec::new()),
    };
    Some(EventFilter {
        with: with?,
        correlate: correlate?,
    })
}

fn with_of(
    reader: &mut Reader<'_>,
    entry: &Entry,
    scope: &Scope,
) -> Option<Vec<(String, Template)>> {
    let owner = "`with` of a filter";
    let findings = &mut reader.findings;
    let fields = Fields::open_any(findings, &entry.value, entry.key.place, owner)?;
    if fields.entries().is_empty() {
        findings
            .error("CW0602", entry.place(), "the filter names no attribute")
            .help("write `type: org.family.reply`, or `any: []` to take every event");
        return None;
    }
    for entry in fields.entries() {
        warn_of_misspelt(reader, entry);
    }
    attributes(reader, &fields, scope)
}

/// Events may have attributes of their own, so a name that is nearly a known one is only doubted.
fn warn_of_misspelt(reader: &mut Reader<'_>, entry: &Entry) {
    let name = entry.key.text.as_str();
    let sound = name.bytes().all(|sign| sign.is_ascii_lowercase());
    if !sound || ATTRIBUTES.contains(&name) || name == "specversion" {
        return;
    }
    if let Some(near) = similar(name, ATTRIBUTES.iter().copied()) {
        let message = format!("an event seldom has an attribute `{name}`");
        reader
            .findings
            .warning("CW0213", entry.key.place, message)
            .help(format!(
                "did you mean `{near}`? no event without it fits this filter"
            ));
    }
}

fn correlations(reader: &mut Reader<'_>, entry: &Entry, scope: &Scope) -> Option<Vec<Correlation>> {
    let owner = "`correlate` of a filter";
    let findings = &mut reader.findings;
    let named = Fields::open_any(findings, &entry.value, entry.key.place, owner)?;
    let read: Vec<Option<Correlation>> = named
        .entries()
        .iter()
        .map(|entry| correlation(reader, entry, scope))
        .collect();
    read.into_iter().collect()
}

fn correlation(reader: &mut Reader<'_>, entry: &Entry, scope: &Scope) -> Option<Correlation> {
    let owner = format!("the correlation `{}`", entry.key.text);
    let findings = &mut reader.findings;
    let known = ["from", "expect"];
    let fields = Fields::open(findings, &entry.value, entry.key.place, &owner, &known)?;
    let from = fields.required(findings, "from", "from: .data.family");
    let from = from.map(|from| reader.expression(&from.value, scope, Moment::Definition));
    let expect = fields.get("expect").map(|expect| {
        if expect.value.as_text().is_none() {
            fields.expected(&mut reader.findings, expect, "text");
            return None;
        }
        reader.template(&expect.value, scope, Moment::Definition)
    });
    Some(Correlation {
        name: entry.key.text.clone(),
        from: from.flatten()?,
        expect: flat(expect)?,
    })
}
