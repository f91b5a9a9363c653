//! Everything about a batch that may be refused, decided under the lock before anything changes.

use std::collections::BTreeMap;
use std::sync::Arc;

use casewright_casework::audit;

use super::Shared;
use super::erase::Parts;
use super::gather::Gathered;
use super::index::{ChainHead, StreamHead};
use super::state::State;
use crate::backend::{Backend, Snapshot, Space};
use crate::keys::place;
use crate::record::{part_range, read_links, read_stream, row_key};
use crate::seal::{DataKey, Sealed, case_owner, damaged, owner, owning_case};
use crate::{Batch, Guard, ReadError, SubmitError, Under};

/// What a batch may rely on.
#[derive(Default)]
pub(super) struct Plan<'b> {
    /// Every key that it seals with, by owner.
    pub(super) keys: BTreeMap<Vec<u8>, Arc<DataKey>>,
    /// Owners whose key it makes, with the rows.
    pub(super) new_keys: Vec<(Vec<u8>, Vec<u8>)>,
    /// Version of each put, in order.
    pub(super) versions: Vec<u64>,
    /// Instances before the batch.
    pub(super) streams: BTreeMap<&'b str, StreamHead>,
    /// Audit chains before the batch.
    pub(super) chains: BTreeMap<&'b str, ChainHead>,
    /// Where the chains of the cases that it erases lie, in their order.
    pub(super) parts: Vec<Parts>,
}

