//! The same words as the page has, by what they are about, for whoever compares two packs.
//!
//! Steps are named by their titles here: a number says only how many stand before.

use std::collections::BTreeMap;

use casewright_language::Workflow;
use casewright_language::expression::money_text;
use casewright_language::pack::CalendarFile;
use casewright_runtime::Deployment;

use super::asked::Asked;
use super::chapter::{self, Known};
use super::step::{Step, Teller};
use super::wording::{Said, list};

/// What is said of something: a term, and words.
pub(crate) type Facts = Vec<(String, String)>;

/// A task in words.
#[derive(Debug, Clone)]
pub(crate) struct Plain {
    pub(crate) title: String,
    pub(crate) facts: Facts,
}

/// Tasks of a workflow by JSON pointer.
pub(crate) fn tasks(deployment: &Deployment, workflow: &Workflow) -> BTreeMap<String, Plain> {
    let known = Known {
        deployment,
        anchors: BTreeMap::new(),
    };
    let mut teller = Teller::new(&known, "", BTreeMap::new(), &workflow.tasks);
    teller.tell(&workflow.tasks);
    let titles: BTreeMap<String, String> = teller
        .spots
        .values()
        .map(|spot| (spot.number.clone(), spot.title.clone()))
        .collect();
    let places: BTreeMap<&str, &String> = teller
        .spots
        .iter()
        .map(|(reference, spot)| (spot.number.as_str(), reference))
        .collect();
    let steps = teller.told.steps.iter().filter_map(|step| {
        let reference = (*places.get(step.number.as_str())?).clone();
        Some((reference, plain(step, &titles)))
    });
    steps.collect()
}

fn plain(step: &Step, titles: &BTreeMap<String, String>) -> Plain {
    let words = |said: &Said| named(&written(said), titles);
    let mut facts = vec![("What it is".to_owned(), step.nature.words().to_owned())];
    for fact in &step.facts {
        let said: Vec<_> = fact.said.iter().map(words).collect();
        facts.push((fact.term.to_owned(), said.join("; ")));
    }
    for way in &step.ways {
        let term = format!("Way “{}”", words(&way.when));
        facts.push((term, words(&way.next)));
    }
    facts.extend(
        step.next
            .as_ref()
            .map(|next| ("Then".to_owned(), words(next))),
    );
    Plain {
        title: step.title.clone(),
        facts,
    }
}

fn written(said: &Said) -> String {
    let source = said.source.as_deref().unwrap_or_default();
    format!("{} {source}", said.words).trim().to_owned()
}

