//! Data keys: one per case and agency, kept as rows wrapped by the epoch key, and remembered here
//! while they are in use.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

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
    current: u32,
    epochs: BTreeMap<u32, DataKey>,
    recent: Mutex<Recent<Vec<u8>, Arc<DataKey>>>,
}

impl Keyring {
    pub(crate) fn new(keys: &EpochKeys) -> Self {
        let epochs = keys.epochs.iter();
        Self {
            current: keys.current,
            epochs: epochs.map(|(n, key)| (*n, DataKey::new(key))).collect(),
            recent: Mutex::new(Recent::new(REMEMBERED)),
        }
    }

    /// The key of an owner, from memory or from its row; `None` when there is no row.
    pub(crate) fn get(
        &self,
        owner: &[u8],
        row: impl FnOnce() -> Result<Option<Arc<[u8]>>, ReadError>,
    ) -> Result<Option<Arc<DataKey>>, ReadError> {
        if let Some(key) = self.recent().get(owner) {
            return Ok(Some(key));
        }
        let Some(row) = row()? else {
            return Ok(None);
        };
        let key = Arc::new(self.unwrap(owner, &row)?);
        self.remember(owner, &key);
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
        self.recent().insert(owner.to_vec(), Arc::clone(key));
    }

    /// Seals a fact about the store itself.
    pub(crate) fn seal_meta(&self, name: &[u8], nonce: &[u8; NONCE_BYTES], fact: &[u8]) -> Vec<u8> {
        self.wrap(meta_place(name), nonce, fact)
    }

    pub(crate) fn open_meta(&self, name: &[u8], sealed: &[u8]) -> Result<Vec<u8>, ReadError> {
        self.open_wrapped(meta_place(name), sealed)
    }

    fn wrap(&self, place: Place<'_>, nonce: &[u8; NONCE_BYTES], plain: &[u8]) -> Vec<u8> {
        let epoch = &self.epochs[&self.current];
        let mut out = Encoder::default();
        out.number(u64::from(self.current));
        let version = u64::from(self.current);
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
        let key = self.epochs.get(&epoch).ok_or_else(|| damaged(place.what))?;
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

    fn recent(&self) -> std::sync::MutexGuard<'_, Recent<Vec<u8>, Arc<DataKey>>> {
        // A memory of keys: at worst it forgets one.
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
