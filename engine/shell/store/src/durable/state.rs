//! What stands under the store's one lock: the queue, what it will change, and what is on disk.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use tokio::sync::oneshot;

use super::erase::Erasures;
use super::fresh::Fresh;
use super::index::{Holder, Index};
use super::room::Room;
use crate::Committed;
use crate::ReadError;
use crate::backend::{Numbered, Op, Space};
use crate::recent::Recent;
use crate::seal::Opening;

/// Versions of flushed rows remembered, per generation: about 150 bytes each.
const VERSIONS: usize = 16_384;

pub(super) struct State<S> {
    /// No more submissions; the writer ends when the queue is empty.
    pub(super) closing: bool,
    /// Closed or failed for good.
    pub(super) stopped: bool,
    /// Stopped by a planted crash: nobody is told.
    pub(super) halted: bool,
    flushed: Option<Arc<S>>,
    /// Position up to which everything is on disk.
    pub(super) flushed_position: u64,
    pub(super) next_position: u64,
    pub(super) overlay: Overlay,
    pub(super) index: Index,
    pub(super) fresh: Fresh,
    pub(super) erasures: Erasures,
    pub(super) versions: Recent<Arc<[u8]>, u64>,
    pub(super) nonces: Opening,
    pub(super) room: Room,
    pub(super) queue: VecDeque<Queued>,
    /// Batches and bytes accepted and not on disk, those being flushed included.
    pub(super) load_count: usize,
    pub(super) load_bytes: usize,
}

/// A batch, ready to be written.
pub(super) struct Queued {
    /// Its last position; ascends from batch to batch.
    pub(super) stamp: u64,
    /// For the journal, with their positions.
    pub(super) records: Vec<Numbered>,
    pub(super) ops: Vec<Op>,
    pub(super) bytes: usize,
    pub(super) cost: u64,
    /// What it folds.
    pub(super) folds: Vec<Holder>,
    /// Everything below is folded once this batch is on disk.
    pub(super) trim: Option<u64>,
    pub(super) ticket: Option<oneshot::Sender<Committed>>,
}

/// What is queued, laid over what is on disk.
#[derive(Default)]
pub(super) struct Overlay {
    spaces: [HashMap<Arc<[u8]>, Change>; Space::COUNT],
    journal: VecDeque<Numbered>,
}

pub(super) struct Change {
    stamp: u64,
    /// `None` deletes.
    pub(super) value: Option<Arc<[u8]>>,
}

impl<S> State<S> {
    pub(super) fn new(flushed: S, index: Index, next_position: u64, nonces: Opening) -> Self {
        Self {
            closing: false,
            stopped: false,
            halted: false,
            flushed: Some(Arc::new(flushed)),
            flushed_position: next_position - 1,
            next_position,
            overlay: Overlay::default(),
            index,
            fresh: Fresh::default(),
            erasures: Erasures::default(),
            versions: Recent::new(VERSIONS),
            nonces,
            room: Room::default(),
            queue: VecDeque::new(),
            load_count: 0,
            load_bytes: 0,
        }
    }

    /// What is on disk, consistent with the index while the lock is held.
    pub(super) fn flushed(&self) -> Result<Arc<S>, ReadError> {
        let flushed = self.flushed.as_ref().map(Arc::clone);
        flushed.ok_or_else(|| ReadError::Io("the store is closed".to_owned()))
    }

    pub(super) fn show(&mut self, flushed: S, position: u64) {
        self.flushed = Some(Arc::new(flushed));
        self.flushed_position = position;
    }

    /// Nothing more is taken or written, open tickets fail. Gives the last view back, once.
    pub(super) fn stop(&mut self) -> Option<Arc<S>> {
        self.latch();
        self.flushed.take()
    }

    /// Nothing more is taken or written, open tickets fail; reading goes on.
    pub(super) fn latch(&mut self) {
        self.stopped = true;
        self.queue.clear();
    }
}

impl Overlay {
    /// What is queued for a key.
    pub(super) fn get(&self, space: Space, key: &[u8]) -> Option<&Change> {
        self.spaces[space.index()].get(key)
    }

    pub(super) fn record(&self, position: u64) -> Option<&Arc<[u8]>> {
        let index = self
            .journal
            .binary_search_by_key(&position, |(position, _)| *position);
        Some(&self.journal[index.ok()?].1)
    }

    /// Positions ascend.
    pub(super) fn lay_record(&mut self, record: &Numbered) {
        self.journal.push_back(record.clone());
    }

    /// Takes away the records up to a position: they are on disk.
    pub(super) fn lift_records(&mut self, position: u64) {
        let count = self.journal.partition_point(|(at, _)| *at <= position);
        self.journal.drain(..count);
    }

    pub(super) fn lay(&mut self, stamp: u64, op: &Op) {
        let (space, key, value) = match op {
            Op::Put { space, key, value } => (space, key, Some(Arc::clone(value))),
            Op::Delete { space, key } => (space, key, None),
            Op::Append { .. } | Op::Trim { .. } => return,
        };
        self.spaces[space.index()].insert(Arc::clone(key), Change { stamp, value });
    }

    /// Takes away what is on disk, unless a later batch has changed it again.
    pub(super) fn lift(&mut self, stamp: u64, op: &Op) {
        let (space, key) = match op {
            Op::Put { space, key, .. } | Op::Delete { space, key } => (space, key),
            Op::Append { .. } | Op::Trim { .. } => return,
        };
        let changes = &mut self.spaces[space.index()];
        if changes.get(key).is_some_and(|change| change.stamp == stamp) {
            changes.remove(key);
        }
    }
}
