//! A store in one redb file, and its keys in another.
//!
//! Values are our own bytes, so that neither redb's types nor its versions become our format. Every
//! commit is `Immediate` with quick repair, which implies two phases: the other mode could lose
//! flushed commits, and opens slowly after a crash.

use std::fs::{File, OpenOptions};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ::redb::backends::FileBackend;
use ::redb::{
    AccessGuard, Database, DatabaseError, Durability, ReadOnlyTable, ReadableDatabase,
    StorageBackend, StorageError, Table as WriteTable, TableDefinition, TableError,
    WriteTransaction,
};
use casewright_casework::audit;

use crate::backend::{Backend, Failure, Numbered, Op, Pair, Snapshot, Space};
use crate::backup::{Attached, Summary};
use crate::checkpoint::{Turn, Witness, WitnessFile};
use crate::chunk;
use crate::durable::{Durable, KeyPlace};
use crate::key_file::{EpochKeys, KeyFileError, MISSING, folder, rename_new, with_suffix};
use crate::pages::Pages;
use crate::record::RECORD;
use crate::{
    Batch, ExportTo, History, OpenError, ReadError, Rolled, Row, Settings, Sound, Store,
    SubmitError, Table, Ticket,
};

mod contents;
mod older;

pub(crate) use contents::contents;

/// A store in one file.
pub struct RedbStore {
    durable: Durable<Redb>,
    keys_path: PathBuf,
}

type Bytes = &'static [u8];

const JOURNAL: TableDefinition<'static, u64, Bytes> = TableDefinition::new("journal");

const fn definition(space: Space) -> TableDefinition<'static, Bytes, Bytes> {
    TableDefinition::new(space.name())
}

struct Redb {
    /// `None` once closed.
    database: Mutex<Option<Arc<Database>>>,
    folder: std::path::PathBuf,
}

impl RedbStore {
    /// Opens the store at `path` with the keys at `keys_path`. A new store makes both files; a
    /// store whose key file is missing is refused, and one that is not what its checkpoint says.
    pub fn open(path: &Path, keys_path: &Path, settings: Settings) -> Result<Self, OpenError> {
        let witness = match &settings.witness {
            Some(witness) => Arc::clone(witness),
            None => witness_file(path, keys_path).map_err(|error| io_error(path, error))?,
        };
        if !path.try_exists().map_err(|error| io_error(path, error))? {
            let place = witness.place();
            let kept = witness.read();
            if kept
                .map_err(|error| io_error(Path::new(&place), error))?
                .is_some()
            {
                return Err(OpenError::Gone {
                    path: text(path),
                    checkpoint: place,
                });
            }
            create(path, keys_path, &settings)?;
        }
        Self::open_with(path, keys_path, settings, Some(witness))
    }

    fn open_with(
        path: &Path,
        keys_path: &Path,
        settings: Settings,
        witness: Option<Arc<dyn Witness>>,
    ) -> Result<Self, OpenError> {
        let keys = needed_keys(keys_path)?;
        let backend = Redb::open(path, &settings)?;
        let durable = Durable::open(backend, &keys, settings, witness)
            .map_err(|error| error.at(&text(path), &text(keys_path)))?;
        Ok(Self {
            durable,
            keys_path: keys_path.to_owned(),
        })
    }
}

impl RedbStore {
    /// Writes everything that is on disk at this moment; commits go on meanwhile. `files` belong to
    /// the store and lie beside it.
    pub fn backup(
        &self,
        files: impl Iterator<Item = io::Result<Attached>>,
        out: &mut dyn io::Write,
    ) -> io::Result<Summary> {
        self.durable.backup(files, out)
    }

    /// Bytes appended to the journal, counted from its tail at opening: what a bench compares with.
    pub fn written(&self) -> u64 {
        self.durable.written()
    }

    /// When it went on from elsewhere than where it had come to, and why; its checkpoint knows.
    pub fn turns(&self) -> Vec<Turn> {
        self.durable.turns()
    }

    /// Whether a case was erased that an older copy of the store, with its keys, still opens.
    pub fn roll_is_due(&self) -> bool {
        self.durable.roll_is_due()
    }

    /// Wraps every key anew and destroys what they were wrapped with: no older copy of the store
    /// opens an erased case any more. The export is written before, and nothing is destroyed when
    /// that fails.
    pub fn roll(&self, to: &ExportTo) -> io::Result<Rolled> {
        let place = KeyFile(&self.keys_path);
        // Where no export can be written no epoch is begun: each try would leave one more.
        self.export_keys(to)?;
        self.durable
            .roll(&place, &mut |keys, rows| to.write(keys, &rows))
    }

