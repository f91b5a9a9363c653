//! Workflows that begin by themselves: one row for each, and a timer for those that begin at their
//! time.
//!
//! The batch that begins an instance also moves the row and the timer to the next time, so that
//! after any crash both are on disk or neither. When the times are is `casework`'s; which times
//! were missed is decided here: a timer that is seen late stands for all times up to then. One that
//! begins after the one before has ended gets its next timer in the batch that ends it.

mod triggers;

pub(crate) use triggers::is_starter;

use std::collections::BTreeMap;
use std::sync::Arc;

use casewright_casework::principal::Kind;
use casewright_casework::{Principal, Recurrence};
use casewright_language::Workflow;
use casewright_language::schedule::{Missed, Recurs, Schedule};
use casewright_store::{Batch, Guard, Put, Table, Under};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::alarms::Moved;
use super::draft::{Action, Draft};
use super::shared::{ENGINE, Shared, not_found, refused, unreadable};
use super::start::{Beginning, begin_instance};
use super::timers::Due;
use super::work_items::ALARM;
use super::{Engine, Refused};
use crate::record::{self, InstanceRow};
use crate::view::{ScheduleView, ScheduledRunView};
use crate::{Deployment, key};

/// How owners of timers begin that are schedules; ids of instances have no colon.
const OWNER: &str = "schedule:";

/// A beginning that is seen to within this time was not missed.
const LATE_SECONDS: i64 = 60;

/// Times that are shown ahead.
const AHEAD_COUNT: usize = 5;

#[derive(Debug, Clone, Serialize, Deserialize)]
struct ScheduleRow {
    workflow: String,
    /// What the times were counted from; another text is another schedule.
    recurs: String,
    /// When it was put in force.
    anchor: Timestamp,
    /// `None` when no time is left in the calendar.
    next: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last: Option<LastRow>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct LastRow {
    /// The time that was meant.
    due: Timestamp,
    instance: String,
}

/// Whose timer it is: agency and workflow.
pub(crate) fn of_owner(owner: &str) -> Option<(&str, &str)> {
    owner.strip_prefix(OWNER)?.split_once('/')
}

fn owner(agency: &str, workflow: &str) -> String {
    format!("{OWNER}{agency}/{workflow}")
}

impl Engine {
    /// What begins by itself in the principal's agency, and when.
    #[expect(
        clippy::unused_async,
        reason = "a store on another machine is awaited here"
    )]
    pub async fn schedules(&self, who: &Principal) -> Result<Vec<ScheduleView>, Refused> {
        let deployment = self.shared.in_force(&who.agency).ok_or_else(not_found)?;
        let zone = deployment.calendar().zone();
        let mut views = Vec::new();
        for (name, (workflow, schedule)) in scheduled(&deployment) {
            let key = key::join(&[&who.agency, name]);
            let row: Option<ScheduleRow> = self.shared.read(Table::Schedule, &key, "a schedule")?;
            let Some(row) = row else { continue };
            let mut view = view(&row, workflow, schedule, zone)?;
            // A run may belong to a case that is closed to whoever asks.
            let seen =
                |last: &ScheduledRunView| self.shared.seen_instance(who, &last.instance).is_ok();
            view.last = view.last.filter(seen);
            views.push(view);
        }
        Ok(views)
    }
}

fn view(
    row: &ScheduleRow,
    workflow: &Workflow,
    schedule: &Schedule,
    zone: &TimeZone,
) -> Result<ScheduleView, Refused> {
    let recurrence = recurrence(schedule, zone)?;
    let following = |at: &Timestamp| recurrence.as_ref()?.next(row.anchor, *at);
    let ahead = std::iter::successors(row.next, following);
    let (mut cron, mut every_ms, mut after_ms, mut on) = (None, None, None, None);
    match &schedule.recurs {
        Recurs::Cron(found) => cron = Some(found.source().to_owned()),
        Recurs::Every(millis) => every_ms = Some(*millis),
        Recurs::After(millis) => after_ms = Some(*millis),
        Recurs::On(trigger) => on = Some(trigger.types()),
    }
    Ok(ScheduleView {
        workflow: row.workflow.clone(),
        title: workflow.document.title.clone(),
        cron,
        every_ms,
        after_ms,
        on,
        zone: zone.iana_name().unwrap_or("UTC").to_owned(),
        missed: match schedule.missed {
            Missed::Once => "once".to_owned(),
            Missed::Skip => "skip".to_owned(),
        },
        next: ahead.take(AHEAD_COUNT).collect(),
        last: row.last.as_ref().map(|last| ScheduledRunView {
            due: last.due,
            instance: last.instance.clone(),
        }),
    })
}

