//! `nonDelegable`, `skippable` and `holdAtMost` of human work: whether it may go to others, who may
//! end it without an answer, and how long it may wait in all. What they mean is `casework`'s.

use super::{PackName, known_to_pack};
use crate::Term;
use crate::diagnostic::suggestion;
use crate::read::Reader;
use crate::read::call::argument::Arguments;
use crate::read::tasks::Body;
use crate::workflow::{Clock, Skippable};
use crate::yaml::{self, Entry, Fields};

const WRITE_SKIPPABLE: &str = "skippable: { by: <role>, outcome: <one of its outcomes> }";

#[derive(Default)]
pub(super) struct Terms {
    pub(super) non_delegable: bool,
    pub(super) skippable: Option<Skippable>,
    pub(super) holds_total: Option<Term>,
}

/// What the rest of the task says that these must fit.
pub(super) struct Beside<'a> {
    pub(super) approval: bool,
    pub(super) clock: Clock,
    pub(super) outcomes: &'a [String],
}

pub(super) fn read(
    reader: &mut Reader<'_>,
    body: &Body<'_, '_>,
    all: &Arguments<'_>,
    beside: &Beside<'_>,
) -> Option<Terms> {
    let non_delegable = match all.get("nonDelegable") {
        Some(entry) => flag(reader, all, entry),
        None => Some(false),
    };
    let skippable = match all.get("skippable") {
        Some(entry) => {
            let own = non_delegable == Some(true);
            skippable(reader, body, all, entry, beside, own).map(Some)
        }
        None => Some(None),
    };
    let holds_total = match all.get("holdAtMost") {
        Some(entry) => at_most(reader, all, entry, beside.clock).map(Some),
        None => Some(None),
    };
    Some(Terms {
        non_delegable: non_delegable?,
        skippable: skippable?,
        holds_total: holds_total?,
    })
}

fn flag(reader: &mut Reader<'_>, all: &Arguments<'_>, entry: &Entry) -> Option<bool> {
    let flag = entry.value.as_bool();
    if flag.is_none() {
        reader
            .findings
            .error(
                "CW0473",
                entry.place(),
                format!("`nonDelegable` of {} must be `true` or `false`", all.owner),
            )
            .help("`nonDelegable: true` keeps the work with those it is given to");
    }
    flag
}

fn skippable(
    reader: &mut Reader<'_>,
    body: &Body<'_, '_>,
    all: &Arguments<'_>,
    entry: &Entry,
    beside: &Beside<'_>,
    own: bool,
) -> Option<Skippable> {
    let never = if beside.approval {
        Some("an approval is never skipped: somebody has to decide it")
    } else if own || beside.clock == Clock::Wall {
        Some("a duty that is somebody's own is never skipped")
    } else {
        None
    };
    if let Some(message) = never {
        reader
            .findings
            .error("CW0474", entry.key.place, message)
            .help("remove `skippable`, or make it a `call: human-task` that may be left undone");
        return None;
    }
    let owner = yaml::under(&body.fields.owner, "skippable");
    let findings = &mut reader.findings;
    let place = entry.key.place;
    let fields = Fields::open(findings, &entry.value, place, &owner, &["by", "outcome"])?;
    let by = fields.required(findings, "by", WRITE_SKIPPABLE);
    let outcome = fields.required(findings, "outcome", WRITE_SKIPPABLE);
    let by = by.and_then(|entry| {
        let role = all.literal(&mut reader.findings, entry, "by: <role>")?;
        known_to_pack(reader, entry, role, PackName::Role)?;
        Some(role.to_owned())
    });
    let outcome = outcome.and_then(|entry| {
        let word = all.literal(&mut reader.findings, entry, "outcome: done")?;
        if beside.outcomes.iter().any(|known| known == word) {
            return Some(word.to_owned());
        }
        let known = beside.outcomes.iter().map(String::as_str);
        let help = suggestion(word, known, "name one of its outcomes");
        reader
            .findings
            .error(
                "CW0475",
                entry.place(),
                format!("{} has no outcome `{word}`", all.owner),
            )
            .help(help);
        None
    });
    Some(Skippable {
        by: by?,
        outcome: outcome?,
    })
}

fn at_most(
    reader: &mut Reader<'_>,
    all: &Arguments<'_>,
    entry: &Entry,
    clock: Clock,
) -> Option<Term> {
    let text = all.literal(&mut reader.findings, entry, "holdAtMost: 10 business days")?;
    let problem = match (Term::parse(text), clock) {
        (Ok(_), Clock::Wall) => "a duty on the wall clock never waits: remove it".to_owned(),
        (Ok(term), Clock::Runs | Clock::StopsOnHold) => return Some(term),
        (Err(problem), _) => problem,
    };
    reader
        .findings
        .error(
            "CW0476",
            entry.place(),
            format!(
                "`holdAtMost` of {} does not say how long it may wait",
                all.owner
            ),
        )
        .help(problem);
    None
}
