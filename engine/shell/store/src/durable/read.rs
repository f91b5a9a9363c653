//! Reading: rows, histories, audit chains. Every answer comes from one moment: index, overlay and
//! view of the disk are taken together under the lock, and read after it was released.

use std::collections::BTreeMap;
use std::sync::Arc;

use casewright_casework::audit::Link;

use super::Shared;
use super::gather::Piece;
use super::index::Tail;
use super::state::State;
use crate::backend::{Backend, Snapshot, Space};
use crate::record::{
    part_first, part_key, part_range, read_links, read_segment, read_stream, row_key,
};
use crate::seal::{case_owner, damaged, owning_case};
use crate::{History, ReadError, Row, Table};

impl<B: Backend> Shared<B> {
    pub(super) fn pending(&self, table: Table, key: &[u8]) -> Result<Option<Row>, ReadError> {
        let key = row_key(table, key);
        let value = self.raw(Space::Rows, &key)?;
        value.map(|value| self.row(&key, &value)).transpose()
    }

    pub(super) fn get(&self, table: Table, key: &[u8]) -> Result<Option<Row>, ReadError> {
        let key = row_key(table, key);
        let flushed = self.lock()?.flushed()?;
        let value = flushed.get(Space::Rows, &key).map_err(ReadError::from)?;
        value.map(|value| self.row(&key, &value)).transpose()
    }

    pub(super) fn scan(
        &self,
        table: Table,
        start: &[u8],
        end: &[u8],
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Row)>, ReadError> {
        let (start, end) = (row_key(table, start), row_key(table, end));
        if start >= end {
            return Ok(Vec::new());
        }
        let flushed = self.lock()?.flushed()?;
        let (mut from, mut rows) = (start, Vec::new());
        loop {
            let wanted = limit - rows.len();
            let pairs = flushed.scan(Space::Rows, &from, &end, wanted);
            let pairs = pairs.map_err(ReadError::from)?;
            let is_last = pairs.len() < wanted;
            for (key, value) in pairs {
                match self.row(&key, &value) {
                    Ok(row) => rows.push((key[1..].to_vec(), row)),
                    Err(ReadError::Erased) => {}
                    Err(error) => return Err(error),
                }
                from = key;
            }
            if is_last || rows.len() == limit {
                return Ok(rows);
            }
            from.push(0);
        }
    }

    pub(super) fn history(&self, instance: &str) -> Result<Option<History>, ReadError> {
        let key = instance.as_bytes();
        let (unfolded, queued, segments, flushed) = {
            let state = self.lock()?;
            let stream = state.index.streams.get(instance);
            let unfolded = match stream {
                Some(stream) => {
                    let piece = Piece::whole(&state, &stream.tail)?;
                    Some((Arc::clone(&stream.case), piece))
                }
                None => None,
            };
            let queued = state.overlay.get(Space::Streams, key);
            let queued = queued.map(|change| change.value.clone());
            let segments = queued_segments(&state, instance);
            (unfolded, queued, segments, state.flushed()?)
        };
        let value = match queued {
            Some(value) => value,
            None => flushed.get(Space::Streams, key).map_err(ReadError::from)?,
        };
        let folded = value.map(|value| self.folded(key, &value)).transpose()?;
        let folded_events = folded.as_ref().map_or(0, |folded| folded.events);
        let case = match (&unfolded, &folded) {
            (None, None) => return Ok(None),
            (None, Some(folded)) => folded.case.clone(),
            (Some((case, piece)), _) if piece.first == folded_events => case.to_string(),
            (Some((case, _)), _) => {
                // It is just being erased, or a part is missing.
                self.key_of(&case_owner(case), Space::Streams.what())?;
                return Err(damaged(Space::Streams.what()));
            }
        };
        let snapshot = folded.and_then(|folded| folded.snapshot);
        let mut events = match &snapshot {
            Some(_) => Vec::new(),
            None => self.segments(instance, folded_events, &segments, &flushed)?,
        };
        if let Some((_, piece)) = unfolded {
            events.extend(self.read_events(instance, &piece)?);
        }
        Ok(Some(History {
            case,
            snapshot_events: if snapshot.is_some() { folded_events } else { 0 },
            snapshot,
            folded_events,
            events,
        }))
    }

    /// So many folded events from the first, by parts that follow on each other.
    fn segments(
        &self,
        instance: &str,
        count: u64,
        queued: &BTreeMap<Vec<u8>, Arc<[u8]>>,
        flushed: &Arc<B::Snapshot>,
    ) -> Result<Vec<Vec<u8>>, ReadError> {
        let mut events = Vec::new();
        while (events.len() as u64) < count {
            let key = part_key(instance, events.len() as u64);
            let value = match queued.get(&key) {
                Some(value) => Some(Arc::clone(value)),
                None => flushed
                    .get(Space::Segments, &key)
                    .map_err(ReadError::from)?,
            };
            let value = value.ok_or_else(|| damaged(Space::Segments.what()))?;
            let (_, plain) = self.open(Space::Segments, &key, &value)?;
            let more = read_segment(&plain)?;
            if more.is_empty() {
                return Err(damaged(Space::Segments.what()));
            }
            events.extend(more);
        }
        Ok(events)
    }

