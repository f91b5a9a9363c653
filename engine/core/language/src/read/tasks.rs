//! Lists of tasks, and what all tasks have in common. The kind is chosen by the key present, and
//! then only that kind is checked.

use std::collections::{BTreeMap, BTreeSet};

use super::flow::{self, Outline};
use super::scope::{Moment, Scope};
use super::{
    Reader, call, data, disclosure, r#do, emit, r#for, fork, listen, names::escaped, raise,
    reusable, run, set, switch, r#try, wait,
};
use crate::diagnostic::{listed, similar};
use crate::workflow::{Kind, Task, Then};
use crate::yaml::{self, Content, Entry, Fields, Node, Place, expected};

/// Keys that every task may have.
const COMMON: [&str; 7] = [
    "if", "input", "output", "export", "timeout", "then", "metadata",
];

/// The key that makes a task what it is, with the keys that belong to it. `for` stands before `do`,
/// since it has a `do` of its own.
const KINDS: [(&str, &[&str]); 12] = [
    ("for", &["for", "while", "do"]),
    ("call", &["call", "with"]),
    ("do", &["do"]),
    ("emit", &["emit"]),
    ("fork", &["fork"]),
    ("listen", &["listen", "foreach"]),
    ("raise", &["raise"]),
    ("run", &["run"]),
    ("set", &["set"]),
    ("switch", &["switch"]),
    ("try", &["try", "catch"]),
    ("wait", &["wait"]),
];

/// All keys of tasks.
#[cfg(test)]
pub(crate) fn keys() -> BTreeSet<String> {
    let kinds = KINDS.iter().flat_map(|(_, keys)| *keys);
    kinds.chain(&COMMON).map(|key| (*key).to_owned()).collect()
}

/// A task being read: its fields and where it stands.
pub(super) struct Body<'a, 's> {
    pub(super) name: &'a str,
    pub(super) fields: Fields<'a>,
    /// The key that chose the kind.
    pub(super) entry: &'a Entry,
    pub(super) scope: &'s Scope,
    /// Tasks of the same list.
    pub(super) siblings: &'s [&'a str],
    pub(super) reference: &'s str,
}

/// What reading one kind gave.
pub(super) struct Found {
    pub(super) kind: Kind,
    /// Ways out besides the task's own `then`.
    pub(super) ways: Vec<(Then, Place)>,
    /// Whether the task's own `then` can be followed.
    pub(super) falls_on: bool,
}

impl From<Kind> for Found {
    fn from(kind: Kind) -> Self {
        Self {
            kind,
            ways: Vec::new(),
            falls_on: true,
        }
    }
}

/// Reads the list under a key; `reference` is the JSON pointer of what holds the key.
pub(super) fn list(
    reader: &mut Reader<'_>,
    entry: &Entry,
    owner: &str,
    scope: &Scope,
    reference: &str,
) -> Option<Vec<Task>> {
    let read = each(reader, entry, owner, reference, |names| {
        scope.inside(names.iter().copied().filter(|name| !name.is_empty()))
    })?;
    let (tasks, outlines): (Vec<_>, Vec<_>) = read.into_iter().unzip();
    flow::check(reader, &outlines);
    Some(tasks)
}

/// Reads tasks that stand in one list and do not follow each other, and do not see each other.
pub(super) fn branches(
    reader: &mut Reader<'_>,
    entry: &Entry,
    owner: &str,
    scope: &Scope,
    reference: &str,
) -> Option<Vec<(Task, Outline)>> {
    each(reader, entry, owner, reference, |_| scope.clone())
}

