//! `call: human-task` and `call: approval`: what people are asked, who, and by when.

mod terms;
mod time;

use std::collections::{BTreeMap, BTreeSet};

use super::argument::{Arguments, computed};
use super::arguments;
use super::fund::money;
use crate::diagnostic::{listed, suggestion};
use crate::pack::Aspect;
use crate::read::scope::Moment;
use crate::read::tasks::{Body, Found};
use crate::read::{Reader, flat};
use crate::workflow::{Assign, Human, Kind, Limit};
use crate::yaml::{self, Content, Entry, Fields};
use crate::{Template, Term};

const KNOWN: [&str; 15] = [
    "title",
    "show",
    "form",
    "assign",
    "due",
    "since",
    "remind",
    "escalate",
    "clock",
    "calendar",
    "rules",
    "outcomes",
    "nonDelegable",
    "skippable",
    "holdAtMost",
];
const RULES: [&str; 4] = ["differentPersonFrom", "approvals", "limit", "payee"];
const LIMIT: [&str; 6] = ["policy", "money", "goal", "supplier", "category", "fund"];
const ASSIGN: [&str; 3] = ["role", "team", "person"];

pub(super) fn read(reader: &mut Reader<'_>, body: &Body<'_, '_>, approval: bool) -> Option<Found> {
    let function = if approval {
        "call: approval"
    } else {
        "call: human-task"
    };
    let owner = body.fields.owner.as_str();
    let mut all = Arguments::open(&mut reader.findings, function, owner, arguments(body))?;
    let findings = &mut reader.findings;
    all.refuse_unknown(findings, &KNOWN);
    let title = all.required(findings, "title", "title: What to do");
    let assigned = all.required(findings, "assign", "assign: { role: <role> }");
    let title = title.and_then(|entry| title_of(reader, body, &all, entry));
    let show = all
        .get("show")
        .map(|entry| reader.template(&entry.value, body.scope, Moment::Definition));
    let form = all.get("form").map(|entry| form(reader, &all, entry));
    let assign = assigned.and_then(|entry| {
        let owner = yaml::under(&body.fields.owner, "assign");
        assign(reader, body, entry, &owner)
    });
    let due = all.get("due").map(|entry| due(reader, &all, entry));
    let timed = time::read(reader, body, &all, due.flatten());
    let outcomes = match all.get("outcomes") {
        Some(entry) => outcomes(reader, &all, entry, approval),
        None if approval => Some(vec!["approve".to_owned(), "decline".to_owned()]),
        None => Some(vec!["done".to_owned()]),
    };
    let rules = match all.get("rules") {
        Some(entry) => rules(reader, body, &all, entry, approval),
        None => Some(Rules::default()),
    };
    let (rules, timed, outcomes) = (rules?, timed?, outcomes?);
    let beside = terms::Beside {
        approval,
        clock: timed.clock,
        outcomes: &outcomes,
    };
    let terms = terms::read(reader, body, &all, &beside)?;
    let human = Human {
        approval,
        title: title?,
        show: flat(show)?,
        form: flat(form)?,
        assign: assign?,
        due: flat(due)?,
        since: timed.since,
        remind: timed.remind,
        clock: timed.clock,
        calendar: timed.calendar,
        escalate: timed.escalate,
        different_person_from: rules.different_person_from,
        approvals: rules.approvals.unwrap_or(1),
        limit: rules.limit,
        payee: rules.payee,
        non_delegable: terms.non_delegable,
        skippable: terms.skippable,
        holds_total: terms.holds_total,
        outcomes,
    };
    Some(Kind::Human(Box::new(human)).into())
}

fn title_of(
    reader: &mut Reader<'_>,
    body: &Body<'_, '_>,
    all: &Arguments<'_>,
    entry: &Entry,
) -> Option<Template> {
    if entry
        .value
        .as_text()
        .is_none_or(|text| text.trim().is_empty())
    {
        let write = "title: What to do";
        all.expected(
            &mut reader.findings,
            entry,
            "text for the person who does it",
            write,
        );
        return None;
    }
    reader.template(&entry.value, body.scope, Moment::Definition)
}

