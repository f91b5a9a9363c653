//! A store in memory: for tests, simulations and runs that leave nothing behind. What was flushed
//! lies on a [`Disk`], which outlives the store as a real disk outlives a process.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use casewright_casework::audit;

use crate::backend::{Backend, Failure, Numbered, Op, Pair, Snapshot, Space};
use crate::chunk;
use crate::durable::{Durable, KeyPlace, RecoverError};
use crate::key_file::EpochKeys;
use crate::{
    Batch, History, OpenError, ReadError, Rolled, Row, Settings, Store, SubmitError, Table, Ticket,
};

mod versions;

use versions::Versions;

/// Name under which this store appears in errors.
const PATH: &str = "memory";

/// A store in memory.
pub struct MemoryStore {
    durable: Durable<Memory>,
    disk: Disk,
}

/// What survives a crash: flushed values and keys. Cheap to clone, one disk.
#[derive(Clone, Default)]
pub struct Disk(Arc<Mutex<Platter>>);

#[derive(Default)]
struct Platter {
    spaces: [Versions<Vec<u8>>; Space::COUNT],
    journal: Versions<u64>,
    /// The newest group.
    stamp: u64,
    /// Views that somebody holds, by their group.
    views: BTreeMap<u64, usize>,
    /// Text of the key file.
    keys: Option<String>,
    /// Which opening may write; a crashed store may not.
    opening: u64,
    in_use: bool,
}

struct Memory {
    disk: Disk,
    opening: u64,
}

impl MemoryStore {
    /// A new, empty store.
    pub fn new(settings: Settings) -> Self {
        let opened = Self::open(&Disk::default(), settings);
        opened.expect("an empty disk opens unless the system has no random bytes or threads")
    }

    /// Opens what lies on a disk; an empty disk becomes a store.
    pub fn open(disk: &Disk, settings: Settings) -> Result<Self, OpenError> {
        let (memory, keys) = Memory::open(disk)?;
        let durable = Durable::open(memory, &keys, settings, None);
        let durable = durable.map_err(|error| {
            disk.lock().in_use = false;
            error.at(PATH, "the key file in memory")
        })?;
        Ok(Self {
            durable,
            disk: disk.clone(),
        })
    }

    /// Kills this store and opens another on the same disk: only what was flushed is there.
    #[must_use = "the store that goes on; this one is dead"]
    pub fn crash(&self) -> Self {
        self.durable.halt();
        self.disk.lock().in_use = false;
        let mut settings = self.durable.settings().clone();
        settings.faults = None;
        let opened = Self::open(&self.disk, settings);
        opened.expect("a disk that this store wrote opens")
    }

    /// See [`crate::RedbStore::roll`]; there is no export.
    pub fn roll(&self) -> std::io::Result<Rolled> {
        self.durable.roll(&self.disk, &mut |_, _| Ok(()))
    }

    /// Whether a roll is due.
    pub fn roll_is_due(&self) -> bool {
        self.durable.roll_is_due()
    }

    /// What this store writes to.
    pub fn disk(&self) -> &Disk {
        &self.disk
    }
}

impl Disk {
    /// Sealed values of a space by its name, as they lie there: for tests of damage.
    pub fn values(&self, space: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
        let platter = self.lock();
        let Some(space) = named(space) else {
            let records = platter.journal.range::<u64>(.., u64::MAX);
            return records
                .map(|(position, value)| (position.to_be_bytes().to_vec(), value.to_vec()))
                .collect();
        };
        let pairs = platter.spaces[space.index()].range::<[u8]>(.., u64::MAX);
        pairs
            .map(|(key, value)| (key.clone(), value.to_vec()))
            .collect()
    }

    /// Overwrites or removes a value behind the store's back: for tests of damage.
    pub fn plant(&self, space: &str, key: &[u8], value: Option<Vec<u8>>) {
        let mut platter = self.lock();
        platter.stamp += 1;
        let (stamp, value) = (platter.stamp, value.map(Arc::from));
        if let Some(space) = named(space) {
            platter.spaces[space.index()].set(key.to_vec(), stamp, value);
        } else {
            let position = key.try_into().map(u64::from_be_bytes);
            let position = position.expect("a position has eight bytes");
            platter.journal.set(position, stamp, value);
        }
    }

    /// Text of the key file, to be read, replaced or removed by tests.
    pub fn keys(&self) -> Option<String> {
        self.lock().keys.clone()
    }

    /// Replaces the key file.
    pub fn set_keys(&self, text: Option<String>) {
        self.lock().keys = text;
    }

    fn lock(&self) -> MutexGuard<'_, Platter> {
        // Every change is one assignment: a panic elsewhere leaves it whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl KeyPlace for Disk {
    fn read(&self) -> std::io::Result<EpochKeys> {
        let text = self.keys().unwrap_or_default();
        EpochKeys::parse(&text).map_err(std::io::Error::other)
    }

    fn replace(&self, keys: &EpochKeys) -> std::io::Result<()> {
        self.set_keys(Some(keys.text()));
        Ok(())
    }
}

/// `None`: the journal.
fn named(name: &str) -> Option<Space> {
    Space::ALL.into_iter().find(|known| known.name() == name)
}

impl Platter {
    /// Lets go of what no view sees.
    fn forget(&mut self) {
        let oldest = self.views.keys().next().copied().unwrap_or(self.stamp);
        for space in &mut self.spaces {
            space.forget(oldest);
        }
        self.journal.forget(oldest);
    }
}