/// Reads every task of a list; `inside` makes the scope within from the names of the list.
fn each(
    reader: &mut Reader<'_>,
    entry: &Entry,
    owner: &str,
    reference: &str,
    inside: impl FnOnce(&[&str]) -> Scope,
) -> Option<Vec<(Task, Outline)>> {
    let owner = yaml::under(owner, &entry.key.text);
    let reference = format!("{reference}/{}", entry.key.text);
    let items = items(reader, entry, &owner)?;
    let entries: Vec<Option<&Entry>> = items
        .iter()
        .map(|item| single(reader, item, &owner))
        .collect();
    let names: Vec<&str> = entries
        .iter()
        .map(|entry| entry.map_or("", |entry| entry.key.text.as_str()))
        .collect();
    check_names(reader, &entries);
    let scope = inside(&names);
    let mut tasks = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        let Some(entry) = entry else { continue };
        let reference = format!("{reference}/{index}/{}", escaped(&entry.key.text));
        let owner = format!("the task `{}`", entry.key.text);
        tasks.extend(one(reader, entry, &owner, &names, &scope, &reference));
    }
    (tasks.len() == items.len()).then_some(tasks)
}

fn items<'a>(reader: &mut Reader<'_>, entry: &'a Entry, owner: &str) -> Option<&'a [Node]> {
    match &entry.value.content {
        Content::List(items) if !items.is_empty() => Some(items),
        Content::List(_) | Content::Null => {
            reader
                .findings
                .error("CW0109", entry.place(), format!("{owner} has no tasks"))
                .help("add one, such as `- greet: { set: { message: hello } }`");
            None
        }
        Content::Map(entries) => {
            let first = entries
                .first()
                .map_or("name", |entry| entry.key.text.as_str());
            reader
                .findings
                .error(
                    "CW0108",
                    entry.key.place,
                    format!("{owner} must be a list of tasks"),
                )
                .help(format!("put a dash before each task: `- {first}:`"));
            None
        }
        _ => {
            expected(
                &mut reader.findings,
                entry.place(),
                owner,
                "a list of tasks",
                &entry.value,
            );
            None
        }
    }
}

/// The one key of a list's item: its name.
pub(super) fn single<'a>(
    reader: &mut Reader<'_>,
    item: &'a Node,
    owner: &str,
) -> Option<&'a Entry> {
    let findings = &mut reader.findings;
    match item.as_map() {
        Some([entry]) => Some(entry),
        Some([first, second, ..]) if first.value.is_null() => {
            let (name, key) = (&first.key.text, &second.key.text);
            findings
                .error(
                    "CW0108",
                    second.key.place,
                    format!("`{key}` is not inside `{name}`"),
                )
                .help(format!(
                    "indent it by two more spaces than `{name}`:\n- {name}:\n    {key}: ..."
                ));
            None
        }
        Some([first, second, ..]) => {
            let (name, key) = (&first.key.text, &second.key.text);
            let known = KINDS.iter().flat_map(|(_, keys)| *keys).chain(&COMMON);
            let inside = known.into_iter().any(|known| known == key);
            let help = if inside {
                format!("to belong to `{name}`, it must be indented two more spaces than `{name}`")
            } else {
                format!("give it a dash of its own: `- {key}:`")
            };
            findings
                .error(
                    "CW0108",
                    second.key.place,
                    format!("an item of {owner} has one name"),
                )
                .help(help);
            None
        }
        Some([]) | None => {
            findings
                .error(
                    "CW0108",
                    item.place,
                    format!("an item of {owner} must be a name with a map"),
                )
                .help("write `- name:` and below it, indented by four, what it does");
            None
        }
    }
}

fn check_names(reader: &mut Reader<'_>, entries: &[Option<&Entry>]) {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for entry in entries.iter().flatten() {
        let (name, place) = (entry.key.text.as_str(), entry.key.place);
        if let Some(line) = seen.insert(name, place.line) {
            reader
                .findings
                .error(
                    "CW0110",
                    place,
                    format!("the list has two tasks named `{name}`"),
                )
                .help(format!(
                    "the other is at line {line}; give one of them another name"
                ));
        }
        if name.trim().is_empty() || flow::DIRECTIVES.contains(&name) {
            reader
                .findings
                .error("CW0116", place, format!("a task cannot be named `{name}`"))
                .help("`continue`, `exit` and `end` are words of `then`; choose another name");
        }
    }
}

