//! What a whole run shares, wherever it stands: facts of its start, `$context`, earlier outputs,
//! counters and history. No positions; those are a tree of their own.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::event::is_zero;
use crate::openapi::Operation;
use crate::position::{Data, Timer};
use crate::snapshot::task_runs;
use crate::{CaseFacts, RuntimeFacts, Started, Status, TaskRun, Worked};

/// How many task runs an instance remembers; older ones are in its history. A snapshot carries
/// them all, so this bounds what a long loop costs.
pub const TASK_RUNS_MAX: usize = 256;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) facts: Arc<Facts>,
    pub(crate) context: Data,
    /// Timer of the workflow's own timeout.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) timeout: Option<Timer>,
    pub(crate) minted: Minted,
    /// Runs so far, by reference.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) runs: BTreeMap<String, u32>,
    /// Outputs of the latest completed runs: an object per list, by the list's pointer.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) steps: BTreeMap<String, Data>,
    /// Intents that a `try` around them may come back to, by entry path.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) intents: BTreeMap<String, Intent>,
    /// Who completed which human work.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) completions: Vec<Completion>,
    /// Who did human work in instances joined to this one by `run: workflow`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) inherited: Vec<Worked>,
    /// Events that came before a `listen` for them began, in the order they came.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) kept: Vec<Data>,
    /// Values that the first event fixed, by the name of the correlation.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) correlations: BTreeMap<String, Value>,
    /// What services said of their operations, so that one run asks once and meets one version.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) operations: BTreeMap<String, Arc<Operation>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "task_runs")]
    pub(crate) task_runs: Vec<TaskRun>,
}

/// What never changes after the start.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Facts {
    /// Digest of the workflow that the instance is pinned to.
    pub(crate) digest: String,
    pub(crate) id: String,
    pub(crate) started_at: Timestamp,
    pub(crate) started_by: String,
    pub(crate) case: CaseFacts,
    pub(crate) runtime: RuntimeFacts,
    /// Instances above it that run each other.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) depth: u32,
    /// As the caller sent it.
    pub(crate) input: Value,
}

/// The latest number given to each kind of thing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Minted {
    pub(crate) timer: u32,
    pub(crate) item: u32,
    pub(crate) key: u64,
    pub(crate) task_run: u64,
}

/// A call that was wanted once, kept so that a retried `try` finds its key again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Intent {
    pub(crate) key: String,
    pub(crate) since: Timestamp,
    /// Fixed with the key.
    pub(crate) input: Value,
    pub(crate) fate: Fate,
}

/// What is known about whether a call acted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Fate {
    /// It may have acted: it is under way, was abandoned, succeeded or failed in the middle.
    Possible,
    /// It certainly did not act.
    Refused,
    /// The function itself said that nobody knows.
    InDoubt,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Completion {
    pub(crate) task: String,
    pub(crate) approval: bool,
    pub(crate) person: String,
}

impl Record {
    pub(crate) fn pending() -> Self {
        let case = CaseFacts {
            id: String::new(),
            number: String::new(),
            opened: Timestamp::UNIX_EPOCH,
        };
        let runtime = RuntimeFacts {
            name: String::new(),
            version: String::new(),
        };
        Self::of(Facts {
            digest: String::new(),
            id: String::new(),
            started_at: Timestamp::UNIX_EPOCH,
            started_by: String::new(),
            case,
            runtime,
            depth: 0,
            input: Value::Null,
        })
    }

    pub(crate) fn started(digest: &str, started: &Started) -> Self {
        let mut record = Self::of(Facts {
            digest: digest.to_owned(),
            id: started.id.clone(),
            started_at: started.at,
            started_by: started.started_by.clone(),
            case: started.case.clone(),
            runtime: started.runtime.clone(),
            depth: started.depth,
            input: started.input.clone(),
        });
        record.inherit(&started.worked);
        record
    }

