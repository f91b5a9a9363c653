//! Going on from a store that is older on purpose: restored from a backup, or accepted by the
//! operator. Both are told to the checkpoint, which keeps a record of them. It decides nothing:
//! that somebody wants it is said by the call.

use std::io;
use std::path::Path;
use std::sync::Arc;

use super::{Redb, RedbStore, io_error, needed_keys, remove, text, witness_file};
use crate::backend::{Backend, Op, Space};
use crate::backup::{self, Attached, RestoreError, Summary};
use crate::checkpoint::{self, Kept, Named, Turn, Why, Witness};
use crate::chunk;
use crate::durable::{Durable, RecoverError, is_sealed_fact, named};
use crate::key_file::{EpochKeys, rename_new, with_suffix};
use crate::keys::{self, Keyring};
use crate::seal::Nonces;
use crate::{ExportError, OpenError, Recovered, Settings, Sound, Store};

impl RedbStore {
    /// Makes a store at `path`, where there is none, from a backup and the key file of the store
    /// it was made of, or an export of its keys, which may be newer than the backup. It is put in
    /// its place once it was read whole, opened, and every value of it too; files beside the store
    /// go to `take` between that and its place.
    pub fn restore(
        from: &mut dyn io::Read,
        path: &Path,
        keys_path: &Path,
        recovered: Option<&Recovered>,
        take: &mut dyn FnMut(Attached) -> io::Result<()>,
    ) -> Result<(Summary, Sound), RestoreError> {
        if path.try_exists()? {
            return Err(RestoreError::Exists { path: text(path) });
        }
        if let Some(recovered) = recovered {
            put_keys(recovered, keys_path)?;
        }
        let keys = needed_keys(keys_path).map_err(RestoreError::Open)?;
        let beside = with_suffix(path, ".new");
        remove(&beside)?;
        let mending = Mending::new(&keys, recovered);
        let restored = restore_beside(from, &beside, keys_path, mending, take);
        let restored = restored.and_then(|restored| {
            put_in_place(&beside, path, keys_path)?;
            Ok(restored)
        });
        if restored.is_err() {
            // What is left is a half; the error that matters is the first.
            let _ = remove(&beside);
        }
        restored
    }

    /// Lets the store at `path` go on though its checkpoint says otherwise, and keeps a record of
    /// that. `None`: they agree, and nothing was done.
    pub fn accept(path: &Path, keys_path: &Path) -> Result<Option<Turn>, OpenError> {
        let witness = witness_file(path, keys_path).map_err(|error| io_error(path, error))?;
        // Held until the end: nobody else has the store open meanwhile.
        let opened = Opened::open(path, keys_path)?;
        let place = witness.place();
        let told = |error: io::Error| io_error(Path::new(&place), error);
        let Some(bytes) = witness.read().map_err(told)? else {
            return Ok(None);
        };
        let kept = checkpoint::open(&opened.keyring, &bytes).ok();
        if kept
            .as_ref()
            .is_some_and(|kept| opened.named.found_in(kept).is_some())
        {
            return Ok(None);
        }
        let point = opened.named.point;
        let turn = Turn::new(Why::Accepted, kept.as_ref().map(|kept| kept.point), point);
        let mut turns = kept.map_or_else(Vec::new, |kept| kept.turns);
        turns.push(turn.clone());
        let or = None;
        opened
            .keep(&*witness, &Kept { point, or, turns })
            .map_err(told)?;
        opened.close()?;
        tracing::warn!(
            place,
            from = turn.from,
            to = turn.to,
            "an older store was accepted"
        );
        Ok(Some(turn))
    }
}

/// A store whose writer does not run.
struct Opened {
    backend: Redb,
    keyring: Keyring,
    named: Named,
    path: String,
}

impl Opened {
    fn open(path: &Path, keys_path: &Path) -> Result<Self, OpenError> {
        let told = |error: RecoverError| error.at(&text(path), &text(keys_path));
        let keys = needed_keys(keys_path)?;
        let keyring = Keyring::new(&keys);
        let backend = Redb::open(path, &Settings::default())?;
        let snapshot = backend
            .snapshot()
            .map_err(RecoverError::from)
            .map_err(told)?;
        let named = named(&snapshot, &keys, &keyring).map_err(told)?;
        Ok(Self {
            backend,
            keyring,
            named,
            path: text(path),
        })
    }

    fn keep(&self, witness: &dyn Witness, kept: &Kept) -> io::Result<()> {
        let mut nonces = Nonces::new().map_err(io::Error::other)?;
        let done = witness.replace(&checkpoint::seal(&self.keyring, &mut nonces, kept));
        done.map_err(|error| {
            let place = witness.place();
            io::Error::new(error.kind(), format!("cannot write {place}: {error}"))
        })
    }

    fn close(&self) -> Result<(), OpenError> {
        let closed = self.backend.close();
        closed.map_err(|failure| {
            let source = io::Error::other(failure.to_string());
            io_error(Path::new(&self.path), source)
        })
    }
}

/// The key file of an export, unless it lies there.
fn put_keys(recovered: &Recovered, keys_path: &Path) -> Result<(), RestoreError> {
    match EpochKeys::read(keys_path) {
        Ok(Some(found)) if found == recovered.keys => Ok(()),
        Ok(None) => Ok(recovered.keys.create(keys_path)?),
        Ok(Some(_)) | Err(_) => Err(RestoreError::Export(ExportError::OtherStore)),
    }
}