/// Reads one task under its name; `owner` is how findings call it.
pub(super) fn one(
    reader: &mut Reader<'_>,
    entry: &Entry,
    owner: &str,
    siblings: &[&str],
    scope: &Scope,
    reference: &str,
) -> Option<(Task, Outline)> {
    let findings = &mut reader.findings;
    let mut fields = Fields::open_any(findings, &entry.value, entry.key.place, owner)?;
    let (chosen, keys) = kind_of(reader, &fields)?;
    let known: Vec<&str> = keys.iter().copied().chain(COMMON).collect();
    fields.refuse_unknown(&mut reader.findings, &known);
    let body = Body {
        name: &entry.key.text,
        entry: chosen,
        fields,
        scope,
        siblings,
        reference,
    };
    let found = kind(reader, &body);
    let task = common(reader, entry, &body, found)?;
    Some(task)
}

/// The key that chooses the kind, and the keys of that kind.
fn kind_of<'a>(
    reader: &mut Reader<'_>,
    fields: &Fields<'a>,
) -> Option<(&'a Entry, &'static [&'static str])> {
    let present: Vec<(&Entry, &'static [&'static str])> = KINDS
        .iter()
        .filter_map(|(kind, keys)| fields.get(kind).map(|entry| (entry, *keys)))
        .collect();
    let Some((chosen, keys)) = present.first().copied() else {
        refuse_kindless(reader, fields);
        return None;
    };
    for (other, _) in &present[1..] {
        if !keys.contains(&other.key.text.as_str()) {
            let later = chosen.key.place.start.max(other.key.place.start);
            let both = [chosen, other];
            let at = both
                .into_iter()
                .find(|entry| entry.key.place.start == later);
            reader
                .findings
                .error(
                    "CW0112",
                    at.unwrap_or(other).key.place,
                    format!(
                        "{} is both `{}` and `{}`",
                        fields.owner, chosen.key.text, other.key.text
                    ),
                )
                .help("make two tasks of it, one below the other");
            return None;
        }
    }
    Some((chosen, keys))
}

fn refuse_kindless(reader: &mut Reader<'_>, fields: &Fields<'_>) {
    let built = [
        "call", "do", "emit", "for", "fork", "listen", "raise", "run", "set", "switch", "try",
        "wait",
    ];
    let odd = fields
        .entries()
        .iter()
        .find(|entry| !COMMON.contains(&entry.key.text.as_str()));
    let Some(odd) = odd else {
        let message = format!("{} does not say what to do", fields.owner);
        reader
            .findings
            .error("CW0111", fields.place, message)
            .help(format!("it needs one of: {}", listed(built)));
        return;
    };
    let word = odd.key.text.as_str();
    let help = match (
        meant_function(word),
        similar(word, KINDS.iter().map(|(kind, _)| *kind)),
    ) {
        (Some(name), _) => {
            format!("it is a function: write `call: {name}` and its arguments below `with:`")
        }
        (None, Some(near)) => format!("did you mean `{near}`?"),
        (None, None) => format!("it needs one of: {}", listed(built)),
    };
    let message = format!("there is no kind of task `{word}`");
    reader
        .findings
        .error("CW0111", odd.key.place, message)
        .help(help);
}

/// The function that somebody meant who wrote its name as the kind of a task.
fn meant_function(word: &str) -> Option<&str> {
    match word {
        "approve" => Some("approval"),
        "human" | "humanTask" => Some("human-task"),
        "approval" | "human-task" | "notify" | "decide" => Some(word),
        _ => word.contains('.').then_some(word),
    }
}

