//! An older file of the store in the place of the newer one: refused by the checkpoint that lies
//! apart, and told so. A crash at any moment is no such thing; that is seen by `images.rs`.

use std::fs;

use casewright_store::backup::{Attached, RestoreError};
use casewright_store::{Batch, OpenError, RedbStore, Settings, Store, Turn, Why};

use crate::images::Base;
use crate::medium::{Disk, Image};
use crate::subject::{Subject, commit, opens, put, puts, value};

fn write(store: &dyn Store, count: usize, text: &str) {
    for number in 0..count {
        commit(store, puts(vec![put("k", &format!("{text} {number}"))]));
    }
}

#[test]
fn an_older_file_put_back_after_a_clean_end_is_refused() {
    let subject = Subject::redb();
    let file = subject.path("store.redb");
    write(&*subject.open(), 2, "first");
    let older = fs::read(&file).unwrap();
    // One commit more is enough.
    write(&*subject.open(), 1, "second");
    let newest = fs::read(&file).unwrap();

    fs::write(&file, &older).unwrap();
    let refused = subject.try_open(Settings::default()).err().unwrap();
    assert!(matches!(refused, OpenError::Older { .. }), "{refused}");
    let message = refused.to_string();
    for word in ["is not the newest", "casewright restore", ".checkpoint"] {
        assert!(message.contains(word), "{message}");
    }
    fs::write(&file, &newest).unwrap();
    let store = subject.open();
    assert_eq!(value(&*store, "k"), Some((3, "second 0".to_owned())));
    drop(store);
}

fn accept(subject: &Subject) -> Option<Turn> {
    RedbStore::accept(&subject.path("store.redb"), &subject.path("keys")).unwrap()
}

/// Why the store went on from elsewhere than where it had come to.
fn turns(subject: &Subject) -> Vec<Why> {
    let (path, keys) = (subject.path("store.redb"), subject.path("keys"));
    let store = RedbStore::open(&path, &keys, Settings::default()).unwrap();
    store.turns().iter().map(|turn| turn.why).collect()
}

#[test]
fn an_older_file_that_is_accepted_goes_on_and_that_is_recorded() {
    let subject = Subject::redb();
    let file = subject.path("store.redb");
    write(&*subject.open(), 2, "first");
    assert_eq!(accept(&subject), None, "there is nothing to accept");
    assert_eq!(turns(&subject), []);
    let older = fs::read(&file).unwrap();
    write(&*subject.open(), 1, "second");
    let newest = fs::read(&file).unwrap();

    fs::write(&file, &older).unwrap();
    let turn = accept(&subject).unwrap();
    assert_eq!(turn.why, Why::Accepted);
    assert!(turn.from.unwrap() > turn.to, "{turn:?}");
    let store = subject.open();
    assert_eq!(value(&*store, "k"), Some((2, "first 1".to_owned())));
    write(&*store, 5, "on");
    drop(store);
    assert_eq!(turns(&subject), [Why::Accepted], "also after it went on");
    // What was the newest went another way.
    fs::write(&file, &newest).unwrap();
    let refused = subject.try_open(Settings::default()).err().unwrap();
    assert!(matches!(refused, OpenError::Older { .. }), "{refused}");
}

#[test]
fn a_store_in_use_is_not_accepted() {
    let subject = Subject::redb();
    let store = subject.open();
    let refused = RedbStore::accept(&subject.path("store.redb"), &subject.path("keys"));
    assert!(matches!(refused, Err(OpenError::Locked { .. })));
    drop(store);
}

#[test]
fn a_checkpoint_that_is_gone_is_recorded() {
    let subject = Subject::redb();
    // A checkpoint of its own is known to it from its second start on.
    write(&*subject.open(), 1, "first");
    write(&*subject.open(), 1, "second");
    fs::remove_file(subject.checkpoint()).unwrap();
    assert_eq!(turns(&subject), [Why::Missing]);
    write(&*subject.open(), 1, "third");
    assert_eq!(turns(&subject), [Why::Missing], "once");
}

#[test]
fn no_empty_store_is_made_where_one_was() {
    let subject = Subject::redb();
    let file = subject.path("store.redb");
    write(&*subject.open(), 1, "first");
    let store = fs::read(&file).unwrap();
    fs::remove_file(&file).unwrap();
    let refused = subject.try_open(Settings::default()).err().unwrap();
    assert!(matches!(refused, OpenError::Gone { .. }), "{refused}");
    assert!(!file.exists(), "a restore finds its place free");
    fs::write(&file, store).unwrap();
    drop(subject.open());
    fs::remove_file(&file).unwrap();
    fs::remove_file(subject.checkpoint()).unwrap();
    assert_eq!(
        value(&*subject.open(), "k"),
        None,
        "it was said to begin anew"
    );
}

