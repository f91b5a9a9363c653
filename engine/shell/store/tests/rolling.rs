//! What older copies still open once the keys were rolled: everything, but what was erased.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::fs;
use std::path::{Path, PathBuf};

use casewright_store::backup::RestoreError;
use casewright_store::{
    Batch, Erase, EventAppend, ExportError, ExportTo, Put, ReadError, Recovered, RecoverySecret,
    RedbStore, Settings, Sound, Store, Table, Under,
};

const SECRET_TEXT: &str = "moved to a refuge on Tuesday";

struct Server {
    folder: tempfile::TempDir,
    secret: RecoverySecret,
}

impl Server {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            secret: RecoverySecret::generate(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn open(&self) -> RedbStore {
        let (path, keys) = (self.path("store"), self.path("keys"));
        RedbStore::open(&path, &keys, Settings::default()).unwrap()
    }

    fn export(&self) -> ExportTo {
        let (path, key) = (self.path("export"), self.secret.public());
        ExportTo { path, key }
    }

    fn recovered(&self) -> Recovered {
        let bytes = fs::read(self.path("export")).unwrap();
        Recovered::open(&bytes, &self.secret).unwrap()
    }
}

fn commit(store: &RedbStore, batch: Batch) {
    store.submit(batch).unwrap().wait().unwrap();
}

fn put(key: &str, under: Under) -> Put {
    Put {
        table: Table::Case,
        key: key.as_bytes().to_vec(),
        value: Some(SECRET_TEXT.as_bytes().to_vec()),
        under,
    }
}

/// Cases with a row and an event each, of which the last stays in the journal.
fn fill(store: &RedbStore, cases: &[&str]) {
    for case in cases {
        let batch = Batch {
            opens: vec![(*case).to_owned()],
            puts: vec![put(case, Under::Case((*case).to_owned()))],
            events: vec![EventAppend {
                instance: format!("i-{case}"),
                case: (*case).to_owned(),
                bytes: SECRET_TEXT.as_bytes().to_vec(),
            }],
            ..Batch::default()
        };
        commit(store, batch);
    }
}

fn erase(store: &RedbStore, case: &str) {
    let batch = Batch {
        erases: vec![Erase {
            case: case.to_owned(),
            agency: "a".to_owned(),
        }],
        ..Batch::default()
    };
    commit(store, batch);
}

fn backup(store: &RedbStore) -> Vec<u8> {
    let mut bytes = Vec::new();
    store.backup(std::iter::empty(), &mut bytes).unwrap();
    bytes
}

fn restore(
    folder: &Path,
    backup: &[u8],
    recovered: Option<&Recovered>,
) -> Result<(RedbStore, Sound), RestoreError> {
    let (path, keys) = (folder.join("store"), folder.join("keys"));
    let (_, sound) = RedbStore::restore(&mut &*backup, &path, &keys, recovered, &mut |_| Ok(()))?;
    let store = RedbStore::open(&path, &keys, Settings::default());
    Ok((store.unwrap(), sound))
}

fn is_erased(store: &RedbStore, case: &str) {
    assert_eq!(
        store.get(Table::Case, case.as_bytes()),
        Err(ReadError::Erased)
    );
}

fn opens(store: &RedbStore, case: &str) {
    let row = store.get(Table::Case, case.as_bytes()).unwrap().unwrap();
    assert_eq!(row.value, SECRET_TEXT.as_bytes());
    let events = store.events(&format!("i-{case}")).unwrap();
    assert_eq!(events, [SECRET_TEXT.as_bytes()]);
}

/// All that a thief could have but the key file of before the roll.
#[test]
fn no_copy_of_before_opens_what_was_erased_and_all_of_them_open_the_rest() {
    let server = Server::new();
    let store = server.open();
    fill(&store, &["c-1", "c-2"]);
    commit(
        &store,
        Batch {
            puts: vec![put("line", Under::Agency("a".to_owned()))],
            ..Batch::default()
        },
    );
    let before = backup(&store);
    fill(&store, &["c-3"]);
    erase(&store, "c-1");
    let between = backup(&store);
    assert!(store.roll_is_due());
    let rolled = store.roll(&server.export()).unwrap();
    assert_eq!(rolled.erased, 1);
    assert!(!store.roll_is_due());
    fill(&store, &["c-4"]);
    let after = backup(&store);
    is_erased(&store, "c-1");
    opens(&store, "c-2");
    store.close();
    let store = server.open();
    store.verify().unwrap();
    is_erased(&store, "c-1");
    opens(&store, "c-3");

    for (copy, cases, gone) in [
        (&before, &["c-2"][..], 2),
        (&between, &["c-2", "c-3"], 2),
        (&after, &["c-2", "c-3", "c-4"], 2),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let (restored, sound) = restore(folder.path(), copy, Some(&server.recovered())).unwrap();
        assert_eq!(sound.erased, gone);
        is_erased(&restored, "c-1");
        for case in cases {
            opens(&restored, case);
        }
        assert!(restored.get(Table::Case, b"line").unwrap().is_some());
        fill(&restored, &["c-9"]);
        restored.close();
        let keys = folder.path().join("keys");
        let store = folder.path().join("store");
        let again = RedbStore::open(&store, &keys, Settings::default()).unwrap();
        opens(&again, "c-9");
    }
}

#[test]
fn a_backup_of_before_needs_the_export_and_says_so() {
    let server = Server::new();
    let store = server.open();
    fill(&store, &["c-1"]);
    let before = backup(&store);
    store.roll(&server.export()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    fs::copy(server.path("keys"), folder.path().join("keys")).unwrap();
    let refused = restore(folder.path(), &before, None).err().unwrap();
    assert!(matches!(refused, RestoreError::Rolled), "{refused}");
    assert!(!folder.path().join("store").exists());
    let (restored, _) = restore(folder.path(), &before, Some(&server.recovered())).unwrap();
    opens(&restored, "c-1");
}

#[test]
fn a_backup_that_was_changed_is_called_so_and_not_older() {
    let server = Server::new();
    let store = server.open();
    fill(&store, &["c-1"]);
    let copy = backup(&store);
    let folder = tempfile::tempdir().unwrap();
    fs::copy(server.path("keys"), folder.path().join("keys")).unwrap();
    // The epoch that the key of the case is wrapped in.
    let owner = copy.windows(4).position(|bytes| bytes == b"Cc-1").unwrap();
    let mut changed = copy;
    changed[owner + 4 + 8] ^= 2;
    let refused = restore(folder.path(), &changed, None).err().unwrap();
    assert!(matches!(refused, RestoreError::Changed), "{refused}");
}

#[test]
fn an_export_of_before_the_erasure_brings_nothing_back_that_a_backup_calls_erased() {
    let server = Server::new();
    let store = server.open();
    fill(&store, &["c-1"]);
    store.export_keys(&server.export()).unwrap();
    erase(&store, "c-1");
    let folder = tempfile::tempdir().unwrap();
    let recovered = server.recovered();
    let (restored, _) = restore(folder.path(), &backup(&store), Some(&recovered)).unwrap();
    is_erased(&restored, "c-1");
}

#[test]
fn an_export_opens_for_its_secret_alone_and_whole() {
    let server = Server::new();
    let store = server.open();
    fill(&store, &["c-1"]);
    assert_eq!(store.export_keys(&server.export()).unwrap(), 1);
    let bytes = fs::read(server.path("export")).unwrap();
    let error = |bytes: &[u8], secret: &RecoverySecret| Recovered::open(bytes, secret).err();
    let other = RecoverySecret::generate();
    assert_eq!(error(&bytes, &other), Some(ExportError::Foreign));
    assert_eq!(
        error(b"hello", &server.secret),
        Some(ExportError::NotAnExport)
    );
    for at in [20, 60, bytes.len() - 1] {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        assert!(error(&changed, &server.secret).is_some(), "byte {at}");
    }
    let cut = error(&bytes[..bytes.len() - 1], &server.secret);
    assert_eq!(cut, Some(ExportError::Changed));
    let mut newer = bytes.clone();
    newer[19] = 2;
    assert_eq!(
        error(&newer, &server.secret),
        Some(ExportError::Newer { found: 2 })
    );
    let text = server.secret.text();
    let read = RecoverySecret::parse(&text).unwrap();
    assert_eq!(read.public(), server.secret.public());
    assert_eq!(read.public().to_string().parse(), Ok(read.public()));
    assert!(RecoverySecret::parse(&text[..40]).is_err());
}

#[test]
fn nothing_is_begun_when_the_export_cannot_be_written() {
    let server = Server::new();
    let store = server.open();
    fill(&store, &["c-1", "c-2"]);
    erase(&store, "c-1");
    let nowhere = ExportTo {
        path: server.path("no/such/folder"),
        ..server.export()
    };
    let before = fs::read_to_string(server.path("keys")).unwrap();
    assert!(store.roll(&nowhere).is_err());
    assert!(store.roll_is_due());
    let held = fs::read_to_string(server.path("keys")).unwrap();
    assert_eq!(held, before, "no epoch for each try");
    store.close();
    let store = server.open();
    opens(&store, "c-2");
    is_erased(&store, "c-1");
    assert_eq!(store.roll(&server.export()).unwrap().erased, 1);
    let held = fs::read_to_string(server.path("keys")).unwrap();
    assert!(
        held.contains("\"2\":") && !held.contains("\"1\":"),
        "one epoch"
    );
}

#[test]
fn a_key_file_that_is_not_of_the_export_is_left_alone() {
    let server = Server::new();
    let store = server.open();
    fill(&store, &["c-1"]);
    store.export_keys(&server.export()).unwrap();
    let copy = backup(&store);
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("keys");
    fs::write(&keys, "another").unwrap();
    let refused = restore(folder.path(), &copy, Some(&server.recovered())).err();
    let refused = refused.unwrap();
    let is_it = matches!(refused, RestoreError::Export(ExportError::OtherStore));
    assert!(is_it, "{refused}");
    assert_eq!(fs::read_to_string(&keys).unwrap(), "another");
}
