//! The differences as data and as a list in plain words.
//!
//! What `docs` has words for is said in its words; everything else is shown as it is written, so
//! that nothing is left out.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use casewright_casework::retention;
use casewright_language::diff::{self, Difference, Leaf};
use casewright_language::{Task, Workflow};
use casewright_runtime::Deployment;
use serde_json::{Value, json};

use super::{Pair, Side, sources};
use crate::docs::plain::{self, Facts, Plain};

pub(super) struct Told {
    pub(super) workflows: Vec<OfWorkflow>,
    pub(super) pack: Vec<Change>,
}

pub(super) struct OfWorkflow {
    pub(super) name: String,
    /// Title, name and version of both sides.
    before: Option<String>,
    after: Option<String>,
    pub(super) changes: Vec<Change>,
}

/// One thing that is not as it was.
pub(super) struct Change {
    pub(super) what: What,
    /// As people call it.
    pub(super) title: String,
    /// Name of the task, and where it is written.
    pub(super) task: Option<(String, String)>,
    pub(super) said: Vec<Said>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum What {
    Added,
    Removed,
    Moved,
    Renamed,
    Changed,
}

/// What was said before and what is said now.
pub(super) struct Said {
    pub(super) term: String,
    pub(super) before: Option<String>,
    pub(super) after: Option<String>,
    /// Whether it is shown as it is written.
    pub(super) written: bool,
}

/// A key of a task, and the terms that say all of what is written under it.
type SaidBy = (&'static [&'static str], &'static [&'static str]);

const SAID_BY: [SaidBy; 14] = [
    (&["with", "due"], &["Due"]),
    (&["with", "assign"], &["Who"]),
    (&["with", "form"], &["Form"]),
    (&["with", "outcomes"], &["May decide", "Ends with"]),
    (&["with", "remind"], &["Reminder"]),
    (&["with", "escalate"], &["When late"]),
    (&["with", "clock"], &["On hold"]),
    (&["with", "nonDelegable"], &["Goes to others"]),
    (&["with", "skippable"], &["May be skipped by"]),
    (&["with", "holdAtMost"], &["Waits"]),
    (&["with", "title"], &["Title"]),
    (&["if"], &["Only when"]),
    (&["wait"], &["Waits"]),
    (&["then"], &["Then"]),
];

impl What {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Moved => "moved",
            Self::Renamed => "renamed",
            Self::Changed => "changed",
        }
    }

    fn sign(self) -> char {
        match self {
            Self::Added => '+',
            Self::Removed => '-',
            Self::Moved => '>',
            Self::Renamed => '=',
            Self::Changed => '~',
        }
    }
}

impl Told {
    /// `whole`: what the packs say beside their workflows counts too.
    pub(super) fn of(old: &Side, new: &Side, pairs: &[Pair<'_>], whole: bool) -> Self {
        let workflows = pairs
            .iter()
            .map(|pair| OfWorkflow::of(old, new, pair))
            .filter(|one| !one.changes.is_empty())
            .collect();
        let mut pack = Vec::new();
        if whole {
            let of = |told: fn(&Deployment) -> BTreeMap<String, Facts>| {
                things(&told(&old.deployment), &told(&new.deployment))
            };
            pack.extend(of(plain::pack));
            pack.extend(of(plain::forms));
            pack.extend(of(plain::tables));
            pack.extend(sooner(&old.deployment, &new.deployment));
        }
        Self { workflows, pack }
    }

    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for workflow in &self.workflows {
            text.push_str(&workflow.head());
            text.push('\n');
            for change in &workflow.changes {
                change.write(&mut text);
            }
            text.push('\n');
        }
        if !self.pack.is_empty() {
            text.push_str("Roles, limits, forms and what else the pack says\n");
            for change in &self.pack {
                change.write(&mut text);
            }
        }
        if text.is_empty() {
            text.push_str("Nothing is different.\n");
        }
        text
    }

    pub(super) fn json(&self) -> Value {
        let changes = |changes: &[Change]| changes.iter().map(Change::json).collect::<Vec<_>>();
        let workflows = self.workflows.iter().map(|one| {
            json!({
                "name": one.name,
                "before": one.before,
                "after": one.after,
                "changes": changes(&one.changes),
            })
        });
        json!({
            "workflows": workflows.collect::<Vec<_>>(),
            "pack": changes(&self.pack),
        })
    }
}

