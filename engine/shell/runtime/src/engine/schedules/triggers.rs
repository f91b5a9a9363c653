//! Workflows that begin with events: what was gathered for them so far is a row of the agency, and
//! the event that completes it begins an instance in the batch that lets the event go.
//!
//! An event is offered to what was gathered earlier first; what nothing takes begins to gather
//! anew, so that events of several families do not wait for each other. What fits together says
//! the machine. Nothing is offered before the event before it is on disk.

use std::collections::BTreeMap;
use std::sync::Arc;

use casewright_language::schedule::{Recurs, Trigger};
use casewright_language::{Answers, Workflow};
use casewright_machine::{Gathered, Gathering, Instance, envelope, gather, shapes};
use casewright_store::{Batch, Guard, Put, Row, Table, Under};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{LastRow, OWNER, ScheduleRow, change, engine_of, owner};
use crate::engine::Refused;
use crate::engine::draft::Draft;
use crate::engine::events::{Kept, Went};
use crate::engine::shared::{Shared, refused, unreadable};
use crate::engine::start::{Beginning, begin_instance, own};
use crate::{Deployment, key, record};

/// Unfinished gatherings of one workflow; the oldest make room, and the log says so.
const GATHERINGS_MAX: usize = 1_000;

/// Bytes of all of them together: each event of the workflow reads them. The oldest make room too.
const GATHERED_BYTES_MAX: usize = 16 << 20;

/// Rounds of questions for one event.
const ASK_ROUNDS_MAX: usize = 1_000;

/// Events on their way to one instance.
#[derive(Serialize, Deserialize)]
struct GatheringRow {
    /// Of the trigger: another one does not go on with them.
    trigger: String,
    instance: Instance,
}

/// A gathering as it was read, with its key and version.
struct Open {
    key: Vec<u8>,
    version: u64,
    bytes: usize,
    instance: Instance,
}

/// Where an event came to.
struct Taken<'a> {
    from: Option<&'a Open>,
    gathered: Gathered,
}

/// Workflows that begin with events, by name.
pub(super) fn triggers(deployment: &Deployment) -> BTreeMap<&str, (&Workflow, &Trigger)> {
    let workflows = deployment.workflows.iter();
    workflows
        .filter(|(name, _)| deployment.begins_with_events(name))
        .filter_map(
            |(name, workflow)| match &workflow.schedule.as_ref()?.recurs {
                Recurs::On(trigger) => Some((name.as_str(), (workflow, trigger))),
                Recurs::After(_) | Recurs::Every(_) | Recurs::Cron(_) => None,
            },
        )
        .collect()
}

impl Shared {
    /// Workflows that may begin with an event, named as owners of timers are.
    pub(crate) fn starters(&self, agency: &str, event: &Value) -> Vec<String> {
        let Some(deployment) = self.in_force(agency) else {
            return Vec::new();
        };
        let kind = envelope::kind(event);
        triggers(&deployment)
            .into_iter()
            .filter(|(_, (_, trigger))| {
                let mut shapes = shapes(&trigger.gathers).into_iter();
                shapes.any(|shape| shape.kind.is_none_or(|known| known == kind))
            })
            .map(|(name, _)| owner(agency, name))
            .collect()
    }

