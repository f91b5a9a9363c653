//! What all parts of a running engine share, and the small questions that many of them ask.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use casewright_casework::{Code, Principal, Refusal};
use casewright_machine::Instance;
use casewright_store::{Batch, History, ReadError, Row, SubmitError, Table, Ticket};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::calendars::Moving;
use super::calls::Calls;
use super::documents::ARRIVING_MAX;
use super::events::Inbox;
use super::forgetting::Forgetting;
use super::lifecycle::Feed;
use super::limits::Limits;
use super::numbers::Numbers;
use super::pending::Resuming;
use super::quiet::UnderWay;
use super::requests::Requests;
use super::resident::{Entered, Flushed, Held, Resident, Residents, timers};
use super::subscriptions::Subscriptions;
use super::sweep::Sweep;
use super::timers::Timers;
use super::{Parts, Refused};
use crate::deployment::Deployment;
use crate::identity::Doors;
use crate::key;
use crate::record::{self, DeploymentRow, EventRead, InstanceRow, PointerRow, Snapshot};

/// The engine's own id in audit entries: nobody can sign in under it.
pub(crate) const ENGINE: &str = "engine";

pub(crate) struct Shared {
    pub(crate) parts: Parts,
    pub(crate) limits: Limits,
    pub(crate) residents: Residents,
    pub(crate) timers: Arc<Timers>,
    pub(crate) inbox: Arc<Inbox>,
    pub(super) subscriptions: Subscriptions,
    pub(crate) under_way: Arc<UnderWay>,
    pub(crate) calls: Calls,
    pub(crate) resuming: Resuming,
    /// Places for documents that are being taken in.
    pub(crate) arriving: Arc<Semaphore>,
    pub(crate) requests: Requests,
    pub(crate) numbers: Numbers,
    pub(crate) feed: Feed,
    pub(crate) sweep: Arc<Sweep>,
    pub(crate) forgetting: Forgetting,
    pub(crate) doors: Doors,
    pub(super) moving: Moving,
    admission: Arc<Semaphore>,
    deployments: RwLock<BTreeMap<String, Arc<Deployment>>>,
    in_force: RwLock<BTreeMap<String, Arc<Deployment>>>,
    /// Held while a deployment is put in force: two at once are two, one after the other.
    pub(crate) deploying: tokio::sync::Mutex<()>,
    stopping: watch::Sender<bool>,
    ready: AtomicBool,
    /// Commits so far, to look at the journal's tail now and then.
    commits: AtomicUsize,
    latest: Mutex<Timestamp>,
    changes: watch::Sender<u64>,
}

impl Shared {
    pub(crate) fn new(parts: Parts, limits: Limits) -> Self {
        Self {
            residents: Residents::default(),
            timers: Arc::default(),
            inbox: Arc::default(),
            subscriptions: Subscriptions::default(),
            under_way: Arc::default(),
            calls: Calls::new(limits.calls_max),
            resuming: Resuming::default(),
            arriving: Arc::new(Semaphore::new(ARRIVING_MAX)),
            requests: Requests::default(),
            numbers: Numbers::default(),
            feed: Feed::default(),
            sweep: Arc::default(),
            forgetting: Forgetting::default(),
            doors: Doors::default(),
            moving: Moving::default(),
            admission: Arc::new(Semaphore::new(limits.requests_max)),
            deployments: RwLock::default(),
            in_force: RwLock::default(),
            deploying: tokio::sync::Mutex::default(),
            stopping: watch::Sender::new(false),
            ready: AtomicBool::new(false),
            commits: AtomicUsize::new(0),
            latest: Mutex::new(Timestamp::MIN),
            changes: watch::Sender::new(0),
            parts,
            limits,
        }
    }

    /// Never goes back, whatever the clock does: deadlines are not shortened by it.
    pub(crate) fn now(&self) -> Timestamp {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        *latest = (*latest).max(self.parts.clock.now());
        *latest
    }

    pub(crate) fn ready(&self) -> bool {
        self.ready.load(Ordering::Acquire) && !self.stopping()
    }

    pub(crate) fn set_ready(&self) {
        self.ready.store(true, Ordering::Release);
    }

    pub(crate) fn stopping(&self) -> bool {
        *self.stopping.borrow()
    }

    pub(crate) fn stop_signal(&self) -> watch::Receiver<bool> {
        self.stopping.subscribe()
    }

    pub(crate) fn begin_stop(&self) {
        self.stopping.send_replace(true);
    }

    pub(crate) fn changes(&self) -> &watch::Sender<u64> {
        &self.changes
    }

