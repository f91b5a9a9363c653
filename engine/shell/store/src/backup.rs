//! A whole store as one file, and back: what was flushed at one moment, as sealed as it lies on
//! disk. Whoever holds the file alone can read nothing; the key file is kept apart.
//!
//! ```text
//! magic, format ─ entries: kind, key, value ─ end: count, digest of all before
//! ```
//!
//! It neither opens seals nor knows what an entry means. A file that was cut off, changed or made
//! by a newer engine is refused before anything is put in its place.

use std::fmt;
use std::io::{self, Read, Write};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::backend::{Backend, Failure, JOURNAL_CODE, Op, Snapshot, Space};
use crate::{ExportError, OpenError, ReadError};

const MAGIC: &[u8; 18] = b"casewright-backup\n";
const FORMAT: u32 = 1;

const END: u8 = 0;
/// A file that belongs to the store and does not lie in it, by its name.
const FILE: u8 = 9;

/// Entries read from the store at a time.
const ENTRIES: usize = 256;
/// Bytes of one commit of a restored store.
const GROUP_BYTES: usize = 4 * 1024 * 1024;
/// No key or name is longer, and no value larger: a damaged length asks for no memory.
const KEY_BYTES_MAX: u64 = 64 * 1024;
const VALUE_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// What a backup holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Entries of the store and files beside it.
    pub entries: u64,
    /// Of the whole backup.
    pub bytes: u64,
}

/// A file that is kept with the store: its name within the data folder, and what is in it.
pub type Attached = (String, Vec<u8>);

/// Why nothing was restored.
#[derive(Debug)]
#[non_exhaustive]
pub enum RestoreError {
    /// It does not begin like one.
    NotABackup,
    /// Made by a newer engine.
    Newer {
        found: u32,
        known: u32,
    },
    /// It ends too early.
    CutOff,
    /// What it says of itself is not so.
    Changed,
    /// Its keys are wrapped with a key that was destroyed since.
    Rolled,
    /// The export of the keys cannot be used.
    Export(ExportError),
    /// There is a store already.
    Exists {
        path: String,
    },
    /// The restored store does not open: another key file, or damage.
    Open(OpenError),
    Io(io::Error),
}

/// Writes what the view shows.
pub(crate) fn write(
    snapshot: &impl Snapshot,
    files: impl Iterator<Item = io::Result<Attached>>,
    out: &mut dyn Write,
) -> io::Result<Summary> {
    let mut out = Writer {
        out,
        hash: Sha256::new(),
        made: Summary::default(),
    };
    out.bytes(MAGIC)?;
    out.bytes(&FORMAT.to_be_bytes())?;
    for space in Space::ALL {
        let mut from = Vec::new();
        loop {
            let pairs = snapshot.scan(space, &from, &[0xff; 64], ENTRIES);
            let pairs = pairs.map_err(unread)?;
            let Some((last, _)) = pairs.last() else {
                break;
            };
            from.clone_from(last);
            from.push(0);
            for (key, value) in &pairs {
                out.entry(space.code(), key, value)?;
            }
        }
    }
    let mut next = 0;
    loop {
        let rows = snapshot.journal(next, ENTRIES).map_err(unread)?;
        let Some((last, _)) = rows.last() else {
            break;
        };
        next = last + 1;
        for (first, row) in &rows {
            out.entry(JOURNAL_CODE, &first.to_be_bytes(), row)?;
        }
    }
    for file in files {
        let (name, content) = file?;
        out.entry(FILE, name.as_bytes(), &content)?;
    }
    out.end()
}

fn unread(failure: Failure) -> io::Error {
    io::Error::other(ReadError::from(failure))
}

struct Writer<'w> {
    out: &'w mut dyn Write,
    hash: Sha256,
    made: Summary,
}

impl Writer<'_> {
    fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hash.update(bytes);
        self.made.bytes += bytes.len() as u64;
        self.out.write_all(bytes)
    }

    fn part(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.bytes(&(bytes.len() as u64).to_be_bytes())?;
        self.bytes(bytes)
    }

    fn entry(&mut self, kind: u8, key: &[u8], value: &[u8]) -> io::Result<()> {
        self.made.entries += 1;
        self.bytes(&[kind])?;
        self.part(key)?;
        self.part(value)
    }

    fn end(mut self) -> io::Result<Summary> {
        self.bytes(&[END])?;
        self.bytes(&self.made.entries.to_be_bytes())?;
        let digest = self.hash.clone().finalize();
        self.bytes(&digest)?;
        self.out.flush()?;
        Ok(self.made)
    }
}

/// Reads a backup to its end: whether it is whole and as it was made.
pub fn check(from: &mut dyn Read) -> Result<Summary, RestoreError> {
    each(from, &mut |_, _, _| Ok(()))
}

/// Reads a backup into an empty backend, each change as `mend` leaves it, which may leave none;
/// files go to `take`, in the order they come.
pub(crate) fn read(
    from: &mut dyn Read,
    backend: &impl Backend,
    mend: &mut dyn FnMut(Op) -> Option<Op>,
    take: &mut dyn FnMut(Attached) -> io::Result<()>,
) -> Result<Summary, RestoreError> {
    let (mut group, mut group_bytes) = (Vec::new(), 0);
    let found = each(from, &mut |kind, key, value| {
        if kind == FILE {
            let name = String::from_utf8(key).map_err(|_| RestoreError::Changed)?;
            return Ok(take((name, value))?);
        }
        group_bytes += key.len() + value.len();
        group.extend(mend(op(kind, &key, value)?));
        if group_bytes >= GROUP_BYTES {
            group_bytes = 0;
            apply(backend, &mut group)?;
        }
        Ok(())
    })?;
    apply(backend, &mut group)?;
    Ok(found)
}

