//! `since`, `remind` and `escalate` of human work: from when its time counts, what happens while
//! nobody decides, and the calendar that counts its days. There is no form in which time could
//! decide.

use super::assign;
use crate::diagnostic::suggestion;
use crate::read::call::argument::Arguments;
use crate::read::scope::Moment;
use crate::read::tasks::Body;
use crate::read::{Reader, flat};
use crate::workflow::{After, Clock, Escalate, Remind};
use crate::yaml::{self, Content, Entry, Fields, Node};
use crate::{Template, Term};

/// Each is kept with every open piece of work.
const COUNT_MAX: usize = 10;
const WRITE_SINCE: &str = "since: ${ $steps.<task>.data.<moment> }";
const WRITE_REMIND: &str = "remind: [ 1 business day before ]";
const WRITE_ESCALATE: &str = "escalate: [ { after: due, to: { role: <role> } } ]";

#[derive(Default)]
pub(super) struct Timed {
    pub(super) since: Option<Template>,
    pub(super) remind: Vec<Remind>,
    pub(super) escalate: Vec<Escalate>,
    pub(super) clock: Clock,
    pub(super) calendar: Option<String>,
}

pub(super) fn read(
    reader: &mut Reader<'_>,
    body: &Body<'_, '_>,
    all: &Arguments<'_>,
    term: Option<Term>,
) -> Option<Timed> {
    let due = all.get("due").is_some();
    let since = all
        .get("since")
        .map(|entry| since(reader, body, all, entry));
    let remind = match all.get("remind") {
        Some(entry) => reminders(reader, all, entry, due),
        None => Some(Vec::new()),
    };
    let escalate = match all.get("escalate") {
        Some(entry) => escalations(reader, body, all, entry),
        None => Some(Vec::new()),
    };
    let clock = match all.get("clock") {
        Some(entry) => clock(reader, all, entry, term),
        None => Some(Clock::Runs),
    };
    let calendar = all
        .get("calendar")
        .map(|entry| calendar(reader, all, entry));
    Some(Timed {
        since: flat(since)?,
        remind: remind?,
        escalate: escalate?,
        clock: clock?,
        calendar: flat(calendar)?,
    })
}

/// The name of a calendar of the pack.
fn calendar(reader: &mut Reader<'_>, all: &Arguments<'_>, entry: &Entry) -> Option<String> {
    let write = "calendar: <one of `calendars` in pack.yaml>";
    let name = all.literal(&mut reader.findings, entry, write)?;
    if let Some(pack) = &reader.surroundings.pack
        && !pack.calendars.contains(name)
    {
        let known = pack.calendars.iter().map(String::as_str);
        let none = "add it to `calendars` in pack.yaml";
        reader
            .findings
            .error(
                "CW0548",
                entry.place(),
                format!("the pack has no calendar `{name}`"),
            )
            .help(suggestion(name, known, none));
        return None;
    }
    Some(name.to_owned())
}

/// What a run knows and its author does not: a moment that is written down would be the same for
/// every family.
fn since(
    reader: &mut Reader<'_>,
    body: &Body<'_, '_>,
    all: &Arguments<'_>,
    entry: &Entry,
) -> Option<Template> {
    if all.get("due").is_none() {
        let message = "`since` says what `due` counts from, which is not there";
        needs_due(reader, all, entry, message);
        return None;
    }
    let text = entry.value.as_text().unwrap_or_default();
    if !text.trim_start().starts_with("${") {
        all.expected(&mut reader.findings, entry, "an expression", WRITE_SINCE);
        return None;
    }
    reader.template(&entry.value, body.scope, Moment::Definition)
}

fn clock(
    reader: &mut Reader<'_>,
    all: &Arguments<'_>,
    entry: &Entry,
    due: Option<Term>,
) -> Option<Clock> {
    let text = all.literal(&mut reader.findings, entry, "clock: stops-on-hold")?;
    match text {
        "stops-on-hold" => Some(Clock::StopsOnHold),
        "wall" => wall(reader, all, entry, due),
        _ => {
            reader
                .findings
                .error(
                    "CW0434",
                    entry.place(),
                    format!("there is no clock `{text}`"),
                )
                .help(
                    "write `clock: stops-on-hold` or `clock: wall`, or leave it out: the time goes \
                     on while the work waits",
                );
            None
        }
    }
}