fn form(reader: &mut Reader<'_>, all: &Arguments<'_>, entry: &Entry) -> Option<String> {
    let name = all.literal(
        &mut reader.findings,
        entry,
        "form: <file in forms/ without .yaml>",
    )?;
    if let Some(pack) = &reader.surroundings.pack
        && !pack.forms.contains_key(name)
    {
        if pack.forms_broken.contains(name) {
            return None;
        }
        let known = pack.forms.keys().map(String::as_str);
        let none = format!("add `forms/{name}.yaml` to the pack");
        reader
            .findings
            .error(
                "CW0406",
                entry.place(),
                format!("the pack has no form `{name}`"),
            )
            .help(suggestion(name, known, &none));
        return None;
    }
    Some(name.to_owned())
}

/// Exactly one of role, team and person; `owner` names the key for findings.
fn assign(
    reader: &mut Reader<'_>,
    body: &Body<'_, '_>,
    entry: &Entry,
    owner: &str,
) -> Option<Assign> {
    let findings = &mut reader.findings;
    let place = entry.key.place;
    let fields = Fields::open(findings, &entry.value, place, owner, &ASSIGN)?;
    let [only] = fields.entries() else {
        findings
            .error(
                "CW0410",
                entry.place(),
                format!("{owner} must name exactly one"),
            )
            .help("write `{ role: <role> }`, `{ team: <team> }` or `{ person: <id> }`");
        return None;
    };
    let text = fields.text(findings, only)?;
    let template = reader.template(&only.value, body.scope, Moment::Definition);
    match only.key.text.as_str() {
        "role" => {
            known_to_pack(reader, only, text, PackName::Role)?;
            template.map(Assign::Role)
        }
        "team" => {
            known_to_pack(reader, only, text, PackName::Team)?;
            template.map(Assign::Team)
        }
        "person" => template.map(Assign::Person),
        _ => None,
    }
}

#[derive(Clone, Copy)]
enum PackName {
    Role,
    Team,
    Policy,
}

/// `None` when the pack has no such name, which is reported.
fn known_to_pack(reader: &mut Reader<'_>, entry: &Entry, name: &str, kind: PackName) -> Option<()> {
    let Some(pack) = &reader.surroundings.pack else {
        return Some(());
    };
    let of = |names: &BTreeSet<String>| names.iter().cloned().collect::<Vec<_>>();
    let (names, word, key, code) = match kind {
        PackName::Role => (of(&pack.roles), "role", "roles", "CW0407"),
        PackName::Team => (of(&pack.teams), "team", "teams", "CW0407"),
        PackName::Policy => {
            let names = pack.policies.keys().cloned().collect();
            (names, "policy", "policies", "CW0409")
        }
    };
    if computed(&entry.value) || names.iter().any(|known| known == name) {
        return Some(());
    }
    let none = format!("add it to `{key}` in pack.yaml");
    let help = suggestion(name, names.iter().map(String::as_str), &none);
    reader
        .findings
        .error(
            code,
            entry.place(),
            format!("the pack has no {word} `{name}`"),
        )
        .help(help);
    None
}

fn due(reader: &mut Reader<'_>, all: &Arguments<'_>, entry: &Entry) -> Option<Term> {
    let findings = &mut reader.findings;
    let text = all.literal(findings, entry, "due: 3 business days")?;
    match Term::parse(text) {
        Ok(term) => Some(term),
        Err(problem) => {
            findings
                .error(
                    "CW0411",
                    entry.place(),
                    format!("`due` of {} is not a length of time", all.owner),
                )
                .help(problem);
            None
        }
    }
}

