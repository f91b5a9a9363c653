//! Two versions of a workflow, task by task: what was added, removed, moved, renamed or changed.
//!
//! Tasks are the same when the names on the way to them are: an index says only where one stands.
//! It compares what is written, and judges nothing: what a change means for people is put into
//! words elsewhere, what it means for a run says `machine`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::Workflow;
use crate::workflow::{Kind, Task};

/// Everything that is different between two versions.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Diff {
    /// In the order of the new version; what is no longer there stands where it stood.
    pub tasks: Vec<Difference>,
    /// Outside of the tasks: `document`, `input`, `output`, `timeout`, `schedule`, `use`.
    pub around: Vec<Leaf>,
}

/// A task that is not as it was.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// JSON pointer in the old version; `None` for a new task.
    pub before: Option<String>,
    /// JSON pointer in the new version; `None` for one that is gone.
    pub after: Option<String>,
    /// It stands elsewhere among the tasks that both versions have.
    pub moved: bool,
    /// Its name in the old version, where that is all that tells it from a task that is gone.
    pub renamed: Option<String>,
    /// What is written otherwise in the task itself, not in tasks within it.
    pub leaves: Vec<Leaf>,
}

/// A value that is written otherwise.
#[derive(Debug, Clone, PartialEq)]
pub struct Leaf {
    /// Members on the way to it, within the task.
    pub path: Vec<String>,
    pub before: Option<Value>,
    pub after: Option<Value>,
}

/// Keys of a task under which other tasks stand.
const LISTS: [&[&str]; 4] = [&["do"], &["try"], &["catch", "do"], &["fork", "branches"]];

/// Where tasks of two versions meet: the names on the way to a task, by its pointer.
#[derive(Debug, Clone, Default)]
pub struct Names {
    names: BTreeMap<String, String>,
    places: BTreeMap<String, String>,
}

impl Names {
    pub fn of(workflow: &Workflow) -> Self {
        let mut names = Self::default();
        names.gather(&workflow.tasks, "", "");
        names
    }

    fn gather(&mut self, tasks: &[Task], outer: &str, way: &str) {
        for task in tasks {
            let below = &task.reference[outer.len()..];
            let list = below.rsplitn(3, '/').nth(2).unwrap_or_default();
            let name = below.rsplit('/').next().unwrap_or_default();
            let names = format!("{way}{list}/{name}");
            self.places.insert(names.clone(), task.reference.clone());
            for inner in task.lists() {
                self.gather(inner, &task.reference, &names);
            }
            self.names.insert(task.reference.clone(), names);
        }
    }

    /// The names on the way to the task at this pointer.
    pub fn way(&self, reference: &str) -> Option<&str> {
        self.names.get(reference).map(String::as_str)
    }

    /// The pointer of the task to which these names lead.
    pub fn place(&self, way: &str) -> Option<&str> {
        self.places.get(way).map(String::as_str)
    }
}

/// Compares two versions.
pub fn diff(before: &Workflow, after: &Workflow) -> Diff {
    let mut comparison = Comparison {
        old: Names::of(before),
        new: Names::of(after),
        found: Vec::new(),
    };
    comparison.lists(&before.tasks, &after.tasks);
    let mut found = comparison.found;
    rename(before, after, &mut found);
    Diff {
        tasks: found,
        around: leaves(&outside(&before.definition), &outside(&after.definition)),
    }
}

/// What is written otherwise in the task itself.
pub fn task_leaves(before: &Task, after: &Task) -> Vec<Leaf> {
    leaves(&own(before), &own(after))
}

/// The task without the tasks within it.
fn own(task: &Task) -> Value {
    let mut own = task.definition.clone();
    if task.lists().is_empty() {
        return own;
    }
    for path in LISTS {
        let (last, way) = path.split_last().unwrap_or((&"", &[]));
        let around = way
            .iter()
            .try_fold(&mut own, |value, key| value.get_mut(*key));
        if let Some(members) = around.and_then(Value::as_object_mut) {
            members.remove(*last);
        }
    }
    if let Kind::Fork(fork) = &task.kind {
        let names = fork.branches.iter().map(|branch| branch.name.clone());
        own["fork"]["branches"] = names.collect();
    }
    own
}

