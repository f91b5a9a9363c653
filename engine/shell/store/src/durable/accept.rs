//! Taking a planned batch: places in the order, seals, index, overlay, queue. Nothing here can
//! fail.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use casewright_casework::audit;
use tokio::sync::oneshot;

use super::erase::Leaving;
use super::gather::{Gathered, Moving};
use super::index::{ChainHead, Holder};
use super::plan::Plan;
use super::state::{Queued, State};
use crate::backend::{Numbered, Op, Space};
use crate::keys::{Keyring, place};
use crate::record::{
    Record, RecordEvent, journal_place, part_key, row_key, write_links, write_segment, write_stream,
};
use crate::seal::{DataKey, Place, case_owner, owner};
use crate::{AuditAppend, Batch, Committed, EventAppend, Fold, Put};

/// What submissions cost in the queue beyond their bytes.
pub(super) struct Weight {
    pub(super) bytes: usize,
    /// Bytes on disk at worst: a changed row may rewrite two pages of 4 KiB.
    pub(super) cost: u64,
}

impl Weight {
    /// Links that are sealed again.
    pub(super) fn add_links(&mut self, count: usize) {
        const LINK: usize = 256;
        self.bytes += LINK * count;
        self.cost += 2 * (LINK * count) as u64;
    }
}

pub(super) fn weigh(batch: &Batch) -> Weight {
    const ITEM: usize = 128;
    const PAGES: u64 = 8 << 10;
    let events = batch.events.iter().map(|event| event.bytes.len() + ITEM);
    let puts = batch
        .puts
        .iter()
        .map(|put| put.key.len() + put.value.as_ref().map_or(0, Vec::len) + ITEM);
    let folds = batch
        .folds
        .iter()
        .map(|fold| fold.snapshot.as_ref().map_or(0, Vec::len) + ITEM);
    let audits = batch.audit.iter().map(|_| 3 * ITEM);
    let bytes = events.chain(puts).chain(folds).chain(audits).sum::<usize>() + ITEM;
    let rows = batch.puts.len() + 3 * batch.folds.len() + batch.opens.len();
    Weight {
        bytes,
        cost: 2 * bytes as u64 + PAGES * rows as u64,
    }
}

/// A batch on its way into the queue.
pub(super) struct Accepting<'s, 'b, S> {
    pub(super) state: &'s mut State<S>,
    pub(super) keyring: &'s Keyring,
    keys: BTreeMap<Vec<u8>, Arc<DataKey>>,
    /// What each case gets into the journal, and at which position: seldom more than one.
    records: Vec<(&'b str, u64, Record)>,
    sealed: Vec<Numbered>,
    ops: Vec<Op>,
    pub(super) folds: Vec<Holder>,
    pub(super) leaving: Vec<Leaving<'b>>,
}

/// Queues the batch; the ticket's sender is kept with it.
pub(super) fn accept<S>(
    state: &mut State<S>,
    keyring: &Keyring,
    batch: &Batch,
    plan: Plan<'_>,
    mut gathered: Gathered,
    weight: &Weight,
    ticket: Option<oneshot::Sender<Committed>>,
) {
    let first = state.next_position;
    let chains = std::mem::take(&mut gathered.chains);
    let leaving = batch.erases.iter().zip(chains).zip(plan.parts);
    let leaving = leaving.map(|((erase, links), parts)| Leaving {
        erase,
        links,
        parts,
    });
    let mut accepting = Accepting {
        state,
        keyring,
        keys: plan.keys,
        records: Vec::new(),
        sealed: Vec::new(),
        ops: Vec::with_capacity(2 + batch.puts.len()),
        folds: Vec::new(),
        leaving: leaving.collect(),
    };
    for (owner, row) in plan.new_keys {
        keyring.remember(&owner, &accepting.keys[&owner]);
        accepting.put(Space::Keys, &owner, row);
    }
    let folded: BTreeSet<&str> = batch.folds.iter().map(|fold| &*fold.instance).collect();
    for event in &batch.events {
        let head = &plan.streams[&*event.instance];
        accepting.state.index.stream(&event.instance, head);
        let moving = folded
            .contains(&*event.instance)
            .then(|| moving(&mut gathered.events, &event.instance, head.events));
        accepting.event(event, moving);
    }
    gathered.links.retain(|case, moving| {
        let chain = accepting.state.index.chains.get(case.as_str());
        moving.begins(chain.map(|chain| &chain.tail))
    });
    for fold in &batch.folds {
        accepting.fold_new_links(&plan.chains, &mut gathered, &fold.case);
    }
    for append in &batch.audit {
        if accepting.link_erased(append) {
            continue;
        }
        let head = &plan.chains[&*append.case];
        accepting.link(append, head, gathered.links.get_mut(&append.case));
    }
    accepting.write_records();
    for (put, version) in batch.puts.iter().zip(plan.versions) {
        accepting.row(put, version);
    }
    if accepting.state.next_position == first {
        accepting.state.next_position += 1;
    }
    let stamp = accepting.state.next_position - 1;
    for fold in &batch.folds {
        let head = &plan.streams[&*fold.instance];
        let was_active = head.active;
        accepting.state.index.stream(&fold.instance, head);
        accepting.fold(
            fold,
            was_active,
            gathered.events.remove(&fold.instance),
            stamp,
        );
    }
    for (case, moving) in gathered.links {
        accepting.fold_chain(&case, &moving, stamp);
    }
    accepting.erase(stamp);
    accepting.queue(stamp, weight, ticket);
}

/// The part of an instance that this batch folds, made empty when nothing was gathered.
fn moving<'g>(
    gathered: &'g mut BTreeMap<String, Moving<Vec<u8>>>,
    instance: &str,
    first: u64,
) -> &'g mut Moving<Vec<u8>> {
    gathered
        .entry(instance.to_owned())
        .or_insert_with(|| Moving::none(first))
}