/// What a backup of an earlier epoch needs to be opened with the keys of now.
struct Mending<'r> {
    keys: &'r EpochKeys,
    keyring: Keyring,
    recovered: Option<&'r Recovered>,
    /// What it says of itself was sealed in an earlier epoch.
    is_earlier: bool,
    /// A key is wrapped in an epoch that these keys do not know.
    lacks_keys: bool,
    /// Where its journal ends.
    next: u64,
}

impl<'r> Mending<'r> {
    fn new(keys: &'r EpochKeys, recovered: Option<&'r Recovered>) -> Self {
        Self {
            keys,
            keyring: Keyring::new(keys),
            recovered,
            is_earlier: false,
            lacks_keys: false,
            next: 1,
        }
    }

    fn mend(&mut self, op: Op) -> Option<Op> {
        match op {
            Op::Put {
                space: Space::Keys,
                key,
                value,
            } => {
                let newest = self.recovered.and_then(|found| found.rows.get(&*key));
                let value = match newest {
                    // What is destroyed stays so, whichever of them is newer.
                    Some(row) if !keys::is_erased(&value) => Arc::from(row.as_slice()),
                    Some(_) | None => value,
                };
                self.lacks_keys |= !self.keyring.knows(&value);
                let space = Space::Keys;
                Some(Op::Put { space, key, value })
            }
            Op::Put {
                space: Space::Meta,
                ref key,
                ref value,
            } if is_sealed_fact(key) && !self.keyring.knows(value) => {
                self.is_earlier = true;
                None
            }
            Op::Append { first, ref row } => {
                let records = chunk::read(first, row).unwrap_or_default();
                let last = records.into_iter().last();
                self.next = last.map_or(self.next, |(position, _)| position + 1);
                Some(op)
            }
            Op::Put { .. } | Op::Delete { .. } | Op::Trim { .. } => Some(op),
        }
    }

    /// Once the backup was read to its end: before that it may only be damaged.
    fn is_rolled(&self) -> bool {
        self.lacks_keys || self.is_earlier && self.recovered.is_none()
    }
}

fn restore_beside(
    from: &mut dyn io::Read,
    beside: &Path,
    keys_path: &Path,
    mut mending: Mending<'_>,
    take: &mut dyn FnMut(Attached) -> io::Result<()>,
) -> Result<(Summary, Sound), RestoreError> {
    let backend = Redb::new(beside, &Settings::default()).map_err(RestoreError::Open)?;
    let mut files = Vec::new();
    let mut file = |file| {
        files.push(file);
        Ok(())
    };
    let summary = backup::read(from, &backend, &mut |op| mending.mend(op), &mut file)?;
    if mending.is_rolled() {
        return Err(RestoreError::Rolled);
    }
    if mending.is_earlier {
        let renewed = Durable::renew(&backend, mending.keys, mending.next);
        renewed.map_err(|error| RestoreError::Open(error.at(&text(beside), &text(keys_path))))?;
    }
    let closed = backend.close();
    closed.map_err(|failure| RestoreError::Io(io::Error::other(failure.to_string())))?;
    // What it says of checkpoints it says of the store that it was made of.
    let store = RedbStore::open_with(beside, keys_path, Settings::default(), None);
    let store = store.map_err(RestoreError::Open)?;
    let sound = store.verify();
    let sound = sound.map_err(|error| RestoreError::Io(io::Error::other(error)))?;
    store.close();
    // What a changed backup calls a plugin must not lie where plugins lie.
    files.into_iter().try_for_each(take)?;
    Ok((summary, sound))
}

/// At every moment the checkpoint fits to what may lie at `path`: before the renaming to the store
/// that was there, which may be put back, and to the restored one; afterwards to that alone.
fn put_in_place(beside: &Path, path: &Path, keys_path: &Path) -> Result<(), RestoreError> {
    let witness = witness_file(path, keys_path)?;
    let restored = Opened::open(beside, keys_path).map_err(RestoreError::Open)?;
    let point = restored.named.point;
    let former = witness.read()?;
    let known = former.as_ref();
    let known = known.and_then(|bytes| checkpoint::open(&restored.keyring, bytes).ok());
    let before = known.as_ref().map(|known| known.point);
    let mut turns = known.map_or_else(Vec::new, |known| known.turns);
    turns.push(Turn::new(Why::Restored, before, point));
    let mut kept = Kept {
        point: before.unwrap_or(point),
        or: before.map(|_| point),
        turns,
    };
    if former.is_some() {
        restored.keep(&*witness, &kept)?;
    }
    restored.close().map_err(RestoreError::Open)?;
    if let Err(error) = rename_new(beside, path) {
        // Whatever is there goes on as it was.
        let _ = former.map(|former| witness.replace(&former));
        return Err(error.into());
    }
    (kept.point, kept.or) = (point, None);
    if let Err(error) = restored.keep(&*witness, &kept) {
        // It is restored all the same; its first start tries again.
        tracing::warn!(%error, "the checkpoint could not be written");
    }
    Ok(())
}
