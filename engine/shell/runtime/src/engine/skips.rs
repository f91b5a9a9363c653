//! Work that is not needed after all: it ends with a reason and without an answer, and the run goes
//! on in the same batch. Who may, and where, is `casework`'s.

use casewright_casework::Principal;
use casewright_casework::audit::Action;
use casewright_machine::Event;

use super::draft::Draft;
use super::shared::not_found;
use super::work_items::{completed_event, local_day};
use super::{Engine, Refused, RequestKey};
use crate::view::WorkItemView;

impl Engine {
    /// Ends an item without an answer, where its document says who may.
    pub async fn skip(
        &self,
        who: &Principal,
        id: &str,
        reason: &str,
        key: Option<RequestKey>,
    ) -> Result<WorkItemView, Refused> {
        let reason = reason.to_owned();
        let end = move |draft: &mut Draft<'_>, who: &Principal, id: &str| {
            skip_item(draft, who, id, &reason)
        };
        self.end(who, id, ("skip", key), end).await
    }
}

fn skip_item(
    draft: &mut Draft<'_>,
    who: &Principal,
    id: &str,
    reason: &str,
) -> Result<Option<Event>, Refused> {
    let item = draft.item(id)?.ok_or_else(not_found)?;
    draft.admit(who)?;
    let skipped = item.skip(who, reason, draft.at).map_err(Refused::Rule)?;
    let outcome = skipped.decisions.last().map(|last| last.outcome.clone());
    draft.note(
        &who.id,
        Action::WorkItemSkipped,
        Some(id.to_owned()),
        outcome,
    );
    let event = completed_event(&skipped, draft.at, local_day(draft));
    draft.remember_work(&skipped)?;
    draft.set_item(skipped);
    Ok(event)
}
