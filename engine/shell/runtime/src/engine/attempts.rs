//! What was answered: to a task that is finished, and earlier to one that a loop has come back to.

use casewright_casework::WorkItem;
use casewright_casework::work_item::{Decision, State};

use super::Refused;
use super::shared::Shared;
use crate::view::{AttemptView, PersonView};

impl Shared {
    /// How earlier runs of the item's task were answered, oldest first.
    pub(crate) fn attempts(&self, item: &WorkItem) -> Result<Vec<AttemptView>, Refused> {
        if item.number == 1 {
            return Ok(Vec::new());
        }
        let earlier = self.items_of(&item.instance)?.into_iter();
        let same = earlier.filter(|other| {
            other.reference == item.reference
                && other.number < item.number
                && other.state == State::Completed
        });
        Ok(same.filter_map(attempt).collect())
    }
}

/// What was answered to a completed item, by each who decided it.
pub(crate) fn answers(item: &WorkItem) -> Vec<AttemptView> {
    if item.state != State::Completed {
        return Vec::new();
    }
    let decisions = item.decisions.iter().cloned();
    decisions.map(|one| told(item.id.clone(), one)).collect()
}

/// The last decision is the one that counted.
fn attempt(mut item: WorkItem) -> Option<AttemptView> {
    let decision = item.decisions.pop()?;
    Some(told(item.id, decision))
}

fn told(work_item: String, decision: Decision) -> AttemptView {
    AttemptView {
        work_item,
        by: PersonView {
            id: decision.person,
            display_name: decision.display_name,
        },
        role: decision.role,
        at: decision.at,
        outcome: decision.outcome,
        comment: decision.comment,
        data: decision.data,
    }
}
