//! `notify`: a message to somebody of the case, or the news to colleagues that they have a task.
//!
//! For colleagues nothing can be said besides: that stands in what they do when they open it.

use super::argument::{Arguments, computed};
use super::{arguments, found};
use crate::Message;
use crate::diagnostic::{listed, suggestion};
use crate::read::tasks::{Body, Found};
use crate::read::{RELATIONS, Reader};
use crate::yaml::{Content, Entry, Fields, under};

const TEMPLATE: &str = "template: <file in messages/ without .yaml>";
const TO: [&str; 5] = ["person", "relation", "role", "team", "staff"];
/// By which the engine sends; `casework` gives them their meaning.
const CHANNELS: [&str; 3] = ["text-message", "e-mail", "letter"];

pub(super) fn read(reader: &mut Reader<'_>, body: &Body<'_, '_>) -> Option<Found> {
    let owner = body.fields.owner.as_str();
    let mut all = Arguments::open(&mut reader.findings, "call: notify", owner, arguments(body))?;
    all.refuse_unknown(&mut reader.findings, &["to", "channel", "template", "data"]);
    let to = all.required(&mut reader.findings, "to", "to: { relation: parent }");
    match to.and_then(|entry| receiver(reader, entry, &under(owner, "to"))) {
        Some(Receiver::Person) => to_person(reader, &all),
        Some(Receiver::Staff) => to_staff(reader, &all),
        None => {}
    }
    found(reader, body, "notify", None)
}

enum Receiver {
    Person,
    Staff,
}

/// Exactly one receiver; whether it is one of the case.
fn receiver(reader: &mut Reader<'_>, entry: &Entry, owner: &str) -> Option<Receiver> {
    if computed(&entry.value) {
        reader
            .findings
            .error(
                "CW0484",
                entry.place(),
                format!("{owner} must say for whom it is"),
            )
            .help("write `{ person: '${ ... }' }`: only what stands within may be an expression");
        return None;
    }
    let place = entry.key.place;
    let fields = Fields::open(&mut reader.findings, &entry.value, place, owner, &TO)?;
    let [only] = fields.entries() else {
        reader
            .findings
            .error(
                "CW0484",
                entry.place(),
                format!("{owner} must name exactly one"),
            )
            .help(
                "write `{ person: <id> }` or `{ relation: parent }` for somebody of the case, \
                 `{ role: <role> }`, `{ team: <team> }` or `{ staff: <id> }` for colleagues",
            );
        return None;
    };
    let text = fields.text(&mut reader.findings, only)?;
    let pack = reader.surroundings.pack.as_ref();
    let known = match only.key.text.as_str() {
        "relation" => Some(RELATIONS.map(str::to_owned).to_vec()),
        "role" => pack.map(|pack| pack.roles.iter().cloned().collect()),
        "team" => pack.map(|pack| pack.teams.iter().cloned().collect()),
        _ => None,
    };
    if let Some(known) = known
        && !computed(&only.value)
        && !known.iter().any(|name| name == text)
    {
        let word = &only.key.text;
        let none = format!("there is no {word} to name");
        let help = suggestion(text, known.iter().map(String::as_str), &none);
        reader
            .findings
            .error("CW0484", only.place(), format!("`{text}` is no {word}"))
            .help(help);
    }
    match only.key.text.as_str() {
        "person" | "relation" => Some(Receiver::Person),
        _ => Some(Receiver::Staff),
    }
}

fn to_staff(reader: &mut Reader<'_>, all: &Arguments<'_>) {
    for key in ["template", "data", "channel"] {
        if let Some(entry) = all.get(key) {
            let message = format!(
                "`{key}` of {} has no place in a message to colleagues",
                all.owner
            );
            reader
                .findings
                .error("CW0484", entry.key.place, message)
                .help(
                    "colleagues are told that they have a task, with the number of the case, and \
                     nothing else: remove it",
                );
        }
    }
}

fn to_person(reader: &mut Reader<'_>, all: &Arguments<'_>) {
    if let Some(entry) = all.get("channel")
        && !computed(&entry.value)
    {
        let word = entry.value.as_text().unwrap_or_default();
        if !CHANNELS.contains(&word) {
            let help = if word == "phone-call" {
                "a colleague rings: write a `human-task`".to_owned()
            } else {
                suggestion(word, CHANNELS, "")
            };
            let message = format!("nothing is sent by `{word}`");
            reader
                .findings
                .error("CW0484", entry.place(), message)
                .help(help);
        }
    }
    let named = all.required(&mut reader.findings, "template", TEMPLATE);
    if let Some(message) = named.and_then(|entry| message(reader, all, entry)) {
        data(reader, all, message);
    }
}

/// The message that is named, where it is known and well.
fn message<'a>(
    reader: &mut Reader<'a>,
    all: &Arguments<'_>,
    entry: &'_ Entry,
) -> Option<&'a Message> {
    let name = all.literal(&mut reader.findings, entry, TEMPLATE)?;
    let surroundings = reader.surroundings;
    let pack = surroundings.pack.as_ref()?;
    let message = pack.messages.get(name);
    if message.is_none() && !pack.messages_broken.contains(name) {
        let known = pack.messages.keys().chain(&pack.messages_broken);
        let none = format!("add it as messages/{name}.yaml");
        let help = suggestion(name, known.map(String::as_str), &none);
        reader
            .findings
            .error(
                "CW0483",
                entry.place(),
                format!("the pack has no message `{name}`"),
            )
            .help(help);
    }
    message
}

/// What stands in the message is what it names, all of it.
fn data(reader: &mut Reader<'_>, all: &Arguments<'_>, message: &Message) {
    let entry = all.get("data");
    let given = match entry.map(|entry| &entry.value.content) {
        None => &[][..],
        Some(Content::Map(entries)) => entries,
        Some(_) => {
            let entry = entry.expect("it was just found");
            all.expected(
                &mut reader.findings,
                entry,
                "a map of values",
                "data: { day: Monday }",
            );
            return;
        }
    };
    let name = &message.name;
    for one in given {
        let key = &one.key.text;
        if !message.data.contains(key) {
            let known = message.data.iter().map(String::as_str);
            reader
                .findings
                .error(
                    "CW0485",
                    one.key.place,
                    format!("the message `{name}` has no place for `{key}`"),
                )
                .help(suggestion(key, known, "remove it"));
        }
    }
    let missing = message.data.iter();
    let missing = missing.filter(|key| !given.iter().any(|one| one.key.text == **key));
    let missing: Vec<&str> = missing.map(String::as_str).collect();
    // An unknown name, reported as such, may be a missing one misspelt.
    let known = given.iter().all(|one| message.data.contains(&one.key.text));
    if known && !missing.is_empty() {
        let place = entry.map_or(all.place, |entry| entry.key.place);
        let message = format!(
            "the message `{name}` needs {}",
            listed(missing.iter().copied())
        );
        reader
            .findings
            .error("CW0485", place, message)
            .help(format!("add `data: {{ {}: ... }}`", missing[0]));
    }
}