    /// Whether the workflow took the event, which is on disk then.
    pub(in crate::engine) async fn offer_to_starter(
        self: &Arc<Self>,
        starter: &str,
        kept: &Kept<'_>,
        went: Went<'_>,
    ) -> Result<bool, Refused> {
        let Some((agency, name)) = super::of_owner(starter) else {
            return Ok(false);
        };
        let Some(deployment) = self.in_force(agency) else {
            return Ok(false);
        };
        let Some((workflow, trigger)) = triggers(&deployment).get(name).copied() else {
            return Ok(false);
        };
        let (open, stale) = self.gatherings(agency, name, trigger)?;
        let taken = self.offer(trigger, &open, kept).await?;
        let mut changed = stale;
        let key = taken.from.map_or_else(
            || gathering_key(agency, name, kept.key),
            |open| open.key.clone(),
        );
        let version = taken.from.map_or(0, |open| open.version);
        match taken.gathered {
            Gathered::Passed => return Ok(false),
            Gathered::Failed(_) => {
                tracing::warn!(agency, workflow = name, "too many events for one beginning");
                changed.change(agency, key, version, None);
            }
            Gathered::More(instance) => {
                let row = record::encode(&GatheringRow {
                    trigger: trigger.gathers.digest.clone(),
                    instance: *instance,
                });
                let others: Vec<_> = open.iter().filter(|one| one.key != key).collect();
                let sizes: Vec<usize> = others.iter().map(|one| one.bytes).collect();
                for oldest in &others[..in_the_way(&sizes, row.len())] {
                    tracing::warn!(
                        agency,
                        workflow = name,
                        "an unfinished beginning makes room"
                    );
                    changed.change(agency, oldest.key.clone(), oldest.version, None);
                }
                changed.change(agency, key, version, Some(row));
            }
            Gathered::Whole(input) => {
                if taken.from.is_some() {
                    changed.change(agency, key, version, None);
                }
                let at = kept.at;
                return self
                    .begin_with(&deployment, workflow, input, |draft| {
                        changed.write(&mut draft.batch);
                        went.write(kept.key, draft);
                        note_begun(draft, name, at)
                    })
                    .await;
            }
        }
        let mut batch = Batch::default();
        changed.write(&mut batch);
        went.write_to(kept.key, &Under::Agency(agency.to_owned()), &mut batch);
        let ticket = self.submit(batch).map_err(refused)?;
        ticket.flushed().await.map_err(refused)?;
        self.changed();
        Ok(true)
    }

    async fn begin_with(
        self: &Arc<Self>,
        deployment: &Arc<Deployment>,
        workflow: &Workflow,
        input: Value,
        mut also: impl FnMut(&mut Draft<'_>) -> Result<(), Refused>,
    ) -> Result<bool, Refused> {
        let who = engine_of(&deployment.pack.namespace);
        let beginning = Beginning {
            deployment,
            workflow,
            who: &who,
            case: None,
            calendar: None,
            input,
        };
        let mut unread = Ok(());
        let begun = begin_instance(self, beginning, None, |draft| {
            if let Err(refused) = also(draft) {
                unread = Err(refused);
            }
        });
        let (_, settling) = begun.await?;
        unread?;
        settling.settle().await?;
        Ok(true)
    }

    /// The first gathering that takes the event, or a new one.
    async fn offer<'o>(
        &self,
        trigger: &Trigger,
        open: &'o [Open],
        kept: &Kept<'_>,
    ) -> Result<Taken<'o>, Refused> {
        for one in open {
            let gathered = self.gather(trigger, Some(&one.instance), kept).await?;
            if !matches!(gathered, Gathered::Passed) {
                return Ok(Taken {
                    from: Some(one),
                    gathered,
                });
            }
        }
        Ok(Taken {
            from: None,
            gathered: self.gather(trigger, None, kept).await?,
        })
    }

    async fn gather(
        &self,
        trigger: &Trigger,
        so_far: Option<&Instance>,
        kept: &Kept<'_>,
    ) -> Result<Gathered, Refused> {
        let mut answers = Answers::default();
        for _ in 0..ASK_ROUNDS_MAX {
            match gather(trigger, so_far, (kept.at, &own()), kept.event, &answers) {
                Gathering::Done(gathered) => return Ok(gathered),
                Gathering::Ask(questions) => {
                    for question in questions {
                        let answer = self.parts.evaluate.evaluate(question.clone()).await;
                        answers.insert(&question, answer);
                    }
                }
            }
        }
        Err(Refused::Damaged("a schedule asks without end".to_owned()))
    }

    /// What was gathered, oldest first, and rows of a trigger that is not in force any more.
    fn gatherings(
        &self,
        agency: &str,
        name: &str,
        trigger: &Trigger,
    ) -> Result<(Vec<Open>, Changed), Refused> {
        let (mut open, mut stale) = (Vec::new(), Changed::default());
        for (key, Row { version, value }) in self.gathering_rows(&[agency, name])? {
            let row: GatheringRow = record::decode("a gathering", &value)?;
            if row.trigger == trigger.gathers.digest {
                open.push(Open {
                    key,
                    version,
                    bytes: value.len(),
                    instance: row.instance,
                });
            } else {
                stale.change(agency, key, version, None);
            }
        }
        Ok((open, stale))
    }

    fn gathering_rows(&self, of: &[&str]) -> Result<Vec<(Vec<u8>, Row)>, Refused> {
        let prefix = key::prefix(of);
        let store = &self.parts.store;
        let rows = store.scan(Table::Gathering, &prefix, &key::after(&prefix), usize::MAX);
        rows.map_err(unreadable)
    }

    /// Takes away what no workflow of the deployment would go on with.
    pub(super) fn forget_gatherings(
        &self,
        deployment: &Deployment,
        batch: &mut Batch,
    ) -> Result<(), Refused> {
        let agency = &deployment.pack.namespace;
        let known: Vec<&str> = triggers(deployment)
            .values()
            .map(|(_, trigger)| trigger.gathers.digest.as_str())
            .collect();
        for (key, row) in self.gathering_rows(&[agency])? {
            let read: GatheringRow = record::decode("a gathering", &row.value)?;
            if !known.contains(&read.trigger.as_str()) {
                batch.puts.push(Put {
                    table: Table::Gathering,
                    key,
                    value: None,
                    under: Under::Agency(agency.clone()),
                });
            }
        }
        Ok(())
    }
}

