//! Earlier answers to a task that a loop has come back to: kept, and shown with the next one.

use casewright_casework::WorkItem;
use casewright_casework::work_item::State;

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

/// The last decision is the one that counted.
fn attempt(mut item: WorkItem) -> Option<AttemptView> {
    let decision = item.decisions.pop()?;
    Some(AttemptView {
        work_item: item.id,
        by: PersonView {
            id: decision.person,
            display_name: decision.display_name,
        },
        role: decision.role,
        at: decision.at,
        outcome: decision.outcome,
        comment: decision.comment,
        data: decision.data,
    })
}
