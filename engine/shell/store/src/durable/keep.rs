//! Keeping checkpoints while the store runs, see [`crate::checkpoint`]: the writer marks a group
//! now and then, a thread of its own keeps the point once that group is on disk, so that no commit
//! waits for it. Closing keeps the last one.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use super::Shared;
use super::recover::RecoverError;
use crate::Settings;
use crate::backend::Backend;
use crate::checkpoint::{self, Mark, Point, Witness};
use crate::keys::Keyring;
use crate::seal::Nonces;

/// What opening compares with, and where the store goes on to keep points.
pub(crate) struct Checkpoints {
    pub(crate) witness: Arc<dyn Witness>,
    /// A restored store is older than what was kept, on purpose.
    pub(crate) compare: bool,
}

pub(super) struct Keeper {
    witness: Arc<dyn Witness>,
    state: Mutex<Kept>,
    wake: Condvar,
}

struct Kept {
    /// What the witness holds for certain.
    kept: Option<Point>,
    wanted: Option<Point>,
    /// What is on disk.
    reached: Point,
    /// Keeping failed: nobody knows what the witness holds, and it stays so.
    given_up: bool,
    closing: bool,
    nonces: Nonces,
}

/// What only the writer knows.
pub(super) struct Marking {
    /// Groups since the last mark.
    groups: u64,
    at: Instant,
    /// The store on disk does not name what is kept by its mark.
    due: bool,
}

impl Marking {
    pub(super) fn new() -> Self {
        Self {
            groups: 0,
            at: Instant::now(),
            due: true,
        }
    }
}

impl Checkpoints {
    /// Takes what is kept, if the store is the one that it was kept of.
    pub(super) fn start(
        self,
        keyring: &Keyring,
        point: Point,
        mark: Option<Mark>,
    ) -> Result<Keeper, RecoverError> {
        let place = self.witness.place();
        let told = |reason: String| RecoverError::Checkpoint {
            place: place.clone(),
            reason,
        };
        let bytes = self.witness.read();
        let bytes = bytes.map_err(|error| told(format!("cannot be read: {error}")))?;
        let kept = match bytes {
            Some(_) if !self.compare => None,
            Some(bytes) => Some(checkpoint::open(keyring, &bytes).map_err(told)?),
            None => None,
        };
        let before = mark.and_then(|mark| mark.before);
        let named = [Some(point), mark.map(|mark| mark.this), before];
        if kept.is_some() && !named.contains(&kept) {
            return Err(RecoverError::Older { place });
        }
        if self.compare && kept.is_none() && before.is_some() {
            tracing::warn!(
                place,
                "there is no checkpoint: nobody can tell whether this is the newest file"
            );
        }
        Ok(Keeper {
            witness: self.witness,
            state: Mutex::new(Kept {
                kept,
                wanted: None,
                reached: point,
                given_up: false,
                closing: false,
                nonces: Nonces::new()?,
            }),
            wake: Condvar::new(),
        })
    }
}

impl Keeper {
    /// The mark to commit with the group that comes to a point, if one is due.
    pub(super) fn mark(
        &self,
        marking: &mut Marking,
        settings: &Settings,
        point: Point,
    ) -> Option<Mark> {
        marking.groups += 1;
        let is_time = marking.due
            || marking.groups >= settings.checkpoint_groups
            || marking.at.elapsed() >= settings.checkpoint_every;
        let state = self.lock();
        if !is_time || state.given_up || state.wanted.is_some() {
            return None;
        }
        *marking = Marking {
            due: false,
            ..Marking::new()
        };
        Some(Mark {
            this: point,
            before: state.kept,
        })
    }

    /// A group is on disk.
    pub(super) fn reached(&self, point: Point, is_marked: bool) {
        let mut state = self.lock();
        state.reached = point;
        if is_marked {
            state.wanted = Some(point);
            self.wake.notify_all();
        }
    }

    fn keep_all(&self, keyring: &Keyring) {
        loop {
            let (point, bytes) = {
                let mut state = self.lock();
                let point = loop {
                    match state.wanted {
                        Some(point) => break point,
                        None if state.closing => return,
                        None => {
                            let woken = self.wake.wait(state);
                            state = woken.unwrap_or_else(PoisonError::into_inner);
                        }
                    }
                };
                (point, checkpoint::seal(keyring, &mut state.nonces, &point))
            };
            self.keep(point, &bytes);
        }
    }

    fn keep(&self, point: Point, bytes: &[u8]) {
        let done = self.witness.replace(bytes);
        let mut state = self.lock();
        state.wanted = None;
        match done {
            Ok(()) => state.kept = Some(point),
            Err(error) => {
                state.given_up = true;
                let place = self.witness.place();
                tracing::warn!(
                    place,
                    %error,
                    "the checkpoint cannot be written: an older file would not be noticed"
                );
            }
        }
    }

    fn close(&self) {
        self.lock().closing = true;
        self.wake.notify_all();
    }

    /// The store has ended well: keeps how far it came.
    fn keep_last(&self, keyring: &Keyring) {
        let mut state = self.lock();
        let point = state.reached;
        if state.given_up || state.kept == Some(point) {
            return;
        }
        let bytes = checkpoint::seal(keyring, &mut state.nonces, &point);
        drop(state);
        self.keep(point, &bytes);
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        // Plain values, each set whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn spawn<B: Backend>(
    shared: &Arc<Shared<B>>,
) -> std::io::Result<Option<JoinHandle<()>>> {
    if shared.keeper.is_none() {
        return Ok(None);
    }
    let shared = Arc::clone(shared);
    let thread = thread::Builder::new().name("store-keeper".to_owned());
    let thread = thread.spawn(move || {
        if let Some(keeper) = &shared.keeper {
            keeper.keep_all(&shared.keyring);
        }
    })?;
    Ok(Some(thread))
}

impl<B: Backend> Shared<B> {
    /// Lets the thread end with what it is about to keep.
    pub(super) fn end_keeping(&self) {
        if let Some(keeper) = &self.keeper {
            keeper.close();
        }
    }

    pub(super) fn keep_last(&self) {
        if let Some(keeper) = &self.keeper {
            keeper.keep_last(&self.keyring);
        }
    }
}