/// Rows of gatherings, with what they must still be.
#[derive(Default)]
struct Changed(Vec<(Guard, Put)>);

impl Changed {
    fn change(&mut self, agency: &str, key: Vec<u8>, version: u64, value: Option<Vec<u8>>) {
        let guard = Guard::Row {
            table: Table::Gathering,
            key: key.clone(),
            version,
        };
        let put = Put {
            table: Table::Gathering,
            key,
            value,
            under: Under::Agency(agency.to_owned()),
        };
        self.0.push((guard, put));
    }

    fn write(&self, batch: &mut Batch) {
        for (guard, put) in &self.0 {
            batch.guards.push(guard.clone());
            batch.puts.push(put.clone());
        }
    }
}

/// How many of the others, oldest first, make room for one of so many bytes.
fn in_the_way(others: &[usize], bytes: usize) -> usize {
    let mut held = others.iter().sum::<usize>() + bytes;
    let mut gone = 0;
    while gone < others.len()
        && (others.len() - gone >= GATHERINGS_MAX || held > GATHERED_BYTES_MAX)
    {
        held -= others[gone];
        gone += 1;
    }
    gone
}

/// Keys ascend as the events came that began to gather.
fn gathering_key(agency: &str, name: &str, event: &[u8]) -> Vec<u8> {
    let mut key = key::prefix(&[agency, name]);
    key.extend_from_slice(event);
    key
}

/// What began last, for those who look after it.
fn note_begun(draft: &mut Draft<'_>, name: &str, due: Timestamp) -> Result<(), Refused> {
    let agency = draft.resident.row.agency.clone();
    let row_key = key::join(&[&agency, name]);
    let before: Option<(ScheduleRow, u64)> =
        draft
            .shared
            .pending(Table::Schedule, &row_key, "a schedule")?;
    // A document that is run alone has none.
    let Some((row, version)) = before else {
        return Ok(());
    };
    let after = ScheduleRow {
        last: Some(LastRow {
            due,
            instance: draft.resident.id.clone(),
        }),
        ..row.clone()
    };
    change(
        &agency,
        name,
        Some((row, version)),
        Some(&after),
        &mut draft.batch,
    );
    Ok(())
}

/// Whether it is a workflow that begins, and not an instance.
pub(crate) fn is_starter(recipient: &str) -> bool {
    recipient.starts_with(OWNER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_make_room_by_number_and_by_bytes_and_no_more_of_them_than_needed() {
        const MIB: usize = 1 << 20;
        assert_eq!(in_the_way(&[], 1), 0);
        assert_eq!(in_the_way(&[10; GATHERINGS_MAX - 1], 10), 0);
        assert_eq!(in_the_way(&[10; GATHERINGS_MAX], 10), 1);
        assert_eq!(in_the_way(&[MIB; 15], MIB), 0);
        assert_eq!(in_the_way(&[MIB; 15], MIB + 1), 1);
        assert_eq!(in_the_way(&[1, MIB, 15 * MIB], MIB), 2);
        assert_eq!(in_the_way(&[MIB], 20 * MIB), 1);
    }
}