    /// Writes an export of the keys as they are; gives how many.
    pub fn export_keys(&self, to: &ExportTo) -> io::Result<u64> {
        let place = KeyFile(&self.keys_path);
        self.durable
            .export(&place, &mut |keys, rows| to.write(keys, &rows))
    }

    /// Opens every value once.
    pub fn verify(&self) -> Result<Sound, ReadError> {
        self.durable.verify()
    }
}

/// The key file of a store.
struct KeyFile<'p>(&'p Path);

impl KeyPlace for KeyFile<'_> {
    fn read(&self) -> io::Result<EpochKeys> {
        needed_keys(self.0).map_err(|error| io::Error::other(error.to_string()))
    }

    fn replace(&self, keys: &EpochKeys) -> io::Result<()> {
        keys.replace(self.0)
    }
}

fn witness_file(path: &Path, keys_path: &Path) -> io::Result<Arc<dyn Witness>> {
    Ok(Arc::new(WitnessFile::of(path, keys_path)?))
}

fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Makes a new store beside its place and moves it there: a store that exists is whole.
fn create(path: &Path, keys_path: &Path, settings: &Settings) -> Result<(), OpenError> {
    // Keys without a store were left by an attempt that did not come further: they open nothing
    // else.
    let keys = if let Some(keys) = read_keys(keys_path)? {
        keys
    } else {
        let keys = EpochKeys::generate();
        let keys = keys.map_err(|error| io_error(keys_path, io::Error::other(error)))?;
        keys.create(keys_path)
            .map_err(|error| io_error(keys_path, error))?;
        keys
    };
    let beside = with_suffix(path, ".new");
    remove(&beside).map_err(|error| io_error(&beside, error))?;
    let backend = Redb::new(&beside, settings)?;
    Durable::initialise(&backend, &keys)
        .map_err(|error| error.at(&text(path), &text(keys_path)))?;
    backend
        .close()
        .map_err(|failure| io_error(path, io::Error::other(failure.to_string())))?;
    match rename_new(&beside, path) {
        // Somebody else made it meanwhile: theirs stands.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        renamed => renamed.map_err(|error| io_error(path, error)),
    }
}

/// Of a store that exists.
fn needed_keys(path: &Path) -> Result<EpochKeys, OpenError> {
    read_keys(path)?.ok_or_else(|| keys_error(path, MISSING.to_owned()))
}

fn read_keys(path: &Path) -> Result<Option<EpochKeys>, OpenError> {
    EpochKeys::read(path).map_err(|error| match error {
        KeyFileError::Io(error) => keys_error(path, format!("cannot be read: {error}")),
        KeyFileError::Content(reason) => keys_error(path, reason),
    })
}

impl Redb {
    /// Over a new file.
    fn new(path: &Path, settings: &Settings) -> Result<Self, OpenError> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .open(path);
        let file = file.map_err(|error| io_error(path, error))?;
        let pages = Pages::create(Box::new(backend(path, file)?));
        Self::over(path, pages, settings)
    }

    fn open(path: &Path, settings: &Settings) -> Result<Self, OpenError> {
        let file: Box<dyn StorageBackend> = if let Some(medium) = &settings.medium {
            medium(path).map_err(|error| io_error(path, error))?
        } else {
            let file = OpenOptions::new().read(true).write(true).open(path);
            Box::new(backend(path, file.map_err(|error| io_error(path, error))?)?)
        };
        Self::over(path, Pages::open(file), settings)
    }

    fn over(path: &Path, pages: io::Result<Pages>, settings: &Settings) -> Result<Self, OpenError> {
        let pages = pages.map_err(|error| io_error(path, error))?;
        // A file without checksums may show redb anything.
        let opened = catch_unwind(AssertUnwindSafe(|| {
            builder(settings).create_with_backend(pages)
        }));
        let database = opened.unwrap_or_else(|_| {
            let reason = "redb found what it never writes".to_owned();
            Err(StorageError::Corrupted(reason).into())
        });
        let database = database.map_err(|error| open_error(path, error))?;
        Ok(Self {
            database: Mutex::new(Some(Arc::new(database))),
            folder: folder(path).to_owned(),
        })
    }

    fn database(&self) -> Result<Arc<Database>, Failure> {
        let database = self.database.lock().unwrap_or_else(PoisonError::into_inner);
        database
            .clone()
            .ok_or_else(|| Failure::Io("the store is closed".to_owned()))
    }
}

/// Moves what the file holds to its beginning and gives the rest back; nobody has it open.
pub(crate) fn compact(path: &Path) -> Result<(), String> {
    let opened = Redb::open(path, &Settings::default()).map_err(|error| error.to_string())?;
    let database = opened.database.into_inner();
    let database = database.unwrap_or_else(PoisonError::into_inner);
    let database = database.and_then(Arc::into_inner);
    let mut database = database.expect("just opened, and held by nobody else");
    while database.compact().map_err(|error| error.to_string())? {}
    database.close().map_err(|error| error.to_string())
}

