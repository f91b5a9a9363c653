//! The picture of an instance: its own version of the workflow, and where it stands.

use casewright_casework::Principal;
use casewright_language::picture::{Mark, Marks, Picture};
use casewright_machine::{Status, TaskRun};

use super::shared::no_workflow;
use super::{Engine, Refused};

impl Engine {
    /// The workflow that an instance is pinned to, with a mark at every task it came to, as it
    /// stands on disk.
    pub async fn picture(&self, who: &Principal, id: &str) -> Result<(Picture, Marks), Refused> {
        let row = self.shared.seen_instance(who, id)?;
        let runs = self.task_runs(who, id).await?;
        let deployment = self.shared.deployment(&row.deployment)?;
        let workflow = deployment.workflows.get(&row.workflow);
        let workflow = workflow.ok_or_else(|| no_workflow(id))?;
        Ok((Picture::of(workflow), marks(&runs)))
    }
}

/// The latest run of a task counts.
fn marks(runs: &[TaskRun]) -> Marks {
    let mut marks = Marks::new();
    for run in runs {
        let mark = match run.status {
            Status::Completed => Some(Mark::Done),
            Status::Pending | Status::Running | Status::Waiting | Status::Suspended => {
                Some(Mark::Here)
            }
            Status::Faulted => Some(Mark::Stopped),
            Status::Cancelled => None,
        };
        match mark {
            Some(mark) => marks.insert(run.reference.to_string(), mark),
            None => marks.remove(&*run.reference),
        };
    }
    marks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_run_of_a_task_marks_it() {
        let run = |name: &str, status| TaskRun {
            name: name.into(),
            reference: format!("/do/0/{name}").into(),
            status,
        };
        let marks = marks(&[
            run("ask", Status::Completed),
            run("decide", Status::Cancelled),
            run("pay", Status::Faulted),
            run("ask", Status::Waiting),
        ]);
        let expected = [
            ("/do/0/ask".to_owned(), Mark::Here),
            ("/do/0/pay".to_owned(), Mark::Stopped),
        ];
        assert_eq!(marks, Marks::from(expected));
    }
}
