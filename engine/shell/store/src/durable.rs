//! All logic of a store, once for every backend.
//!
//! ```text
//! submit:  gather (folds only) ─▶ lock ─▶ plan: all that may fail ─▶ accept: order, seal, queue
//! writer:  take what is queued ─▶ backend.apply: one group, one flush ─▶ show, tell
//! ```
//!
//! Sealed values are ready before the writer sees them, so a group is formed while the one before
//! it is flushed. What is queued stands in an overlay of raw values: deciders read overlay then
//! disk, outsiders only disk, and both take the same way through seals and layouts.
//!
//! It does not know how a backend keeps anything, and starts two threads: the writer, and the one
//! that keeps checkpoints; both are ended by [`Durable::close`].

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use crate::backend::{Backend, Snapshot, Space};
use crate::backup::{self, Attached, Summary};
use crate::checkpoint::Turn;
use crate::keys::{Keyring, place};
use crate::seal::{DataKey, Openings, Sealed, damaged};
use crate::{ReadError, Settings, Sound};

mod accept;
mod erase;
mod fresh;
mod gather;
mod index;
mod keep;
mod plan;
mod port;
mod read;
mod recover;
mod roll;
mod room;
mod state;
mod verify;
mod write;

use keep::Keeper;
pub(crate) use recover::{RecoverError, is_sealed_fact, named};
pub use roll::Rolled;
pub(crate) use roll::{KeyPlace, KeyRow};
use state::State;

/// A store over some backend.
pub(crate) struct Durable<B: Backend> {
    shared: Arc<Shared<B>>,
    writer: Mutex<Option<JoinHandle<()>>>,
    keeper: Mutex<Option<JoinHandle<()>>>,
}

/// What submitters, readers and the writer share.
struct Shared<B: Backend> {
    backend: B,
    keyring: Keyring,
    openings: Openings,
    settings: Settings,
    /// Held by whoever rolls the epoch.
    rolling: Mutex<()>,
    state: Mutex<State<B::Snapshot>>,
    /// Work for the writer, or the end.
    work: Condvar,
    keeper: Option<Keeper>,
    unsettled: Vec<String>,
}

/// The store has stopped: closed, failed, or a thread died while changing its state.
struct Stopped;

impl<B: Backend> Durable<B> {
    /// Flushes what is queued, ends the writer, releases the backend.
    pub(crate) fn close(&self) {
        if let Ok(mut state) = self.shared.lock() {
            state.closing = true;
        }
        self.shared.work.notify_all();
        self.join();
        let (is_well, flushed) = match self.shared.state.lock() {
            Ok(mut state) => (!state.stopped, state.stop()),
            Err(poisoned) => (false, poisoned.into_inner().stop()),
        };
        if flushed.is_none() {
            return;
        }
        drop(flushed);
        if let Err(reason) = self.shared.backend.close() {
            tracing::error!(%reason, "the store did not close cleanly");
        }
        if is_well {
            self.shared.keep_last();
        }
    }

    /// Ends at once, as a crash does: what is queued is lost.
    pub(crate) fn halt(&self) {
        if let Some(faults) = &self.shared.settings.faults {
            faults.abandon();
        }
        if let Ok(mut state) = self.shared.lock() {
            state.halted = true;
            state.stop();
        }
        self.shared.work.notify_all();
        self.join();
    }

    /// What is flushed at this moment, see [`crate::backup`].
    pub(crate) fn backup(
        &self,
        files: impl Iterator<Item = io::Result<Attached>>,
        out: &mut dyn io::Write,
    ) -> io::Result<Summary> {
        let state = self.shared.lock().map_err(ReadError::from);
        let flushed = state.and_then(|state| state.flushed());
        let flushed = flushed.map_err(io::Error::other)?;
        backup::write(&*flushed, files, out)
    }

    /// Bytes appended to the journal, counted from its tail at opening.
    pub(crate) fn written(&self) -> u64 {
        self.shared.lock().map_or(0, |state| state.index.written)
    }

    pub(crate) fn verify(&self) -> Result<Sound, ReadError> {
        self.shared.verify()
    }