/// Bytes of events in a segment, unless one alone is larger: small enough to be packed, and to be
/// read without the others.
const SEGMENT_BYTES: usize = 32 << 10;

/// What becomes a segment each, with the sequence of its first event.
fn pieces(moving: &Moving<Vec<u8>>, split: bool) -> Vec<(u64, &[Vec<u8>])> {
    let mut pieces = Vec::new();
    let (mut first, mut rest) = (moving.first, moving.entries.as_slice());
    while !rest.is_empty() {
        let mut bytes = 0;
        let fits = rest.iter().take_while(|event| {
            bytes += event.len();
            bytes <= SEGMENT_BYTES
        });
        let count = if split {
            fits.count().max(1)
        } else {
            rest.len()
        };
        let (piece, after) = rest.split_at(count);
        pieces.push((first, piece));
        first += count as u64;
        rest = after;
    }
    pieces
}

impl<'b, S> Accepting<'_, 'b, S> {
    fn event(&mut self, event: &'b EventAppend, moving: Option<&mut Moving<Vec<u8>>>) {
        let slot = self.record_of(&event.case);
        let (_, position, record) = &mut self.records[slot];
        let index = &mut self.state.index;
        let sequence = index.streams[&*event.instance].tail.next();
        index.push_event(&event.instance, *position);
        match moving {
            // Folded by this very batch: it goes straight into the segment.
            Some(moving) => moving.entries.push(event.bytes.clone()),
            None => record.events.push(RecordEvent {
                instance: event.instance.clone(),
                sequence,
                bytes: event.bytes.clone(),
            }),
        }
    }

    /// Where the record of a case stands, which has its position from here on.
    fn record_of(&mut self, case: &'b str) -> usize {
        let known = self.records.iter().position(|(of, _, _)| *of == case);
        known.unwrap_or_else(|| {
            let position = self.state.next_position;
            self.state.next_position += 1;
            self.records.push((case, position, Record::default()));
            self.records.len() - 1
        })
    }

    fn link(
        &mut self,
        append: &'b AuditAppend,
        head: &ChainHead,
        moving: Option<&mut Moving<audit::Link>>,
    ) {
        let slot = self.record_of(&append.case);
        let (_, position, record) = &mut self.records[slot];
        let chain = self.state.index.chain(&append.case, head);
        // Links that others have added since it was gathered stay in the journal, and so does this.
        let moving = moving.filter(|moving| moving.is_whole(Some(&chain.tail)));
        let link = audit::link(&chain.hash, chain.tail.next(), &append.entry);
        chain.hash.clone_from(&link.hash);
        self.state.index.push_link(&append.case, *position);
        match moving {
            Some(moving) => moving.entries.push(link),
            None => record.links.push(link),
        }
    }

    /// A case with nothing unfolded: what this batch adds is folded with it at once.
    fn fold_new_links(
        &self,
        heads: &BTreeMap<&str, ChainHead>,
        gathered: &mut Gathered,
        case: &str,
    ) {
        let chain = self.state.index.chains.get(case);
        let is_settled = chain.is_none_or(|chain| chain.tail.places.is_empty());
        let (Some(head), true) = (heads.get(case), is_settled) else {
            return;
        };
        let links = &mut gathered.links;
        links
            .entry(case.to_owned())
            .or_insert_with(|| Moving::none(head.next));
    }

    /// Positions ascend as the records began.
    fn write_records(&mut self) {
        for (case, position, record) in std::mem::take(&mut self.records) {
            if record.is_empty() {
                continue;
            }
            let key = position.to_be_bytes();
            let plain = record.write();
            let nonce = self.state.nonces.next();
            // Soon gone: packing would cost more than it spares.
            let (owner, place) = (case_owner(case), journal_place(&key));
            let value = self.keys[&owner].seal(&nonce, place, &owner, position, &plain);
            self.state.index.written += value.len() as u64;
            self.state.fresh.keep(position, plain.len(), record);
            self.sealed.push((position, Arc::from(value)));
        }
    }

    fn row(&mut self, put: &Put, version: u64) {
        let key = row_key(put.table, &put.key);
        let Some(value) = &put.value else {
            self.delete(Space::Rows, &key);
            return;
        };
        let value = self.seal(place(Space::Rows, &key), &owner(&put.under), version, value);
        self.put(Space::Rows, &key, value);
    }

    fn fold(&mut self, fold: &Fold, was_active: bool, moving: Option<Moving<Vec<u8>>>, stamp: u64) {
        let owner = case_owner(&fold.case);
        let id = fold.instance.as_bytes();
        if let Some(moving) = moving {
            // One that is replayed is read by the places of its folds.
            let split = fold.snapshot.is_some();
            for (first, entries) in pieces(&moving, split) {
                let key = part_key(&fold.instance, first);
                let plain = write_segment(entries);
                let value = self.seal(place(Space::Segments, &key), &owner, first, &plain);
                self.put(Space::Segments, &key, value);
            }
        }
        let plain = write_stream(fold.active, fold.snapshot.as_deref());
        let value = self.seal(place(Space::Streams, id), &owner, fold.events, &plain);
        self.put(Space::Streams, id, value);
        if fold.active {
            let mark = self.seal(place(Space::Active, id), &owner, 0, &[]);
            self.put(Space::Active, id, mark);
        } else if was_active {
            self.delete(Space::Active, id);
        }
        let index = &mut self.state.index;
        index.fold_stream(&fold.instance, stamp);
        if let Some(stream) = index.streams.get_mut(&*fold.instance) {
            stream.active = fold.active;
        }
        self.folds
            .push(Holder::Instance(Arc::from(&*fold.instance)));
    }

    fn fold_chain(&mut self, case: &str, moving: &Moving<audit::Link>, stamp: u64) {
        if moving.entries.is_empty() {
            return;
        }
        let key = part_key(case, moving.first);
        let plain = write_links(&moving.entries);
        let value = self.seal(
            place(Space::Audit, &key),
            &case_owner(case),
            moving.first,
            &plain,
        );
        self.put(Space::Audit, &key, value);
        let count = moving.entries.len();
        self.state.index.fold_chain(case, count, stamp);
        self.folds.push(Holder::Case(Arc::from(case)));
    }

    fn queue(self, stamp: u64, weight: &Weight, ticket: Option<oneshot::Sender<Committed>>) {
        let Self {
            state,
            sealed: records,
            ops,
            folds,
            ..
        } = self;
        for record in &records {
            state.overlay.lay_record(record);
        }
        for op in &ops {
            state.overlay.lay(stamp, op);
        }
        state.load_count += 1;
        state.load_bytes += weight.bytes;
        state.room.promise(weight.cost);
        let trim = (!folds.is_empty())
            .then(|| state.index.oldest_position().unwrap_or(state.next_position));
        state.queue.push_back(Queued {
            stamp,
            records,
            ops,
            bytes: weight.bytes,
            cost: weight.cost,
            folds,
            trim,
            ticket,
        });
    }

    pub(super) fn seal(
        &mut self,
        place: Place<'_>,
        owner: &[u8],
        version: u64,
        plain: &[u8],
    ) -> Vec<u8> {
        let nonce = self.state.nonces.next();
        self.keys[owner].seal_small(&nonce, place, owner, version, plain)
    }

    pub(super) fn put(&mut self, space: Space, key: &[u8], value: Vec<u8>) {
        self.ops.push(Op::Put {
            space,
            key: Arc::from(key),
            value: Arc::from(value),
        });
    }

    pub(super) fn delete(&mut self, space: Space, key: &[u8]) {
        self.ops.push(Op::Delete {
            space,
            key: Arc::from(key),
        });
    }
}
