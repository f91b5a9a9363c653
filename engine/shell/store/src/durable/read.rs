//! Reading: rows, histories, audit chains. Every answer comes from one moment: index, overlay and
//! view of the disk are taken together under the lock, and read after it was released.

use std::sync::Arc;

use casewright_casework::audit::Link;

use super::Shared;
use super::gather::Piece;
use super::index::Tail;
use super::state::State;
use crate::backend::{Backend, Snapshot, Space};
use crate::record::{part_first, part_range, read_links, read_segment, read_stream, row_key};
use crate::seal::{damaged, owning_case};
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
        let pairs = flushed.scan(Space::Rows, &start, &end, limit);
        let rows = pairs.map_err(ReadError::from)?.into_iter();
        rows.map(|(key, value)| {
            let row = self.row(&key, &value)?;
            Ok((key[1..].to_vec(), row))
        })
        .collect()
    }

    pub(super) fn history(&self, instance: &str) -> Result<Option<History>, ReadError> {
        let key = instance.as_bytes();
        let (unfolded, queued, flushed) = {
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
            (unfolded, queued, state.flushed()?)
        };
        let value = match queued {
            Some(value) => value,
            None => flushed.get(Space::Streams, key).map_err(ReadError::from)?,
        };
        let snapshot = value.map(|value| self.snapshot(key, &value)).transpose()?;
        let snapshot_events = snapshot.as_ref().map_or(0, |snapshot| snapshot.events);
        let (case, events) = match (&unfolded, &snapshot) {
            (None, None) => return Ok(None),
            (None, Some(snapshot)) => (snapshot.case.clone(), Vec::new()),
            (Some((case, piece)), _) => {
                if piece.first != snapshot_events {
                    return Err(damaged(Space::Streams.what()));
                }
                (case.to_string(), self.read_events(instance, piece)?)
            }
        };
        Ok(Some(History {
            case,
            snapshot_events,
            snapshot: snapshot.map(|snapshot| snapshot.bytes),
            events,
        }))
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

    fn snapshot(&self, key: &[u8], value: &[u8]) -> Result<InstanceSnapshot, ReadError> {
        let (sealed, plain) = self.open(Space::Streams, key, value)?;
        let case = owning_case(sealed.owner);
        let (_, bytes) = read_stream(&plain)?;
        Ok(InstanceSnapshot {
            case: case
                .ok_or_else(|| damaged(Space::Streams.what()))?
                .to_owned(),
            events: sealed.version,
            bytes: bytes.to_vec(),
        })
    }
}

struct InstanceSnapshot {
    case: String,
    events: u64,
    bytes: Vec<u8>,
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