    /// That it went on from elsewhere than where it had come to.
    pub(crate) fn turns(&self) -> Vec<Turn> {
        let keeper = self.shared.keeper.as_ref();
        keeper.map_or_else(Vec::new, Keeper::turns)
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.shared.settings
    }

    fn join(&self) {
        let end = |thread: &Mutex<Option<JoinHandle<()>>>| {
            let thread = thread.lock().unwrap_or_else(PoisonError::into_inner).take();
            // A writer that panicked has latched the store already; see `write`.
            let _ = thread.map(JoinHandle::join);
        };
        end(&self.writer);
        self.shared.end_keeping();
        end(&self.keeper);
    }
}

impl<B: Backend> Drop for Durable<B> {
    fn drop(&mut self) {
        self.close();
    }
}

impl<B: Backend> Shared<B> {
    fn lock(&self) -> Result<MutexGuard<'_, State<B::Snapshot>>, Stopped> {
        self.state.lock().map_err(|_| Stopped)
    }

    /// A raw value as deciders see it.
    fn raw(&self, space: Space, key: &[u8]) -> Result<Option<Arc<[u8]>>, ReadError> {
        let snapshot = {
            let state = self.lock()?;
            if let Some(queued) = state.overlay.get(space, key) {
                return Ok(queued.value.clone());
            }
            state.flushed()?
        };
        snapshot.get(space, key).map_err(ReadError::from)
    }

    /// The key that opens a sealed value.
    fn key_of(&self, owner: &[u8], what: &str) -> Result<Arc<DataKey>, ReadError> {
        self.keyring
            .get(owner, || self.raw(Space::Keys, owner))?
            .ok_or_else(|| damaged(what))
    }

    /// Opens a value of a space: its parts and its plain bytes.
    fn open<'v>(
        &self,
        space: Space,
        key: &[u8],
        value: &'v [u8],
    ) -> Result<(Sealed<'v>, Vec<u8>), ReadError> {
        let sealed = Sealed::parse(space.what(), value)?;
        let data_key = self.key_of(sealed.owner(), space.what())?;
        let plain = data_key.open(place(space, key), &sealed, &self.openings)?;
        Ok((sealed, plain))
    }
}

impl From<Stopped> for ReadError {
    fn from(_: Stopped) -> Self {
        Self::Io("the store has stopped".to_owned())
    }
}

impl From<Stopped> for crate::SubmitError {
    fn from(_: Stopped) -> Self {
        Self::Stopped
    }
}

/// The port for a public store that wraps a [`Durable`] in its field `durable`.
macro_rules! delegate_store {
    ($store:ty) => {
        impl Store for $store {
            fn submit(&self, batch: Batch) -> Result<Ticket, SubmitError> {
                self.durable.submit(batch)
            }

            fn pending(&self, table: Table, key: &[u8]) -> Result<Option<Row>, ReadError> {
                self.durable.pending(table, key)
            }

            fn get(&self, table: Table, key: &[u8]) -> Result<Option<Row>, ReadError> {
                self.durable.get(table, key)
            }

            fn scan(
                &self,
                table: Table,
                start: &[u8],
                end: &[u8],
                limit: usize,
            ) -> Result<Vec<(Vec<u8>, Row)>, ReadError> {
                self.durable.scan(table, start, end, limit)
            }

            fn history(&self, instance: &str) -> Result<Option<History>, ReadError> {
                self.durable.history(instance)
            }

            fn events(&self, instance: &str) -> Result<Vec<Vec<u8>>, ReadError> {
                self.durable.events(instance)
            }

            fn audit(&self, case: &str) -> Result<Vec<audit::Link>, ReadError> {
                self.durable.audit(case)
            }

            fn unsettled(&self) -> Result<Vec<String>, ReadError> {
                self.durable.unsettled()
            }

            fn unfolded(&self) -> (u64, Vec<String>) {
                self.durable.unfolded()
            }

            fn close(&self) {
                self.durable.close();
            }
        }
    };
}

pub(crate) use delegate_store;