/// By the name of the workflow. A document that is run alone begins once, by hand.
fn scheduled(deployment: &Deployment) -> BTreeMap<&str, (&Workflow, &Schedule)> {
    let workflows = deployment.workflows.iter();
    workflows
        .filter(|_| !deployment.stands_alone())
        .filter_map(|(name, workflow)| {
            Some((name.as_str(), (workflow, workflow.schedule.as_ref()?)))
        })
        .collect()
}

/// `None` where the times do not follow from each other.
fn recurrence(schedule: &Schedule, zone: &TimeZone) -> Result<Option<Recurrence>, Refused> {
    let found = match &schedule.recurs {
        Recurs::After(_) | Recurs::On(_) => return Ok(None),
        Recurs::Every(millis) => {
            let time = SignedDuration::from_millis(i64::try_from(*millis).unwrap_or(i64::MAX));
            Recurrence::every(time).ok_or_else(|| "no time at all".to_owned())
        }
        Recurs::Cron(cron) => Recurrence::wall(&cron.six_fields(), zone.clone()),
    };
    found.map(Some).map_err(|message| Refused::Invalid {
        code: "pack-invalid",
        status: 422,
        message: format!("a schedule cannot be followed: {message}"),
    })
}

/// Two schedules with the same text have the same times.
fn written(schedule: &Schedule, zone: &TimeZone) -> String {
    match &schedule.recurs {
        Recurs::Every(millis) => format!("every {millis}"),
        Recurs::After(millis) => format!("after {millis}"),
        Recurs::On(trigger) => format!("on {}", trigger.gathers.digest),
        Recurs::Cron(cron) => {
            format!(
                "cron {} {}",
                cron.source(),
                zone.iana_name().unwrap_or("UTC")
            )
        }
    }
}

/// The first time after `from`, where it can be told.
fn next(
    schedule: &Schedule,
    zone: &TimeZone,
    anchor: Timestamp,
    from: Timestamp,
) -> Result<Option<Timestamp>, Refused> {
    match &schedule.recurs {
        Recurs::After(millis) => Ok(later(from, *millis)),
        Recurs::On(_) => Ok(None),
        Recurs::Every(_) | Recurs::Cron(_) => {
            let recurrence = recurrence(schedule, zone)?;
            Ok(recurrence.and_then(|recurrence| recurrence.next(anchor, from)))
        }
    }
}

fn later(from: Timestamp, millis: u64) -> Option<Timestamp> {
    let time = SignedDuration::from_millis(i64::try_from(millis).ok()?);
    key::rounded_up(from).checked_add(time).ok()
}

impl Shared {
    /// Rows and timers of what a deployment begins; those of the one before are kept where the
    /// times are the same, and go where the workflow has no schedule any more.
    pub(super) fn establish_schedules(
        &self,
        deployment: &Deployment,
        batch: &mut Batch,
    ) -> Result<Vec<Moved>, Refused> {
        let agency = &deployment.pack.namespace;
        let zone = deployment.calendar().zone();
        let wanted = scheduled(deployment);
        let prefix = key::prefix(&[agency]);
        let scan = |end: &[u8]| {
            self.parts
                .store
                .scan(Table::Schedule, &prefix, end, usize::MAX)
        };
        let stored = scan(&key::after(&prefix)).map_err(unreadable)?;
        let mut moved = Vec::new();
        for (row_key, _) in stored {
            let name = String::from_utf8_lossy(&row_key[prefix.len()..]).into_owned();
            if !wanted.contains_key(name.as_str()) {
                let before = self.pending(Table::Schedule, &row_key, "a schedule")?;
                moved.extend(before.map(|before| change(agency, &name, Some(before), None, batch)));
            }
        }
        for (name, (_, schedule)) in wanted {
            let row_key = key::join(&[agency, name]);
            let before: Option<(ScheduleRow, u64)> =
                self.pending(Table::Schedule, &row_key, "a schedule")?;
            let recurs = written(schedule, zone);
            let same = |(row, _): &(ScheduleRow, u64)| row.recurs == recurs;
            if before.as_ref().is_some_and(same) {
                continue;
            }
            let anchor = key::rounded_up(self.now());
            let last = before.as_ref().and_then(|(row, _)| row.last.clone());
            let next = if self.waits_for(schedule, last.as_ref())? {
                None
            } else {
                next(schedule, zone, anchor, anchor)?
            };
            let row = ScheduleRow {
                workflow: name.to_owned(),
                recurs,
                anchor,
                next,
                last,
            };
            moved.push(change(agency, name, before, Some(&row), batch));
        }
        self.forget_gatherings(deployment, batch)?;
        Ok(moved)
    }