    pub(super) fn events(&self, instance: &str) -> Result<Vec<Vec<u8>>, ReadError> {
        let (flushed, unfolded) = {
            let state = self.lock()?;
            let stream = state.index.streams.get(instance);
            let tail = stream.map(|stream| &stream.tail);
            (state.flushed()?, flushed_pieces(&state, tail)?)
        };
        let mut events = self.parts(&flushed, Space::Segments, instance, read_segment)?;
        for piece in unfolded {
            join(
                &mut events,
                piece.first,
                self.read_events(instance, &piece)?,
            )?;
        }
        Ok(events)
    }

    pub(super) fn audit(&self, case: &str) -> Result<Vec<Link>, ReadError> {
        let (flushed, unfolded) = {
            let state = self.lock()?;
            let tail = state.index.chains.get(case).map(|chain| &chain.tail);
            (state.flushed()?, flushed_pieces(&state, tail)?)
        };
        let mut links = self.parts(&flushed, Space::Audit, case, read_links)?;
        for piece in unfolded {
            join(&mut links, piece.first, self.read_links(&piece)?)?;
        }
        Ok(links)
    }

    /// All folded parts of an id, which must follow on each other.
    fn parts<T>(
        &self,
        flushed: &Arc<B::Snapshot>,
        space: Space,
        id: &str,
        read: impl Fn(&[u8]) -> Result<Vec<T>, ReadError>,
    ) -> Result<Vec<T>, ReadError> {
        let (start, end) = part_range(id);
        let pairs = flushed.scan(space, &start, &end, usize::MAX);
        let mut entries = Vec::new();
        for (key, value) in pairs.map_err(ReadError::from)? {
            let (_, plain) = self.open(space, &key, &value)?;
            let first = part_first(&key).ok_or_else(|| damaged(space.what()))?;
            if first != entries.len() as u64 {
                return Err(damaged(space.what()));
            }
            entries.extend(read(&plain)?);
        }
        Ok(entries)
    }

    fn row(&self, key: &[u8], value: &[u8]) -> Result<Row, ReadError> {
        let (sealed, value) = self.open(Space::Rows, key, value)?;
        Ok(Row {
            version: sealed.version,
            value,
        })
    }

    fn folded(&self, key: &[u8], value: &[u8]) -> Result<Folded, ReadError> {
        let (sealed, plain) = self.open(Space::Streams, key, value)?;
        let case = owning_case(sealed.owner());
        let (_, snapshot) = read_stream(&plain)?;
        Ok(Folded {
            case: case
                .ok_or_else(|| damaged(Space::Streams.what()))?
                .to_owned(),
            events: sealed.version,
            snapshot: snapshot.map(<[u8]>::to_vec),
        })
    }
}

struct Folded {
    case: String,
    events: u64,
    snapshot: Option<Vec<u8>>,
}

/// Parts of its history that are not on disk yet.
fn queued_segments<S>(state: &State<S>, instance: &str) -> BTreeMap<Vec<u8>, Arc<[u8]>> {
    let stream = state.index.streams.get(instance);
    let folding = stream.map_or(&[][..], |stream| &stream.tail.folding);
    let keys = folding.iter().map(|part| part_key(instance, part.first));
    keys.filter_map(|key| {
        let value = state.overlay.get(Space::Segments, &key)?.value.clone()?;
        Some((key, value))
    })
    .collect()
}

/// The parts of a history that are on disk and, by the same view, still in the journal.
fn flushed_pieces<S>(state: &State<S>, tail: Option<&Tail>) -> Result<Vec<Piece<S>>, ReadError> {
    let Some(tail) = tail else {
        return Ok(Vec::new());
    };
    let folding = tail.folding.iter();
    let runs = folding
        .map(|part| (part.first, &part.places))
        .chain([(tail.first, &tail.places)]);
    runs.map(|(first, places)| Piece::flushed(state, first, places))
        .collect()
}

/// Adds what lies in the journal; a gap before it would be a lost part.
fn join<T>(entries: &mut Vec<T>, first: u64, more: Vec<T>) -> Result<(), ReadError> {
    if more.is_empty() {
        return Ok(());
    }
    if first != entries.len() as u64 {
        return Err(damaged(crate::record::RECORD));
    }
    entries.extend(more);
    Ok(())
}
