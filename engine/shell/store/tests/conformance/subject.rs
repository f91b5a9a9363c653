//! A store under test, whatever is behind it: opened, reopened, and damaged behind its back.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;

use casewright_casework::audit::{Action, Entry};
use casewright_store::memory::Disk;
use casewright_store::{
    AuditAppend, Batch, Committed, EventAppend, Faults, Fold, Guard, MemoryStore, OpenError, Pages,
    Put, RedbStore, Settings, Store, Table, Under,
};
use redb::backends::FileBackend;
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition, TableHandle};

pub(crate) const SPACES: [&str; 8] = [
    "meta", "keys", "rows", "streams", "active", "segments", "audit", "journal",
];

pub(crate) enum Subject {
    Memory(Disk),
    Redb(tempfile::TempDir),
}

/// Faults that let go of the flushes before the store ends, so that a test that fails ends too.
pub(crate) struct Held(Arc<Faults>);

impl std::ops::Deref for Held {
    type Target = Faults;

    fn deref(&self) -> &Faults {
        &self.0
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.release();
    }
}

impl Subject {
    pub(crate) fn memory() -> Self {
        Self::Memory(Disk::default())
    }

    pub(crate) fn redb() -> Self {
        Self::Redb(tempfile::tempdir().unwrap())
    }

    /// An empty one of the same kind.
    pub(crate) fn another(&self) -> Self {
        match self {
            Self::Memory(_) => Self::memory(),
            Self::Redb(_) => Self::redb(),
        }
    }

    pub(crate) fn try_open(&self, settings: Settings) -> Result<Box<dyn Store>, OpenError> {
        Ok(match self {
            Self::Memory(disk) => Box::new(MemoryStore::open(disk, settings)?),
            Self::Redb(_) => {
                let (path, keys) = (self.path("store.redb"), self.path("keys"));
                Box::new(RedbStore::open(&path, &keys, settings)?)
            }
        })
    }

    pub(crate) fn open(&self) -> Box<dyn Store> {
        self.try_open(Settings::default()).unwrap()
    }

    /// With faults to plant.
    pub(crate) fn open_faulty(&self) -> (Box<dyn Store>, Held) {
        let faults = Arc::new(Faults::default());
        let settings = Settings {
            faults: Some(Arc::clone(&faults)),
            ..Settings::default()
        };
        (self.try_open(settings).unwrap(), Held(faults))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        match self {
            Self::Memory(_) => panic!("memory has no files"),
            Self::Redb(folder) => folder.path().join(name),
        }
    }

    /// Where the store keeps how far it came.
    pub(crate) fn checkpoint(&self) -> PathBuf {
        let folder = self.path("keys");
        let mut found = std::fs::read_dir(folder.parent().unwrap()).unwrap();
        let found = found.find_map(|entry| {
            let path = entry.unwrap().path();
            path.extension()?.eq("checkpoint").then_some(path)
        });
        found.unwrap()
    }

    pub(crate) fn keys(&self) -> Option<String> {
        match self {
            Self::Memory(disk) => disk.keys(),
            Self::Redb(_) => std::fs::read_to_string(self.path("keys")).ok(),
        }
    }

    pub(crate) fn set_keys(&self, text: Option<&str>) {
        match (self, text) {
            (Self::Memory(disk), text) => disk.set_keys(text.map(str::to_owned)),
            (Self::Redb(_), Some(text)) => std::fs::write(self.path("keys"), text).unwrap(),
            (Self::Redb(_), None) => std::fs::remove_file(self.path("keys")).unwrap(),
        }
    }

    /// What lies in the file of a closed store.
    fn database(&self) -> Database {
        let file = std::fs::File::options()
            .read(true)
            .write(true)
            .open(self.path("store.redb"))
            .unwrap();
        let pages = Pages::open(Box::new(FileBackend::new(file).unwrap())).unwrap();
        Database::builder().create_with_backend(pages).unwrap()
    }

    /// Makes the closed store a file of redb without checksums, as engines wrote it before.
    pub(crate) fn strip(&self) {
        let (path, plain) = (self.path("store.redb"), self.path("plain"));
        for space in SPACES {
            for (key, value) in self.values(space) {
                let database = Database::create(&plain).unwrap();
                set(&database, space, &key, Some(&value));
            }
        }
        std::fs::rename(plain, path).unwrap();
    }

    /// Raw values of a space while the store is closed.
    pub(crate) fn values(&self, space: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
        if let Self::Memory(disk) = self {
            return disk.values(space);
        }
        let database = self.database();
        let read = database.begin_read().unwrap();
        if !read
            .list_tables()
            .unwrap()
            .any(|table| table.name() == space)
        {
            return Vec::new();
        }
        if space == "journal" {
            let table = read.open_table(journal()).unwrap();
            let records = table.iter().unwrap().map(Result::unwrap);
            return records
                .map(|(key, value)| (key.value().to_be_bytes().to_vec(), value.value().to_vec()))
                .collect();
        }
        let table = read.open_table(definition(space)).unwrap();
        let pairs = table.iter().unwrap().map(Result::unwrap);
        pairs
            .map(|(key, value)| (key.value().to_vec(), value.value().to_vec()))
            .collect()
    }