    /// After a flush, or when there will be none any more.
    pub(crate) fn changed(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    /// Takes a request in, or says that there are too many.
    pub(crate) fn admit(&self) -> Result<OwnedSemaphorePermit, Refused> {
        if self.stopping() {
            return Err(Refused::Stopping);
        }
        Arc::clone(&self.admission)
            .try_acquire_owned()
            .map_err(|_| Refused::Busy)
    }

    /// Starts something that ends by itself, also when whoever asked has gone away.
    pub(crate) async fn carry<T: Send + 'static>(
        work: impl Future<Output = Result<T, Refused>> + Send + 'static,
    ) -> Result<T, Refused> {
        tokio::spawn(work)
            .await
            .unwrap_or_else(|_| Err(Refused::Stopping))
    }

    pub(crate) fn submit(&self, batch: Batch) -> Result<Ticket, SubmitError> {
        let ticket = self.parts.store.submit(batch)?;
        let commits = self.commits.fetch_add(1, Ordering::Relaxed);
        if commits.is_multiple_of(COMMITS_PER_LOOK) {
            self.sweep.wake();
        }
        Ok(ticket)
    }

    /// For batches that no instance waits for.
    pub(crate) async fn commit(&self, batch: Batch) -> Result<(), Refused> {
        let ticket = self.submit(batch).map_err(refused)?;
        let flushed = ticket.flushed().await;
        self.changed();
        flushed.map(drop).map_err(refused)
    }

    /// A record as outsiders may see it.
    pub(crate) fn read<T: DeserializeOwned>(
        &self,
        table: Table,
        key: &[u8],
        what: &str,
    ) -> Result<Option<T>, Refused> {
        let row = self.parts.store.get(table, key).map_err(unreadable)?;
        row.map(|row| record::decode(what, &row.value)).transpose()
    }

    /// A record as deciders must see it, with the version to guard.
    pub(crate) fn pending<T: DeserializeOwned>(
        &self,
        table: Table,
        key: &[u8],
        what: &str,
    ) -> Result<Option<(T, u64)>, Refused> {
        let row = self.parts.store.pending(table, key).map_err(unreadable)?;
        row.map(|Row { version, value }| Ok((record::decode(what, &value)?, version)))
            .transpose()
    }

    /// The row of an instance that the principal may see, as they may its case.
    pub(crate) fn seen_instance(&self, who: &Principal, id: &str) -> Result<InstanceRow, Refused> {
        let row = self
            .read::<InstanceRow>(Table::Instance, id.as_bytes(), "an instance row")?
            .filter(|row| row.seen_by.has(who))
            .ok_or_else(not_found)?;
        self.seen_case(who, &row.case)?;
        Ok(row)
    }

    pub(crate) fn in_force(&self, agency: &str) -> Option<Arc<Deployment>> {
        let in_force = self.in_force.read().unwrap_or_else(PoisonError::into_inner);
        in_force.get(agency).map(Arc::clone)
    }

    /// Whether one of their roles looks after the agency's runs. It opens no case and exempts
    /// from no rule.
    pub(crate) fn administers(&self, who: &Principal) -> Result<(), Refused> {
        let in_force = self.in_force(&who.agency);
        if in_force.is_some_and(|found| found.pack.administers(&who.roles)) {
            return Ok(());
        }
        Err(Refused::Rule(Refusal::new(
            Code::NotAssigned,
            "none of your roles looks after the agency's runs",
        )))
    }

    pub(crate) fn put_in_force(&self, deployment: &Arc<Deployment>) {
        let mut all = self
            .deployments
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        all.insert(deployment.digest.clone(), Arc::clone(deployment));
        // What a pack binds for its plugins counts from here on, for runs under way as well.
        self.parts.invoke.bind(&deployment.pack);
        self.subscriptions.forget(&deployment.pack.namespace);
        let mut in_force = self
            .in_force
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        in_force.insert(deployment.pack.namespace.clone(), Arc::clone(deployment));
    }

    /// A deployment that is or was in force.
    pub(crate) fn deployment(&self, digest: &str) -> Result<Arc<Deployment>, Refused> {
        let known = self
            .deployments
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(digest)
            .map(Arc::clone);
        if let Some(known) = known {
            return Ok(known);
        }
        // Also one that is on its way to disk: the row that named it may be, too.
        let (row, _) = self
            .pending::<DeploymentRow>(Table::Deployment, digest.as_bytes(), "a deployed pack")?
            .ok_or_else(|| Refused::Damaged(format!("deployment {digest} is not in the store")))?;
        let read = Arc::new(Deployment::from_row(row)?);
        let mut all = self
            .deployments
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        Ok(Arc::clone(all.entry(digest.to_owned()).or_insert(read)))
    }

    pub(crate) fn load_in_force(&self) -> Result<(), Refused> {
        let rows = self
            .parts
            .store
            .scan(Table::InForce, &[], &[0xff; 64], usize::MAX)
            .map_err(unreadable)?;
        for (_, row) in rows {
            let pointer: PointerRow = record::decode("what is in force", &row.value)?;
            let deployment = self.deployment(&pointer.to)?;
            self.put_in_force(&deployment);
        }
        Ok(())
    }

