//! Reading unfolded histories back from journal and queue, outside the lock.

use std::collections::BTreeMap;
use std::sync::Arc;

use casewright_casework::audit::Link;

use super::Shared;
use super::index::{Place, Tail};
use super::state::State;
use crate::ReadError;
use crate::backend::{Backend, Snapshot};
use crate::record::{RECORD, Record, RecordEvent, journal_place};
use crate::seal::{Sealed, damaged};

/// A piece of a history, to be read: sequence of its first entry, and where each entry lies.
pub(super) struct Piece<S> {
    pub(super) first: u64,
    places: Vec<Place>,
    /// Those that are still in memory.
    fresh: BTreeMap<u64, Arc<Record>>,
    queued: BTreeMap<u64, Arc<[u8]>>,
    flushed: Arc<S>,
}

/// What folds move, read before the lock is taken.
#[derive(Default)]
pub(super) struct Gathered {
    pub(super) events: BTreeMap<String, Moving<Vec<u8>>>,
    pub(super) links: BTreeMap<String, Moving<Link>>,
    /// Whole chains of cases that are erased, in the order of the batch.
    pub(super) chains: Vec<Vec<Link>>,
}

/// A run of entries, from the first unfolded one.
pub(super) struct Moving<T> {
    pub(super) first: u64,
    pub(super) entries: Vec<T>,
}

impl<T> Moving<T> {
    pub(super) fn none(first: u64) -> Self {
        let entries = Vec::new();
        Self { first, entries }
    }

    /// Whether it still begins where the unfolded part begins: nobody has folded it meanwhile.
    pub(super) fn begins(&self, tail: Option<&Tail>) -> bool {
        tail.is_some_and(|tail| tail.first == self.first)
    }

    /// Whether it is still all that is unfolded.
    pub(super) fn is_whole(&self, tail: Option<&Tail>) -> bool {
        let count = tail.map_or(0, |tail| tail.places.len());
        self.begins(tail) && count == self.entries.len()
    }
}

impl<B: Backend> Shared<B> {
    /// Reads what folds of these instances, and of these cases' audit chains, would move.
    pub(super) fn gather<'a>(
        &self,
        instances: impl Iterator<Item = &'a str>,
        cases: impl Iterator<Item = &'a str>,
    ) -> Result<Gathered, ReadError> {
        let mut streams = BTreeMap::new();
        let mut chains = BTreeMap::new();
        {
            let state = self.lock()?;
            for id in instances {
                // Where nothing is unfolded nothing moves. What was folded before may reach the
                // disk before the lock is taken, and that is nobody's being first.
                if let Some(stream) = state.index.streams.get(id)
                    && !stream.tail.places.is_empty()
                {
                    streams.insert(id.to_owned(), Piece::whole(&state, &stream.tail)?);
                }
            }
            for id in cases {
                if let Some(chain) = state.index.chains.get(id)
                    && !chain.tail.places.is_empty()
                {
                    chains.insert(id.to_owned(), Piece::whole(&state, &chain.tail)?);
                }
            }
        }
        let mut gathered = Gathered::default();
        for (id, piece) in streams {
            let (first, entries) = (piece.first, self.read_events(&id, &piece)?);
            gathered.events.insert(id, Moving { first, entries });
        }
        for (id, piece) in chains {
            let (first, entries) = (piece.first, self.read_links(&piece)?);
            gathered.links.insert(id, Moving { first, entries });
        }
        Ok(gathered)
    }

    pub(super) fn read_events(
        &self,
        instance: &str,
        piece: &Piece<B::Snapshot>,
    ) -> Result<Vec<Vec<u8>>, ReadError> {
        let find = |record: &Record, sequence| {
            let is_it =
                |event: &&RecordEvent| event.sequence == sequence && event.instance == instance;
            record
                .events
                .iter()
                .find(is_it)
                .map(|event| event.bytes.clone())
        };
        self.read_piece(piece, find)
    }

    pub(super) fn read_links(&self, piece: &Piece<B::Snapshot>) -> Result<Vec<Link>, ReadError> {
        let find = |record: &Record, index| {
            record
                .links
                .iter()
                .find(|link| link.index == index)
                .cloned()
        };
        self.read_piece(piece, find)
    }

    fn read_piece<T>(
        &self,
        piece: &Piece<B::Snapshot>,
        find: impl Fn(&Record, u64) -> Option<T>,
    ) -> Result<Vec<T>, ReadError> {
        let mut entries = Vec::with_capacity(piece.places.len());
        let mut open: Option<(u64, Arc<Record>)> = None;
        for (sequence, Place { position, .. }) in (piece.first..).zip(&piece.places) {
            if open.as_ref().is_none_or(|(at, _)| at != position) {
                open = Some((*position, self.read_record(piece, *position)?));
            }
            let entry = open.as_ref().and_then(|(_, record)| find(record, sequence));
            entries.push(entry.ok_or_else(|| damaged(RECORD))?);
        }
        Ok(entries)
    }

    fn read_record(
        &self,
        piece: &Piece<B::Snapshot>,
        position: u64,
    ) -> Result<Arc<Record>, ReadError> {
        if let Some(fresh) = piece.fresh.get(&position) {
            return Ok(Arc::clone(fresh));
        }
        let value = match piece.queued.get(&position) {
            Some(value) => Some(Arc::clone(value)),
            None => piece.flushed.record(position).map_err(ReadError::from)?,
        };
        let value = value.ok_or_else(|| damaged(RECORD))?;
        self.open_record(position, &value).map(Arc::new)
    }

    pub(super) fn open_record(&self, position: u64, value: &[u8]) -> Result<Record, ReadError> {
        let sealed = Sealed::parse(RECORD, value)?;
        let key = self.key_of(sealed.owner(), RECORD)?;
        let position = position.to_be_bytes();
        let place = journal_place(&position);
        Record::read(&key.open(place, &sealed, &self.openings)?)
    }
}

impl<S> Piece<S> {
    /// The unfolded part, queued entries included.
    pub(super) fn whole(state: &State<S>, tail: &Tail) -> Result<Self, ReadError> {
        Self::new(state, tail.first, tail.places.clone())
    }

    /// The part of a run of places that is on disk.
    pub(super) fn flushed(
        state: &State<S>,
        first: u64,
        places: &[Place],
    ) -> Result<Self, ReadError> {
        let count = places.partition_point(|place| place.position <= state.flushed_position);
        Self::new(state, first, places[..count].to_vec())
    }

    fn new(state: &State<S>, first: u64, places: Vec<Place>) -> Result<Self, ReadError> {
        let (mut fresh, mut queued) = (BTreeMap::new(), BTreeMap::new());
        for Place { position, .. } in &places {
            if let Some(record) = state.fresh.get(*position) {
                fresh.insert(*position, Arc::clone(record));
            } else if *position > state.flushed_position
                && let Some(value) = state.overlay.record(*position)
            {
                queued.insert(*position, Arc::clone(value));
            }
        }
        Ok(Self {
            first,
            fresh,
            queued,
            flushed: state.flushed()?,
            places,
        })
    }
}