fn outcomes(
    reader: &mut Reader<'_>,
    all: &Arguments<'_>,
    entry: &Entry,
    approval: bool,
) -> Option<Vec<String>> {
    let write = "outcomes: [ approve, decline ]";
    let findings = &mut reader.findings;
    let Content::List(items) = &entry.value.content else {
        all.expected(findings, entry, "a list of words", write);
        return None;
    };
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    let mut outcomes = Vec::new();
    for item in items {
        let Some(word) = item.as_text().filter(|word| is_outcome(word)) else {
            findings
                .error(
                    "CW0412",
                    item.place,
                    format!("an outcome of {} is not a word", all.owner),
                )
                .help("use letters, digits and `-`: `ask-for-changes`");
            return None;
        };
        if !seen.insert(word) {
            findings.error(
                "CW0412",
                item.place,
                format!("the outcome `{word}` stands twice"),
            );
        }
        outcomes.push(word.to_owned());
    }
    if outcomes.is_empty() {
        findings
            .error(
                "CW0412",
                entry.place(),
                format!("{} has no outcomes", all.owner),
            )
            .help(format!("write `{write}`, or leave `outcomes` out"));
        return None;
    }
    if approval && !seen.contains("approve") {
        findings
            .error(
                "CW0412",
                entry.place(),
                "the outcomes of an approval must contain `approve`",
            )
            .help(
                "limits and exclusions apply to it by this name: `outcomes: [ approve, decline ]`",
            );
        return None;
    }
    Some(outcomes)
}

fn is_outcome(word: &str) -> bool {
    word.starts_with(|sign: char| sign.is_ascii_alphabetic())
        && word.len() <= 40
        && word
            .chars()
            .all(|sign| sign.is_ascii_alphanumeric() || sign == '-')
}

#[derive(Default)]
struct Rules {
    different_person_from: Vec<String>,
    approvals: Option<u32>,
    limit: Option<Limit>,
    payee: Option<Template>,
}

fn rules(
    reader: &mut Reader<'_>,
    body: &Body<'_, '_>,
    all: &Arguments<'_>,
    entry: &Entry,
    approval: bool,
) -> Option<Rules> {
    let owner = yaml::under(&body.fields.owner, "rules");
    let findings = &mut reader.findings;
    let fields = Fields::open(findings, &entry.value, entry.key.place, &owner, &RULES)?;
    if !approval {
        for name in ["approvals", "limit"] {
            if let Some(entry) = fields.get(name) {
                findings
                    .error(
                        "CW0414",
                        entry.key.place,
                        format!("`{name}` belongs to approvals only"),
                    )
                    .help("write `call: approval`, or remove it");
            }
        }
    }
    let different = fields
        .get("differentPersonFrom")
        .map(|entry| different(reader, all, entry));
    let approvals = fields
        .get("approvals")
        .map(|entry| approvals(reader, all, entry));
    let limit = fields
        .get("limit")
        .map(|entry| limit(reader, body, all, entry));
    let payee = fields
        .get("payee")
        .map(|entry| reader.template(&entry.value, body.scope, Moment::Definition));
    Some(Rules {
        different_person_from: flat(different)?.unwrap_or_default(),
        approvals: flat(approvals)?,
        limit: flat(limit)?,
        payee: flat(payee)?,
    })
}

fn different(reader: &mut Reader<'_>, all: &Arguments<'_>, entry: &Entry) -> Option<Vec<String>> {
    let write = "differentPersonFrom: [ <task> ]";
    let Content::List(items) = &entry.value.content else {
        all.expected(&mut reader.findings, entry, "a list of tasks", write);
        return None;
    };
    let mut names = Vec::new();
    for item in items {
        let Some(name) = item.as_text() else {
            all.expected(
                &mut reader.findings,
                entry,
                "a list of names of tasks",
                write,
            );
            return None;
        };
        match reader.names.get(name) {
            Some(known) if known.human => names.push(name.to_owned()),
            Some(_) => {
                let human = listed(reader.names.human());
                reader
                    .findings
                    .error(
                        "CW0413",
                        item.place,
                        format!("nobody completes `{name}`: it is no work for people"),
                    )
                    .help(format!("work for people is: {human}"));
            }
            None => {
                let help = suggestion(name, reader.names.human(), "there is no such task");
                reader
                    .findings
                    .error("CW0413", item.place, format!("there is no task `{name}`"))
                    .help(help);
            }
        }
    }
    Some(names)
}