    /// The right to decide for an instance, which is brought into memory.
    pub(crate) async fn hold(&self, id: &str) -> Result<Held, Refused> {
        match self.residents.enter(id).await {
            Entered::Held(held) => Ok(held),
            Entered::Vacant(vacant) => match self.rebuild(id) {
                Ok(resident) => Ok(vacant.fill(resident)),
                Err(refused) => {
                    self.residents.abandon(id, vacant);
                    Err(refused)
                }
            },
        }
    }

    /// An instance from its snapshot and the events after it. No evaluator and no clock is asked:
    /// the answers are in the journal.
    pub(crate) fn rebuild(&self, id: &str) -> Result<Resident, Refused> {
        let history = self.parts.store.history(id).map_err(unreadable)?;
        let row = self.pending::<InstanceRow>(Table::Instance, id.as_bytes(), "an instance row")?;
        let (history, row) = match (history, row) {
            (Some(history), Some((row, _))) => (history, row),
            (Some(_), None) => {
                return Err(Refused::Damaged(format!(
                    "instance {id} has events but no row"
                )));
            }
            (None, Some((row, _))) if row.opening.is_some() => (unbegun(&row), row),
            (None, _) => return Err(not_found()),
        };
        let deployment = self.deployment(&row.deployment)?;
        let (mut instance, mut at) = match &history.snapshot {
            Some(bytes) => {
                let snapshot: Snapshot = record::decode("a snapshot", bytes)?;
                (snapshot.instance, snapshot.at)
            }
            None => (Instance::pending(), row.started_at),
        };
        for (sequence, bytes) in (history.snapshot_events + 1..).zip(&history.events) {
            let read: EventRead = record::decode("an event", bytes)?;
            let deployment = self.deployment(row.deployment_at(sequence))?;
            let workflow = deployment.workflows.get(&row.workflow);
            let workflow = workflow.ok_or_else(|| no_workflow(id))?;
            at = super::draft::moment_of(&read.event).max(at);
            instance = super::draft::replay(workflow, &instance, &read, id)?.instance;
        }
        let events = history.snapshot_events + history.events.len() as u64;
        let resumes = |function: &str| {
            let digest = deployment.plugin_of(function);
            digest.is_some_and(|digest| self.parts.invoke.resumes(function, digest))
        };
        let awaited = self.awaited(&row.agency, &instance, resumes, id)?;
        Ok(Resident {
            id: id.to_owned(),
            row,
            timers: timers(&instance),
            awaited,
            instance,
            deployment,
            events,
            folded: history.folded_events,
            at,
            flushed: watch::Sender::new(Flushed::Events(events)),
            touched: self.now(),
        })
    }

    /// With all roles that a held one includes in the pack in force.
    pub(crate) fn with_included_roles(&self, mut who: Principal) -> Principal {
        let Some(deployment) = self.in_force(&who.agency) else {
            return who;
        };
        let mut open: Vec<String> = who.roles.iter().cloned().collect();
        while let Some(role) = open.pop() {
            let included = deployment.pack.roles.get(&role);
            for inner in included.into_iter().flat_map(|role| &role.includes) {
                if who.roles.insert(inner.clone()) {
                    open.push(inner.clone());
                }
            }
        }
        who
    }
}

/// An instance that has a row and no event yet.
fn unbegun(row: &InstanceRow) -> History {
    History {
        case: row.case.clone(),
        snapshot_events: 0,
        snapshot: None,
        folded_events: 0,
        events: Vec::new(),
    }
}

/// Looking at the journal's tail costs a lock; its bound has megabytes of slack.
const COMMITS_PER_LOOK: usize = 256;

pub(crate) fn not_found() -> Refused {
    Refused::Rule(Refusal::new(Code::NotFound, "there is no such thing here"))
}

pub(crate) fn no_workflow(id: &str) -> Refused {
    Refused::Damaged(format!(
        "the workflow of instance {id} is not in its deployment"
    ))
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "it is what map_err hands over"
)]
pub(crate) fn unreadable(error: ReadError) -> Refused {
    match error {
        ReadError::Erased => not_found(),
        ReadError::Damaged { .. } | ReadError::Newer { .. } | ReadError::Io(_) => {
            Refused::Damaged(error.to_string())
        }
    }
}

/// Guards that fail for good are contention: the caller has tried again before.
pub(crate) fn refused(error: SubmitError) -> Refused {
    match error {
        SubmitError::Guard { .. } | SubmitError::Full => Refused::Busy,
        SubmitError::DiskFull => Refused::DiskFull,
        SubmitError::Stopped => Refused::Stopping,
        SubmitError::UnknownCase(_) => not_found(),
        SubmitError::Read(error) => unreadable(error),
    }
}

/// Row key of what an agency has one of.
pub(crate) fn of_agency(agency: &str) -> Vec<u8> {
    key::join(&[agency])
}