/// A duty belongs to those it is given to, and its time is counted by the clock on the wall.
fn wall(
    reader: &mut Reader<'_>,
    all: &Arguments<'_>,
    entry: &Entry,
    due: Option<Term>,
) -> Option<Clock> {
    let problem = match due {
        _ if all.get("escalate").is_some() => "is not escalated: others may only be reminded",
        Some(Term::BusinessDays(_) | Term::BusinessHours(_)) => "cannot be due in working time",
        None if all.get("due").is_none() => "needs a time at which it is due",
        Some(Term::CalendarDays(_) | Term::Exact(_)) | None => return Some(Clock::Wall),
    };
    reader
        .findings
        .error(
            "CW0435",
            entry.place(),
            format!("a duty on the wall clock {problem}"),
        )
        .help("write for example `due: PT24H` with `remind: [ PT4H before ]`, and no `escalate`");
    None
}

fn reminders(
    reader: &mut Reader<'_>,
    all: &Arguments<'_>,
    entry: &Entry,
    due: bool,
) -> Option<Vec<Remind>> {
    if !due {
        needs_due(
            reader,
            all,
            entry,
            "`remind` counts from `due`, which is not there",
        );
        return None;
    }
    let items = items(reader, all, entry, WRITE_REMIND)?;
    let read: Vec<_> = items
        .iter()
        .map(|item| reminder(reader, all, item))
        .collect();
    read.into_iter().collect()
}

fn reminder(reader: &mut Reader<'_>, all: &Arguments<'_>, item: &Node) -> Option<Remind> {
    let help = match item.as_text().map(|text| remind(text.trim())) {
        Some(Ok(remind)) => return Some(remind),
        Some(Err(problem)) => problem,
        None => format!("write `{WRITE_REMIND}`"),
    };
    reader
        .findings
        .error(
            "CW0431",
            item.place,
            format!("a reminder of {} is no time around `due`", all.owner),
        )
        .help(help);
    None
}

fn remind(text: &str) -> Result<Remind, String> {
    if let Some(term) = text.strip_suffix(" before") {
        Term::parse(term).map(Remind::Before)
    } else if let Some(term) = text.strip_suffix(" after") {
        Term::parse(term).map(Remind::After)
    } else {
        Err("write how long before or after `due`: `1 business day before`".to_owned())
    }
}

fn escalations(
    reader: &mut Reader<'_>,
    body: &Body<'_, '_>,
    all: &Arguments<'_>,
    entry: &Entry,
) -> Option<Vec<Escalate>> {
    let items = items(reader, all, entry, WRITE_ESCALATE)?;
    let read: Vec<_> = items
        .iter()
        .map(|item| escalation(reader, body, all, item))
        .collect();
    read.into_iter().collect()
}

fn escalation(
    reader: &mut Reader<'_>,
    body: &Body<'_, '_>,
    all: &Arguments<'_>,
    item: &Node,
) -> Option<Escalate> {
    let owner = yaml::under(&body.fields.owner, "escalate");
    let findings = &mut reader.findings;
    let fields = Fields::open(findings, item, item.place, &owner, &["after", "to"])?;
    let after = fields.required(findings, "after", "after: due");
    let to = fields.required(findings, "to", "to: { role: <role> }");
    let after = after.and_then(|entry| after_of(reader, all, entry));
    let to = to.and_then(|entry| assign(reader, body, entry, &yaml::under(&owner, "to")));
    Some(Escalate {
        after: after?,
        to: to?,
    })
}

fn after_of(reader: &mut Reader<'_>, all: &Arguments<'_>, entry: &Entry) -> Option<After> {
    let text = all.literal(&mut reader.findings, entry, "after: due")?;
    if text.trim() == "due" {
        if all.get("due").is_none() {
            needs_due(
                reader,
                all,
                entry,
                "this comes at `due`, which is not there",
            );
            return None;
        }
        return Some(After::Due);
    }
    match Term::parse(text) {
        Ok(term) => Some(After::Offer(term)),
        Err(problem) => {
            reader
                .findings
                .error(
                    "CW0432",
                    entry.place(),
                    format!("an escalation of {} does not say when it comes", all.owner),
                )
                .help(format!(
                    "write `after: due`, or how long after the start: {problem}"
                ));
            None
        }
    }
}

fn needs_due(reader: &mut Reader<'_>, all: &Arguments<'_>, entry: &Entry, message: &str) {
    // One cause, said once.
    if all.misspelt("due") {
        return;
    }
    reader
        .findings
        .error("CW0433", entry.place(), message)
        .help("add for example `due: 3 business days`");
}

/// The list under a key; `None` when it is none or too long, which is reported.
fn items<'a>(
    reader: &mut Reader<'_>,
    all: &Arguments<'_>,
    entry: &'a Entry,
    write: &str,
) -> Option<&'a [Node]> {
    let Content::List(items) = &entry.value.content else {
        all.expected(&mut reader.findings, entry, "a list", write);
        return None;
    };
    if items.len() > COUNT_MAX {
        let wanted = format!("a list of at most {COUNT_MAX}");
        all.expected(&mut reader.findings, entry, &wanted, write);
        return None;
    }
    Some(items)
}