    /// Whether the instance that began last has to end first.
    fn waits_for(&self, schedule: &Schedule, last: Option<&LastRow>) -> Result<bool, Refused> {
        let (Recurs::After(_), Some(last)) = (&schedule.recurs, last) else {
            return Ok(false);
        };
        let key = last.instance.as_bytes();
        let row = self.pending::<InstanceRow>(Table::Instance, key, "an instance row")?;
        Ok(row.is_some_and(|(row, _)| row.ended_at.is_none()))
    }

    /// The timer of a schedule has come. One that the row does not know only loses its own row.
    pub(super) async fn begin_scheduled(self: &Arc<Self>, due: &Due) -> Result<(), Refused> {
        let (at, owner, _) = due;
        let Some((agency, name)) = of_owner(owner) else {
            return self.forget_scheduled(due).await;
        };
        let row_key = key::join(&[agency, name]);
        let before = self.pending::<ScheduleRow>(Table::Schedule, &row_key, "a schedule")?;
        let before = before.filter(|(row, _)| row.next == Some(*at));
        let deployment = self.in_force(agency);
        let (Some((row, version)), Some(deployment)) = (before, deployment) else {
            return self.forget_scheduled(due).await;
        };
        let Some((workflow, schedule)) = scheduled(&deployment).get(name).copied() else {
            return self.forget_scheduled(due).await;
        };
        let now = self.now();
        let zone = deployment.calendar().zone();
        let following = next(schedule, zone, row.anchor, now.max(*at))?;
        let late = now.duration_since(*at) > SignedDuration::from_secs(LATE_SECONDS);
        let skipped = late && schedule.missed == Missed::Skip;
        let next = match schedule.recurs {
            // Known when the instance that begins now has ended.
            Recurs::After(_) if !skipped => None,
            Recurs::After(_) | Recurs::Every(_) | Recurs::Cron(_) | Recurs::On(_) => following,
        };
        let after = |last: Option<LastRow>| ScheduleRow {
            next,
            last,
            ..row.clone()
        };
        let before = || Some((row.clone(), version));
        if skipped {
            let mut batch = Batch::default();
            let after = after(row.last.clone());
            let moved = change(agency, name, before(), Some(&after), &mut batch);
            let ticket = self.submit(batch).map_err(refused)?;
            let (shared, going) = (Arc::clone(self), self.under_way.begin());
            tokio::spawn(async move {
                if ticket.flushed().await.is_ok() {
                    shared.timers.move_alarm(&moved);
                }
                shared.changed();
                drop(going);
            });
            return Ok(());
        }
        let who = engine_of(agency);
        let beginning = Beginning {
            deployment: &deployment,
            workflow,
            who: &who,
            case: None,
            calendar: None,
            input: Value::Object(Map::new()),
        };
        let moved = Moved {
            item: owner.clone(),
            from: Some(*at),
            to: next,
        };
        let begun = begin_instance(self, beginning, None, |draft| {
            let last = LastRow {
                due: *at,
                instance: draft.resident.id.clone(),
            };
            let after = after(Some(last));
            change(agency, name, before(), Some(&after), &mut draft.batch);
        });
        let (begun, settling) = begun.await?;
        let (shared, going) = (Arc::clone(self), self.under_way.begin());
        tokio::spawn(async move {
            match settling.settle().await {
                Ok(()) => shared.timers.move_alarm(&moved),
                Err(refused) => {
                    tracing::warn!(
                        instance = begun.id,
                        refused = refused.in_log(),
                        "a beginning is not on disk"
                    );
                }
            }
            drop(going);
        });
        Ok(())
    }

