//! `use.extensions`: tasks that a document adds around others, told by their kind.
//!
//! Each is read once, where it stands. When all tasks are known, those it extends get copies. Tasks
//! of an extension, and what they call, are not extended themselves.

use std::collections::BTreeSet;

use super::copy::Original;
use super::names::escaped;
use super::scope::{Moment, Scope};
use super::{Reader, flat, tasks};
use crate::Expression;
use crate::diagnostic::{listed, similar};
use crate::workflow::{Extension, Kind, Task, Then};
use crate::yaml::{self, Entry, Fields, Place};

/// Kinds of tasks that may be extended; `do` and `fork` may not.
const TARGETS: [&str; 11] = [
    "all", "call", "emit", "for", "listen", "raise", "run", "set", "switch", "try", "wait",
];

/// The extensions of one document, as far as they could be read.
#[derive(Default)]
pub(super) struct Extensions(Vec<Written>);

/// An extension where it stands.
struct Written {
    name: String,
    reference: String,
    place: Place,
    /// One of [`TARGETS`].
    extend: String,
    when: Option<Expression>,
    before: Vec<Task>,
    after: Vec<Task>,
    bytes: usize,
}

pub(super) fn read(reader: &mut Reader<'_>, entry: &Entry) {
    let owner = "`use.extensions`";
    let Some(items) = entry.value.as_list() else {
        let findings = &mut reader.findings;
        let wanted = "a list of extensions";
        yaml::expected(findings, entry.place(), owner, wanted, &entry.value);
        return;
    };
    let mut names = BTreeSet::new();
    for (index, item) in items.iter().enumerate() {
        let Some(entry) = tasks::single(reader, item, owner) else {
            continue;
        };
        let name = entry.key.text.as_str();
        if !names.insert(name) {
            let message = format!("two extensions are named `{name}`");
            let finding = reader.findings.error("CW0110", entry.key.place, message);
            finding.help("give one of them another name");
            continue;
        }
        let reference = format!("/use/extensions/{index}/{}", escaped(name));
        let read = one(reader, entry, reference);
        reader.extensions.0.extend(read);
    }
}

fn one(reader: &mut Reader<'_>, entry: &Entry, reference: String) -> Option<Written> {
    let name = &entry.key.text;
    let owner = format!("the extension `{name}`");
    let known = ["extend", "when", "before", "after"];
    let findings = &mut reader.findings;
    let fields = Fields::open(findings, &entry.value, entry.key.place, &owner, &known)?;
    let extend = fields.required(findings, "extend", "extend: call");
    let extend = extend.and_then(|entry| target(reader, &fields, entry));
    let scope = Scope::default();
    let when = fields
        .get("when")
        .map(|entry| reader.condition(&entry.value, &scope, Moment::Definition));
    let copied = reader.copied.bytes;
    let mut list = |key| match fields.get(key) {
        Some(entry) => tasks::list(reader, entry, &owner, &scope, &reference),
        None => Some(Vec::new()),
    };
    let (before, after) = (list("before"), list("after"));
    let place = entry.value.place;
    Some(Written {
        name: name.clone(),
        place: entry.key.place,
        extend: extend?,
        when: flat(when)?,
        before: before?,
        after: after?,
        bytes: place.end - place.start + reader.copied.bytes - copied,
        reference,
    })
}

fn target(reader: &mut Reader<'_>, fields: &Fields<'_>, entry: &Entry) -> Option<String> {
    let word = fields.text(&mut reader.findings, entry)?;
    if TARGETS.contains(&word) {
        return Some(word.to_owned());
    }
    let (message, help) = match word {
        "composite" => (
            "no kind of task is called `composite`".to_owned(),
            "the language named `do` and `fork` so once, and they cannot be extended; extend the \
             tasks in them"
                .to_owned(),
        ),
        "do" | "fork" => (
            format!("`{word}` cannot be extended"),
            "extend the tasks in it: `extend: all`, or one kind such as `extend: call`".to_owned(),
        ),
        _ => (
            format!("there is no kind of task `{word}` to extend"),
            match similar(word, TARGETS) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("write one of: {}", listed(TARGETS)),
            },
        ),
    };
    let finding = reader.findings.error("CW0442", entry.place(), message);
    finding.help(help);
    None
}

/// Adds to the tasks of the document what extends them.
pub(super) fn apply(reader: &mut Reader<'_>, tasks: &mut [Task]) {
    let Extensions(written) = std::mem::take(&mut reader.extensions);
    if written.is_empty() {
        return;
    }
    let mut around = Around {
        reader,
        written: &written,
        told: BTreeSet::new(),
    };
    around.list(tasks, false);
}

