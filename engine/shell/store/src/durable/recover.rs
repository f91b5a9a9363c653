//! Opening: checking that store and keys belong together, and rebuilding the index from the
//! journal's tail. Every record of the tail is unsealed once: a lost or altered one is found here,
//! before anything is served.

use std::collections::BTreeSet;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use super::erase::{ERASURES, Erasures};
use super::index::{Index, StreamHead};
use super::keep::{self, Keeper, Marking};
use super::state::State;
use super::write::{Writer, spawn};
use super::{Durable, Shared, Stopped};
use crate::backend::{Backend, Failure, Op, Snapshot, Space};
use crate::checkpoint::{Mark, Named, Point, Witness};
use crate::chunk;
use crate::key_file::EpochKeys;
use crate::keys::Keyring;
use crate::record::{RECORD, Record};
use crate::seal::{Nonces, Opening, Openings, Sealed, damaged, owning_case};
use crate::{OpenError, ReadError, Settings};

/// Format of the store as a whole. In format 2 values may be packed, and short histories have no
/// snapshot; in format 3 values may name their nonce, by the row of an opening. Everything else is
/// as in format 1.
const FORMAT: u32 = 3;
const FORMATS_READ: std::ops::RangeInclusive<u32> = 1..=FORMAT;

const FORMAT_ROW: &[u8] = b"format";
const STORE_ROW: &[u8] = b"store";
/// That the keys are those of this store.
pub(super) const CHECK_ROW: &[u8] = b"check";
/// Behind it, the number of an opening.
const OPENING_ROWS: &[u8] = b"opening";
/// How far the store has come.
pub(super) const POSITION: &[u8] = b"position";
/// What it says of kept checkpoints.
pub(super) const MARK: &[u8] = b"mark";

/// Rows read at a time.
const ROWS: usize = 256;

/// Why a store cannot be opened; the backend adds where it lies.
#[derive(Debug)]
pub(crate) enum RecoverError {
    Newer {
        found: u32,
        known: u32,
    },
    Keys(String),
    /// What was kept at this place says that the store was at another position.
    Older {
        place: String,
        kept: u64,
        found: u64,
    },
    /// What was kept at this place cannot be read.
    Unread {
        place: String,
        source: std::io::Error,
    },
    /// What was kept at this place cannot be used.
    Checkpoint {
        place: String,
        reason: String,
    },
    Damaged(String),
    Io(String),
}

impl<B: Backend> Durable<B> {
    /// Makes an empty backend a store. Durable when it returns.
    pub(crate) fn initialise(backend: &B, keys: &EpochKeys) -> Result<(), RecoverError> {
        let mut nonces = Nonces::new()?;
        let check = Keyring::new(keys).seal_meta(CHECK_ROW, &nonces.next(), &keys.store);
        let rows: [(&[u8], Vec<u8>); 3] = [
            (FORMAT_ROW, FORMAT.to_be_bytes().to_vec()),
            (STORE_ROW, keys.store.to_vec()),
            (CHECK_ROW, check),
        ];
        let ops = rows.map(|(key, value)| Op::Put {
            space: Space::Meta,
            key: Arc::from(key),
            value: Arc::from(value),
        });
        backend.apply(&mut ops.iter()).map_err(RecoverError::from)
    }

    /// Says once more what a store says of itself, when that was sealed with keys that are gone.
    pub(crate) fn renew(backend: &B, keys: &EpochKeys, position: u64) -> Result<(), RecoverError> {
        let (mut nonces, keyring) = (Nonces::new()?, Keyring::new(keys));
        let point = Point::new(position).bytes();
        let facts: [(&[u8], &[u8]); 2] = [(CHECK_ROW, &keys.store), (POSITION, &point)];
        let ops = facts.map(|(name, fact)| Op::Put {
            space: Space::Meta,
            key: Arc::from(name),
            value: Arc::from(keyring.seal_meta(name, &nonces.next(), fact)),
        });
        backend.apply(&mut ops.iter()).map_err(RecoverError::from)
    }