#[test]
fn an_altered_checkpoint_is_refused() {
    let subject = Subject::redb();
    write(&*subject.open(), 1, "first");
    let path = subject.checkpoint();
    let text = fs::read_to_string(&path).unwrap();
    let end = text.rfind(|c: char| c.is_ascii_digit()).unwrap();
    let mut altered = text.clone();
    let digit = if &text[end..=end] == "1" { "2" } else { "1" };
    altered.replace_range(end..=end, digit);
    fs::write(&path, altered).unwrap();
    let refused = subject.try_open(Settings::default()).err().unwrap();
    assert!(matches!(refused, OpenError::Checkpoint { .. }), "{refused}");
    fs::write(&path, text).unwrap();
    drop(subject.open());
    fs::write(&path, "hello").unwrap();
    assert_eq!(accept(&subject).unwrap().from, None);
    assert_eq!(turns(&subject), [Why::Accepted]);
}

/// A disk with a store on it that was killed, after so many commits since it was as it was, and as
/// many more as come before a checkpoint of its own is kept.
fn killed(base: &Base, from: &Image, count: usize, text: &str) -> Image {
    let disk = Disk::after(from.clone());
    let store = base.open(&disk);
    write(&store, count, text);
    while disk.now().kept == from.kept {
        write(&store, 1, text);
    }
    let before = disk.now();
    store.close();
    before
}

#[test]
fn an_older_file_put_back_after_a_kill_is_refused_as_far_as_a_checkpoint_came() {
    let base = Base::new();
    let started = base.disk().now();
    let first = killed(&base, &started, 40, "first");
    let second = killed(&base, &first, 40, "second");
    drop(base.open(&Disk::after(second.clone())));
    let rolled_back = Image {
        bytes: first.bytes,
        kept: second.kept.clone(),
    };
    let refused = base.try_open(&Disk::after(rolled_back)).err().unwrap();
    assert!(matches!(refused, OpenError::Older { .. }), "{refused}");
}

#[test]
fn a_file_that_went_on_another_way_is_refused_though_it_is_further() {
    let base = Base::new();
    let started = killed(&base, &base.disk().now(), 10, "both");
    let one = killed(&base, &started, 20, "one");
    let other = killed(&base, &started, 60, "another");
    let forked = Image {
        bytes: other.bytes,
        kept: one.kept,
    };
    let refused = base.try_open(&Disk::after(forked)).err().unwrap();
    assert!(matches!(refused, OpenError::Older { .. }), "{refused}");
}

#[test]
fn a_restored_backup_is_older_on_purpose() {
    let subject = Subject::redb();
    let (path, keys) = (subject.path("store.redb"), subject.path("keys"));
    let open = || RedbStore::open(&path, &keys, Settings::default()).unwrap();
    let store = open();
    commit(&store, opens("case-1"));
    let mut backup = Vec::new();
    store.backup(std::iter::empty(), &mut backup).unwrap();
    write(&store, 3, "later");
    drop(store);
    let newest = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    RedbStore::restore(&mut &*backup, &path, &keys, None, &mut |_| Ok(())).unwrap();
    let store = open();
    assert_eq!(value(&store, "k"), None);
    commit(
        &store,
        Batch {
            puts: vec![put("k", "again")],
            ..Batch::default()
        },
    );
    drop(store);
    let store = open();
    assert_eq!(value(&store, "k"), Some((1, "again".to_owned())));
    let [turn] = &*store.turns() else {
        panic!("{:?}", store.turns());
    };
    assert_eq!(turn.why, Why::Restored);
    assert!(turn.from.unwrap() > turn.to, "{turn:?}");
    drop(store);
    fs::write(&path, newest).unwrap();
    let refused = subject.try_open(Settings::default()).err().unwrap();
    assert!(matches!(refused, OpenError::Older { .. }), "{refused}");
}

#[test]
fn a_restore_that_fails_leaves_the_newest_as_it_was() {
    let subject = Subject::redb();
    let (path, keys) = (subject.path("store.redb"), subject.path("keys"));
    let store = RedbStore::open(&path, &keys, Settings::default()).unwrap();
    commit(&store, opens("case-1"));
    let mut backup = Vec::new();
    let attached: Attached = ("plugins/p.wasm".to_owned(), Vec::new());
    let files = std::iter::once(Ok(attached));
    store.backup(files, &mut backup).unwrap();
    write(&store, 3, "later");
    drop(store);
    let newest = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    // Somebody finds the newest and puts it back, just before the restored one is in its place.
    let mut found = |_: Attached| fs::write(&path, &newest);
    let restored = RedbStore::restore(&mut &*backup, &path, &keys, None, &mut found);
    assert!(matches!(restored, Err(RestoreError::Io(_))), "{restored:?}");
    let store = subject.open();
    assert_eq!(value(&*store, "k"), Some((3, "later 2".to_owned())));
    drop(store);
    assert_eq!(turns(&subject), [], "nothing was restored");
}
