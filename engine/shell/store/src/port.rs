//! The port: what any backend must do, and what is true before and after.

use std::fmt;

use casewright_casework::audit;

use crate::{Batch, Table};

/// Durable state. All methods may be called from any thread; none blocks on a flush.
pub trait Store: Send + Sync + 'static {
    /// Before: nothing of the batch is visible. After `Ok`: guards held, the batch is ordered and
    /// visible to `pending`, and will be on disk when the ticket says so - or the process stops.
    /// After `Err`: nothing has changed.
    fn submit(&self, batch: Batch) -> Result<Ticket, SubmitError>;

    /// A row as deciders must see it: with what is queued.
    fn pending(&self, table: Table, key: &[u8]) -> Result<Option<Row>, ReadError>;

    /// A row as outsiders may see it: flushed.
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Row>, ReadError>;

    /// Flushed rows with `start <= key < end` in key order, at most `limit`. Rows of erased cases
    /// are left out.
    fn scan(
        &self,
        table: Table,
        start: &[u8],
        end: &[u8],
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Row)>, ReadError>;

    /// What a decider needs to rebuild an instance: latest snapshot and the events after it,
    /// including queued ones. `None` when there is no such instance.
    fn history(&self, instance: &str) -> Result<Option<History>, ReadError>;

    /// Every event of an instance from the first, flushed ones only.
    fn events(&self, instance: &str) -> Result<Vec<Vec<u8>>, ReadError>;

    /// The audit chain of a case, flushed links only; also of a case that was erased.
    fn audit(&self, case: &str) -> Result<Vec<audit::Link>, ReadError>;

    /// Instances that recovery must look at: unfolded or marked active. Constant after opening.
    fn unsettled(&self) -> Result<Vec<String>, ReadError>;

    /// Bytes of the journal from the oldest unfolded event on. Beyond the limit of the settings
    /// also the instances that hold the oldest of them, to be folded; below it none. Cheap.
    fn unfolded(&self) -> (u64, Vec<String>);

    /// Flushes what is queued and closes; later submissions are refused with `Stopped`. Not to be
    /// called from `on_fatal`, which runs in the writer.
    fn close(&self);
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub version: u64,
    pub value: Vec<u8>,
}

/// What a look at every value found; a damaged one is an error instead.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sound {
    /// Values that open.
    pub opened: u64,
    /// Values whose case was erased: nobody can open them, and nobody should.
    pub erased: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    pub case: String,
    /// Events contained in the snapshot, 0 without one.
    pub snapshot_events: u64,
    pub snapshot: Option<Vec<u8>>,
    /// Events that are folded, whether or not a snapshot contains them.
    pub folded_events: u64,
    /// Events after the snapshot, in order.
    pub events: Vec<Vec<u8>>,
}

/// Resolves when the batch is on disk.
#[derive(Debug)]
pub struct Ticket(tokio::sync::oneshot::Receiver<Committed>);

/// A batch is on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Committed {
    /// Global, ascending.
    pub position: u64,
}

/// Why a batch was not taken. Nothing has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SubmitError {
    /// Somebody else was first: read again and decide again. Folds that do not contain every event
    /// count as guards after the others, and after them cases that are to be erased while
    /// something of their audit chain is not on disk yet.
    Guard { index: usize },
    /// The queue is full: 503, try again.
    Full,
    /// Below the disk reserve: 507.
    DiskFull,
    /// Closed, or the disk failed and the process is stopping.
    Stopped,
    /// The batch names a case that has no key, or that the instance does not belong to.
    UnknownCase(String),
    /// Reading what a guard needs failed.
    Read(ReadError),
}

/// A value could not be read. `what` names table and kind of key, never content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadError {
    /// The seal or the checksum does not fit: damaged or swapped.
    Damaged {
        what: String,
    },
    /// Written by a newer engine.
    Newer {
        what: String,
        found: u32,
        known: u32,
    },
    /// The key was destroyed: the case was erased.
    Erased,
    Io(String),
}