    /// Opens a store and starts its writer.
    pub(crate) fn open(
        backend: B,
        keys: &EpochKeys,
        settings: Settings,
        witness: Option<Arc<dyn Witness>>,
    ) -> Result<Self, RecoverError> {
        let snapshot = backend.snapshot().map_err(RecoverError::from)?;
        let keyring = Keyring::new(keys);
        let named = named(&snapshot, keys, &keyring)?;
        let point = named.point;
        // A roll that was cut off may have left the facts in an epoch before.
        let epoch = if keyring.is_rolling() {
            0
        } else {
            keys.current
        };
        let keeper = witness
            .map(|witness| Keeper::start(witness, &keyring, &named))
            .transpose()?;
        let snapshot = raise_format(&backend, snapshot)?;
        let mut openings = openings(&snapshot)?;
        let opening = openings.begin()?;
        let opening_row = opening_row(&opening);
        let erasures = fact(&snapshot, &keyring, ERASURES, Erasures::read)?;
        let mut state = State::new(snapshot, Index::new(), point.position, opening);
        state.erasures = erasures.unwrap_or_default();
        let mut shared = Shared {
            backend,
            keyring,
            openings,
            settings,
            rolling: Mutex::new(()),
            state: Mutex::new(state),
            work: Condvar::new(),
            keeper,
            unsettled: Vec::new(),
        };
        let trimmed = shared.recover()?;
        let shared = Arc::new(shared);
        let writer = Writer {
            trimmed,
            point,
            marking: Marking::new(),
            nonces: Nonces::new()?,
            opening: Some(opening_row),
            grouped: 0,
            mark: named.mark,
            epoch,
            store: keys.store,
        };
        let unstarted =
            |error: std::io::Error| RecoverError::Io(format!("cannot start a thread: {error}"));
        let keeper = keep::spawn(&shared).map_err(unstarted)?;
        let durable = Self {
            writer: Mutex::new(None),
            keeper: Mutex::new(keeper),
            shared: Arc::clone(&shared),
        };
        let writer = spawn(shared, writer).map_err(unstarted)?;
        *durable
            .writer
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(writer);
        Ok(durable)
    }
}

impl<B: Backend> Shared<B> {
    /// Fills index and unsettled; gives the position that the journal begins at.
    fn recover(&mut self) -> Result<u64, RecoverError> {
        let flushed = self.lock()?.flushed()?;
        let mut index = Index::new();
        let (mut first, mut next) = (None, 0);
        loop {
            let rows = flushed.journal(next, ROWS).map_err(RecoverError::from)?;
            if rows.is_empty() {
                break;
            }
            for (start, row) in &rows {
                first.get_or_insert(*start);
                let records = chunk::read(*start, row).ok_or_else(|| damaged(RECORD))?;
                for (position, record) in records {
                    self.recover_record(&mut index, position, record)?;
                    next = position + 1;
                }
            }
        }
        index.drop_settled();
        let mut unsettled: BTreeSet<String> =
            index.streams.keys().map(ToString::to_string).collect();
        self.recover_active(&*flushed, &mut unsettled)?;
        self.unsettled = unsettled.into_iter().collect();
        let mut state = self.lock()?;
        state.index = index;
        state.next_position = state.next_position.max(next);
        state.flushed_position = state.next_position - 1;
        self.measure(&mut state);
        Ok(first.unwrap_or(state.next_position))
    }

    fn recover_record(
        &self,
        index: &mut Index,
        position: u64,
        value: &[u8],
    ) -> Result<(), RecoverError> {
        let sealed = Sealed::parse(RECORD, value)?;
        let record = match self.open_record(position, value) {
            Err(ReadError::Erased) => return Ok(()),
            opened => opened?,
        };
        let case = owning_case(sealed.owner()).ok_or_else(|| damaged(RECORD))?;
        self.recover_events(index, position, case, &record)?;
        self.recover_links(index, position, case, &record)?;
        index.written += value.len() as u64;
        Ok(())
    }

    fn recover_events(
        &self,
        index: &mut Index,
        position: u64,
        case: &str,
        record: &Record,
    ) -> Result<(), RecoverError> {
        for event in &record.events {
            let id = event.instance.as_str();
            if !index.streams.contains_key(id) {
                let head = self.stream_head(&mut *self.lock()?, id)?;
                let head = head.unwrap_or_else(|| StreamHead {
                    case: Arc::from(case),
                    events: 0,
                    active: false,
                });
                index.stream(id, &head);
            }
            let tail = &index.streams[id].tail;
            if event.sequence < tail.first {
                continue;
            }
            if event.sequence != tail.next() {
                return Err(RecoverError::lost(position));
            }
            index.push_event(id, position);
        }
        Ok(())
    }

