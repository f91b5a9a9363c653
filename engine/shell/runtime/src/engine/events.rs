//! Events from outside and from `emit`: taken in once, kept on disk, and brought to every instance
//! that wants them.
//!
//! ```text
//! POST ─┐   batch 1: seen (source, id) + kept event ──▶ flush ──▶ acknowledged
//! emit ─┘                                                 │
//!            batch n: one instance's event + how far it went, the last removes the kept event
//!
//! POST ───── one batch: seen + the event of the only instance that wants it (`straight`)
//! ```
//!
//! Events of one agency are brought in the order they were kept, one after the other, so that an
//! instance gets them in that order. A crash in between goes on after the last instance that has
//! it. Who wants what is in `subscriptions`; whether it fits a `listen` says the machine.

mod straight;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use casewright_casework::Principal;
use casewright_casework::audit::Action as Audit;
use casewright_language::workflow::Reach;
use casewright_machine::{Emit, Event, envelope, shapes};
use casewright_store::{Batch, Guard, Put, SubmitError, Table, Under};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::sync::Notify;

use super::draft::{Action, Draft, RunError};
use super::requests::{Ask, Asked};
use super::schedules::is_starter;
use super::shared::{Shared, refused, unreadable};
use super::{Engine, Refused, RequestKey};
use crate::key;
use crate::record::{self, InstanceRow};
use crate::view::EventView;

/// Events read at once.
const READ_MAX: usize = 256;

/// How long an event that the store does not take waits for the next try.
const AGAIN_MS: i64 = 500;

/// Bytes of the key of a kept event; what is longer says how far one went.
const KEY_BYTES: usize = 16;

#[derive(Default)]
pub(crate) struct Inbox {
    changed: Notify,
    /// Held while events are brought: whoever comes second finds it done.
    pub(super) bringing: tokio::sync::Mutex<()>,
    /// Tells events of one millisecond apart.
    count: AtomicU64,
}

/// An event on its way to the instances that want it.
#[derive(Serialize, Deserialize)]
struct KeptRow {
    agency: String,
    at: Timestamp,
    /// Only to instances of this case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    case: Option<String>,
    event: Arc<Value>,
}

/// An event as it comes from outside.
struct Arrival {
    agency: String,
    event: Arc<Value>,
    /// Key of the row that says that it was seen.
    seen: Vec<u8>,
    view: EventView,
}

/// How far an event went.
#[derive(Serialize, Deserialize)]
struct CursorRow {
    /// The latest instance that has it.
    after: String,
}

#[derive(Serialize, Deserialize)]
struct SeenRow {
    at: Timestamp,
}

impl Arrival {
    fn new(agency: String, event: Map<String, Value>) -> Self {
        let event = Arc::new(Value::Object(event));
        Self {
            seen: seen_key(&agency, &event),
            view: EventView {
                id: text(&event, "id").to_owned(),
                source: text(&event, "source").to_owned(),
            },
            agency,
            event,
        }
    }
}

impl Inbox {
    pub(crate) fn wake(&self) {
        self.changed.notify_one();
    }

    /// Later events have later keys.
    fn key(&self, at: Timestamp) -> Vec<u8> {
        let mut key = key::moment(at).to_vec();
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        key.extend_from_slice(&count.to_be_bytes());
        key
    }
}

impl Engine {
    /// Takes an event of the principal's agency in; it is on disk when this returns. An event with
    /// the same source and id is the same event: it is acknowledged and nothing more happens.
    pub async fn publish(
        &self,
        who: &Principal,
        event: Map<String, Value>,
        key: Option<RequestKey>,
    ) -> Result<EventView, Refused> {
        let admitted = self.shared.admit()?;
        envelope::check(&event).map_err(|message| Refused::Invalid {
            code: "event-invalid",
            status: 422,
            message,
        })?;
        let ask = match self.shared.ask(who, "event", key).await? {
            Asked::Before(answer) => return Ok(answer),
            Asked::Now(ask) => ask,
        };
        let (shared, agency) = (Arc::clone(&self.shared), who.agency.clone());
        Shared::carry(async move {
            let arrival = Arrival::new(agency, event);
            let taken = shared.take_in(arrival, ask.as_ref()).await;
            drop(admitted);
            taken
        })
        .await
    }