/// Why a store could not be opened.
#[derive(Debug)]
pub enum OpenError {
    /// In use by another process.
    Locked {
        path: String,
    },
    Newer {
        path: String,
        found: u32,
        known: u32,
    },
    /// The key file is missing, unreadable or not of this store.
    Keys {
        path: String,
        reason: String,
    },
    /// It was further once, or came there by another way.
    Older {
        path: String,
        /// The position that it comes to.
        found: u64,
        checkpoint: String,
        /// The position that the checkpoint says.
        kept: u64,
    },
    /// There is none, and there was one.
    Gone {
        path: String,
        checkpoint: String,
    },
    /// What was kept of how far the store came is unreadable or not of this store.
    Checkpoint {
        path: String,
        reason: String,
    },
    Damaged {
        path: String,
        reason: String,
    },
    Io {
        path: String,
        source: std::io::Error,
    },
}

impl Ticket {
    pub fn new() -> (tokio::sync::oneshot::Sender<Committed>, Self) {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        (sender, Self(receiver))
    }

    /// `Err(Stopped)` when the process is stopping and nobody knows whether it reached the disk.
    pub async fn flushed(self) -> Result<Committed, SubmitError> {
        self.0.await.map_err(|_| SubmitError::Stopped)
    }

    /// The same for threads without a runtime.
    pub fn wait(self) -> Result<Committed, SubmitError> {
        self.0.blocking_recv().map_err(|_| SubmitError::Stopped)
    }
}

impl fmt::Display for SubmitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Guard { index } => write!(f, "guard {index} no longer holds"),
            Self::Full => f.write_str("the queue of the writer is full"),
            Self::DiskFull => f.write_str("free disk space is below the reserve"),
            Self::Stopped => f.write_str("the store is closed"),
            Self::UnknownCase(case) => write!(f, "case {case} has no key"),
            Self::Read(_) => f.write_str("cannot read what a guard needs"),
        }
    }
}

impl std::error::Error for SubmitError {}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged { what } => write_damaged(f, what),
            Self::Newer { what, found, known } => {
                write!(
                    f,
                    "{what} has format {found}, this engine knows up to {known}"
                )
            }
            Self::Erased => f.write_str("the case was erased"),
            Self::Io(reason) => f.write_str(reason),
        }
    }
}

impl std::error::Error for ReadError {}

/// The one sentence for what was altered since it was written.
pub(crate) fn write_damaged(f: &mut fmt::Formatter<'_>, what: &str) -> fmt::Result {
    write!(
        f,
        "{what} is damaged: it is not as it was written; restore a backup"
    )
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Locked { path } => write!(f, "{path} is in use by another process"),
            Self::Newer { path, found, known } => write!(
                f,
                "{path} was written by a newer engine (format {found}, this engine knows {known})"
            ),
            Self::Keys { path, reason } => write!(f, "key file {path}: {reason}"),
            Self::Older {
                path,
                found,
                checkpoint,
                kept,
            } => write!(
                f,
                "{path} is not the newest: it comes to position {found}, and the checkpoint \
                 {checkpoint} says that the store came to {kept}; an older file, or one that went \
                 another way, was put in its place. Put back the newest file, or move this one \
                 away and restore the newest backup with `casewright restore`; if this file is \
                 all there is, `casewright audit accept` lets it go on without what came later, \
                 and keeps a record of that"
            ),
            Self::Gone { path, checkpoint } => write!(
                f,
                "there is no store at {path}, and the checkpoint {checkpoint} says that there was \
                 one; put it back, or restore the newest backup with `casewright restore`; to \
                 begin with an empty store, remove the checkpoint"
            ),
            Self::Checkpoint { path, reason } => write!(
                f,
                "checkpoint {path}: {reason}; put back the one that was there; if you are certain \
                 that the store beside it is the newest, `casewright audit accept` lets it go on, \
                 and keeps a record of that"
            ),
            Self::Damaged { path, reason } => write!(f, "{path} is damaged: {reason}"),
            Self::Io { path, .. } => write!(f, "cannot open {path}"),
        }
    }
}

impl std::error::Error for OpenError {}
