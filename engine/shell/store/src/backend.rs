//! What a backend must do, and no more: apply a group of changes atomically and durably, and read
//! what was applied. It knows neither seals nor guards nor what a value means.

use std::fmt;
use std::sync::Arc;

use crate::ReadError;

/// A key space. Codes and names are formats: never changed, never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Space {
    /// Name -> facts about the store itself.
    Meta,
    /// Owner -> wrapped data key.
    Keys,
    /// Table and key -> row.
    Rows,
    /// Instance -> latest snapshot.
    Streams,
    /// Instance -> nothing: recovery must look at it.
    Active,
    /// (instance, first sequence) -> folded events.
    Segments,
    /// (case, first index) -> folded audit links.
    Audit,
}

/// One change. Later changes of a group win over earlier ones.
#[derive(Debug, Clone)]
pub(crate) enum Op {
    Put {
        space: Space,
        key: Arc<[u8]>,
        value: Arc<[u8]>,
    },
    Delete {
        space: Space,
        key: Arc<[u8]>,
    },
    /// A row to the journal; positions ascend.
    Append {
        first: u64,
        row: Vec<u8>,
    },
    /// Removes the rows of the journal below a position.
    Trim {
        before: u64,
    },
}

/// Why a backend did not do what it was asked for. Whatever a writer is told, the store stops.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// What was read is not as it was written: what it is, without content. Other reads go on.
    Damaged(String),
    /// Text for the operator.
    Io(String),
}

/// A key with its value, both raw.
pub(crate) type Pair = (Vec<u8>, Arc<[u8]>);

/// A row of the journal with its position, raw.
pub(crate) type Numbered = (u64, Arc<[u8]>);

pub(crate) trait Backend: Send + Sync + 'static {
    type Snapshot: Snapshot;

    /// All or nothing; durable when it returns `Ok`, unknown when it returns `Err`.
    fn apply(&self, group: &mut dyn Iterator<Item = &Op>) -> Result<(), Failure>;

    /// What is durable at this moment.
    fn snapshot(&self) -> Result<Self::Snapshot, Failure>;

    /// Free bytes where the store lies; `None` when there is no such limit.
    fn free_bytes(&self) -> Result<Option<u64>, Failure>;

    /// Releases files and locks. Nothing is called afterwards.
    fn close(&self) -> Result<(), Failure>;
}

/// An unchanging view.
pub(crate) trait Snapshot: Send + Sync + 'static {
    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Arc<[u8]>>, Failure>;

    /// `start <= key < end` in key order, at most `limit`.
    fn scan(
        &self,
        space: Space,
        start: &[u8],
        end: &[u8],
        limit: usize,
    ) -> Result<Vec<Pair>, Failure>;

    /// The greatest key with `start <= key < end`.
    fn last(&self, space: Space, start: &[u8], end: &[u8]) -> Result<Option<Pair>, Failure>;

    /// The record at a position, taken out of its row; see [`crate::chunk`].
    fn record(&self, position: u64) -> Result<Option<Arc<[u8]>>, Failure>;

    /// Position of the row that a position falls into.
    fn floor(&self, position: u64) -> Result<Option<u64>, Failure>;

    /// Rows of the journal from a position on, in order, at most `limit`.
    fn journal(&self, from: u64, limit: usize) -> Result<Vec<Numbered>, Failure>;
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged(what) => crate::port::write_damaged(f, what),
            Self::Io(reason) => f.write_str(reason),
        }
    }
}

impl From<Failure> for ReadError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Damaged(what) => Self::Damaged { what },
            Failure::Io(reason) => Self::Io(reason),
        }
    }
}

impl Space {
    pub(crate) const COUNT: usize = 7;

    pub(crate) const ALL: [Self; Self::COUNT] = [
        Self::Meta,
        Self::Keys,
        Self::Rows,
        Self::Streams,
        Self::Active,
        Self::Segments,
        Self::Audit,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Meta => "meta",
            Self::Keys => "keys",
            Self::Rows => "rows",
            Self::Streams => "streams",
            Self::Active => "active",
            Self::Segments => "segments",
            Self::Audit => "audit",
        }
    }

    /// Part of what is sealed.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Meta => 1,
            Self::Keys => 2,
            Self::Rows => 3,
            Self::Streams => 4,
            Self::Active => 5,
            Self::Segments => 6,
            Self::Audit => 7,
        }
    }

    pub(crate) const fn index(self) -> usize {
        self.code() as usize - 1
    }

    /// For messages.
    pub(crate) const fn what(self) -> &'static str {
        match self {
            Self::Meta => "a fact about the store",
            Self::Keys => "the key of a case or agency",
            Self::Rows => "a row",
            Self::Streams => "the snapshot of an instance",
            Self::Active => "the mark of an active instance",
            Self::Segments => "a segment of an instance's history",
            Self::Audit => "a part of a case's audit chain",
        }
    }
}

/// Code of the journal in seals; it is a space of its own with numbers as keys.
pub(crate) const JOURNAL_CODE: u8 = 8;