impl OfWorkflow {
    fn of(old: &Side, new: &Side, pair: &Pair<'_>) -> Self {
        let changes = match (pair.before, pair.after) {
            (Some(before), Some(after)) => compared(old, new, before, after),
            (None, Some(_)) => vec![Change::whole(What::Added)],
            (Some(_), None) => vec![Change::whole(What::Removed)],
            (None, None) => Vec::new(),
        };
        Self {
            name: pair.name.to_owned(),
            before: pair.before.map(plain::workflow),
            after: pair.after.map(plain::workflow),
            changes,
        }
    }

    /// `Brokerage (brokerage 1.0.0) -> Brokerage (brokerage 1.1.0): 1 added, 2 changed`
    pub(super) fn head(&self) -> String {
        let name = match (&self.before, &self.after) {
            (Some(before), Some(after)) if before != after => format!("{before} -> {after}"),
            (before, after) => after.clone().or(before.clone()).unwrap_or_default(),
        };
        let mut counts: BTreeMap<What, usize> = BTreeMap::new();
        for change in &self.changes {
            *counts.entry(change.what).or_default() += 1;
        }
        let counts: Vec<_> = counts
            .iter()
            .map(|(what, count)| format!("{count} {}", what.word()))
            .collect();
        format!("{name}: {}", counts.join(", "))
    }
}

fn compared(old: &Side, new: &Side, before: &Workflow, after: &Workflow) -> Vec<Change> {
    let found = diff::diff(before, after);
    let old_words = plain::tasks(&old.deployment, before);
    let new_words = plain::tasks(&new.deployment, after);
    let file = |side: &Side, workflow: &Workflow| {
        let files = sources(&side.deployment);
        let file = files.get(&workflow.document.name);
        file.cloned().unwrap_or_default()
    };
    let (old_file, new_file) = (file(old, before), file(new, after));
    let mut changes = Vec::new();
    if !found.around.is_empty() {
        changes.push(Change {
            what: What::Changed,
            title: "The workflow itself".to_owned(),
            task: None,
            said: found.around.iter().map(Said::written).collect(),
        });
    }
    let mut told = BTreeSet::new();
    for one in &found.tasks {
        let was = one.before.as_ref();
        let was = was.and_then(|at| Some((before.task(at)?, old_words.get(at)?)));
        let is = one.after.as_ref();
        let is = is.and_then(|at| Some((after.task(at)?, new_words.get(at)?)));
        told.extend(one.after.clone());
        changes.extend(Change::of_task(one, was, is, &old_file, &new_file));
    }
    // What is written is the same, and yet the way leads elsewhere: another task comes next.
    let (old_names, new_names) = (diff::Names::of(before), diff::Names::of(after));
    for (reference, words) in &new_words {
        let way = new_names.way(reference);
        let was = way.and_then(|way| old_words.get(old_names.place(way)?));
        let (Some(was), Some(task)) = (was, after.task(reference)) else {
            continue;
        };
        let mut said = differences(&was.facts, &words.facts);
        // What the pack calls a role or a fund is told once, of the pack.
        said.retain(|one| one.term == "Then" || one.term.starts_with("Way "));
        if !told.contains(reference) && !said.is_empty() {
            changes.push(Change {
                what: What::Changed,
                title: words.title.clone(),
                task: Some((task.name.clone(), format!("{new_file}:{}", task.line))),
                said,
            });
        }
    }
    changes
}

impl Change {
    fn whole(what: What) -> Self {
        Self {
            what,
            title: "The whole workflow".to_owned(),
            task: None,
            said: Vec::new(),
        }
    }

    fn of_task(
        one: &Difference,
        was: Option<(&Task, &Plain)>,
        is: Option<(&Task, &Plain)>,
        old_file: &str,
        new_file: &str,
    ) -> Option<Self> {
        let place =
            |file: &str, task: &Task| Some((task.name.clone(), format!("{file}:{}", task.line)));
        match (was, is) {
            (None, Some((task, words))) => Some(Self {
                what: What::Added,
                title: words.title.clone(),
                task: place(new_file, task),
                said: differences(&Facts::new(), &words.facts),
            }),
            (Some((task, words)), None) => Some(Self {
                what: What::Removed,
                title: words.title.clone(),
                task: place(old_file, task),
                said: differences(&words.facts, &Facts::new()),
            }),
            (Some((_, old)), Some((task, new))) => {
                let mut said = differences(&old.facts, &new.facts);
                if old.title != new.title {
                    said.insert(0, Said::new("Title", Some(&old.title), Some(&new.title)));
                }
                if let Some(name) = &one.renamed {
                    said.insert(0, Said::new("Name", Some(name), Some(&task.name)));
                }
                let terms: BTreeSet<String> = said.iter().map(|one| one.term.clone()).collect();
                let rest = one.leaves.iter().filter(|leaf| !covered(leaf, &terms));
                said.extend(rest.map(Said::written));
                let what = match (&one.renamed, one.moved) {
                    (Some(_), _) => What::Renamed,
                    (None, true) => What::Moved,
                    (None, false) => What::Changed,
                };
                Some(Self {
                    what,
                    title: new.title.clone(),
                    task: place(new_file, task),
                    said,
                })
            }
            (None, None) => None,
        }
    }

