//! The same words as the page has, by what they are about, for whoever compares two packs.
//!
//! Steps are named by their titles here: a number says only how many stand before.

use std::collections::BTreeMap;

use casewright_language::Workflow;
use casewright_language::expression::money_text;
use casewright_language::pack::{self, CalendarFile, Days, PackCalendar};
use casewright_runtime::Deployment;

use super::asked::Asked;
use super::chapter::{self, Known};
use super::kept;
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
            fact("Keeps the walls of cases", yes(role.walls)),
            fact("Corrects payments", yes(role.reverses)),
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
            fact("Open", days(fund)),
        ];
        all.insert(format!("Fund `{name}`"), facts);
    }
    for (name, class) in &pack.retention.classes {
        all.insert(format!("Files `{name}`"), kept::facts(&known, class));
    }
    if !pack.retention.classes.is_empty() {
        all.insert("Erasing files".to_owned(), kept::people(&known));
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
    for (name, calendar) in &pack.calendars {
        let mut facts = Vec::new();
        for file in files(calendar) {
            let text = deployment.files.get(&file.path).map_or("", String::as_str);
            let from = file.from.as_ref();
            let from = from.map_or_else(String::new, |day| format!(" from {day}"));
            let days = text.matches("BEGIN:VEVENT").count();
            facts.push((format!("Days{from}"), days.to_string()));
            // Which days these are is compared, not listed.
            facts.push((format!("Fingerprint{from}"), fingerprint(text)));
            facts.extend(hours(file).map(|words| (format!("Hours{from}"), words)));
        }
        facts.extend(joined(calendar).map(|words| fact("Counts", words)));
        let changed = pack.when_changed(name).as_str();
        facts.push(fact("When it changes, open deadlines", changed.to_owned()));
        all.insert(format!("Calendar `{name}`"), facts);
    }
    all
}

/// When money of a fund is put aside, and until when it is paid.
pub(super) fn days(fund: &pack::Fund) -> String {
    let span = match (&fund.from, &fund.until) {
        (None, None) => return "always".to_owned(),
        (Some(from), None) => format!("from {from}"),
        (None, Some(until)) => format!("until {until}"),
        (Some(from), Some(until)) => format!("from {from} until {until}"),
    };
    let settle = fund.settle_until.as_ref();
    let settle = settle.map(|day| format!(", paid until {day}"));
    span + &settle.unwrap_or_default()
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

/// What a calendar is made of, where that is more than a file.
pub(super) fn calendar(calendar: &PackCalendar) -> Option<String> {
    let versions = files(calendar).iter().filter_map(|file| {
        let words = hours(file).unwrap_or_else(|| "Monday to Friday, all day".to_owned());
        match &file.from {
            Some(day) => Some(format!("from {day}: {words}")),
            None => hours(file),
        }
    });
    let words: Vec<_> = versions.chain(joined(calendar)).collect();
    (!words.is_empty()).then(|| words.join("; "))
}

fn files(calendar: &PackCalendar) -> &[CalendarFile] {
    match &calendar.days {
        Days::Versions(versions) => versions,
        Days::Latest(_) | Days::Earliest(_) => &[],
    }
}

fn joined(calendar: &PackCalendar) -> Option<String> {
    match &calendar.days {
        Days::Versions(_) => None,
        Days::Latest(of) => Some(format!("the latest day by {}", of.join(" and "))),
        Days::Earliest(of) => Some(format!("the earliest day by {}", of.join(" and "))),
    }
}

/// The hours of a file, where the pack says more than nothing of them.
fn hours(file: &CalendarFile) -> Option<String> {
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
    let week = file.working_days.as_ref().map(|days| {
        const WEEK: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
        let day = |day: &u8| WEEK.get(usize::from(*day).wrapping_sub(1)).copied();
        let days: Vec<_> = days.iter().filter_map(day).collect();
        format!("works on {}", days.join(", "))
    });
    let words: Vec<_> = parts.chain(week).collect();
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
