//! What finished runs say to those who go on with the case: which workflow comes next and what is
//! known for its start, and whether the case is open. Said by members of a run's output (see
//! decision 0016); nothing is started by it.

use casewright_casework::case::Closing;
use casewright_casework::{Case, Principal};
use casewright_language::Origin;
use casewright_store::Table;
use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::{Value, json};

use super::shared::{Shared, not_found};
use super::start::may_start;
use super::{Engine, Refused};
use crate::Deployment;
use crate::record::InstanceRow;
use crate::view::{ClosedView, InstanceView, NextView};

/// Workflows that one run may say come next; more is no help to anybody.
const NEXT_MAX: usize = 20;

/// A run that came to its end, with what it gave.
struct Finished<'a> {
    run: &'a InstanceView,
    name: &'a str,
    output: &'a Value,
    at: Timestamp,
}

impl Engine {
    /// What a finished run of the case says comes next, where this workflow was not started since;
    /// of several the latest. Audited like opening the case, where there is something to see.
    pub async fn next_of(
        &self,
        who: &Principal,
        case: &str,
        workflow: &str,
    ) -> Result<Option<NextView>, Refused> {
        let case = self.shared.seen_case(who, case)?;
        let id = case.id.clone();
        let view = self.shared.case_view(who, case).await?;
        let found = view
            .next
            .into_iter()
            .rfind(|next| next.workflow == workflow);
        if found.is_some() {
            self.shared.note_read(who, &id).await?;
        }
        Ok(found)
    }
}

impl Shared {
    /// Whether the case is closed, and what comes next, from all runs of the case.
    pub(super) fn handed_over(
        &self,
        who: &Principal,
        case: &Case,
        runs: &[InstanceView],
    ) -> Result<(Option<ClosedView>, Vec<NextView>), Refused> {
        // What runs within another is that one's to say.
        let own: Vec<_> = runs.iter().filter(|run| run.parent.is_none()).collect();
        let mut finished: Vec<_> = own.iter().filter_map(|run| Finished::of(run)).collect();
        finished.sort_by_key(|run| run.at);
        // Where an episode was closed, what runs said before counts no longer.
        let closed_last = case.closed_last();
        let since = |one: &&Finished<'_>| closed_last.is_none_or(|end| one.at > end);
        let closing = closing(&finished).filter(since);
        let closed = match case.closed() {
            Some(closing) => Some(self.episode_closed(who, closing)),
            None => closing.map(|one| self.closed(one)).transpose()?,
        };
        let end = closing.map(|one| one.at).max(closed_last);
        let Some(deployment) = self.in_force(&who.agency) else {
            return Ok((closed, Vec::new()));
        };
        let startable = may_start(&deployment, who).is_ok();
        let mut next = Vec::new();
        for (index, one) in finished.iter().enumerate() {
            let later = finished.get(index + 1..).unwrap_or_default();
            let before_the_end = end.is_some_and(|end| one.at < end);
            if before_the_end || later.iter().any(|other| other.name == one.name) {
                continue;
            }
            let mut steps = one.steps(&deployment, startable);
            steps.retain(|step| !own.iter().any(|run| one.was_followed(run, &step.workflow)));
            next.extend(steps);
        }
        Ok((closed, next))
    }

    fn episode_closed(&self, who: &Principal, closing: &Closing) -> ClosedView {
        let in_force = self.in_force(&who.agency);
        let reasons = in_force.as_ref().map(|found| &found.pack.closing_reasons);
        let titled = reasons.and_then(|reasons| reasons.get(&closing.reason));
        let title = titled.map_or_else(|| closing.reason.clone(), |reason| reason.title.clone());
        ClosedView {
            at: closing.at,
            reason: Some(title),
        }
    }

    fn closed(&self, one: &Finished<'_>) -> Result<ClosedView, Refused> {
        let key = one.run.id.as_bytes();
        let row = self.read::<InstanceRow>(Table::Instance, key, "an instance row")?;
        let deployment = self.deployment(&row.ok_or_else(not_found)?.deployment)?;
        let workflow = deployment.workflows.get(one.name);
        let origin = workflow.map_or(Origin::Unknown, |workflow| {
            Origin::of_output(workflow, &deployment.forms)
        });
        let reason = one.output.get("reason").filter(|reason| reason.is_string());
        Ok(ClosedView {
            at: one.at,
            reason: reason.and_then(|reason| {
                let title = origin.member("reason").title(reason);
                title.or_else(|| reason.as_str().map(str::to_owned))
            }),
        })
    }
}