    fn write(&self, text: &mut String) {
        let task = match &self.task {
            Some((name, place)) => format!(" ({name}, {place})"),
            None => String::new(),
        };
        let (sign, word, title) = (self.what.sign(), self.what.word(), &self.title);
        writeln!(text, "  {sign} {word}: {title}{task}").expect("writing to text does not fail");
        for one in &self.said {
            writeln!(text, "      {}", one.line()).expect("writing to text does not fail");
        }
    }

    fn json(&self) -> Value {
        let said = self.said.iter().map(|one| {
            json!({
                "term": one.term,
                "before": one.before,
                "after": one.after,
                "written": one.written,
            })
        });
        json!({
            "what": self.what.word(),
            "title": self.title,
            "task": self.task.as_ref().map(|(name, _)| name),
            "place": self.task.as_ref().map(|(_, place)| place),
            "said": said.collect::<Vec<_>>(),
        })
    }
}

impl Said {
    fn new(term: &str, before: Option<&str>, after: Option<&str>) -> Self {
        Self {
            term: term.to_owned(),
            before: before.map(str::to_owned),
            after: after.map(str::to_owned),
            written: false,
        }
    }

    fn written(leaf: &Leaf) -> Self {
        let text = |value: &Option<Value>| {
            value.as_ref().map(|value| match value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            })
        };
        Self {
            term: leaf.path.join("."),
            before: text(&leaf.before),
            after: text(&leaf.after),
            written: true,
        }
    }

    /// `Due: within 3 business days -> within 5 business days`
    fn line(&self) -> String {
        let term = if self.written {
            format!("`{}`", self.term)
        } else {
            self.term.clone()
        };
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => format!("{term}: {before} -> {after}"),
            (None, Some(after)) => format!("{term}: {after}"),
            (Some(before), None) => format!("{term}: not any more: {before}"),
            (None, None) => term,
        }
    }
}

fn covered(leaf: &Leaf, terms: &BTreeSet<String>) -> bool {
    let says = |(key, said): &SaidBy| {
        let below = leaf.path.len() >= key.len();
        let begins = leaf.path.iter().zip(*key).all(|(path, key)| path == key);
        below && begins && said.iter().any(|term| terms.contains(*term))
    };
    SAID_BY.iter().any(says)
}

/// Terms of both, each once; in the order of the new ones.
fn differences(before: &Facts, after: &Facts) -> Vec<Said> {
    let of = |facts: &Facts, term: &str| {
        let found = facts.iter().filter(|(known, _)| known == term);
        let words: Vec<_> = found.map(|(_, words)| words.as_str()).collect();
        (!words.is_empty()).then(|| words.join("; "))
    };
    let mut told = BTreeSet::new();
    let terms = after.iter().chain(before).map(|(term, _)| term);
    terms
        .filter(|term| told.insert((*term).clone()))
        .filter_map(|term| {
            let (before, after) = (of(before, term), of(after, term));
            (before != after).then(|| Said::new(term, before.as_deref(), after.as_deref()))
        })
        .collect()
}

/// Classes under which files would go sooner: what is easily overlooked in a list of changes.
fn sooner(before: &Deployment, after: &Deployment) -> Option<Change> {
    let classes = retention::shortened(&before.classes(), &after.classes());
    let named = classes.join(", ");
    (!classes.is_empty()).then(|| Change {
        what: What::Changed,
        title: "Files would go sooner".to_owned(),
        task: None,
        said: vec![Said::new("Under", None, Some(&named))],
    })
}

/// What of the pack is new, gone or otherwise; each by its name.
fn things(before: &BTreeMap<String, Facts>, after: &BTreeMap<String, Facts>) -> Vec<Change> {
    let nothing = Facts::new();
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let change = |name: &String| {
        let (was, is) = (before.get(name), after.get(name));
        let what = match (was, is) {
            (None, _) => What::Added,
            (_, None) => What::Removed,
            (Some(_), Some(_)) => What::Changed,
        };
        let said = differences(was.unwrap_or(&nothing), is.unwrap_or(&nothing));
        (!said.is_empty()).then(|| Change {
            what,
            title: name.clone(),
            task: None,
            said,
        })
    };
    names.into_iter().filter_map(change).collect()
}
