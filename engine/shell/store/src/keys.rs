//! Data keys: one per case and agency, kept as rows wrapped by the epoch key, and remembered here
//! while they are in use. A key that was destroyed leaves a row that says so.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};

use crate::ReadError;
use crate::backend::Space;
use crate::codec::{Decoder, Encoder};
use crate::key_file::EpochKeys;
use crate::recent::Recent;
use crate::seal::{DataKey, KEY_BYTES, NONCE_BYTES, Openings, Place, Sealed, damaged};

/// Keys remembered per generation: about 100 bytes each.
const REMEMBERED: usize = 16_384;

/// A key row that says that the key was destroyed.
const ERASED: &[u8] = b"erased";

/// Owner of what belongs to the store itself.
const STORE_OWNER: &[u8] = b"S";

pub(crate) struct Keyring {
    wrapping: RwLock<Wrapping>,
    memory: Mutex<Memory>,
}

/// What data keys are wrapped with.
struct Wrapping {
    current: u32,
    epochs: BTreeMap<u32, DataKey>,
}

struct Memory {
    recent: Recent<Vec<u8>, Arc<DataKey>>,
    /// How many keys were destroyed: a row that was read before may say what is no longer so.
    destroyed: u64,
}

impl Wrapping {
    fn new(keys: &EpochKeys) -> Self {
        let epochs = keys.epochs.iter();
        Self {
            current: keys.current,
            epochs: epochs.map(|(n, key)| (*n, DataKey::new(key))).collect(),
        }
    }
}

impl Keyring {
    pub(crate) fn new(keys: &EpochKeys) -> Self {
        let recent = Recent::new(REMEMBERED);
        Self {
            wrapping: RwLock::new(Wrapping::new(keys)),
            memory: Mutex::new(Memory {
                recent,
                destroyed: 0,
            }),
        }
    }

    /// Goes on with the keys that the key file holds now.
    pub(crate) fn adopt(&self, keys: &EpochKeys) {
        // Replaced whole: a panic elsewhere left it as it was.
        let wrapping = self.wrapping.write();
        *wrapping.unwrap_or_else(PoisonError::into_inner) = Wrapping::new(keys);
    }

    /// The epoch that rows are wrapped in.
    pub(crate) fn current(&self) -> u32 {
        self.wrapping().current
    }

    /// Whether rows of an earlier epoch are still opened.
    pub(crate) fn is_rolling(&self) -> bool {
        self.wrapping().epochs.len() > 1
    }

    /// The key of an owner, from memory or from its row; `None` when there is no row.
    pub(crate) fn get(
        &self,
        owner: &[u8],
        row: impl FnOnce() -> Result<Option<Arc<[u8]>>, ReadError>,
    ) -> Result<Option<Arc<DataKey>>, ReadError> {
        let destroyed = {
            let mut memory = self.memory();
            if let Some(key) = memory.recent.get(owner) {
                return Ok(Some(key));
            }
            memory.destroyed
        };
        let Some(row) = row()? else {
            return Ok(None);
        };
        let key = Arc::new(self.unwrap(owner, &row)?);
        let mut memory = self.memory();
        if memory.destroyed == destroyed {
            memory.recent.insert(owner.to_vec(), Arc::clone(&key));
        }
        Ok(Some(key))
    }

    /// A new key with its row. It counts once the row is committed; see [`Keyring::remember`].
    pub(crate) fn create(
        &self,
        owner: &[u8],
        nonce: &[u8; NONCE_BYTES],
    ) -> Result<(Arc<DataKey>, Vec<u8>), ReadError> {
        let mut bytes = [0; KEY_BYTES];
        getrandom::fill(&mut bytes).map_err(|error| ReadError::Io(error.to_string()))?;
        let row = self.wrap(owner_place(owner), nonce, &bytes);
        Ok((Arc::new(DataKey::new(&bytes)), row))
    }

    pub(crate) fn remember(&self, owner: &[u8], key: &Arc<DataKey>) {
        let mut memory = self.memory();
        memory.recent.insert(owner.to_vec(), Arc::clone(key));
    }

