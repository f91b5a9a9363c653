//! `metadata.disclosure`: for what, to whom and on what a task hands out facts about people.
//!
//! The words are those of the pack, so that consent is compared with them and not with prose.
//! Whether there is consent is asked when something is sent. Only why it was not sought may come
//! from the case: that is what somebody decided there.

use super::Reader;
use super::scope::Moment;
use super::tasks::Body;
use crate::Template;
use crate::diagnostic::{listed, suggestion};
use crate::workflow::{Basis, Call, Disclosure, Kind};
use crate::yaml::{Entry, Fields, Node, Place, under};

/// What somebody can be to a case. `casework` gives them their meaning.
pub(crate) const RELATIONS: [&str; 10] = [
    "parent",
    "carer",
    "child",
    "sibling",
    "partner",
    "other-family",
    "referrer",
    "payee",
    "professional",
    "other",
];

/// Reads what a task says of it, and reports one that is missing.
pub(super) fn read(
    reader: &mut Reader<'_>,
    body: &Body<'_, '_>,
    kind: Option<&Kind>,
) -> Option<Disclosure> {
    let metadata = body.fields.get("metadata").and_then(|it| it.value.as_map());
    let mut entries = metadata.unwrap_or_default().iter();
    let written = entries.find(|entry| entry.key.text == "disclosure");
    let sends = kind.is_some_and(|kind| match kind {
        Kind::Call(call) => !call.function.starts_with("fund."),
        other => matches!(other, Kind::Http(_) | Kind::OpenApi(_)),
    });
    match (written, kind) {
        (Some(entry), Some(_)) if sends => disclosure(reader, body, entry),
        (Some(entry), Some(_)) => {
            reader
                .findings
                .error(
                    "CW0460",
                    entry.place(),
                    format!("{} sends nothing outside", body.fields.owner),
                )
                .help("`disclosure` belongs to the task that calls a plugin, `http` or `openapi`");
            None
        }
        (None, Some(Kind::Call(call))) => {
            required(reader, body, call);
            None
        }
        (_, None) | (None, Some(_)) => None,
    }
}

fn required(reader: &mut Reader<'_>, body: &Body<'_, '_>, call: &Call) {
    let signature = reader.surroundings.functions.get(&call.function);
    let Some(signature) = signature.filter(|signature| !signature.discloses.is_empty()) else {
        return;
    };
    let what = listed(signature.discloses.iter().map(String::as_str));
    reader
        .findings
        .error(
            "CW0461",
            body.entry.place(),
            format!(
                "`{}` hands out facts about people ({what}), and {} does not say on what",
                call.function, body.fields.owner
            ),
        )
        .help("add `metadata: { disclosure: { purpose: ..., to: ... } }`");
}

fn disclosure(reader: &mut Reader<'_>, body: &Body<'_, '_>, entry: &Entry) -> Option<Disclosure> {
    let owner = format!("`disclosure` of {}", body.fields.owner);
    let known = ["purpose", "to", "about", "basis"];
    let place = entry.key.place;
    let fields = Fields::open(&mut reader.findings, &entry.value, place, &owner, &known)?;
    let purpose = word(reader, &fields, "purpose", "purposes");
    let recipient = word(reader, &fields, "to", "recipients");
    let about = match fields.get("about") {
        None => Some(Vec::new()),
        Some(entry) => about(reader, &fields, entry),
    };
    let basis = match fields.get("basis") {
        None => Some(None),
        Some(entry) => basis(reader, body, entry, &owner).map(Some),
    };
    Some(Disclosure {
        purpose: purpose?,
        recipient: recipient?,
        about: about?,
        basis: basis?,
    })
}

/// Relations of those whom it is about.
fn about(reader: &mut Reader<'_>, fields: &Fields<'_>, entry: &Entry) -> Option<Vec<String>> {
    let Some(items) = entry.value.as_list().filter(|items| !items.is_empty()) else {
        let wanted = "a list of relations, such as `[parent, child]`";
        fields.expected(&mut reader.findings, entry, wanted);
        return None;
    };
    let read = |item: &Node| {
        let word = item.as_text().unwrap_or_default();
        if RELATIONS.contains(&word) {
            return Some(word.to_owned());
        }
        let message = format!("`{word}` is nothing that somebody can be to a case");
        reader
            .findings
            .error("CW0460", item.place, message)
            .help(suggestion(word, RELATIONS, &listed(RELATIONS)));
        None
    };
    items.iter().map(read).collect()
}

fn basis(
    reader: &mut Reader<'_>,
    body: &Body<'_, '_>,
    entry: &Entry,
    owner: &str,
) -> Option<Basis> {
    let owner = under(owner, "basis");
    let place = entry.key.place;
    let known = ["name", "because"];
    let fields = Fields::open(&mut reader.findings, &entry.value, place, &owner, &known)?;
    let name = word(reader, &fields, "name", "bases");
    let write = "because: asking would put the child at risk";
    let because = fields.required(&mut reader.findings, "because", write)?;
    let because = reason(reader, body, &fields, because);
    Some(Basis {
        name: name?,
        because: because?,
    })
}

/// Words, or one expression that takes them from the case.
fn reason(
    reader: &mut Reader<'_>,
    body: &Body<'_, '_>,
    fields: &Fields<'_>,
    entry: &Entry,
) -> Option<Template> {
    let written = entry.value.as_text();
    if written.is_some_and(|written| written.contains("${")) {
        return reader.template(&entry.value, body.scope, Moment::Definition);
    }
    let words = text(reader, fields, entry)?;
    Some(Template::Literal(words.into()))
}

/// A word that the pack lists under `disclosure`.
fn word(reader: &mut Reader<'_>, fields: &Fields<'_>, key: &str, list: &str) -> Option<String> {
    let write = format!("{key}: <one of `disclosure: {list}` in pack.yaml>");
    let entry = fields.required(&mut reader.findings, key, &write)?;
    let word = text(reader, fields, entry)?;
    let Some(pack) = &reader.surroundings.pack else {
        return Some(word);
    };
    let words = match list {
        "purposes" => &pack.purposes,
        "recipients" => &pack.recipients,
        _ => &pack.bases,
    };
    if words.contains(&word) {
        return Some(word);
    }
    let none = format!("add it to `disclosure: {list}` in pack.yaml");
    let help = suggestion(&word, words.iter().map(String::as_str), &none);
    let message = format!("the pack has no `{word}` among its {list}");
    unknown(reader, entry.place(), message, help);
    None
}

fn unknown(reader: &mut Reader<'_>, place: Place, message: String, help: String) {
    reader.findings.error("CW0460", place, message).help(help);
}

/// Fixed text that says something: what a disclosure stands on is not computed.
fn text(reader: &mut Reader<'_>, fields: &Fields<'_>, entry: &Entry) -> Option<String> {
    let text = fields.text(&mut reader.findings, entry)?;
    if text.trim().is_empty() || text.contains("${") {
        let message = format!(
            "`{}` of {} must be words, and none that are computed",
            entry.key.text, fields.owner
        );
        let help = "write it out: people must be able to read what is sent and on what";
        unknown(reader, entry.place(), message, help.to_owned());
        return None;
    }
    Some(text.trim().to_owned())
}