impl<B: Backend> Shared<B> {
    pub(super) fn plan<'b>(
        &self,
        state: &mut State<B::Snapshot>,
        batch: &'b Batch,
        gathered: &Gathered,
    ) -> Result<Plan<'b>, SubmitError> {
        self.check_guards(state, &batch.guards)?;
        let mut plan = Plan::default();
        self.plan_keys(state, batch, &mut plan)?;
        self.plan_streams(state, batch, gathered, &mut plan)?;
        self.plan_chains(state, batch, &mut plan)?;
        self.plan_versions(state, batch, &mut plan)?;
        self.plan_erases(state, batch, &gathered.chains, &mut plan)?;
        Ok(plan)
    }

    /// The plan of a batch of the writer's own, which only folds audit chains.
    pub(super) fn plan_folds(
        &self,
        state: &mut State<B::Snapshot>,
        cases: &[Arc<str>],
    ) -> Result<Plan<'static>, SubmitError> {
        let mut plan = Plan::default();
        for case in cases {
            self.plan_key(state, &mut plan, case_owner(case), Some(case))?;
        }
        Ok(plan)
    }

    fn check_guards(
        &self,
        state: &mut State<B::Snapshot>,
        guards: &[Guard],
    ) -> Result<(), SubmitError> {
        for (index, guard) in guards.iter().enumerate() {
            let holds = match guard {
                Guard::Row {
                    table,
                    key,
                    version,
                } => self.version(state, &row_key(*table, key))? == *version,
                Guard::Instance { id, events } => {
                    let head = self.stream_head(state, id)?;
                    head.map_or(0, |head| head.events) == *events
                }
                Guard::Chain { case, links } => self.chain_head(state, case)?.next == *links,
            };
            if !holds {
                return Err(SubmitError::Guard { index });
            }
        }
        Ok(())
    }

    fn plan_keys(
        &self,
        state: &mut State<B::Snapshot>,
        batch: &Batch,
        plan: &mut Plan<'_>,
    ) -> Result<(), SubmitError> {
        for case in &batch.opens {
            self.plan_key(state, plan, case_owner(case), None)?;
        }
        let events = batch.events.iter().map(|event| &event.case);
        let audits = batch.audit.iter().map(|append| &append.case);
        let folds = batch.folds.iter().map(|fold| &fold.case);
        for case in events.chain(audits).chain(folds) {
            self.plan_key(state, plan, case_owner(case), Some(case))?;
        }
        for put in batch.puts.iter().filter(|put| put.value.is_some()) {
            let existing = match &put.under {
                Under::Agency(_) => None,
                Under::Case(case) => Some(case.as_str()),
            };
            self.plan_key(state, plan, owner(&put.under), existing)?;
        }
        Ok(())
    }

    /// Finds a key; `existing` names a case that must have one, otherwise it is made.
    pub(super) fn plan_key(
        &self,
        state: &mut State<B::Snapshot>,
        plan: &mut Plan<'_>,
        owner: Vec<u8>,
        existing: Option<&str>,
    ) -> Result<(), SubmitError> {
        if plan.keys.contains_key(&owner) {
            return Ok(());
        }
        let key = match (self.known_key(state, &owner)?, existing) {
            (Some(key), _) => key,
            (None, Some(case)) => return Err(SubmitError::UnknownCase(case.to_owned())),
            (None, None) => {
                let (key, row) = self.keyring.create(&owner, &state.nonces.next().bytes)?;
                plan.new_keys.push((owner.clone(), row));
                key
            }
        };
        plan.keys.insert(owner, key);
        Ok(())
    }

    fn plan_streams<'b>(
        &self,
        state: &mut State<B::Snapshot>,
        batch: &'b Batch,
        gathered: &Gathered,
        plan: &mut Plan<'b>,
    ) -> Result<(), SubmitError> {
        let mut added: BTreeMap<&str, u64> = BTreeMap::new();
        for event in &batch.events {
            self.plan_stream(state, plan, &event.instance, &event.case)?;
            *added.entry(&event.instance).or_default() += 1;
        }
        for (index, fold) in batch.folds.iter().enumerate() {
            self.plan_stream(state, plan, &fold.instance, &fold.case)?;
            let before = plan.streams[&*fold.instance].events;
            let after = before + added.get(fold.instance.as_str()).copied().unwrap_or(0);
            let tail = state.index.streams.get(fold.instance.as_str());
            let whole = match gathered.events.get(&fold.instance) {
                Some(moving) => moving.is_whole(tail.map(|stream| &stream.tail)),
                None => tail.is_none_or(|stream| stream.tail.places.is_empty()),
            };
            if after != fold.events || after == 0 || !whole {
                let index = batch.guards.len() + index;
                return Err(SubmitError::Guard { index });
            }
        }
        Ok(())
    }

    fn plan_stream<'b>(
        &self,
        state: &mut State<B::Snapshot>,
        plan: &mut Plan<'b>,
        instance: &'b str,
        case: &str,
    ) -> Result<(), SubmitError> {
        if !plan.streams.contains_key(instance) {
            let head = self.stream_head(state, instance)?;
            let head = head.unwrap_or_else(|| StreamHead {
                case: Arc::from(case),
                events: 0,
                active: false,
            });
            plan.streams.insert(instance, head);
        }
        if &*plan.streams[instance].case == case {
            Ok(())
        } else {
            Err(SubmitError::UnknownCase(case.to_owned()))
        }
    }

    fn plan_chains<'b>(
        &self,
        state: &mut State<B::Snapshot>,
        batch: &'b Batch,
        plan: &mut Plan<'b>,
    ) -> Result<(), SubmitError> {
        for append in &batch.audit {
            if plan.chains.contains_key(&*append.case) {
                continue;
            }
            let owner = case_owner(&append.case);
            let is_new = plan.new_keys.iter().any(|(new, _)| *new == owner);
            let head = if is_new {
                ChainHead::first(&append.case)
            } else {
                self.chain_head(state, &append.case)?
            };
            plan.chains.insert(&append.case, head);
        }
        Ok(())
    }

    fn plan_versions(
        &self,
        state: &mut State<B::Snapshot>,
        batch: &Batch,
        plan: &mut Plan<'_>,
    ) -> Result<(), SubmitError> {
        let mut changed: BTreeMap<Vec<u8>, u64> = BTreeMap::new();
        for put in &batch.puts {
            let key = row_key(put.table, &put.key);
            let before = match changed.get(&key) {
                Some(version) => *version,
                None => self.version(state, &key)?,
            };
            let after = if put.value.is_some() { before + 1 } else { 0 };
            plan.versions.push(after);
            changed.insert(key, after);
        }
        Ok(())
    }

    /// The version of a row with what is queued; 0 when there is none.
    fn version(&self, state: &mut State<B::Snapshot>, key: &[u8]) -> Result<u64, ReadError> {
        if let Some(queued) = state.overlay.get(Space::Rows, key) {
            return queued.value.as_ref().map_or(Ok(0), |value| {
                Ok(Sealed::parse(Space::Rows.what(), value)?.version)
            });
        }
        if let Some(version) = state.versions.get(key) {
            return Ok(version);
        }
        let version = match self.flushed_value(state, Space::Rows, key)? {
            // The version is believed only from a whole value.
            Some(value) => self.open_locked(state, Space::Rows, key, &value)?.version,
            None => 0,
        };
        state.versions.insert(Arc::from(key), version);
        Ok(version)
    }

    pub(super) fn stream_head(
        &self,
        state: &mut State<B::Snapshot>,
        instance: &str,
    ) -> Result<Option<StreamHead>, ReadError> {
        if let Some(stream) = state.index.streams.get(instance) {
            return Ok(Some(StreamHead::of(stream)));
        }
        if let Some(head) = state.index.parked.get(instance) {
            return Ok(Some(head));
        }
        let key = instance.as_bytes();
        let Some(value) = self.value_locked(state, Space::Streams, key)? else {
            return Ok(None);
        };
        let opened = self.open_locked(state, Space::Streams, key, &value)?;
        let (active, _) = read_stream(&opened.plain)?;
        let head = StreamHead {
            case: Arc::from(opened.case()?),
            events: opened.version,
            active,
        };
        state.index.parked.insert(Arc::from(instance), head.clone());
        Ok(Some(head))
    }

    pub(super) fn chain_head(
        &self,
        state: &mut State<B::Snapshot>,
        case: &str,
    ) -> Result<ChainHead, ReadError> {
        if let Some(chain) = state.index.chains.get(case) {
            return Ok(ChainHead::of(chain));
        }
        if let Some(head) = state.index.quiet.get(case) {
            return Ok(head);
        }
        let (start, end) = part_range(case);
        let last = state.flushed()?.last(Space::Audit, &start, &end);
        let head = match last.map_err(ReadError::from)? {
            Some((key, value)) => {
                let opened = self.open_locked(state, Space::Audit, &key, &value)?;
                let links = read_links(&opened.plain)?;
                let last = links.last().ok_or_else(|| damaged(Space::Audit.what()))?;
                ChainHead {
                    next: last.index + 1,
                    hash: last.hash.clone(),
                }
            }
            None => ChainHead::first(case),
        };
        state.index.quiet.insert(Arc::from(case), head.clone());
        Ok(head)
    }

    fn known_key(
        &self,
        state: &State<B::Snapshot>,
        owner: &[u8],
    ) -> Result<Option<Arc<DataKey>>, ReadError> {
        self.keyring
            .get(owner, || self.value_locked(state, Space::Keys, owner))
    }

    pub(super) fn value_locked(
        &self,
        state: &State<B::Snapshot>,
        space: Space,
        key: &[u8],
    ) -> Result<Option<Arc<[u8]>>, ReadError> {
        match state.overlay.get(space, key) {
            Some(queued) => Ok(queued.value.clone()),
            None => self.flushed_value(state, space, key),
        }
    }

    #[expect(clippy::unused_self, reason = "reads beside its siblings")]
    fn flushed_value(
        &self,
        state: &State<B::Snapshot>,
        space: Space,
        key: &[u8],
    ) -> Result<Option<Arc<[u8]>>, ReadError> {
        state.flushed()?.get(space, key).map_err(ReadError::from)
    }

    fn open_locked(
        &self,
        state: &State<B::Snapshot>,
        space: Space,
        key: &[u8],
        value: &[u8],
    ) -> Result<Opened, ReadError> {
        let sealed = Sealed::parse(space.what(), value)?;
        let data_key = self.known_key(state, sealed.owner())?;
        let data_key = data_key.ok_or_else(|| damaged(space.what()))?;
        Ok(Opened {
            plain: data_key.open(place(space, key), &sealed, &self.openings)?,
            version: sealed.version,
            owner: sealed.owner().to_vec(),
            what: space.what(),
        })
    }
}

/// A value whose seal fits.
struct Opened {
    plain: Vec<u8>,
    version: u64,
    owner: Vec<u8>,
    what: &'static str,
}

impl Opened {
    fn case(&self) -> Result<&str, ReadError> {
        owning_case(&self.owner).ok_or_else(|| damaged(self.what))
    }
}

impl ChainHead {
    pub(super) fn first(case: &str) -> Self {
        Self {
            next: 0,
            hash: audit::genesis(case),
        }
    }
}

impl From<ReadError> for SubmitError {
    fn from(error: ReadError) -> Self {
        Self::Read(error)
    }
}