    /// Whether every event that was acknowledged has reached the instances that want it.
    pub fn events_settled(&self) -> Result<bool, Refused> {
        self.shared.nothing_kept()
    }
}

/// After every key of a kept event.
const END: [u8; KEY_BYTES + 1] = [0xff; KEY_BYTES + 1];

/// Runs until the engine stops or is dropped.
pub(crate) async fn drive(shared: Weak<Shared>) {
    loop {
        let Some(engine) = shared.upgrade() else {
            return;
        };
        let mut stop = engine.stop_signal();
        if *stop.borrow_and_update() {
            return;
        }
        let went = engine.bring_all().await;
        let (clock, inbox) = (Arc::clone(&engine.parts.clock), Arc::clone(&engine.inbox));
        drop(engine);
        if let Err(refused) = went {
            tracing::warn!(refused = refused.in_log(), "events wait");
            let again = clock.now() + SignedDuration::from_millis(AGAIN_MS);
            tokio::select! {
                () = clock.wait_until(again) => {}
                _ = stop.changed() => {}
            }
        } else {
            tokio::select! {
                () = inbox.changed.notified() => {}
                _ = stop.changed() => {}
            }
        }
    }
}

impl Shared {
    async fn take_in(
        self: &Arc<Self>,
        arrival: Arrival,
        ask: Option<&Ask>,
    ) -> Result<EventView, Refused> {
        if let Some(settling) = self.straight(&arrival, ask).await? {
            return settling.settle().await.map(|()| arrival.view);
        }
        let Arrival {
            agency,
            event,
            seen,
            view,
        } = arrival;
        for _ in 0..self.limits.tries_max {
            let flushed: Option<SeenRow> = self.read(Table::EventSeen, &seen, "a seen event")?;
            if flushed.is_some() && ask.is_none() {
                return Ok(view);
            }
            let mut batch = Batch::default();
            let at = self.now();
            let before = self.pending::<SeenRow>(Table::EventSeen, &seen, "a seen event")?;
            batch.guards.push(Guard::Row {
                table: Table::EventSeen,
                key: seen.clone(),
                version: before.as_ref().map_or(0, |(_, version)| *version),
            });
            let under = Under::Agency(agency.clone());
            // The row of one that is under way is written again, so that this one is acknowledged
            // after it.
            let row = before
                .as_ref()
                .map_or(SeenRow { at }, |(row, _)| SeenRow { at: row.at });
            batch
                .puts
                .push(put(Table::EventSeen, seen.clone(), &row, under.clone()));
            if before.is_none() {
                let row = KeptRow {
                    agency: agency.clone(),
                    at,
                    case: None,
                    event: Arc::clone(&event),
                };
                let key = self.inbox.key(at);
                batch.guards.push(fresh(&key));
                batch
                    .puts
                    .push(put(Table::EventKept, key, &row, under.clone()));
            }
            if let Some(ask) = ask {
                ask.record(&view, under, &mut batch);
            }
            match self.submit(batch) {
                Ok(ticket) => {
                    let flushed = ticket.flushed().await;
                    self.changed();
                    self.inbox.wake();
                    return flushed.map(|_| view).map_err(refused);
                }
                Err(SubmitError::Guard { .. }) => {}
                Err(error) => return Err(refused(error)),
            }
        }
        Err(Refused::Busy)
    }

    /// As far as the disk knows.
    fn nothing_kept(&self) -> Result<bool, Refused> {
        let kept = self.parts.store.scan(Table::EventKept, &[], &END, 1);
        kept.map(|rows| rows.is_empty()).map_err(unreadable)
    }

    /// Everything that is kept, oldest first.
    pub(crate) async fn bring_all(self: &Arc<Self>) -> Result<(), Refused> {
        let _one_by_one = self.inbox.bringing.lock().await;
        loop {
            let rows = self.parts.store.scan(Table::EventKept, &[], &END, READ_MAX);
            let mut brought = false;
            for (key, _) in rows.map_err(unreadable)? {
                if self.stopping() {
                    return Ok(());
                }
                // What was brought a moment ago may still be seen on disk.
                if key.len() != KEY_BYTES {
                    continue;
                }
                match self.pending::<KeptRow>(Table::EventKept, &key, "an event") {
                    Ok(None) => {}
                    Ok(Some((row, _))) => {
                        self.bring(&key, &row).await?;
                        brought = true;
                    }
                    // Its case was erased.
                    Err(Refused::Rule(_)) => self.discard(&key)?,
                    Err(refused) => {
                        tracing::error!(refused = refused.in_log(), "an event cannot be read");
                    }
                }
            }
            if !brought {
                return Ok(());
            }
        }
    }