struct Around<'r, 'a> {
    reader: &'r mut Reader<'a>,
    written: &'r [Written],
    /// What was said of an extension once: it may extend a thousand tasks.
    told: BTreeSet<(usize, &'static str)>,
}

impl Around<'_, '_> {
    /// `retried`: a `try` around may begin these again.
    fn list(&mut self, tasks: &mut [Task], retried: bool) {
        for task in tasks {
            let again = matches!(&task.kind, Kind::Try(it) if it.catch.retry.is_some());
            for (index, list) in task.own_lists_mut().into_iter().enumerate() {
                // The second list of a `try` is its handler.
                self.list(list, retried || again && index == 0);
            }
            for (index, written) in self.written.iter().enumerate() {
                if written.extend == "all" && !matches!(word(&task.kind), "do" | "fork")
                    || written.extend == word(&task.kind)
                {
                    self.check(index, written, task, retried);
                    let extension = self.copy(written, task);
                    task.extensions.extend(extension);
                }
            }
        }
    }

    fn copy(&mut self, written: &Written, task: &Task) -> Option<Extension> {
        let mut copy = |key: &str, tasks: &[Task], bytes| {
            let original = Original {
                tasks,
                reference: &format!("{}/{key}", written.reference),
                bytes,
            };
            let reference = format!("{}/{key}/{}", task.reference, escaped(&written.name));
            original.copy(self.reader, &reference, written.place)
        };
        Some(Extension {
            name: written.name.clone(),
            written: written.reference.clone(),
            when: written.when.clone(),
            before: copy("before", &written.before, written.bytes)?,
            after: copy("after", &written.after, 0)?,
            skips: exits(&written.before) && task.asks_people().is_none(),
        })
    }

    fn check(&mut self, index: usize, written: &Written, task: &Task, retried: bool) {
        let name = &written.name;
        let mut own = written.before.iter().chain(&written.after);
        let asked = own.find_map(Task::asks_people);
        if let Some(asked) = asked.filter(|_| retried && self.told.insert((index, "again"))) {
            let (message, help) = (
                format!(
                    "a retry around `{}` would ask people again for `{asked}`",
                    task.name
                ),
                format!("`{name}` extends what is retried; ask people outside of the `try`"),
            );
            let findings = &mut self.reader.findings;
            findings.error("CW0204", written.place, message).help(help);
        }
        let people = task.asks_people().filter(|_| exits(&written.before));
        if let Some(people) = people.filter(|_| self.told.insert((index, "skip"))) {
            let message = format!("`{name}` cannot skip `{people}`, which people are asked for");
            let findings = &mut self.reader.findings;
            findings.warning("CW0443", written.place, message).help(
                "there `then: exit` only leaves `before`, and people are asked all the same; let \
                 `when` say which tasks are meant",
            );
        }
    }
}

/// Whether a list may be left by `exit`.
fn exits(tasks: &[Task]) -> bool {
    tasks.iter().any(|task| {
        let by_kind = match &task.kind {
            Kind::Switch(cases) => cases.iter().any(|case| case.then == Then::Exit),
            Kind::Try(attempt) => attempt.catch.then == Some(Then::Exit),
            Kind::Do(_)
            | Kind::For(_)
            | Kind::Fork(_)
            | Kind::Set(_)
            | Kind::Call(_)
            | Kind::Function(_)
            | Kind::Http(_)
            | Kind::OpenApi(_)
            | Kind::Human(_)
            | Kind::Raise(_)
            | Kind::Run(_)
            | Kind::Wait(_)
            | Kind::Emit(_)
            | Kind::Listen(_) => false,
        };
        by_kind || task.then == Then::Exit
    })
}

/// The word of the language for a kind of task.
fn word(kind: &Kind) -> &'static str {
    match kind {
        Kind::Do(_) => "do",
        Kind::For(_) => "for",
        Kind::Fork(_) => "fork",
        Kind::Set(_) => "set",
        Kind::Switch(_) => "switch",
        Kind::Call(_) | Kind::Function(_) | Kind::Http(_) | Kind::OpenApi(_) | Kind::Human(_) => {
            "call"
        }
        Kind::Raise(_) => "raise",
        Kind::Run(_) => "run",
        Kind::Try(_) => "try",
        Kind::Wait(_) => "wait",
        Kind::Emit(_) => "emit",
        Kind::Listen(_) => "listen",
    }
}