    fn recover_links(
        &self,
        index: &mut Index,
        position: u64,
        case: &str,
        record: &Record,
    ) -> Result<(), RecoverError> {
        for link in &record.links {
            if !index.chains.contains_key(case) {
                let head = self.chain_head(&mut *self.lock()?, case)?;
                index.chain(case, &head);
            }
            let tail = &index.chains[case].tail;
            if link.index < tail.first {
                continue;
            }
            if link.index != tail.next() {
                return Err(RecoverError::lost(position));
            }
            index.push_link(case, position);
            let chain = index.chains.get_mut(case).expect("made above");
            chain.hash.clone_from(&link.hash);
        }
        Ok(())
    }

    /// Adds the instances that are folded and yet have open effects.
    fn recover_active(
        &self,
        flushed: &B::Snapshot,
        unsettled: &mut BTreeSet<String>,
    ) -> Result<(), RecoverError> {
        let mut from = Vec::new();
        loop {
            let marks = flushed.scan(Space::Active, &from, &[0xff; 64], ROWS);
            let marks = marks.map_err(RecoverError::from)?;
            let Some((last, _)) = marks.last() else {
                return Ok(());
            };
            from.clone_from(last);
            from.push(0);
            for (key, value) in &marks {
                match self.open(Space::Active, key, value) {
                    Err(ReadError::Erased) => continue,
                    opened => opened?,
                };
                let id = String::from_utf8(key.clone());
                unsettled.insert(id.map_err(|_| damaged(Space::Active.what()))?);
            }
        }
    }
}

/// How far a store says that it came; a newer one and one of other keys are refused.
pub(crate) fn named(
    snapshot: &impl Snapshot,
    keys: &EpochKeys,
    keyring: &Keyring,
) -> Result<Named, RecoverError> {
    check_format(snapshot)?;
    check_keys(snapshot, keys, keyring)?;
    let point = fact(snapshot, keyring, POSITION, Point::read)?;
    Ok(Named {
        point: point.unwrap_or_else(|| Point::new(1)),
        mark: fact(snapshot, keyring, MARK, Mark::read)?,
    })
}

fn check_format(snapshot: &impl Snapshot) -> Result<u32, RecoverError> {
    let row = snapshot
        .get(Space::Meta, FORMAT_ROW)
        .map_err(RecoverError::from)?;
    let bytes = row.as_deref().and_then(|row| row.try_into().ok());
    match bytes.map(u32::from_be_bytes) {
        Some(found) if FORMATS_READ.contains(&found) => Ok(found),
        Some(found) if found > FORMAT => Err(RecoverError::Newer {
            found,
            known: FORMAT,
        }),
        _ => Err(RecoverError::Damaged(
            "it does not say which format it has".to_owned(),
        )),
    }
}

/// What the nonces of every opening so far begin with.
fn openings(snapshot: &impl Snapshot) -> Result<Openings, RecoverError> {
    let mut openings = Openings::default();
    let mut from = OPENING_ROWS.to_vec();
    let end = [OPENING_ROWS, &[0xff; 5]].concat();
    loop {
        let rows = snapshot.scan(Space::Meta, &from, &end, ROWS)?;
        let Some((last, _)) = rows.last() else {
            return Ok(openings);
        };
        from.clone_from(last);
        from.push(0);
        for (key, value) in &rows {
            let number = key.strip_prefix(OPENING_ROWS);
            let number = number.and_then(|number| number.try_into().ok());
            number
                .and_then(|number| openings.add(u32::from_be_bytes(number), value))
                .ok_or_else(|| damaged(Space::Meta.what()))?;
        }
    }
}

/// Not sealed: the bits are no secret, and with others no value opens.
fn opening_row(opening: &Opening) -> Op {
    let (number, prefix) = opening.row();
    Op::Put {
        space: Space::Meta,
        key: Arc::from([OPENING_ROWS, &number.to_be_bytes()].concat()),
        value: Arc::from(prefix.as_slice()),
    }
}