    async fn bring(self: &Arc<Self>, key: &[u8], row: &KeptRow) -> Result<(), Refused> {
        let wanting: BTreeSet<String> = if let Some(case) = &row.case {
            self.instances_of(case)?.into_iter().collect()
        } else {
            let mut wanting = self.interested(&row.agency, &row.event)?;
            // Workflows that begin with it come after all instances.
            wanting.extend(self.starters(&row.agency, &row.event));
            wanting
        };
        let cursor = cursor_key(key);
        let cursor = self.pending::<CursorRow>(Table::EventKept, &cursor, "an event")?;
        let after = cursor.map(|(cursor, _)| cursor.after);
        let left: Vec<&String> = wanting
            .iter()
            .filter(|id| after.as_ref().is_none_or(|after| *id > after))
            .collect();
        let mut removed = false;
        for (index, id) in left.iter().enumerate() {
            if self.stopping() {
                return Ok(());
            }
            let went = if index + 1 == left.len() {
                Went::Whole
            } else {
                Went::UpTo(id)
            };
            let brought = if is_starter(id) {
                let kept = Kept {
                    key,
                    at: row.at,
                    event: &row.event,
                };
                let offered = self.offer_to_starter(id, &kept, went).await;
                offered.or_else(|refused| passed_over(id, refused))?
            } else {
                self.bring_to(id, key, row, went).await?
            };
            removed = brought && matches!(went, Went::Whole);
        }
        if removed { Ok(()) } else { self.discard(key) }
    }

    /// Whether the instance took it.
    async fn bring_to(
        self: &Arc<Self>,
        id: &str,
        key: &[u8],
        kept: &KeptRow,
        went: Went<'_>,
    ) -> Result<bool, Refused> {
        let row: Option<InstanceRow> =
            self.read(Table::Instance, id.as_bytes(), "an instance row")?;
        // What happened before an instance began is not for it.
        let may = row.is_some_and(|row| {
            row.agency == kept.agency && row.ended_at.is_none() && row.started_at <= kept.at
        });
        if !may {
            return Ok(false);
        }
        let mut held = match self.hold(id).await {
            Ok(held) => held,
            Err(refused) => return passed_over(id, refused),
        };
        let detail = named_type(&held, &kept.event);
        let decided = self
            .decide(
                &mut held,
                None,
                |draft| {
                    went.write(key, draft);
                    draft.note_own(Audit::EventReceived, None, detail.clone());
                    Ok(Some(Event::EventReceived {
                        at: draft.at,
                        envelope: Arc::clone(&kept.event),
                    }))
                },
                |_| Ok(()),
            )
            .await;
        drop(held);
        match decided {
            Ok(((), settling)) => {
                let id = id.to_owned();
                let going = self.under_way.begin();
                tokio::spawn(async move {
                    if let Err(refused) = settling.settle().await {
                        tracing::warn!(
                            instance = id,
                            refused = refused.in_log(),
                            "an event is not on disk"
                        );
                    }
                    drop(going);
                });
                Ok(true)
            }
            Err(RunError::Mismatch) => Ok(false),
            Err(RunError::Refused(refused)) => passed_over(id, refused),
        }
    }

    /// Nobody is left who wants it.
    fn discard(self: &Arc<Self>, key: &[u8]) -> Result<(), Refused> {
        let mut batch = Batch::default();
        remove(key, &Under::Agency(String::new()), &mut batch);
        let ticket = self.submit(batch).map_err(refused)?;
        let (shared, going) = (Arc::clone(self), self.under_way.begin());
        tokio::spawn(async move {
            if ticket.flushed().await.is_err() {
                tracing::warn!("an event that nobody wants is still kept on disk");
            }
            shared.changed();
            drop(going);
        });
        Ok(())
    }
}

/// A kept event, for a workflow that may begin with it.
pub(super) struct Kept<'a> {
    pub(super) key: &'a [u8],
    pub(super) at: Timestamp,
    pub(super) event: &'a Arc<Value>,
}

/// How far an event has gone with an instance.
#[derive(Clone, Copy)]
pub(super) enum Went<'a> {
    UpTo(&'a str),
    Whole,
}