fn backend(path: &Path, file: File) -> Result<FileBackend, OpenError> {
    FileBackend::new(file).map_err(|error| open_error(path, error))
}

fn builder(settings: &Settings) -> ::redb::Builder {
    let mut builder = Database::builder();
    builder.set_cache_size(settings.cache_bytes);
    // With quick repair on every commit this never happens; when it does, it should be seen.
    builder.set_repair_callback(|session| {
        tracing::warn!(progress = session.progress(), "repairing the store");
    });
    builder
}

impl Backend for Redb {
    type Snapshot = RedbSnapshot;

    fn apply(&self, group: &mut dyn Iterator<Item = &Op>) -> Result<(), Failure> {
        guarded(|| {
            let database = self.database()?;
            let mut transaction = database.begin_write().map_err(failure)?;
            transaction
                .set_durability(Durability::Immediate)
                .map_err(failure)?;
            transaction.set_quick_repair(true);
            write(&transaction, group)?;
            transaction.commit().map_err(failure)
        })
    }

    fn snapshot(&self) -> Result<Self::Snapshot, Failure> {
        guarded(|| {
            let transaction = self.database()?.begin_read().map_err(failure)?;
            let spaces =
                Space::ALL.map(|space| existing(transaction.open_table(definition(space))));
            let mut tables = Vec::with_capacity(spaces.len());
            for space in spaces {
                tables.push(space?);
            }
            Ok(RedbSnapshot {
                tables,
                journal: existing(transaction.open_table(JOURNAL))?,
            })
        })
    }

    fn free_bytes(&self) -> Result<Option<u64>, Failure> {
        let found = rustix::fs::statvfs(&self.folder);
        let found = found.map_err(|error| Failure::Io(error.to_string()))?;
        Ok(Some(found.f_bavail.saturating_mul(found.f_frsize)))
    }

    fn close(&self) -> Result<(), Failure> {
        let mut database = self.database.lock().unwrap_or_else(PoisonError::into_inner);
        match database.take().map(Arc::try_unwrap) {
            Some(Ok(database)) => database.close().map_err(failure),
            Some(Err(_)) => Err(Failure::Io("somebody still uses the store".to_owned())),
            None => Ok(()),
        }
    }
}

/// What redb may panic over when it is given a page that it never wrote.
fn guarded<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    let done = catch_unwind(AssertUnwindSafe(work));
    done.unwrap_or_else(|_| Err(Failure::Damaged(A_PAGE.to_owned())))
}

fn write(
    transaction: &WriteTransaction,
    group: &mut dyn Iterator<Item = &Op>,
) -> Result<(), Failure> {
    let mut tables: [Option<WriteTable<'_, Bytes, Bytes>>; Space::COUNT] = Default::default();
    let mut journal = transaction.open_table(JOURNAL).map_err(failure)?;
    for op in group {
        match op {
            Op::Put { space, key, value } => {
                let table = opened(transaction, &mut tables, *space)?;
                table.insert(&**key, &**value).map_err(failure)?;
            }
            Op::Delete { space, key } => {
                let table = opened(transaction, &mut tables, *space)?;
                table.remove(&**key).map_err(failure)?;
            }
            Op::Append { first, row } => {
                journal.insert(first, row.as_slice()).map_err(failure)?;
            }
            Op::Trim { before } => {
                journal
                    .retain_in(..*before, |_, _| false)
                    .map_err(failure)?;
            }
        }
    }
    Ok(())
}

fn opened<'t, 'x>(
    transaction: &'x WriteTransaction,
    tables: &'t mut [Option<WriteTable<'x, Bytes, Bytes>>; Space::COUNT],
    space: Space,
) -> Result<&'t mut WriteTable<'x, Bytes, Bytes>, Failure> {
    let table = &mut tables[space.index()];
    if table.is_none() {
        *table = Some(transaction.open_table(definition(space)).map_err(failure)?);
    }
    Ok(table.as_mut().expect("opened above"))
}

struct RedbSnapshot {
    /// In the order of `Space::ALL`; a table that was never written does not exist.
    tables: Vec<Option<ReadOnlyTable<Bytes, Bytes>>>,
    journal: Option<ReadOnlyTable<u64, Bytes>>,
}

impl RedbSnapshot {
    /// A table is asked only when it exists.
    fn with<T>(
        &self,
        space: Space,
        read: impl FnOnce(&ReadOnlyTable<Bytes, Bytes>) -> Result<T, StorageError>,
    ) -> Result<Option<T>, Failure> {
        let table = self.tables[space.index()].as_ref();
        guarded(|| table.map(read).transpose().map_err(failure))
            .map_err(|failure| in_space(failure, space.what()))
    }

