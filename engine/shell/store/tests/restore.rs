//! Restoring: all of a sound backup, and nothing of any other.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::io;
use std::path::{Path, PathBuf};

use casewright_store::backup::{Attached, RestoreError};
use casewright_store::{Batch, EventAppend, Fold, Put, RedbStore, Settings, Store, Table, Under};

fn attached() -> Attached {
    ("plugins/d1/pay.wasm".to_owned(), vec![1, 2, 3])
}

/// A store with one row, and its backup with one file beside it.
fn backed_up(folder: &Path) -> Vec<u8> {
    let (path, keys) = (folder.join("store"), folder.join("keys"));
    let store = RedbStore::open(&path, &keys, Settings::default()).unwrap();
    let batch = Batch {
        puts: vec![Put {
            table: Table::Case,
            key: b"c1".to_vec(),
            value: Some(b"a case".to_vec()),
            under: Under::Agency("a1".to_owned()),
        }],
        ..Batch::default()
    };
    store.submit(batch).unwrap().wait().unwrap();
    let mut bytes = Vec::new();
    let files = std::iter::once(Ok(attached()));
    store.backup(files, &mut bytes).unwrap();
    bytes
}

/// What became of it, and the files that were put beside the store.
fn restore(folder: &Path, mut bytes: &[u8]) -> (Result<(), RestoreError>, Vec<Attached>) {
    let mut taken = Vec::new();
    let mut take = |file: Attached| -> io::Result<()> {
        taken.push(file);
        Ok(())
    };
    let (path, keys) = (folder.join("restored"), folder.join("keys"));
    let restored = RedbStore::restore(&mut bytes, &path, &keys, None, &mut take);
    (restored.map(drop), taken)
}

/// Puts a store back that an engine before this one wrote.
fn restored(folder: &Path, format: &str) -> (PathBuf, PathBuf) {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR"));
    let fixture = fixture.join("tests/fixtures").join(format);
    let keys = folder.join("keys");
    std::fs::copy(fixture.join("keys.json"), &keys).unwrap();
    let backup = std::fs::read(fixture.join("backup")).unwrap();
    restore(folder, &backup).0.unwrap();
    (folder.join("restored"), keys)
}

/// Written by an engine that knew neither packed values nor histories without a snapshot.
#[test]
fn a_store_of_format_1_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let (path, keys) = restored(folder.path(), "format-1");
    let event = |number: u64| format!("event {number} of i-1").into_bytes();
    for round in 0..2 {
        let store = RedbStore::open(&path, &keys, Settings::default()).unwrap();
        let row = store.get(Table::Case, b"a").unwrap().unwrap();
        assert!(row.value.starts_with(br#"{"v":1,"d":{"case":"a","#));
        let history = store.history("i-1").unwrap().unwrap();
        assert_eq!(history.snapshot.unwrap(), b"snapshot of i-1 at 2");
        assert_eq!((history.snapshot_events, history.folded_events), (2, 2));
        assert_eq!(history.events[0], event(3));
        let events: Vec<Vec<u8>> = (1..=3 + round).map(event).collect();
        assert_eq!(store.events("i-1").unwrap(), events);
        assert_eq!(store.unsettled().unwrap(), ["i-1", "i-2"]);
        let links = store.audit("c-1").unwrap();
        casewright_casework::audit::verify("c-1", &links).unwrap();
        assert_eq!(links.len(), 3);
        store.verify().unwrap();
        let batch = Batch {
            events: vec![EventAppend {
                instance: "i-1".to_owned(),
                case: "c-1".to_owned(),
                bytes: event(4 + round),
            }],
            ..Batch::default()
        };
        store.submit(batch).unwrap().wait().unwrap();
        store.close();
    }
}

/// Written by an engine that kept every nonce with its value, and owners as text.
#[test]
fn a_store_of_format_2_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let (path, keys) = restored(folder.path(), "format-2");
    let (case, run) = ("c05yv4n8j03gjr1m2k5t7w9yabc", "i05yv4n8j03gjr1m2k5t7w9yabg");
    let event = |number: u64| format!("event {number} of {run}").into_bytes();
    for round in 0..3 {
        let store = RedbStore::open(&path, &keys, Settings::default()).unwrap();
        for (table, key, begins) in [
            (Table::Case, case, "{\"v\":1,\"d\":{\"case\":\"c05"),
            (Table::Fund, "relief", "{\"v\":1}"),
        ] {
            let row = store.get(table, key.as_bytes()).unwrap().unwrap();
            assert_eq!(row.version, 1);
            assert!(row.value.starts_with(begins.as_bytes()));
        }
        let history = store.history(run).unwrap().unwrap();
        assert_eq!((history.snapshot, &*history.case), (None, case));
        let events: Vec<Vec<u8>> = (1..=3 + round).map(event).collect();
        assert_eq!((history.events, history.folded_events), (events, 2 + round));
        assert_eq!(store.unsettled().unwrap(), ["i-2", run]);
        let links = store.audit(case).unwrap();
        casewright_casework::audit::verify(case, &links).unwrap();
        assert_eq!(links.len(), 1);
        store.verify().unwrap();
        let append = |number: u64| EventAppend {
            instance: run.to_owned(),
            case: case.to_owned(),
            bytes: event(number),
        };
        let fold = Fold {
            instance: run.to_owned(),
            case: case.to_owned(),
            events: 3 + round,
            snapshot: None,
            active: true,
        };
        for batch in [
            Batch {
                folds: vec![fold],
                ..Batch::default()
            },
            Batch {
                events: vec![append(4 + round)],
                ..Batch::default()
            },
        ] {
            store.submit(batch).unwrap().wait().unwrap();
        }
        store.close();
    }
}

#[test]
fn a_sound_backup_comes_back_with_what_lay_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = backed_up(folder.path());
    let (restored, taken) = restore(folder.path(), &bytes);
    restored.unwrap();
    assert_eq!(taken, [attached()]);
    let (path, keys) = (folder.path().join("restored"), folder.path().join("keys"));
    let store = RedbStore::open(&path, &keys, Settings::default()).unwrap();
    let row = store.get(Table::Case, b"c1").unwrap().unwrap();
    assert_eq!(row.value, b"a case");
    let (again, _) = restore(folder.path(), &bytes);
    assert!(
        matches!(again, Err(RestoreError::Exists { .. })),
        "{again:?}"
    );
}

#[test]
fn of_a_changed_or_cut_backup_nothing_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = backed_up(folder.path());
    // The last byte belongs to the digest: everything before it reads well.
    for place in [bytes.len() - 1, bytes.len() - 60, bytes.len() / 2] {
        let mut changed = bytes.clone();
        changed[place] ^= 1;
        let (restored, taken) = restore(folder.path(), &changed);
        assert!(restored.is_err(), "byte {place}");
        assert_eq!(taken, [], "byte {place}");
    }
    let (restored, taken) = restore(folder.path(), &bytes[..bytes.len() - 1]);
    assert!(
        matches!(restored, Err(RestoreError::CutOff)),
        "{restored:?}"
    );
    assert_eq!(taken, []);
    assert!(!folder.path().join("restored").exists());
    assert!(!folder.path().join("restored.new").exists());
}