/// The latest run that says whether the case is open, if it says that it is closed.
fn closing<'a, 'r>(finished: &'a [Finished<'r>]) -> Option<&'a Finished<'r>> {
    let says = |one: &&Finished<'_>| one.case_is("open") || one.case_is("closed");
    let last = finished.iter().rev().find(says);
    last.filter(|one| one.case_is("closed"))
}

/// The workflow's name without its namespace.
fn name(run: &InstanceView) -> &str {
    run.workflow.rsplit('/').next().unwrap_or(&run.workflow)
}

impl<'a> Finished<'a> {
    fn of(run: &'a InstanceView) -> Option<Self> {
        (run.status == "completed").then_some(())?;
        Some(Self {
            run,
            name: name(run),
            output: run.output.as_ref()?,
            at: run.ended?,
        })
    }

    fn case_is(&self, word: &str) -> bool {
        self.output.get("case").and_then(Value::as_str) == Some(word)
    }

    /// Whether this run began after it, as what comes next. One that was taken back did not.
    fn was_followed(&self, run: &InstanceView, workflow: &str) -> bool {
        let after = run.started.is_some_and(|at| at >= self.at);
        after && name(run) == workflow && run.id != self.run.id && run.status != "cancelled"
    }

    /// The workflows in `next`: one, or several in a list. Text is for people and no step.
    fn steps(&self, deployment: &Deployment, startable: bool) -> Vec<NextView> {
        let next = self.output.get("next").unwrap_or(&Value::Null);
        let steps = match next {
            Value::Array(steps) => &steps[..],
            other => std::slice::from_ref(other),
        };
        let from_title = deployment.workflows.get(self.name);
        let from_title = from_title.and_then(|from| from.document.title.clone());
        let step = |step: &Value| {
            let text = |key: &str| step.get(key).and_then(Value::as_str).map(str::to_owned);
            let workflow = deployment.workflows.get(text("workflow")?.as_str())?;
            Some(NextView {
                workflow: workflow.document.name.clone(),
                title: workflow.document.title.clone(),
                from: self.run.id.clone(),
                from_title: from_title.clone(),
                since: self.at,
                on: text("on").and_then(|day| day.parse::<Date>().ok()),
                note: text("note"),
                input: step.get("input").cloned().unwrap_or_else(|| json!({})),
                startable,
            })
        };
        steps.iter().filter_map(step).take(NEXT_MAX).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finished(workflow: &str, at: i64, output: Value) -> InstanceView {
        let at = Timestamp::from_second(at).unwrap();
        InstanceView {
            id: format!("{workflow}-{at}"),
            workflow: format!("agency/{workflow}"),
            version: "1.0.0".to_owned(),
            case: "c".to_owned(),
            status: "completed".to_owned(),
            output: Some(output),
            error: None,
            parent: None,
            waiting: Vec::new(),
            retryable: false,
            started: Some(at),
            ended: Some(at),
        }
    }

    #[track_caller]
    fn check(words: &[Option<&str>], closed_at: Option<i64>) {
        let runs: Vec<_> = (1..)
            .zip(words)
            .map(|(at, word)| finished("closure", at, json!({ "case": word })))
            .collect();
        let finished: Vec<_> = runs.iter().filter_map(Finished::of).collect();
        let found = closing(&finished).map(|one| one.at.as_second());
        assert_eq!(found, closed_at, "{words:?}");
    }

    #[test]
    fn the_latest_word_about_a_case_counts() {
        let (open, closed) = (Some("open"), Some("closed"));
        check(&[], None);
        check(&[None, open], None);
        check(&[open, closed], Some(2));
        check(&[open, closed, None], Some(2));
        check(&[closed, open], None);
        check(&[closed, Some("ajar"), closed], Some(3));
    }
}
