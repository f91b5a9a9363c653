//! Work that is not needed after all: it ends with a reason and without an answer, and the run goes
//! on in the same batch. Who may, and where, is `casework`'s.

use std::sync::Arc;

use casewright_casework::Principal;
use casewright_casework::audit::Action;
use casewright_machine::Event;

use super::draft::Draft;
use super::requests::{Ask, Asked};
use super::shared::{Shared, not_found};
use super::work_items::{completed_event, instance_of, local_day, note_refusal};
use super::work_lists::view;
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
        let admitted = self.shared.admit()?;
        let ask = match self.shared.ask(who, &format!("skip {id}"), key).await? {
            Asked::Before(answer) => return Ok(answer),
            Asked::Now(ask) => ask,
        };
        let shared = Arc::clone(&self.shared);
        let (who, id, reason) = (who.clone(), id.to_owned(), reason.to_owned());
        Shared::carry(async move {
            let skipped = shared.skip_item(&who, &id, &reason, ask.as_ref()).await;
            drop(admitted);
            note_refusal(&shared, &who, &id, skipped).await
        })
        .await
    }
}

impl Shared {
    async fn skip_item(
        self: &Arc<Self>,
        who: &Principal,
        id: &str,
        reason: &str,
        ask: Option<&Ask>,
    ) -> Result<WorkItemView, Refused> {
        let mut held = self.hold(instance_of(id)?).await?;
        let decided = self
            .decide(
                &mut held,
                ask,
                |draft| skip_item(draft, who, id, reason),
                |draft| {
                    let item = draft.held_item(id).ok_or_else(not_found)?;
                    view(self, who, item)
                },
            )
            .await;
        drop(held);
        let (view, settling) = decided?;
        settling.settle().await?;
        Ok(view)
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
