//! Copies of tasks that are written once and used in several places: of functions and extensions.
//!
//! A copy has a pointer of its own, below the task that uses it, and remembers where it was
//! written. All copies of a document are bounded, as if the author had written them out.

use super::{Reader, TASKS_MAX};
use crate::workflow::Task;
use crate::yaml::{Place, TEXT_BYTES_MAX};

/// Deepest pointer of a copy, in parts: an instance that stands there can still be written down.
const PARTS_MAX: usize = 36;

/// What has been copied so far.
#[derive(Debug, Default)]
pub(super) struct Copied {
    tasks: usize,
    pub(super) bytes: usize,
    /// Whether it was too much, which is said once.
    spent: bool,
}

/// Something to be copied.
pub(super) struct Original<'t> {
    pub(super) tasks: &'t [Task],
    /// The pointer that those of its tasks begin with.
    pub(super) reference: &'t str,
    /// How much text it is.
    pub(super) bytes: usize,
}

impl Original<'_> {
    /// Copies below this pointer; `None` when that is too much, which is reported at `place`, where
    /// it is used.
    pub(super) fn copy(
        &self,
        reader: &mut Reader<'_>,
        reference: &str,
        place: Place,
    ) -> Option<Vec<Task>> {
        reader.copied.tasks += self.tasks.iter().map(count).sum::<usize>();
        reader.copied.bytes += self.bytes;
        if reader.names.count + reader.copied.tasks > TASKS_MAX
            || reader.copied.bytes > TEXT_BYTES_MAX
        {
            refuse_size(reader, place);
            return None;
        }
        let mut tasks = self.tasks.to_vec();
        for task in &mut tasks {
            moved(task, self.reference, reference);
        }
        if tasks.iter().map(parts).max() > Some(PARTS_MAX) {
            let message = "with what is used here, tasks lie too deep within each other";
            reader
                .findings
                .error("CW0002", place, message)
                .help("move what the innermost does into a task of the enclosing list");
            return None;
        }
        Some(tasks)
    }
}

fn refuse_size(reader: &mut Reader<'_>, place: Place) {
    if std::mem::replace(&mut reader.copied.spent, true) {
        return;
    }
    let message = format!(
        "with functions and extensions written out, the document has more than {TASKS_MAX} tasks \
         or 1 MiB"
    );
    reader
        .findings
        .error("CW0002", place, message)
        .help("split the document into several workflows");
}

fn moved(task: &mut Task, from: &str, to: &str) {
    let rest = task.reference.strip_prefix(from).unwrap_or_default();
    let reference = format!("{to}{rest}");
    let written = std::mem::replace(&mut task.reference, reference);
    task.written.get_or_insert(written);
    for list in task.own_lists_mut() {
        for task in list {
            moved(task, from, to);
        }
    }
}

fn count(task: &Task) -> usize {
    let within = task.lists().into_iter().flatten();
    1 + within.map(count).sum::<usize>()
}

fn parts(task: &Task) -> usize {
    let within = task.lists().into_iter().flatten().map(parts).max();
    let own = task.reference.matches('/').count();
    within.unwrap_or_default().max(own)
}