    /// Overwrites or removes a raw value while the store is closed.
    pub(crate) fn plant(&self, space: &str, key: &[u8], value: Option<&[u8]>) {
        if let Self::Memory(disk) = self {
            return disk.plant(space, key, value.map(<[u8]>::to_vec));
        }
        set(&self.database(), space, key, value);
    }
}

fn set(database: &Database, space: &str, key: &[u8], value: Option<&[u8]>) {
    let write = database.begin_write().unwrap();
    {
        if space == "journal" {
            let mut table = write.open_table(journal()).unwrap();
            let position = u64::from_be_bytes(key.try_into().unwrap());
            match value {
                Some(value) => drop(table.insert(position, value).unwrap()),
                None => drop(table.remove(position).unwrap()),
            }
        } else {
            let mut table = write.open_table(definition(space)).unwrap();
            match value {
                Some(value) => drop(table.insert(key, value).unwrap()),
                None => drop(table.remove(key).unwrap()),
            }
        }
    }
    write.commit().unwrap();
}

/// What a check said that had to fail, since a bug was planted; panics when the bug passed.
#[track_caller]
pub(crate) fn caught(check: impl FnOnce()) -> String {
    let passed = "the planted bug went unnoticed";
    let panic = catch_unwind(AssertUnwindSafe(check)).expect_err(passed);
    match panic.downcast_ref::<String>() {
        Some(message) => message.clone(),
        None => panic.downcast_ref::<&str>().unwrap().to_string(),
    }
}

fn journal() -> TableDefinition<'static, u64, &'static [u8]> {
    TableDefinition::new("journal")
}

fn definition(space: &str) -> TableDefinition<'_, &'static [u8], &'static [u8]> {
    TableDefinition::new(space)
}

/// Submits and waits for the disk.
pub(crate) fn commit(store: &dyn Store, batch: Batch) -> Committed {
    store.submit(batch).unwrap().wait().unwrap()
}

pub(crate) fn opens(case: &str) -> Batch {
    Batch {
        opens: vec![case.to_owned()],
        ..Batch::default()
    }
}

pub(crate) fn put(key: &str, value: &str) -> Put {
    put_under(key, Some(value), Under::Agency("agency".to_owned()))
}

pub(crate) fn put_under(key: &str, value: Option<&str>, under: Under) -> Put {
    Put {
        table: Table::Case,
        key: key.as_bytes().to_vec(),
        value: value.map(|value| value.as_bytes().to_vec()),
        under,
    }
}

pub(crate) fn puts(puts: Vec<Put>) -> Batch {
    Batch {
        puts,
        ..Batch::default()
    }
}

pub(crate) fn row(key: &str, version: u64) -> Guard {
    Guard::Row {
        table: Table::Case,
        key: key.as_bytes().to_vec(),
        version,
    }
}

pub(crate) fn event(instance: &str, case: &str, text: &str) -> EventAppend {
    EventAppend {
        instance: instance.to_owned(),
        case: case.to_owned(),
        bytes: text.as_bytes().to_vec(),
    }
}

pub(crate) fn events(events: Vec<EventAppend>) -> Batch {
    Batch {
        events,
        ..Batch::default()
    }
}

/// Some are folded without a snapshot.
pub(crate) fn fold(instance: &str, case: &str, events: u64, active: bool) -> Fold {
    let snapshot = format!("snapshot of {instance} at {events}").into_bytes();
    Fold {
        instance: instance.to_owned(),
        case: case.to_owned(),
        events,
        snapshot: (events % 3 != 1).then_some(snapshot),
        active,
    }
}

pub(crate) fn folds(folds: Vec<Fold>) -> Batch {
    Batch {
        folds,
        ..Batch::default()
    }
}

pub(crate) fn audited(case: &str, who: &str) -> AuditAppend {
    AuditAppend {
        case: case.to_owned(),
        entry: entry(who),
    }
}

pub(crate) fn entry(who: &str) -> Entry {
    Entry {
        at: jiff::Timestamp::from_second(1_800_000_000).unwrap(),
        who: who.to_owned(),
        action: Action::CaseRead,
        instance: None,
        subject: None,
        detail: None,
    }
}

pub(crate) fn value(store: &dyn Store, key: &str) -> Option<(u64, String)> {
    let row = store.get(Table::Case, key.as_bytes()).unwrap()?;
    Some((row.version, String::from_utf8(row.value).unwrap()))
}

pub(crate) fn pending(store: &dyn Store, key: &str) -> Option<(u64, String)> {
    let row = store.pending(Table::Case, key.as_bytes()).unwrap()?;
    Some((row.version, String::from_utf8(row.value).unwrap()))
}

pub(crate) fn texts(bytes: Vec<Vec<u8>>) -> Vec<String> {
    let texts = bytes.into_iter().map(String::from_utf8);
    texts.map(Result::unwrap).collect()
}