fn kind(reader: &mut Reader<'_>, body: &Body<'_, '_>) -> Option<Found> {
    match body.entry.key.text.as_str() {
        "call" => call::read(reader, body),
        "do" => r#do::read(reader, body),
        "emit" => emit::read(reader, body),
        "for" => r#for::read(reader, body),
        "fork" => fork::read(reader, body),
        "listen" => listen::read(reader, body),
        "raise" => raise::read(reader, body),
        "run" => run::read(reader, body),
        "set" => set::read(reader, body),
        "switch" => switch::read(reader, body),
        "try" => r#try::read(reader, body),
        "wait" => wait::read(reader, body),
        other => unreachable!("`{other}` is none of KINDS"),
    }
}

fn common(
    reader: &mut Reader<'_>,
    entry: &Entry,
    body: &Body<'_, '_>,
    found: Option<Found>,
) -> Option<(Task, Outline)> {
    let Body { fields, scope, .. } = body;
    let owner = fields.owner.as_str();
    let condition = fields
        .get("if")
        .map(|entry| reader.condition(&entry.value, scope, Moment::Condition));
    let input = fields
        .get("input")
        .map(|entry| data::input(reader, entry, owner, scope, Moment::TaskInput));
    let output = fields
        .get("output")
        .map(|entry| data::output(reader, entry, owner, scope, Moment::TaskOutput));
    let export = fields
        .get("export")
        .and_then(|entry| data::export(reader, entry, owner, scope));
    let timeout = fields
        .get("timeout")
        .and_then(|entry| reusable::timeout(reader, entry, owner, (scope, Moment::Definition)));
    let then = match fields.get("then") {
        Some(entry) => flow::then(reader, entry, body.siblings).map(|then| (then, entry.place())),
        None => Some((Then::Continue, entry.key.place)),
    };
    if let Some(metadata) = fields.get("metadata")
        && metadata.value.as_map().is_none()
    {
        fields.expected(&mut reader.findings, metadata, "a map (`key: value`)");
    }
    let kind = found.as_ref().map(|found| &found.kind);
    let disclosure = disclosure::read(reader, body, kind);
    let found = found?;
    let (then, then_place) = then?;
    let mut ways = found.ways;
    if found.falls_on {
        ways.push((then, then_place));
    } else if condition.is_some() {
        ways.push((Then::Continue, then_place));
    }
    let mut seen = BTreeSet::new();
    ways.retain(|(then, _)| seen.insert(*then));
    let outline = Outline {
        name: body.name.to_owned(),
        place: entry.key.place,
        ways,
        waits: waits(&found.kind),
    };
    let task = Task {
        name: body.name.to_owned(),
        reference: body.reference.to_owned(),
        written: None,
        definition: entry.value.to_json(),
        line: entry.key.place.line,
        condition: condition.flatten(),
        input: input.unwrap_or_default(),
        output: output.unwrap_or_default(),
        export,
        timeout,
        then,
        kind: found.kind,
        disclosure,
        extensions: Vec::new(),
    };
    Some((task, outline))
}

fn waits(kind: &Kind) -> bool {
    match kind {
        Kind::Human(_)
        | Kind::Wait(_)
        | Kind::Call(_)
        | Kind::Http(_)
        | Kind::OpenApi(_)
        | Kind::Listen(_)
        | Kind::Run(_) => true,
        Kind::Do(tasks) => tasks.iter().any(|task| waits(&task.kind)),
        Kind::Function(function) => function.tasks.iter().any(|task| waits(&task.kind)),
        Kind::For(r#for) => r#for.tasks.iter().any(|task| waits(&task.kind)),
        // A race is over with the first branch.
        Kind::Fork(fork) if fork.compete => fork.branches.iter().all(|task| waits(&task.kind)),
        Kind::Fork(fork) => fork.branches.iter().any(|task| waits(&task.kind)),
        Kind::Try(attempt) => {
            let handler = attempt.catch.tasks.iter().flatten();
            attempt
                .tasks
                .iter()
                .chain(handler)
                .any(|task| waits(&task.kind))
        }
        Kind::Set(_) | Kind::Switch(_) | Kind::Raise(_) | Kind::Emit(_) => false,
    }
}