/// Kind, key, value.
type Raw = (u8, Vec<u8>, Vec<u8>);

type Entry<'e> = dyn FnMut(u8, Vec<u8>, Vec<u8>) -> Result<(), RestoreError> + 'e;

fn each(from: &mut dyn Read, entry: &mut Entry<'_>) -> Result<Summary, RestoreError> {
    let mut from = Reader {
        from,
        hash: Sha256::new(),
        found: Summary::default(),
    };
    from.head()?;
    while let Some((kind, key, value)) = from.entry()? {
        entry(kind, key, value)?;
    }
    Ok(from.found)
}

fn op(kind: u8, key: &[u8], value: Vec<u8>) -> Result<Op, RestoreError> {
    if kind == JOURNAL_CODE {
        let first = key.try_into().map_err(|_| RestoreError::Changed)?;
        return Ok(Op::Append {
            first: u64::from_be_bytes(first),
            row: value,
        });
    }
    let space = Space::ALL.into_iter().find(|space| space.code() == kind);
    Ok(Op::Put {
        space: space.ok_or(RestoreError::Changed)?,
        key: Arc::from(key),
        value: Arc::from(value),
    })
}

fn apply(backend: &impl Backend, group: &mut Vec<Op>) -> Result<(), RestoreError> {
    let applied = backend.apply(&mut group.iter());
    group.clear();
    applied.map_err(|failure| RestoreError::Io(io::Error::other(failure.to_string())))
}

struct Reader<'r> {
    from: &'r mut dyn Read,
    hash: Sha256,
    found: Summary,
}

impl Reader<'_> {
    fn head(&mut self) -> Result<(), RestoreError> {
        let magic = self.exact::<18>().map_err(|_| RestoreError::NotABackup)?;
        if magic != *MAGIC {
            return Err(RestoreError::NotABackup);
        }
        match u32::from_be_bytes(self.exact()?) {
            FORMAT => Ok(()),
            found if found > FORMAT => Err(RestoreError::Newer {
                found,
                known: FORMAT,
            }),
            _ => Err(RestoreError::Changed),
        }
    }

    /// `None` at a sound end.
    fn entry(&mut self) -> Result<Option<Raw>, RestoreError> {
        let [kind] = self.exact::<1>()?;
        if kind == END {
            let count = u64::from_be_bytes(self.exact()?);
            let digest = self.hash.clone().finalize();
            let told = self.exact::<32>()?;
            let sound = count == self.found.entries && told[..] == digest[..];
            return if sound {
                Ok(None)
            } else {
                Err(RestoreError::Changed)
            };
        }
        self.found.entries += 1;
        Ok(Some((
            kind,
            self.part(KEY_BYTES_MAX)?,
            self.part(VALUE_BYTES_MAX)?,
        )))
    }

    fn part(&mut self, most: u64) -> Result<Vec<u8>, RestoreError> {
        let length = u64::from_be_bytes(self.exact()?);
        if length > most {
            return Err(RestoreError::Changed);
        }
        let mut bytes = Vec::new();
        self.from.take(length).read_to_end(&mut bytes)?;
        if bytes.len() as u64 != length {
            return Err(RestoreError::CutOff);
        }
        self.hash.update(&bytes);
        self.found.bytes += length;
        Ok(bytes)
    }

    fn exact<const N: usize>(&mut self) -> Result<[u8; N], RestoreError> {
        let mut bytes = [0; N];
        self.from.read_exact(&mut bytes).map_err(|error| {
            if error.kind() == io::ErrorKind::UnexpectedEof {
                RestoreError::CutOff
            } else {
                RestoreError::Io(error)
            }
        })?;
        self.hash.update(bytes);
        self.found.bytes += N as u64;
        Ok(bytes)
    }
}

impl From<io::Error> for RestoreError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl fmt::Display for RestoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotABackup => f.write_str("this is no backup of Casewright"),
            Self::Newer { found, known } => write!(
                f,
                "the backup was made by a newer engine (format {found}, this engine knows \
                 {known}); restore it with that engine"
            ),
            Self::CutOff => {
                f.write_str("the backup ends too early: it was cut off while it was made or copied")
            }
            Self::Changed => f.write_str(
                "the backup is not as it was made: its digest does not fit; take another copy",
            ),
            Self::Rolled => f.write_str(
                "the keys were rolled after this backup was made: add the newest export of the \
                 keys with `--key-export` and the recovery secret with `--recovery`",
            ),
            Self::Export(error) => error.fmt(f),
            Self::Exists { path } => write!(
                f,
                "there is a store at {path} already; restore into an empty folder"
            ),
            Self::Open(_) => f.write_str("what was restored does not open"),
            Self::Io(_) => f.write_str("the backup could not be restored"),
        }
    }
}

impl std::error::Error for RestoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Open(error) => Some(error),
            Self::Io(error) => Some(error),
            Self::NotABackup
            | Self::Newer { .. }
            | Self::CutOff
            | Self::Changed
            | Self::Rolled
            | Self::Export(_)
            | Self::Exists { .. } => None,
        }
    }
}