impl Memory {
    fn open(disk: &Disk) -> Result<(Self, EpochKeys), OpenError> {
        let mut platter = disk.lock();
        if platter.in_use {
            let path = PATH.to_owned();
            return Err(OpenError::Locked { path });
        }
        let is_new = platter.stamp == 0;
        let keys = match &platter.keys {
            Some(text) => EpochKeys::parse(text).map_err(keys_error)?,
            None if is_new => {
                let keys = EpochKeys::generate();
                let keys = keys.map_err(|error| RecoverError::from(error).at(PATH, PATH))?;
                platter.keys = Some(keys.text());
                keys
            }
            None => return Err(keys_error(crate::key_file::MISSING.to_owned())),
        };
        platter.in_use = true;
        platter.opening += 1;
        let memory = Self {
            disk: disk.clone(),
            opening: platter.opening,
        };
        drop(platter);
        if is_new {
            let initialised = Durable::initialise(&memory, &keys);
            initialised.map_err(|error| error.at(PATH, PATH))?;
        }
        Ok((memory, keys))
    }
}

fn keys_error(reason: String) -> OpenError {
    OpenError::Keys {
        path: PATH.to_owned(),
        reason,
    }
}

impl Backend for Memory {
    type Snapshot = MemorySnapshot;

    fn apply(&self, group: &mut dyn Iterator<Item = &Op>) -> Result<(), Failure> {
        let mut platter = self.disk.lock();
        if platter.opening != self.opening {
            return Err(Failure::Io("this store has crashed".to_owned()));
        }
        platter.stamp += 1;
        let stamp = platter.stamp;
        let Platter {
            spaces, journal, ..
        } = &mut *platter;
        for op in group {
            match op {
                Op::Put { space, key, value } => {
                    spaces[space.index()].set(key.to_vec(), stamp, Some(Arc::clone(value)));
                }
                Op::Delete { space, key } => spaces[space.index()].set(key.to_vec(), stamp, None),
                Op::Append { first, row } => {
                    journal.set(*first, stamp, Some(Arc::from(row.as_slice())));
                }
                Op::Trim { before } => {
                    let gone = journal.range::<u64>(..before, stamp);
                    let gone: Vec<u64> = gone.map(|(position, _)| *position).collect();
                    for position in gone {
                        journal.set(position, stamp, None);
                    }
                }
            }
        }
        platter.forget();
        Ok(())
    }

    fn snapshot(&self) -> Result<Self::Snapshot, Failure> {
        let mut platter = self.disk.lock();
        let stamp = platter.stamp;
        *platter.views.entry(stamp).or_default() += 1;
        let disk = self.disk.clone();
        Ok(MemorySnapshot { disk, stamp })
    }

    fn free_bytes(&self) -> Result<Option<u64>, Failure> {
        Ok(None)
    }

    fn close(&self) -> Result<(), Failure> {
        let mut platter = self.disk.lock();
        if platter.opening == self.opening {
            platter.in_use = false;
        }
        Ok(())
    }
}

struct MemorySnapshot {
    disk: Disk,
    stamp: u64,
}

impl Drop for MemorySnapshot {
    fn drop(&mut self) {
        let mut platter = self.disk.lock();
        if let Some(count) = platter.views.get_mut(&self.stamp) {
            *count -= 1;
            if *count == 0 {
                platter.views.remove(&self.stamp);
            }
        }
    }
}

impl Snapshot for MemorySnapshot {
    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Arc<[u8]>>, Failure> {
        Ok(self.disk.lock().spaces[space.index()].get(key, self.stamp))
    }

    fn scan(
        &self,
        space: Space,
        start: &[u8],
        end: &[u8],
        limit: usize,
    ) -> Result<Vec<Pair>, Failure> {
        let platter = self.disk.lock();
        let range = (Bound::Included(start), Bound::Excluded(end));
        let pairs = platter.spaces[space.index()].range::<[u8]>(range, self.stamp);
        let pairs = pairs.map(|(key, value)| (key.clone(), value));
        Ok(pairs.take(limit).collect())
    }

    fn last(&self, space: Space, start: &[u8], end: &[u8]) -> Result<Option<Pair>, Failure> {
        let platter = self.disk.lock();
        let range = (Bound::Included(start), Bound::Excluded(end));
        let mut pairs = platter.spaces[space.index()].range::<[u8]>(range, self.stamp);
        Ok(pairs.next_back().map(|(key, value)| (key.clone(), value)))
    }

    fn record(&self, position: u64) -> Result<Option<Arc<[u8]>>, Failure> {
        let platter = self.disk.lock();
        let mut rows = platter.journal.range::<u64>(..=position, self.stamp);
        let row = rows.next_back();
        Ok(row.and_then(|(first, row)| chunk::find(*first, &row, position).map(Arc::from)))
    }

    fn floor(&self, position: u64) -> Result<Option<u64>, Failure> {
        let platter = self.disk.lock();
        let mut rows = platter.journal.range::<u64>(..=position, self.stamp);
        Ok(rows.next_back().map(|(first, _)| *first))
    }

    fn journal(&self, from: u64, limit: usize) -> Result<Vec<Numbered>, Failure> {
        let platter = self.disk.lock();
        let rows = platter.journal.range::<u64>(from.., self.stamp);
        let rows = rows.map(|(first, row)| (*first, row));
        Ok(rows.take(limit).collect())
    }
}

crate::durable::delegate_store!(MemoryStore);
