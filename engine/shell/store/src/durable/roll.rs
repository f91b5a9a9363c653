//! Another epoch: every key that is left is wrapped anew, and the key that the old rows were
//! wrapped with is destroyed. From then on no older copy of the store - a page that redb has not
//! written over, a backup, a snapshot of the disk - opens what was erased.
//!
//! ```text
//! key file: old and new ─▶ rows, facts, checkpoint: all in the new ─▶ export ─▶ key file: new
//! ```
//!
//! A crash at any moment leaves a key file that opens everything; the next roll begins anew with
//! one more epoch, since what was erased meanwhile may be wrapped in the one that was begun.

use std::io;
use std::sync::Arc;

use super::erase::{ERASURES, Erasures};
use super::state::{Queued, State};
use super::{Durable, Shared};
use crate::backend::{Backend, Op, Snapshot, Space};
use crate::key_file::EpochKeys;
use crate::{ReadError, SubmitError, Ticket};

/// Rows that are wrapped anew in one batch.
const ROWS: usize = 1_000;

/// Where the epoch keys lie.
pub(crate) trait KeyPlace {
    fn read(&self) -> io::Result<EpochKeys>;

    /// All or nothing, and durable when it returns.
    fn replace(&self, keys: &EpochKeys) -> io::Result<()>;
}

/// What a roll did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rolled {
    /// Keys of cases and agencies that go on.
    pub keys: u64,
    /// Cases that were erased since the roll before, and that no older copy opens any more.
    pub erased: u64,
}

/// A key of a case or agency as it is wrapped, by its owner.
pub(crate) type KeyRow = (Vec<u8>, Vec<u8>);

impl<B: Backend> Durable<B> {
    /// Whether something was erased that an older copy still opens.
    pub(crate) fn roll_is_due(&self) -> bool {
        let due = self.shared.lock().map(|state| state.erasures.is_due());
        due.unwrap_or_default() || self.shared.keyring.is_rolling()
    }

    /// `export` is told every key in its new wrapping before the old one is destroyed; if it
    /// fails, nothing is destroyed.
    pub(crate) fn roll(
        &self,
        place: &dyn KeyPlace,
        export: &mut dyn FnMut(&EpochKeys, Vec<KeyRow>) -> io::Result<()>,
    ) -> io::Result<Rolled> {
        let shared = &*self.shared;
        let _alone = shared.rolling.lock().map_err(|_| stopped())?;
        let before = shared.lock().map_err(|_| stopped())?.erasures;
        let mut keys = place.read()?;
        keys.begin_epoch().map_err(io::Error::other)?;
        place.replace(&keys)?;
        shared.keyring.adopt(&keys);
        // With this group keys that were made before are on disk, and the writer's own facts too.
        shared.tell_erasures(|_| ())?;
        let rows = shared.rewrap()?;
        shared.keep_again()?;
        let count = rows.len() as u64;
        // The export must not bear what is about to be destroyed.
        keys.end_epochs();
        export(&keys, rows)?;
        place.replace(&keys)?;
        shared.keyring.adopt(&keys);
        shared.tell_erasures(|erasures| erasures.rolled = before.count)?;
        Ok(Rolled {
            keys: count,
            erased: before.count - before.rolled,
        })
    }

    /// Every key as it is wrapped now, with the epoch keys.
    pub(crate) fn export(
        &self,
        place: &dyn KeyPlace,
        export: &mut dyn FnMut(&EpochKeys, Vec<KeyRow>) -> io::Result<()>,
    ) -> io::Result<u64> {
        let _alone = self.shared.rolling.lock().map_err(|_| stopped())?;
        let keys = place.read()?;
        let rows = self.shared.key_rows()?;
        let count = rows.len() as u64;
        export(&keys, rows)?;
        Ok(count)
    }
}

impl<B: Backend> Shared<B> {
    /// Wraps every key anew; gives all of them as they lie on disk then.
    fn rewrap(&self) -> io::Result<Vec<KeyRow>> {
        let owners = self.key_rows()?;
        for owners in owners.chunks(ROWS) {
            let ticket = {
                let mut state = self.lock().map_err(|_| stopped())?;
                let mut ops = Vec::with_capacity(owners.len());
                for (owner, _) in owners {
                    let row = self.value_locked(&state, Space::Keys, owner);
                    let Some(row) = row.map_err(unread)? else {
                        continue;
                    };
                    let nonce = state.nonces.next();
                    let row = self.keyring.rewrapped(owner, &row, &nonce.bytes);
                    ops.extend(row.map_err(unread)?.map(|row| Op::Put {
                        space: Space::Keys,
                        key: Arc::from(owner.as_slice()),
                        value: Arc::from(row),
                    }));
                }
                queue_own(&mut state, ops)?
            };
            self.work.notify_all();
            ticket.wait().map_err(failed)?;
        }
        self.key_rows()
    }

    /// Every key row that is on disk.
    fn key_rows(&self) -> io::Result<Vec<KeyRow>> {
        let flushed = self.lock().map_err(|_| stopped())?.flushed();
        let rows = flushed.map_err(unread)?;
        let rows = rows.scan(Space::Keys, &[], &[0xff; 64], usize::MAX);
        let rows = rows.map_err(|failure| unread(failure.into()))?.into_iter();
        Ok(rows.map(|(owner, row)| (owner, row.to_vec())).collect())
    }

    /// What the store says of erased cases, in the epoch of now.
    fn tell_erasures(&self, change: impl FnOnce(&mut Erasures)) -> io::Result<()> {
        let ticket = {
            let mut state = self.lock().map_err(|_| stopped())?;
            change(&mut state.erasures);
            let fact = state.erasures.bytes();
            let nonce = state.nonces.next();
            let fact = self.keyring.seal_meta(ERASURES, &nonce.bytes, &fact);
            let op = Op::Put {
                space: Space::Meta,
                key: Arc::from(ERASURES),
                value: Arc::from(fact),
            };
            queue_own(&mut state, vec![op])?
        };
        self.work.notify_all();
        ticket.wait().map(drop).map_err(failed)
    }

    /// The checkpoint in the new epoch.
    fn keep_again(&self) -> io::Result<()> {
        let keeper = self.keeper.as_ref();
        keeper.map_or(Ok(()), super::keep::Keeper::keep_again)
    }
}

/// A batch of the store's own.
fn queue_own<S>(state: &mut State<S>, ops: Vec<Op>) -> io::Result<Ticket> {
    const ROW_BYTES: usize = 256;
    if state.stopped || state.closing {
        return Err(stopped());
    }
    let stamp = state.next_position;
    state.next_position += 1;
    for op in &ops {
        state.overlay.lay(stamp, op);
    }
    let bytes = ops.len() * ROW_BYTES;
    let cost = 2 * bytes as u64;
    state.load_count += 1;
    state.load_bytes += bytes;
    state.room.promise(cost);
    let (sender, ticket) = Ticket::new();
    state.queue.push_back(Queued {
        stamp,
        records: Vec::new(),
        ops,
        bytes,
        cost,
        folds: Vec::new(),
        trim: None,
        ticket: Some(sender),
    });
    Ok(ticket)
}

fn stopped() -> io::Error {
    io::Error::other("the store has stopped")
}

#[expect(clippy::needless_pass_by_value, reason = "an argument of map_err")]
fn failed(error: SubmitError) -> io::Error {
    io::Error::other(error.to_string())
}

#[expect(clippy::needless_pass_by_value, reason = "an argument of map_err")]
fn unread(error: ReadError) -> io::Error {
    io::Error::other(error.to_string())
}
