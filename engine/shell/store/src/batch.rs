//! What is committed together.

use casewright_casework::audit;

use crate::Table;

/// All or nothing. Guards are checked in order against everything queued before.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    pub guards: Vec<Guard>,
    /// Cases whose key is made by this batch, before anything is sealed under it.
    pub opens: Vec<String>,
    pub events: Vec<EventAppend>,
    pub puts: Vec<Put>,
    pub audit: Vec<AuditAppend>,
    pub folds: Vec<Fold>,
    /// Cases that nobody can read any more once this batch is on disk.
    pub erases: Vec<Erase>,
    /// Read audits may still be written from the disk reserve.
    pub reserve: bool,
}

/// What must still be so. `None` / 0: must not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Guard {
    /// The row has this version: the number of times it was written since it last came to be. A
    /// row that was deleted begins again at 1.
    Row {
        table: Table,
        key: Vec<u8>,
        version: u64,
    },
    /// The instance has had exactly this many events.
    Instance { id: String, events: u64 },
    /// The audit chain of the case has exactly this many links: nothing that is on record was done
    /// in it meanwhile.
    Chain { case: String, links: u64 },
}

/// Appends to an instance's history; the writer gives the position.
#[derive(Debug, Clone)]
pub struct EventAppend {
    pub instance: String,
    pub case: String,
    /// Versioned by its writer.
    pub bytes: Vec<u8>,
}

#[derive(Debug, Clone)]
pub struct Put {
    pub table: Table,
    pub key: Vec<u8>,
    /// `None` deletes.
    pub value: Option<Vec<u8>>,
    pub under: Under,
}

/// The key a value is sealed with.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Under {
    Agency(String),
    Case(String),
}

/// Chained in commit order by the writer.
#[derive(Debug, Clone)]
pub struct AuditAppend {
    pub case: String,
    pub entry: audit::Entry,
}

/// The key of a case is destroyed, and with it everything that is sealed under it, its histories
/// included. Its audit chain stays, with what this batch adds to it, under the agency's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erase {
    pub case: String,
    pub agency: String,
}

/// An instance leaves memory: its events move into a segment, beside a snapshot.
#[derive(Debug, Clone)]
pub struct Fold {
    pub instance: String,
    pub case: String,
    /// Number of events that are folded with it; must be all submitted so far.
    pub events: u64,
    /// What contains them all. `None` for a short history, which is replayed from its events.
    pub snapshot: Option<Vec<u8>>,
    /// Whether effects are still open, so that recovery must look at it.
    pub active: bool,
}
