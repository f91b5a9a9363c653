//! Putting a store in its place that is older on purpose: from a backup.

use std::io;
use std::path::Path;

use super::{Redb, RedbStore, remove, text, witness_file};
use crate::backend::Backend;
use crate::backup::{self, Attached, RestoreError, Summary};
use crate::durable::Checkpoints;
use crate::key_file::{rename_new, with_suffix};
use crate::{Settings, Sound, Store};

impl RedbStore {
    /// Makes a store at `path`, where there is none, from a backup and the key file of the store
    /// it was made of. It is put in its place once it was read whole, opened, and every value of
    /// it too; files beside the store go to `take` between that and its place.
    pub fn restore(
        from: &mut dyn io::Read,
        path: &Path,
        keys_path: &Path,
        take: &mut dyn FnMut(Attached) -> io::Result<()>,
    ) -> Result<(Summary, Sound), RestoreError> {
        if path.try_exists()? {
            return Err(RestoreError::Exists { path: text(path) });
        }
        let beside = with_suffix(path, ".new");
        remove(&beside)?;
        let checkpoints = Checkpoints {
            witness: witness_file(path, keys_path)?,
            // What is restored is older than what was there, on purpose.
            compare: false,
        };
        let restored = restore_beside(from, &beside, keys_path, checkpoints, take);
        if restored.is_err() {
            // What is left is a half; the error that matters is the first.
            let _ = remove(&beside);
        }
        let restored = restored?;
        rename_new(&beside, path)?;
        Ok(restored)
    }
}

fn restore_beside(
    from: &mut dyn io::Read,
    beside: &Path,
    keys_path: &Path,
    checkpoints: Checkpoints,
    take: &mut dyn FnMut(Attached) -> io::Result<()>,
) -> Result<(Summary, Sound), RestoreError> {
    let backend = Redb::new(beside, &Settings::default()).map_err(RestoreError::Open)?;
    let mut files = Vec::new();
    let summary = backup::read(from, &backend, &mut |file| {
        files.push(file);
        Ok(())
    })?;
    let closed = backend.close();
    closed.map_err(|failure| RestoreError::Io(io::Error::other(failure.to_string())))?;
    let store = RedbStore::open_with(beside, keys_path, Settings::default(), checkpoints);
    let store = store.map_err(RestoreError::Open)?;
    let sound = store.verify();
    let sound = sound.map_err(|error| RestoreError::Io(io::Error::other(error)))?;
    store.close();
    // What a changed backup calls a plugin must not lie where plugins lie.
    files.into_iter().try_for_each(take)?;
    Ok((summary, sound))
}