impl Went<'_> {
    pub(super) fn write(self, key: &[u8], draft: &mut Draft<'_>) {
        let under = draft.under();
        self.write_to(key, &under, &mut draft.batch);
    }

    pub(super) fn write_to(self, key: &[u8], under: &Under, batch: &mut Batch) {
        batch.guards.push(Guard::Row {
            table: Table::EventKept,
            key: key.to_vec(),
            version: 1,
        });
        match self {
            Self::Whole => remove(key, under, batch),
            Self::UpTo(id) => {
                let row = CursorRow {
                    after: id.to_owned(),
                };
                let key = cursor_key(key);
                batch
                    .puts
                    .push(put(Table::EventKept, key, &row, under.clone()));
            }
        }
    }
}

impl Draft<'_> {
    /// An event of the instance's own, kept in the batch that emits it.
    pub(super) fn emit(&mut self, emit: Emit) -> Result<(), Refused> {
        let agency = self.resident.row.agency.clone();
        let seen = seen_key(&agency, &emit.event);
        let store = &self.shared.parts.store;
        let before = store.pending(Table::EventSeen, &seen).map_err(unreadable)?;
        let mut puts = self.batch.puts.iter();
        let twice = puts.any(|put| put.table == Table::EventSeen && put.key == seen);
        if before.is_some() || twice {
            return Ok(());
        }
        self.batch.guards.push(Guard::Row {
            table: Table::EventSeen,
            key: seen.clone(),
            version: 0,
        });
        let row = SeenRow { at: self.at };
        self.put(Table::EventSeen, seen, &row, Under::Agency(agency.clone()));
        let (case, under) = match emit.reach {
            Reach::Case => (Some(self.resident.row.case.clone()), self.under()),
            Reach::Agency => (None, Under::Agency(agency.clone())),
        };
        let row = KeptRow {
            agency,
            at: self.at,
            case,
            event: Arc::new(emit.event),
        };
        let key = self.shared.inbox.key(self.at);
        self.batch.guards.push(fresh(&key));
        self.put(Table::EventKept, key, &row, under);
        self.note_own(Audit::EventEmitted, None, Some(emit.task));
        self.after_flush(Action::Bring);
        Ok(())
    }
}

/// A damaged instance does not keep the others from their event; a full disk does.
fn passed_over(id: &str, refused: Refused) -> Result<bool, Refused> {
    match refused {
        Refused::Busy | Refused::DiskFull | Refused::Stopping => Err(refused),
        Refused::Rule(_) | Refused::Invalid { .. } | Refused::KeyReused | Refused::Damaged(_) => {
            tracing::error!(
                instance = id,
                refused = refused.in_log(),
                "an event could not be taken in"
            );
            Ok(false)
        }
    }
}

/// The type, where it is a word of the document and not of whoever sent it.
fn named_type(held: &super::resident::Held, event: &Value) -> Option<String> {
    let kind = envelope::kind(event);
    let mut known = shapes(held.workflow()?).into_iter();
    let known = known.any(|shape| shape.kind.as_deref() == Some(kind));
    known.then(|| kind.to_owned())
}

/// Nothing lies there: numbers begin again with the engine, and a clock may be set back.
fn fresh(key: &[u8]) -> Guard {
    Guard::Row {
        table: Table::EventKept,
        key: key.to_vec(),
        version: 0,
    }
}

fn remove(key: &[u8], under: &Under, batch: &mut Batch) {
    for key in [key.to_vec(), cursor_key(key)] {
        batch.puts.push(Put {
            table: Table::EventKept,
            key,
            value: None,
            under: under.clone(),
        });
    }
}

fn put<T: Serialize>(table: Table, key: Vec<u8>, row: &T, under: Under) -> Put {
    Put {
        table,
        key,
        value: Some(record::encode(row)),
        under,
    }
}

fn seen_key(agency: &str, event: &Value) -> Vec<u8> {
    let (source, id) = (text(event, "source"), text(event, "id"));
    key::hashed("event", &format!("{agency}\0{source}\0{id}"))
}

fn cursor_key(key: &[u8]) -> Vec<u8> {
    [key, &[0]].concat()
}

fn text<'a>(event: &'a Value, name: &str) -> &'a str {
    event.get(name).and_then(Value::as_str).unwrap_or_default()
}
