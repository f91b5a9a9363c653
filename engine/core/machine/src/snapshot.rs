//! How an instance is written. What can be found elsewhere in it is left out, since millions of
//! them lie on disk, waiting for people: the input of a task is mostly the output of the task
//! before, and the name of a task is the end of its reference.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::extension::Part;
use crate::position::{Data, List, Position, State};
use crate::record::Record;
use crate::scope::list_of;

/// Format of a snapshot. It grows when an older engine could not read a newer snapshot.
pub(crate) const FORMAT: u32 = 3;

/// The oldest format that is still read: a snapshot of it is one of the newest as well.
const FORMAT_OLDEST: u32 = 1;

/// Refuses snapshots of a newer engine with a sentence that says so.
pub(crate) fn known_format<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let format = u32::deserialize(deserializer)?;
    if (FORMAT_OLDEST..=FORMAT).contains(&format) {
        return Ok(format);
    }
    Err(de::Error::custom(format!(
        "the snapshot has format {format}, this engine reads up to {FORMAT}; use a newer engine"
    )))
}

/// A list as it is written.
#[derive(Serialize)]
struct Written<'a> {
    index: usize,
    /// Left out where `after` says where to find it.
    #[serde(skip_serializing_if = "Option::is_none")]
    input: Option<&'a Data>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<&'a str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    entries: &'a BTreeMap<usize, u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    current: Option<&'a Position>,
}

impl Serialize for List {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let written = Written {
            index: self.index,
            input: self.after.is_none().then_some(&self.input),
            after: self.after.as_deref(),
            entries: &self.entries,
            current: self.current.as_deref(),
        };
        written.serialize(serializer)
    }
}

/// Puts back what was left out; the error names what is missing.
pub(crate) fn restore(list: &mut List, record: &Record) -> Result<(), String> {
    let Some(position) = &mut list.current else {
        return Ok(());
    };
    if let Some(after) = &list.after {
        let outputs = record.steps.get(list_of(&position.entry.reference));
        let output = outputs.and_then(|outputs| outputs.get(after));
        let output = output.ok_or_else(|| {
            let before = &position.entry.reference;
            format!("the snapshot lacks the output of `{after}`, the input of {before}")
        })?;
        list.input = Arc::new(output.clone());
    }
    restore_within(&mut position.state, record)
}

fn restore_within(state: &mut State, record: &Record) -> Result<(), String> {
    match state {
        State::Do(list) => restore(list, record),
        State::For(looping) => restore(looping.list_mut(), record),
        State::Fork(forking) => forking
            .positions_mut()
            .try_for_each(|position| restore_within(&mut position.state, record)),
        State::Try(trying) => trying
            .list_mut()
            .map_or(Ok(()), |list| restore(list, record)),
        State::Extended(extending) => match extending.part_mut() {
            Part::List(list) => restore(list, record),
            Part::Within(state) => restore_within(state, record),
        },
        State::Listen(listening) => listening
            .list_mut()
            .map_or(Ok(()), |list| restore(list, record)),
        State::Call(_) | State::Human(_) | State::Wait(_) | State::Child(_) => Ok(()),
    }
}

/// Task runs without their names.
pub(crate) mod task_runs {
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::position::task_name;
    use crate::{Status, TaskRun};

    pub(crate) fn serialize<S: Serializer>(runs: &[TaskRun], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(runs.iter().map(|run| (&run.reference, run.status)))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Vec<TaskRun>, D::Error> {
        let runs = Vec::<(String, Status)>::deserialize(from)?;
        let named = runs.into_iter().map(|(reference, status)| TaskRun {
            name: task_name(&reference).into(),
            reference: reference.into(),
            status,
        });
        Ok(named.collect())
    }
}

#[cfg(test)]
mod tests {
    use crate::Instance;

    #[test]
    fn a_snapshot_of_the_first_format_is_read() {
        let mut snapshot = serde_json::to_value(Instance::pending()).unwrap();
        snapshot["format"] = 1.into();
        assert!(serde_json::from_value::<Instance>(snapshot).is_ok());
    }

    #[test]
    fn a_snapshot_of_a_newer_engine_is_refused_with_a_reason() {
        let mut snapshot = serde_json::to_value(Instance::pending()).unwrap();
        assert_eq!(
            serde_json::from_value::<Instance>(snapshot.clone()).unwrap(),
            Instance::pending()
        );
        snapshot["format"] = 4.into();
        let refusal = serde_json::from_value::<Instance>(snapshot).unwrap_err();
        assert_eq!(
            refusal.to_string(),
            "the snapshot has format 4, this engine reads up to 3; use a newer engine"
        );
    }
}