    /// The key of an owner is destroyed. Gives the row that says so.
    pub(crate) fn destroy(&self, owner: &[u8]) -> Vec<u8> {
        let mut memory = self.memory();
        memory.destroyed += 1;
        memory.recent.remove(owner);
        ERASED.to_vec()
    }

    /// The row of an owner in the current epoch; `None` where it is, or where there is no key.
    pub(crate) fn rewrapped(
        &self,
        owner: &[u8],
        row: &[u8],
        nonce: &[u8; NONCE_BYTES],
    ) -> Result<Option<Vec<u8>>, ReadError> {
        if row == ERASED || epoch_of(row) == Some(self.current()) {
            return Ok(None);
        }
        let bytes = self.open_wrapped(owner_place(owner), row)?;
        Ok(Some(self.wrap(owner_place(owner), nonce, &bytes)))
    }

    /// Whether a row can be read with these keys, or says that nothing is to be read.
    pub(crate) fn knows(&self, row: &[u8]) -> bool {
        let known = |epoch| self.wrapping().epochs.contains_key(&epoch);
        row == ERASED || epoch_of(row).is_some_and(known)
    }

    /// Seals a fact about the store itself.
    pub(crate) fn seal_meta(&self, name: &[u8], nonce: &[u8; NONCE_BYTES], fact: &[u8]) -> Vec<u8> {
        self.wrap(meta_place(name), nonce, fact)
    }

    pub(crate) fn open_meta(&self, name: &[u8], sealed: &[u8]) -> Result<Vec<u8>, ReadError> {
        self.open_wrapped(meta_place(name), sealed)
    }

    fn wrap(&self, place: Place<'_>, nonce: &[u8; NONCE_BYTES], plain: &[u8]) -> Vec<u8> {
        let wrapping = self.wrapping();
        let epoch = &wrapping.epochs[&wrapping.current];
        let mut out = Encoder::default();
        let version = u64::from(wrapping.current);
        out.number(version);
        out.raw(&epoch.seal_whole(nonce, place, STORE_OWNER, version, plain));
        out.0
    }

    fn open_wrapped(&self, place: Place<'_>, row: &[u8]) -> Result<Vec<u8>, ReadError> {
        let mut input = Decoder(row);
        let epoch = input.number().and_then(|epoch| u32::try_from(epoch).ok());
        let epoch = epoch.ok_or_else(|| damaged(place.what))?;
        let sealed = Sealed::parse(place.what, input.0)?;
        if sealed.version != u64::from(epoch) || sealed.owner() != STORE_OWNER {
            return Err(damaged(place.what));
        }
        let wrapping = self.wrapping();
        let key = wrapping.epochs.get(&epoch);
        let key = key.ok_or_else(|| damaged(place.what))?;
        key.open(place, &sealed, &Openings::default())
    }

    fn unwrap(&self, owner: &[u8], row: &[u8]) -> Result<DataKey, ReadError> {
        if row == ERASED {
            return Err(ReadError::Erased);
        }
        let plain = self.open_wrapped(owner_place(owner), row)?;
        let bytes = plain.try_into().map_err(|_| damaged(Space::Keys.what()))?;
        Ok(DataKey::new(&bytes))
    }

    fn memory(&self) -> std::sync::MutexGuard<'_, Memory> {
        // A memory of keys: at worst it forgets one.
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wrapping(&self) -> RwLockReadGuard<'_, Wrapping> {
        self.wrapping.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a row says that the key was destroyed.
pub(crate) fn is_erased(row: &[u8]) -> bool {
    row == ERASED
}

/// The epoch that a row was wrapped in.
fn epoch_of(row: &[u8]) -> Option<u32> {
    Decoder(row).number()?.try_into().ok()
}

fn owner_place(owner: &[u8]) -> Place<'_> {
    place(Space::Keys, owner)
}

fn meta_place(name: &[u8]) -> Place<'_> {
    place(Space::Meta, name)
}

/// The place of a value in a space.
pub(crate) fn place(space: Space, key: &[u8]) -> Place<'_> {
    Place {
        code: space.code(),
        key,
        what: space.what(),
    }
}