    async fn forget_scheduled(&self, (at, owner, number): &Due) -> Result<(), Refused> {
        let agency = of_owner(owner).map_or(owner.as_str(), |(agency, _)| agency);
        let batch = Batch {
            puts: vec![Put {
                table: Table::Timer,
                key: key::timer(*at, owner, *number),
                value: None,
                under: Under::Agency(agency.to_owned()),
            }],
            ..Batch::default()
        };
        self.commit(batch).await
    }
}

impl Draft<'_> {
    /// The instance has ended: what is to begin so long after it gets its time.
    pub(super) fn begin_again(&mut self) -> Result<(), Refused> {
        let (agency, name) = (&self.resident.row.agency, &self.resident.row.workflow);
        let Some(deployment) = self.shared.in_force(agency) else {
            return Ok(());
        };
        let Some((_, schedule)) = scheduled(&deployment).get(name.as_str()).copied() else {
            return Ok(());
        };
        let Recurs::After(millis) = schedule.recurs else {
            return Ok(());
        };
        let row_key = key::join(&[agency, name]);
        let of_row = |put: &&Put| put.table == Table::Schedule && put.key == row_key;
        let (row, version) = if let Some(begun) = self.batch.puts.iter().find(of_row) {
            // It ends in the decision that began it, which has written the row and guards it.
            let row = begun.value.as_deref().unwrap_or_default();
            (record::decode::<ScheduleRow>("a schedule", row)?, None)
        } else {
            let before = self
                .shared
                .pending(Table::Schedule, &row_key, "a schedule")?;
            let Some((row, version)) = before else {
                return Ok(());
            };
            (row, Some(version))
        };
        let last = row.last.as_ref().map(|last| last.instance.as_str());
        // One that people began, or that ends a second time, changes nothing.
        if row.next.is_some() || last != Some(self.resident.id.as_str()) {
            return Ok(());
        }
        let after = ScheduleRow {
            next: later(self.at, millis),
            ..row.clone()
        };
        let mut batch = Batch::default();
        let before = Some((row, version.unwrap_or_default()));
        let moved = change(agency, name, before, Some(&after), &mut batch);
        if version.is_some() {
            self.batch.guards.extend(batch.guards);
        }
        self.batch.puts.extend(batch.puts);
        self.after_flush(Action::MoveAlarm(moved));
        Ok(())
    }
}

/// The engine itself, where nobody asked.
fn engine_of(agency: &str) -> Principal {
    Principal {
        id: ENGINE.to_owned(),
        display_name: "Casewright".to_owned(),
        agency: agency.to_owned(),
        roles: std::collections::BTreeSet::new(),
        kind: Kind::Engine,
    }
}

/// Puts the row and the timer into the batch, guarded by the row as it was.
fn change(
    agency: &str,
    name: &str,
    before: Option<(ScheduleRow, u64)>,
    after: Option<&ScheduleRow>,
    batch: &mut Batch,
) -> Moved {
    let key = key::join(&[agency, name]);
    let (before, version) = before.unzip();
    let moved = Moved {
        item: owner(agency, name),
        from: before.and_then(|row| row.next),
        to: after.and_then(|row| row.next),
    };
    batch.guards.push(Guard::Row {
        table: Table::Schedule,
        key: key.clone(),
        version: version.unwrap_or_default(),
    });
    let mut put = |table, key, value| {
        batch.puts.push(Put {
            table,
            key,
            value,
            under: Under::Agency(agency.to_owned()),
        });
    };
    put(Table::Schedule, key, after.map(record::encode));
    if moved.from != moved.to {
        for (at, value) in [(moved.from, None), (moved.to, Some(Vec::new()))] {
            if let Some(at) = at {
                put(Table::Timer, key::timer(at, &moved.item, ALARM), value);
            }
        }
    }
    moved
}