fn outside(definition: &Value) -> Value {
    let mut outside = definition.clone();
    if let Some(members) = outside.as_object_mut() {
        members.remove("do");
    }
    outside
}

fn leaves(before: &Value, after: &Value) -> Vec<Leaf> {
    let mut found = Vec::new();
    compare(&mut Vec::new(), Some(before), Some(after), &mut found);
    found
}

fn compare(
    path: &mut Vec<String>,
    before: Option<&Value>,
    after: Option<&Value>,
    found: &mut Vec<Leaf>,
) {
    if before == after {
        return;
    }
    let members = |value: Option<&Value>| value.and_then(named);
    if let (Some(old), Some(new)) = (members(before), members(after)) {
        let keys = new.iter().chain(old.iter()).map(|(key, _)| key);
        let mut told = BTreeSet::new();
        for key in keys {
            if !told.insert(key.clone()) {
                continue;
            }
            let of = |members: &[(String, Value)]| {
                let found = members.iter().find(|(known, _)| known == key);
                found.map(|(_, value)| value.clone())
            };
            path.push(key.clone());
            compare(path, of(&old).as_ref(), of(&new).as_ref(), found);
            path.pop();
        }
        let order = |members: &[(String, Value)]| -> Vec<String> {
            members.iter().map(|(key, _)| key.clone()).collect()
        };
        let lists = before.is_some_and(Value::is_array);
        if lists && order(&old) != order(&new) && same_keys(&old, &new) {
            found.push(Leaf {
                path: path.clone(),
                before: Some(order(&old).into()),
                after: Some(order(&new).into()),
            });
        }
        return;
    }
    found.push(Leaf {
        path: path.clone(),
        before: before.cloned(),
        after: after.cloned(),
    });
}

fn same_keys(one: &[(String, Value)], other: &[(String, Value)]) -> bool {
    let keys = |members: &[(String, Value)]| -> BTreeSet<String> {
        members.iter().map(|(key, _)| key.clone()).collect()
    };
    keys(one) == keys(other)
}

/// Members of an object, or of a list of maps with one key, as the cases of a `switch` are.
fn named(value: &Value) -> Option<Vec<(String, Value)>> {
    match value {
        Value::Object(members) => Some(
            members
                .iter()
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect(),
        ),
        Value::Array(items) if !items.is_empty() => items
            .iter()
            .map(|item| match item.as_object() {
                Some(members) if members.len() == 1 => {
                    let (key, value) = members.iter().next()?;
                    Some((key.clone(), value.clone()))
                }
                _ => None,
            })
            .collect(),
        _ => None,
    }
}

struct Comparison {
    old: Names,
    new: Names,
    found: Vec<Difference>,
}

impl Comparison {
    fn lists(&mut self, before: &[Task], after: &[Task]) {
        let index = |tasks: &[Task], name: &str| tasks.iter().position(|task| task.name == name);
        let common: Vec<usize> = after
            .iter()
            .filter_map(|task| index(before, &task.name))
            .collect();
        let still = in_order(&common);
        let mut gone = before
            .iter()
            .enumerate()
            .filter(|(_, task)| index(after, &task.name).is_none())
            .peekable();
        for task in after {
            let stood = index(before, &task.name);
            if let Some(stood) = stood.filter(|stood| still.contains(stood)) {
                while let Some((_, old)) = gone.next_if(|(at, _)| *at < stood) {
                    self.one_sided(old, Side::Before);
                }
            }
            match stood.and_then(|stood| Some((stood, before.get(stood)?))) {
                Some((stood, old)) => self.pair(old, task, !still.contains(&stood)),
                None => self.one_sided(task, Side::After),
            }
        }
        for (_, old) in gone {
            self.one_sided(old, Side::Before);
        }
    }

