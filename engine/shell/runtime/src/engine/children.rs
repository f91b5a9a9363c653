//! Instances that others run: their first event, their end, and their cancellation with the
//! instance that waits for them.
//!
//! Each is written down as due in the batch that makes it due, done after the flush, and the mark
//! is taken away in the batch that does it. A crash in between leaves the mark, and recovery does
//! it.

use std::sync::Arc;

use casewright_casework::Case;
use casewright_casework::audit::Action as Audit;
use casewright_machine::{Event, Started};
use casewright_store::{Batch, Put, Table, Under};
use jiff::SignedDuration;
use sha2::{Digest, Sha256};

use super::draft::{Draft, RunError};
use super::resident::ended;
use super::shared::{ENGINE, Shared, not_found, unreadable};
use super::{Refused, start};
use crate::{id, key};

/// How long something due waits for a busy store or a full disk.
const AGAIN_MS: i64 = 500;

/// What is still to be done for an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    Begin,
    Cancel,
    BringBack,
    /// What it waited for goes on after a retry, so it waits again.
    Revive,
}

impl Due {
    pub(super) const ALL: [Self; 4] = [Self::Begin, Self::Cancel, Self::BringBack, Self::Revive];

    /// Part of the keys of rows: a format.
    const fn name(self) -> &'static str {
        match self {
            Self::Begin => "due-begin",
            Self::Cancel => "due-cancel",
            Self::BringBack => "due-bring-back",
            Self::Revive => "due-revive",
        }
    }

    pub(crate) fn key(self, instance: &str) -> Vec<u8> {
        key::join(&[self.name(), instance])
    }
}

/// The id of the instance that is run under a key: whoever repeats the intent finds the same one.
pub(crate) fn child_id(key: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(b"casewright child 1\0");
    hash.update(key.as_bytes());
    let mut text = String::from("i");
    id::encode(&hash.finalize()[..16], &mut text);
    text
}

/// Sees to something that is due, until it is done or the engine stops.
pub(crate) fn attend(shared: &Arc<Shared>, due: Due, instance: &str) {
    let (shared, instance) = (Arc::clone(shared), instance.to_owned());
    let going = shared.under_way.begin();
    tokio::spawn(async move {
        let _going = going;
        while !shared.stopping() {
            let done = match due {
                Due::Begin => shared.begin_child(&instance).await,
                Due::Cancel => shared.cancel_child(&instance).await,
                Due::BringBack => shared.bring_back(&instance).await,
                Due::Revive => shared.revive(&instance).await,
            };
            match done {
                Ok(()) => return,
                Err(Refused::Stopping) => {
                    // Whoever waits for it learns that it will not come.
                    shared.changed();
                    return;
                }
                Err(Refused::Busy | Refused::DiskFull) => {
                    let again = shared.parts.clock.now() + SignedDuration::from_millis(AGAIN_MS);
                    shared.parts.clock.wait_until(again).await;
                }
                Err(refused) => {
                    tracing::error!(
                        instance,
                        ?due,
                        refused = refused.in_log(),
                        "not done for an instance"
                    );
                    return;
                }
            }
        }
    });
}

impl Shared {
    /// What was due when the engine stopped.
    pub(crate) fn recover_due(self: &Arc<Self>) -> Result<(), Refused> {
        for due in Due::ALL {
            let prefix = key::prefix(&[due.name()]);
            let end = key::after(&prefix);
            let marks = self
                .parts
                .store
                .scan(Table::Index, &prefix, &end, usize::MAX)
                .map_err(unreadable)?;
            for (key, _) in marks {
                let instance = String::from_utf8_lossy(&key[prefix.len()..]).into_owned();
                attend(self, due, &instance);
            }
        }
        Ok(())
    }

    async fn begin_child(self: &Arc<Self>, id: &str) -> Result<(), Refused> {
        let begun = self
            .deliver(id, |draft| {
                draft.mark(Table::Index, Due::Begin.key(id), false);
                self.opening(draft)
            })
            .await;
        begun.map_err(Refused::from)
    }

    /// The first event of an instance that has only its row; `None` when it has begun before.
    fn opening(&self, draft: &mut Draft<'_>) -> Result<Option<Event>, Refused> {
        let mut row = draft.resident.row.clone();
        let Some(opening) = row.opening.take() else {
            return Ok(None);
        };
        let case = self.pending::<Case>(Table::Case, row.case.as_bytes(), "a case")?;
        let (case, _) = case.ok_or_else(not_found)?;
        draft.set_row(row);
        Ok(Some(Event::Started(Box::new(Started {
            at: draft.at,
            id: draft.resident.id.clone(),
            input: opening.input,
            started_by: opening.started_by,
            case: start::facts(&case),
            runtime: start::own(),
            depth: opening.depth,
            worked: opening.worked,
        }))))
    }

    /// An instance that has not begun begins first: what has no event cannot end.
    async fn cancel_child(self: &Arc<Self>, id: &str) -> Result<(), Refused> {
        self.begin_child(id).await?;
        let cancelled = self
            .deliver(id, |draft| {
                draft.mark(Table::Index, Due::Cancel.key(id), false);
                if ended(draft.instance().status()) {
                    return Ok(None);
                }
                draft.note_own(Audit::InstanceCancelled, None, None);
                Ok(Some(Event::Cancelled {
                    at: draft.at,
                    by: ENGINE.to_owned(),
                    reason: None,
                }))
            })
            .await;
        cancelled.map_err(Refused::from)
    }

    /// Tells the end of an instance to the one that runs it.
    async fn bring_back(self: &Arc<Self>, id: &str) -> Result<(), Refused> {
        let held = self.hold(id).await?;
        let (row, instance) = (held.row.clone(), held.instance.clone());
        drop(held);
        let (Some(parent), Some(outcome)) = (row.parent, instance.outcome()) else {
            return Ok(());
        };
        let told = self
            .deliver(&parent.instance, |draft| {
                draft.mark(Table::Index, Due::BringBack.key(id), false);
                Ok(Some(Event::ChildEnded {
                    at: draft.at,
                    key: parent.key.clone(),
                    outcome: outcome.clone(),
                    acted: instance.acted(),
                    worked: instance.worked(),
                }))
            })
            .await;
        match told {
            Ok(()) => Ok(()),
            // A timeout or a cancellation was first, or it was told before.
            Err(RunError::Mismatch) => self.unmark(Due::BringBack, id, row.case).await,
            Err(RunError::Refused(refused)) => Err(refused),
        }
    }

    pub(super) async fn unmark(&self, due: Due, id: &str, case: String) -> Result<(), Refused> {
        let batch = Batch {
            puts: vec![Put {
                table: Table::Index,
                key: due.key(id),
                value: None,
                under: Under::Case(case),
            }],
            ..Batch::default()
        };
        self.commit(batch).await
    }
}