fn approvals(reader: &mut Reader<'_>, all: &Arguments<'_>, entry: &Entry) -> Option<u32> {
    let count = entry
        .value
        .as_integer()
        .and_then(|count| u32::try_from(count).ok());
    let count = count.filter(|count| (1..=20).contains(count));
    if count.is_none() {
        reader
            .findings
            .error(
                "CW0415",
                entry.place(),
                format!("`approvals` of {} must be a number from 1 to 20", all.owner),
            )
            .help("it says how many different people must approve: `approvals: 2`");
    }
    count
}

fn limit(
    reader: &mut Reader<'_>,
    body: &Body<'_, '_>,
    all: &Arguments<'_>,
    entry: &Entry,
) -> Option<Limit> {
    let owner = yaml::under(&body.fields.owner, "limit");
    let findings = &mut reader.findings;
    let place = entry.key.place;
    let fields = Fields::open(findings, &entry.value, place, &owner, &LIMIT)?;
    let policy = fields.required(findings, "policy", "policy: <name in pack.yaml>");
    let amount = fields.required(findings, "money", "money: ${ $steps.request.data.money }");
    let policy = policy.and_then(|entry| {
        let name = all.literal(&mut reader.findings, entry, "policy: <name in pack.yaml>")?;
        known_to_pack(reader, entry, name, PackName::Policy)?;
        Some(name.to_owned())
    });
    let amount = amount.and_then(|entry| {
        money(&mut reader.findings, all, entry);
        reader.template(&entry.value, body.scope, Moment::Definition)
    });
    let mut aspects = BTreeMap::new();
    let told = Aspect::ALL
        .into_iter()
        .filter_map(|one| Some((one, fields.get(one.as_str())?)));
    for (told, entry) in told {
        aspects.insert(told, text_of(reader, body, all, entry)?);
    }
    let policy = policy?;
    needed(reader, &policy, &aspects, entry, &owner)?;
    Some(Limit {
        policy,
        money: amount?,
        aspects,
    })
}

/// A policy that cannot be told what it asks for would refuse everybody, later.
fn needed(
    reader: &mut Reader<'_>,
    policy: &str,
    aspects: &BTreeMap<Aspect, Template>,
    entry: &Entry,
    owner: &str,
) -> Option<()> {
    let pack = reader.surroundings.pack.as_ref();
    let Some(needs) = pack.and_then(|pack| pack.policies.get(policy)) else {
        return Some(());
    };
    let mut missing = needs.iter().filter(|need| !aspects.contains_key(need));
    let Some(first) = missing.next() else {
        return Some(());
    };
    let name = first.as_str();
    let message = format!("{owner} does not say the `{name}` that the policy `{policy}` asks for");
    let finding = reader.findings.error("CW0445", entry.key.place, message);
    finding.help(format!("add `{name}: ${{ $steps.request.data.{name} }}`"));
    None
}

/// Text that is there: a blank one, or a number, would count together with nothing.
fn text_of(
    reader: &mut Reader<'_>,
    body: &Body<'_, '_>,
    all: &Arguments<'_>,
    entry: &Entry,
) -> Option<Template> {
    let text = entry.value.as_text();
    if text.is_none_or(|text| text.trim().is_empty()) {
        let name = &entry.key.text;
        let write = format!("{name}: ${{ $steps.request.data.{name} }}");
        all.expected(
            &mut reader.findings,
            entry,
            "a text that is not blank",
            &write,
        );
        return None;
    }
    reader.template(&entry.value, body.scope, Moment::Definition)
}