/// `step 3.1, Decide` and `step 3.1` as “Decide”.
fn named(words: &str, titles: &BTreeMap<String, String>) -> String {
    let mut out = String::new();
    let mut rest = words;
    while let Some(index) = rest.find("step ") {
        let (before, after) = rest.split_at(index);
        out.push_str(before);
        let after = &after["step ".len()..];
        let length = after
            .bytes()
            .take_while(|byte| byte.is_ascii_digit() || *byte == b'.')
            .count();
        let number = after[..length].trim_end_matches('.');
        if let Some(title) = titles.get(number) {
            out.push('“');
            out.push_str(title);
            out.push('”');
            let after = &after[number.len()..];
            rest = after.strip_prefix(&format!(", {title}")).unwrap_or(after);
        } else {
            out.push_str("step ");
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

/// Roles, limits, funds, teams, calendars, what is bound for plugins, whom documents may ask.
pub(crate) fn pack(deployment: &Deployment) -> BTreeMap<String, Facts> {
    let pack = &deployment.pack;
    let known = Known {
        deployment,
        anchors: BTreeMap::new(),
    };
    let mut all = BTreeMap::new();
    let fact = |term: &str, words: String| (term.to_owned(), words);
    let yes = |flag: bool| if flag { "yes" } else { "no" }.to_owned();
    let about = vec![
        fact("Title", pack.title.clone()),
        fact("Time zone", pack.time_zone.clone()),
        fact("Case numbers", pack.case_number.clone()),
        fact("Calendar", pack.calendar.clone().unwrap_or_default()),
        fact("Requests may go to", pack.http.join(", ")),
    ];
    all.insert("The pack".to_owned(), about);
    for (name, role) in &pack.roles {
        let facts = vec![
            fact("Title", role.title.clone()),
            fact("Includes", role.includes.join(", ")),
            fact("May start workflows", yes(role.starts)),
            fact("Looks after the agency's runs", yes(role.administers)),
            fact("Arranges the work of others", yes(role.arranges)),
        ];
        all.insert(format!("Role `{name}`"), facts);
    }
    if let Some((minor, currency)) = &pack.petty_cash {
        let most = money_text(*minor, currency);
        let facts = vec![fact(
            "Without anybody's approval",
            format!("up to {most} in one run"),
        )];
        all.insert("Petty cash".to_owned(), facts);
    }
    for name in pack.policies.keys() {
        let rows: Vec<_> = known
            .limits(name)
            .iter()
            .map(|row| row.words.clone())
            .collect();
        let facts = vec![fact("Approves alone", rows.join("; "))];
        all.insert(format!("Limit `{name}`"), facts);
    }
    for (name, fund) in &pack.funds {
        let allocated = money_text(fund.allocated_minor, &fund.currency);
        let facts = vec![
            fact("Title", fund.title.clone()),
            fact("Allocated", allocated),
        ];
        all.insert(format!("Fund `{name}`"), facts);
    }
    for (name, title) in &pack.teams {
        all.insert(format!("Team `{name}`"), vec![fact("Title", title.clone())]);
    }
    for (name, binding) in &pack.plugins {
        let facts = vec![
            fact("Settings", binding.config.to_string()),
            fact("May reach", binding.origins.join(", ")),
            fact("May use the secrets", binding.secrets.join(", ")),
        ];
        all.insert(format!("Plugin `{name}`"), facts);
    }
    for (name, file) in &pack.calendars {
        let text = deployment.files.get(&file.path).map_or("", String::as_str);
        let days = text.matches("BEGIN:VEVENT").count();
        let mut facts = vec![fact("Days", days.to_string())];
        // Which days these are is compared, not listed.
        facts.push(fact("Fingerprint", fingerprint(text)));
        facts.extend(hours(file).map(|words| fact("Hours", words)));
        all.insert(format!("Calendar `{name}`"), facts);
    }
    all
}

/// The questions of the forms, each form by its name.
pub(crate) fn forms(deployment: &Deployment) -> BTreeMap<String, Facts> {
    let told = deployment.forms.iter().map(|(name, form)| {
        let asked = Asked::of(form, String::new());
        let mut facts = vec![("Title".to_owned(), asked.title)];
        for question in asked.questions {
            let of = question.of.map(|of| format!("{of}: ")).unwrap_or_default();
            let mut words = vec![question.kind];
            words.extend((!question.choices.is_empty()).then(|| list(&question.choices)));
            words.push(format!(
                "must be answered: {}",
                question.required.to_lowercase()
            ));
            words.extend(question.hint);
            facts.push((format!("{of}{}", question.label), words.join("; ")));
        }
        let schema = form.schema.document().to_string();
        facts.push(("Rules of the form".to_owned(), fingerprint(&schema)));
        (format!("Form `{name}`"), facts)
    });
    told.collect()
}

/// The rows of the decision tables, each table by its name.
pub(crate) fn tables(deployment: &Deployment) -> BTreeMap<String, Facts> {
    let told = super::tables::told(deployment).into_iter().map(|table| {
        let mut facts = vec![
            ("Title".to_owned(), table.title),
            ("Rows that count".to_owned(), table.hit.to_owned()),
        ];
        for version in table.versions {
            let from = version.from;
            facts.extend(version.note.map(|note| (format!("Why from {from}"), note)));
            for row in version.rows {
                let cells = row
                    .cells
                    .iter()
                    .map(|(title, cell)| format!("{title}: {cell}"));
                let cells: Vec<_> = cells.chain(row.note).collect();
                facts.push((format!("From {from}, row {}", row.number), cells.join("; ")));
            }
        }
        (format!("Decision table `{}`", table.name), facts)
    });
    told.collect()
}

/// How a workflow begins and what it is called.
pub(crate) fn workflow(workflow: &Workflow) -> String {
    format!(
        "{} ({} {})",
        chapter::title(workflow),
        workflow.document.name,
        workflow.document.version
    )
}

/// The hours of a calendar, where the pack says more than nothing of them.
pub(super) fn hours(file: &CalendarFile) -> Option<String> {
    let parts = [
        ("opens at", file.opens),
        ("closes at", file.closes),
        (
            "what is asked later counts as the next working day from",
            file.cut_off,
        ),
    ];
    let parts = parts.into_iter().filter_map(|(words, time)| {
        let (hour, minute) = time?;
        Some(format!("{words} {hour:02}:{minute:02}"))
    });
    let words: Vec<_> = parts.collect();
    (!words.is_empty()).then(|| words.join(", "))
}

/// A few letters that change with the text.
fn fingerprint(text: &str) -> String {
    use sha2::{Digest, Sha256};
    let hash = Sha256::digest(text.as_bytes());
    let first = hash.iter().take(6).copied();
    let number = first.fold(0_u64, |number, byte| number << 8 | u64::from(byte));
    format!("{number:012x}")
}
