//! What people have typed and not yet sent: a draft to them, called unsent here, since a draft is a
//! decision being made. One for each item and person, under the key of the case; nobody checks it,
//! and it is gone once it was sent or is no longer wanted.

use std::sync::Arc;

use casewright_casework::audit::Action;
use casewright_casework::work_item::State;
use casewright_casework::{Principal, WorkItem};
use casewright_store::{Batch, Guard, Put, SubmitError, Table, Under};

use super::shared::{Shared, not_found, refused, unreadable};
use super::work_items::{entry, note_refusal, write_item};
use super::work_lists::seen_item;
use super::{Engine, Refused, Unsent};
use crate::key;
use crate::record::{self, DraftRow};
use crate::view::DraftView;

impl Engine {
    /// Keeps an unfinished answer in place of the one before. Whoever may complete the item may.
    pub async fn save_draft(
        &self,
        who: &Principal,
        id: &str,
        unsent: Unsent,
    ) -> Result<DraftView, Refused> {
        let admitted = self.shared.admit()?;
        let (shared, who, id) = (Arc::clone(&self.shared), who.clone(), id.to_owned());
        Shared::carry(async move {
            let saved = shared.save_draft(&who, &id, unsent).await;
            drop(admitted);
            note_refusal(&shared, &who, &id, saved).await
        })
        .await
    }

    /// The principal's own unfinished answer.
    #[expect(
        clippy::unused_async,
        reason = "a store on another machine is awaited here"
    )]
    pub async fn draft(&self, who: &Principal, id: &str) -> Result<Option<DraftView>, Refused> {
        seen_item(&self.shared, who, id)?;
        let row: Option<DraftRow> =
            self.shared
                .read(Table::Draft, &key::join(&[id, &who.id]), "a draft")?;
        Ok(row.map(view))
    }

    /// Drops it; that there is none is no mistake.
    pub async fn discard_draft(&self, who: &Principal, id: &str) -> Result<(), Refused> {
        let item = seen_item(&self.shared, who, id)?;
        let batch = Batch {
            puts: vec![row(&item, &who.id, None)],
            ..Batch::default()
        };
        self.shared.commit(batch).await
    }
}

impl Shared {
    async fn save_draft(
        &self,
        who: &Principal,
        id: &str,
        unsent: Unsent,
    ) -> Result<DraftView, Refused> {
        for _ in 0..self.limits.tries_max {
            let (item, version) = self
                .pending::<WorkItem>(Table::WorkItem, id.as_bytes(), "a work item")?
                .ok_or_else(not_found)?;
            let mut guards = self.door(who, &item.case)?;
            guards.push(Guard::Row {
                table: Table::WorkItem,
                key: id.as_bytes().to_vec(),
                version,
            });
            let stead = self.stead(&item, who)?;
            guards.extend(stead.guard());
            let at = self.now();
            let actor = stead.actor(&item, who, at).map_err(Refused::Rule)?;
            let edited = item.edit(actor).map_err(Refused::Rule)?;
            let draft = DraftRow {
                at,
                revision: item.revision,
                data: unsent.data.clone(),
                comment: unsent.comment.clone(),
            };
            let mut batch = Batch {
                guards,
                puts: vec![row(&item, &who.id, Some(&draft))],
                ..Batch::default()
            };
            let first = edited != item;
            if first {
                begin(&item, &edited, who, &draft, &mut batch);
            }
            match self.submit(batch) {
                Ok(ticket) => {
                    ticket.flushed().await.map_err(refused)?;
                    if first {
                        self.changed();
                    }
                    return Ok(view(draft));
                }
                Err(SubmitError::Guard { .. }) => {}
                Err(error) => return Err(refused(error)),
            }
        }
        Err(Refused::Busy)
    }

    /// Whoever began an answer to a human task of an instance, with the task.
    pub(crate) fn drafters(&self, instance: &str) -> Result<Vec<(String, String)>, Refused> {
        let prefix = key::prefix(&["drafter", instance]);
        let rows = self
            .parts
            .store
            .scan(Table::Index, &prefix, &key::after(&prefix), usize::MAX)
            .map_err(unreadable)?;
        let drafter = |(key, row): (Vec<u8>, casewright_store::Row)| {
            let person = String::from_utf8_lossy(&key[prefix.len()..]).into_owned();
            Ok((person, record::decode("who worked on a task", &row.value)?))
        };
        rows.into_iter().map(drafter).collect()
    }
}

/// The first time that somebody writes at an item is a fact of the case: who edits a request must
/// not approve it. The timer of the item stays, since nothing moves it.
fn begin(item: &WorkItem, edited: &WorkItem, who: &Principal, draft: &DraftRow, batch: &mut Batch) {
    write_item(Some(item), edited, draft.at, batch);
    let action = Action::WorkItemDrafted;
    batch
        .audit
        .push(entry(item, &who.id, draft.at, action, None));
    if !item.approval {
        // Whoever they act for counts as well.
        let people = edited.editors.difference(&item.editors);
        batch.puts.extend(people.map(|person| Put {
            table: Table::Index,
            key: key::join(&["drafter", &item.instance, person]),
            value: Some(record::encode(&item.task)),
            under: Under::Case(item.case.clone()),
        }));
    }
}

/// Whoever has answered needs no draft any more; once an item is closed, nobody does.
pub(crate) fn forget(before: Option<&WorkItem>, now: &WorkItem, batch: &mut Batch) {
    let closed = matches!(now.state, State::Completed | State::Withdrawn);
    let decided = before.map_or(0, |before| before.decisions.len());
    let sent = |person: &String| {
        let mut fresh = now.decisions.iter().skip(decided);
        fresh.any(|decision| decision.person == *person)
    };
    let over = now.editors.iter().filter(|person| closed || sent(person));
    batch.puts.extend(over.map(|person| row(now, person, None)));
}

fn row(item: &WorkItem, person: &str, draft: Option<&DraftRow>) -> Put {
    Put {
        table: Table::Draft,
        key: key::join(&[&item.id, person]),
        value: draft.map(record::encode),
        under: Under::Case(item.case.clone()),
    }
}

fn view(row: DraftRow) -> DraftView {
    DraftView {
        saved: row.at,
        revision: row.revision,
        data: row.data,
        comment: row.comment,
    }
}
