//! Keeping checkpoints while the store runs, see [`crate::checkpoint`]: the writer marks a group
//! now and then, a thread of its own keeps the point once that group is on disk, so that no commit
//! waits for it. Closing keeps the last one.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use super::Shared;
use super::recover::RecoverError;
use crate::Settings;
use crate::backend::Backend;
use crate::checkpoint::{self, Kept, Mark, Named, Point, Turn, Why, Witness};
use crate::keys::Keyring;
use crate::seal::Nonces;

pub(super) struct Keeper {
    witness: Arc<dyn Witness>,
    state: Mutex<Keeping>,
    wake: Condvar,
}

struct Keeping {
    /// What the witness holds for certain.
    kept: Option<Point>,
    wanted: Option<Point>,
    /// What is on disk.
    reached: Point,
    turns: Vec<Turn>,
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

impl Keeper {
    /// Takes what is kept, if the store is the one that it was kept of.
    pub(super) fn start(
        witness: Arc<dyn Witness>,
        keyring: &Keyring,
        named: &Named,
    ) -> Result<Self, RecoverError> {
        let place = witness.place();
        let (kept, turns) = match read(&*witness, keyring)? {
            Some(held) => match named.found_in(&held) {
                Some(found) => (Some(found), held.turns),
                None => {
                    return Err(RecoverError::Older {
                        place,
                        kept: held.point.position,
                        found: named.point.position,
                    });
                }
            },
            None if named.before().is_some() => {
                tracing::warn!(
                    place,
                    "the checkpoint is gone: nobody can tell whether this is the newest file of \
                     the store; compare it with the newest backup"
                );
                (None, vec![Turn::new(Why::Missing, None, named.point)])
            }
            None => (None, Vec::new()),
        };
        Ok(Self {
            witness,
            state: Mutex::new(Keeping {
                kept,
                wanted: None,
                reached: named.point,
                turns,
                given_up: false,
                closing: false,
                nonces: Nonces::new()?,
            }),
            wake: Condvar::new(),
        })
    }

    pub(super) fn turns(&self) -> Vec<Turn> {
        self.lock().turns.clone()
    }

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
                (point, state.seal(keyring, point))
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
        drop(state);
        self.wake.notify_all();
    }

    /// Keeps what is kept once more, under the keys of now. It is the keeper's thread that keeps:
    /// two would write over each other.
    pub(super) fn keep_again(&self) -> io::Result<()> {
        let mut state = self.wait_kept()?;
        if state.kept.is_some() {
            state.wanted = state.kept;
            self.wake.notify_all();
            drop(state);
            drop(self.wait_kept()?);
        }
        Ok(())
    }

    /// Until nothing is about to be kept.
    fn wait_kept(&self) -> io::Result<MutexGuard<'_, Keeping>> {
        let mut state = self.lock();
        while state.wanted.is_some() && !state.given_up && !state.closing {
            let woken = self.wake.wait(state);
            state = woken.unwrap_or_else(PoisonError::into_inner);
        }
        if state.given_up || state.closing {
            let place = self.witness.place();
            let sentence = format!("the checkpoint {place} cannot be written");
            return Err(io::Error::other(sentence));
        }
        Ok(state)
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
        let bytes = state.seal(keyring, point);
        drop(state);
        self.keep(point, &bytes);
    }

    fn lock(&self) -> MutexGuard<'_, Keeping> {
        // Plain values, each set whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Keeping {
    fn seal(&mut self, keyring: &Keyring, point: Point) -> Vec<u8> {
        let kept = Kept {
            point,
            or: None,
            turns: self.turns.clone(),
        };
        checkpoint::seal(keyring, &mut self.nonces, &kept)
    }
}

/// What is kept, if it can be read.
fn read(witness: &dyn Witness, keyring: &Keyring) -> Result<Option<Kept>, RecoverError> {
    let bytes = witness.read().map_err(|source| RecoverError::Unread {
        place: witness.place(),
        source,
    })?;
    let kept = bytes.map(|bytes| checkpoint::open(keyring, &bytes));
    kept.transpose().map_err(|reason| RecoverError::Checkpoint {
        place: witness.place(),
        reason,
    })
}

pub(super) fn spawn<B: Backend>(shared: &Arc<Shared<B>>) -> io::Result<Option<JoinHandle<()>>> {
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