    fn of(facts: Facts) -> Self {
        Self {
            facts: Arc::new(facts),
            context: Arc::new(Value::Object(serde_json::Map::new())),
            timeout: None,
            minted: Minted::default(),
            runs: BTreeMap::new(),
            steps: BTreeMap::new(),
            intents: BTreeMap::new(),
            completions: Vec::new(),
            inherited: Vec::new(),
            kept: Vec::new(),
            correlations: BTreeMap::new(),
            operations: BTreeMap::new(),
            task_runs: Vec::new(),
        }
    }

    /// Forgets what only a running instance needs.
    pub(crate) fn close(&mut self) {
        self.context = Arc::new(Value::Null);
        self.steps.clear();
        self.intents.clear();
        self.runs.clear();
        self.kept.clear();
        self.correlations.clear();
        self.operations.clear();
    }

    /// Adds a task run; the answer is its number.
    pub(crate) fn begin(&mut self, run: TaskRun) -> u64 {
        if self.task_runs.len() == TASK_RUNS_MAX {
            self.task_runs.remove(0);
        }
        self.task_runs.push(run);
        self.minted.task_run += 1;
        self.minted.task_run
    }

    /// Changes the status of a task run; `None` when it is no longer remembered.
    pub(crate) fn mark(&mut self, number: u64, status: Status) -> Option<&TaskRun> {
        let behind = usize::try_from(self.minted.task_run.checked_sub(number)?).ok()?;
        let index = self.task_runs.len().checked_sub(behind + 1)?;
        let run = self.task_runs.get_mut(index)?;
        run.status = status;
        Some(run)
    }

    /// Remembers the output of a task for `$steps`.
    pub(crate) fn keep_output(&mut self, list: &str, task: &str, output: &Value) {
        if !self.steps.contains_key(list) {
            self.steps.insert(list.to_owned(), Data::default());
        }
        let Some(outputs) = self.steps.get_mut(list).map(Arc::make_mut) else {
            return;
        };
        if outputs.is_null() {
            *outputs = Value::Object(serde_json::Map::new());
        }
        if let Some(outputs) = outputs.as_object_mut() {
            outputs.insert(task.to_owned(), output.clone());
        }
    }

    /// Forgets the outputs of the tasks of this list and of the lists within it.
    pub(crate) fn forget_outputs(&mut self, list: &str) {
        self.steps
            .retain(|known, _| known != list && !inside(known, list));
    }

    /// Remembers that these people did this human work.
    pub(crate) fn complete(&mut self, completion: Completion) {
        if !self.completions.contains(&completion) {
            self.completions.push(completion);
        }
    }

    /// Remembers who did human work in an instance joined to this one, each once for each task.
    pub(crate) fn inherit(&mut self, worked: &[Worked]) {
        for one in worked {
            if !self.inherited.contains(one) {
                self.inherited.push(one.clone());
            }
        }
    }

    /// Who did human work here and in the instances joined to this one so far.
    pub(crate) fn worked(&self) -> Vec<Worked> {
        let mut all = self.inherited.clone();
        for done in self.completions.iter().filter(|done| !done.approval) {
            let one = Worked {
                task: done.task.clone(),
                person: done.person.clone(),
            };
            if !all.contains(&one) {
                all.push(one);
            }
        }
        all
    }

    /// Whether a call under this pointer may or may not have acted, by its own word.
    pub(crate) fn doubts(&self, reference: &str) -> bool {
        let mut intents = self.intents.iter();
        intents.any(|(path, intent)| intent.fate == Fate::InDoubt && inside(path, reference))
    }

    /// No `try` comes back to anything under this pointer.
    pub(crate) fn forget(&mut self, reference: &str) {
        self.intents.retain(|path, _| !inside(path, reference));
    }
}

fn inside(path: &str, reference: &str) -> bool {
    path.strip_prefix(reference)
        .is_some_and(|rest| rest.starts_with('/'))
}