    fn with_journal<T>(
        &self,
        read: impl FnOnce(&ReadOnlyTable<u64, Bytes>) -> Result<T, StorageError>,
    ) -> Result<Option<T>, Failure> {
        let journal = self.journal.as_ref();
        guarded(|| journal.map(read).transpose().map_err(failure))
            .map_err(|failure| in_space(failure, RECORD))
    }
}

/// Says what was looked for in the page.
fn in_space(failure: Failure, what: &str) -> Failure {
    match failure {
        Failure::Damaged(_) => Failure::Damaged(format!("{A_PAGE} with {what}")),
        Failure::Io(_) => failure,
    }
}

impl Snapshot for RedbSnapshot {
    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Arc<[u8]>>, Failure> {
        let found = self.with(space, |table| {
            let value = table.get(key)?;
            Ok(value.map(|value| Arc::from(value.value())))
        })?;
        Ok(found.flatten())
    }

    fn scan(
        &self,
        space: Space,
        start: &[u8],
        end: &[u8],
        limit: usize,
    ) -> Result<Vec<Pair>, Failure> {
        let pairs = self.with(space, |table| {
            let pairs = table.range(start..end)?.take(limit);
            pairs.map(|pair| pair.map(owned)).collect()
        })?;
        Ok(pairs.unwrap_or_default())
    }

    fn last(&self, space: Space, start: &[u8], end: &[u8]) -> Result<Option<Pair>, Failure> {
        let pair = self.with(space, |table| {
            let pair = table.range(start..end)?.next_back();
            pair.map(|pair| pair.map(owned)).transpose()
        })?;
        Ok(pair.flatten())
    }

    fn record(&self, position: u64) -> Result<Option<Arc<[u8]>>, Failure> {
        let found = self.with_journal(|journal| {
            let row = journal.range(..=position)?.next_back().transpose()?;
            let found = row.and_then(|(first, row)| {
                chunk::find(first.value(), row.value(), position).map(Arc::from)
            });
            Ok(found)
        })?;
        Ok(found.flatten())
    }

    fn floor(&self, position: u64) -> Result<Option<u64>, Failure> {
        let found = self.with_journal(|journal| {
            let row = journal.range(..=position)?.next_back().transpose()?;
            Ok(row.map(|(first, _)| first.value()))
        })?;
        Ok(found.flatten())
    }

    fn journal(&self, from: u64, limit: usize) -> Result<Vec<Numbered>, Failure> {
        let rows = self.with_journal(|journal| {
            let rows = journal.range(from..)?.take(limit);
            let owned = rows.map(|row| {
                let (first, row) = row?;
                Ok((first.value(), Arc::from(row.value())))
            });
            owned.collect()
        })?;
        Ok(rows.unwrap_or_default())
    }
}

fn owned((key, value): (AccessGuard<'_, Bytes>, AccessGuard<'_, Bytes>)) -> Pair {
    (key.value().to_vec(), Arc::from(value.value()))
}

fn existing<T>(opened: Result<T, TableError>) -> Result<Option<T>, Failure> {
    match opened {
        Ok(table) => Ok(Some(table)),
        Err(TableError::TableDoesNotExist(_)) => Ok(None),
        Err(error) => Err(failure(error)),
    }
}

/// What `Failure::Damaged` names where nothing more is known.
const A_PAGE: &str = "a page of the store";

fn failure(error: impl Into<::redb::Error>) -> Failure {
    match error.into() {
        ::redb::Error::Corrupted(_) => Failure::Damaged(A_PAGE.to_owned()),
        error => Failure::Io(error.to_string()),
    }
}

fn open_error(path: &Path, error: DatabaseError) -> OpenError {
    let path_text = text(path);
    match error {
        DatabaseError::DatabaseAlreadyOpen => OpenError::Locked { path: path_text },
        DatabaseError::Storage(StorageError::Io(error)) => io_error(path, error),
        error => OpenError::Damaged {
            path: path_text,
            reason: format!("a page that is needed to open it is not as it was written ({error})"),
        },
    }
}

fn io_error(path: &Path, source: io::Error) -> OpenError {
    let path = text(path);
    if source.kind() == io::ErrorKind::InvalidData {
        let reason = source.to_string();
        return OpenError::Damaged { path, reason };
    }
    OpenError::Io { path, source }
}

fn keys_error(path: &Path, reason: String) -> OpenError {
    OpenError::Keys {
        path: text(path),
        reason,
    }
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

crate::durable::delegate_store!(RedbStore);