    fn pair(&mut self, old: &Task, new: &Task, moved: bool) {
        let leaves = task_leaves(old, new);
        if moved || !leaves.is_empty() {
            self.found.push(Difference {
                before: Some(old.reference.clone()),
                after: Some(new.reference.clone()),
                moved,
                renamed: None,
                leaves,
            });
        }
        // Lists of one kind meet: `try` and its handler have two.
        for inner in new.lists() {
            let Some(first) = inner.first() else { continue };
            let meets = self.sibling_list(old, first);
            self.lists(meets, inner);
        }
        for inner in old.lists() {
            let met = inner.first().is_some_and(|first| {
                let way = self.old.way(&first.reference).unwrap_or_default();
                let list = way.rsplit_once('/').map_or("", |(list, _)| list);
                new.lists().iter().any(|other| {
                    let way = other.first().and_then(|one| self.new.way(&one.reference));
                    way.and_then(|way| way.rsplit_once('/'))
                        .map(|(list, _)| list)
                        == Some(list)
                })
            });
            if !met {
                self.lists(inner, &[]);
            }
        }
    }

    /// The list of the old task that stands where the list of this new one does.
    fn sibling_list<'t>(&self, old: &'t Task, first: &Task) -> &'t [Task] {
        let way = self.new.way(&first.reference).unwrap_or_default();
        let list = way.rsplit_once('/').map_or("", |(list, _)| list);
        let meets = |tasks: &&[Task]| {
            let way = tasks.first().and_then(|one| self.old.way(&one.reference));
            way.and_then(|way| way.rsplit_once('/'))
                .map(|(list, _)| list)
                == Some(list)
        };
        old.lists().into_iter().find(meets).unwrap_or_default()
    }

    fn one_sided(&mut self, task: &Task, side: Side) {
        let reference = Some(task.reference.clone());
        let (before, after) = match side {
            Side::Before => (reference, None),
            Side::After => (None, reference),
        };
        self.found.push(Difference {
            before,
            after,
            moved: false,
            renamed: None,
            leaves: Vec::new(),
        });
        for inner in task.lists() {
            match side {
                Side::Before => self.lists(inner, &[]),
                Side::After => self.lists(&[], inner),
            }
        }
    }
}

#[derive(Clone, Copy)]
enum Side {
    Before,
    After,
}

/// As many as possible that stand in ascending order.
fn in_order(indexes: &[usize]) -> BTreeSet<usize> {
    let mut best: Vec<(usize, Option<usize>)> = Vec::with_capacity(indexes.len());
    for (at, index) in indexes.iter().enumerate() {
        let before = (0..at).filter(|before| indexes[*before] < *index);
        let before = before.max_by_key(|before| best[*before].0);
        let length = before.map_or(0, |before| best[before].0) + 1;
        best.push((length, before));
    }
    let mut kept = BTreeSet::new();
    let mut at = (0..best.len()).max_by_key(|at| best[*at].0);
    while let Some(index) = at {
        kept.insert(indexes[index]);
        at = best[index].1;
    }
    kept
}

/// A task that is gone and a new one that says the same under another name, or in another list, are
/// one task; each is matched once.
fn rename(before: &Workflow, after: &Workflow, found: &mut Vec<Difference>) {
    let mut taken = BTreeSet::new();
    for index in 0..found.len() {
        let one = &found[index];
        let (None, Some(new)) = (&one.before, &one.after) else {
            continue;
        };
        let Some(new) = after.task(new) else { continue };
        let gone = (0..found.len()).find(|other| {
            let other_one = &found[*other];
            let old = other_one
                .before
                .as_ref()
                .filter(|_| other_one.after.is_none());
            let old = old.and_then(|old| before.task(old));
            !taken.contains(other) && old.is_some_and(|old| old.definition == new.definition)
        });
        if let Some(gone) = gone {
            taken.insert(gone);
            let old = found[gone].before.clone();
            let name = old.as_ref().and_then(|old| before.task(old));
            let name = name.map(|task| task.name.clone());
            let one = &mut found[index];
            one.renamed = name.filter(|name| *name != new.name);
            one.moved = one.renamed.is_none();
            one.before = old;
        }
    }
    let mut index = 0;
    found.retain(|_| {
        index += 1;
        !taken.contains(&(index - 1))
    });
}

#[cfg(test)]
mod tests;