/// From here on older engines refuse it by name, before they meet a value that they cannot read.
fn raise_format<B: Backend>(
    backend: &B,
    snapshot: B::Snapshot,
) -> Result<B::Snapshot, RecoverError> {
    if check_format(&snapshot)? == FORMAT {
        return Ok(snapshot);
    }
    drop(snapshot);
    let op = Op::Put {
        space: Space::Meta,
        key: Arc::from(FORMAT_ROW),
        value: Arc::from(FORMAT.to_be_bytes().as_slice()),
    };
    backend.apply(&mut std::iter::once(&op))?;
    Ok(backend.snapshot()?)
}

fn check_keys(
    snapshot: &impl Snapshot,
    keys: &EpochKeys,
    keyring: &Keyring,
) -> Result<(), RecoverError> {
    let store = snapshot
        .get(Space::Meta, STORE_ROW)
        .map_err(RecoverError::from)?;
    if store.as_deref() != Some(&keys.store) {
        let reason = "belongs to another store; use the key file made with this store";
        return Err(RecoverError::Keys(reason.to_owned()));
    }
    let check = snapshot
        .get(Space::Meta, CHECK_ROW)
        .map_err(RecoverError::from)?;
    let opened = check.map(|check| keyring.open_meta(CHECK_ROW, &check));
    if opened == Some(Ok(keys.store.to_vec())) {
        return Ok(());
    }
    let reason = "does not open this store: its keys were altered, or the store was";
    Err(RecoverError::Keys(reason.to_owned()))
}

/// Whether a row of [`Space::Meta`] is sealed.
pub(crate) fn is_sealed_fact(name: &[u8]) -> bool {
    [CHECK_ROW, POSITION, MARK, ERASURES].contains(&name)
}

/// A sealed fact about the store, if it says it.
fn fact<T>(
    snapshot: &impl Snapshot,
    keyring: &Keyring,
    name: &[u8],
    read: impl Fn(&[u8]) -> Option<T>,
) -> Result<Option<T>, RecoverError> {
    let Some(row) = snapshot.get(Space::Meta, name)? else {
        return Ok(None);
    };
    let fact = read(&keyring.open_meta(name, &row)?);
    Ok(Some(fact.ok_or_else(|| damaged(Space::Meta.what()))?))
}

impl RecoverError {
    /// With the files it speaks of.
    pub(crate) fn at(self, path: &str, keys_path: &str) -> OpenError {
        let path = path.to_owned();
        match self {
            Self::Newer { found, known } => OpenError::Newer { path, found, known },
            Self::Keys(reason) => OpenError::Keys {
                path: keys_path.to_owned(),
                reason,
            },
            Self::Older { place, kept, found } => OpenError::Older {
                path,
                found,
                checkpoint: place,
                kept,
            },
            Self::Unread { place, source } => OpenError::Io {
                path: place,
                source,
            },
            Self::Checkpoint { place, reason } => OpenError::Checkpoint {
                path: place,
                reason,
            },
            Self::Damaged(reason) => OpenError::Damaged { path, reason },
            Self::Io(reason) => OpenError::Io {
                path,
                source: std::io::Error::other(reason),
            },
        }
    }

    fn lost(position: u64) -> Self {
        Self::Damaged(format!(
            "a record of the journal before position {position} is lost"
        ))
    }
}

impl From<ReadError> for RecoverError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Newer { found, known, .. } => Self::Newer { found, known },
            ReadError::Io(reason) => Self::Io(reason),
            ReadError::Damaged { .. } | ReadError::Erased => Self::Damaged(error.to_string()),
        }
    }
}

impl From<Failure> for RecoverError {
    fn from(failure: Failure) -> Self {
        ReadError::from(failure).into()
    }
}

impl From<Stopped> for RecoverError {
    fn from(stopped: Stopped) -> Self {
        ReadError::from(stopped).into()
    }
}

impl From<getrandom::Error> for RecoverError {
    fn from(error: getrandom::Error) -> Self {
        Self::Io(format!("no random bytes: {error}"))
    }
}
