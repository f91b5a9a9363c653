//! Opening: keys that are missing or foreign, newer formats, and two at once.

use casewright_store::{OpenError, Settings};

use crate::subject::{Subject, commit, put, puts, value};

crate::conform!(
    a_store_without_its_key_file_is_refused_and_gets_no_new_one,
    the_keys_of_another_store_are_refused,
    altered_keys_are_refused,
    a_newer_store_is_refused_and_untouched,
    a_second_opening_is_refused_while_the_first_lasts,
    nothing_readable_lies_in_the_values,
);

fn refusal(subject: &Subject) -> OpenError {
    subject
        .try_open(Settings::default())
        .err()
        .expect("the store must not open")
}

fn written(subject: &Subject) {
    commit(&*subject.open(), puts(vec![put("k", "a-secret-value")]));
}

fn a_store_without_its_key_file_is_refused_and_gets_no_new_one(subject: &Subject) {
    written(subject);
    let keys = subject.keys().unwrap();
    subject.set_keys(None);
    let message = refusal(subject).to_string();
    assert!(message.contains("put back the key file"), "{message}");
    assert_eq!(subject.keys(), None);
    subject.set_keys(Some(&keys));
    let found = value(&*subject.open(), "k");
    assert_eq!(found, Some((1, "a-secret-value".to_owned())));
}

fn the_keys_of_another_store_are_refused(subject: &Subject) {
    written(subject);
    let other = subject.another();
    written(&other);
    subject.set_keys(Some(&other.keys().unwrap()));
    let refused = refusal(subject);
    assert!(matches!(refused, OpenError::Keys { .. }), "{refused}");
    let message = refused.to_string();
    assert!(message.contains("belongs to another store"), "{message}");
}

fn altered_keys_are_refused(subject: &Subject) {
    written(subject);
    let mut text = subject.keys().unwrap();
    let at = text.rfind('"').unwrap() - 1;
    let digit = if &text[at..=at] == "0" { "1" } else { "0" };
    text.replace_range(at..=at, digit);
    subject.set_keys(Some(&text));
    let refused = refusal(subject);
    assert!(matches!(refused, OpenError::Keys { .. }), "{refused}");
    subject.set_keys(Some("nonsense"));
    let refused = refusal(subject);
    assert!(matches!(refused, OpenError::Keys { .. }), "{refused}");
}

fn a_newer_store_is_refused_and_untouched(subject: &Subject) {
    written(subject);
    subject.plant("meta", b"format", Some(&9_u32.to_be_bytes()));
    let before = subject.values("meta");
    let refused = refusal(subject);
    let expected = matches!(
        refused,
        OpenError::Newer {
            found: 9,
            known: 3,
            ..
        }
    );
    assert!(expected, "{refused}");
    assert_eq!(subject.values("meta"), before);
}

fn a_second_opening_is_refused_while_the_first_lasts(subject: &Subject) {
    let store = subject.open();
    let refused = refusal(subject);
    assert!(matches!(refused, OpenError::Locked { .. }), "{refused}");
    store.close();
    drop(store);
    drop(subject.open());
}

fn nothing_readable_lies_in_the_values(subject: &Subject) {
    written(subject);
    for space in crate::subject::SPACES {
        for (_, value) in subject.values(space) {
            let found = value.windows(8).any(|window| window == b"a-secret");
            assert!(!found, "in {space}");
        }
    }
}

#[test]
fn the_files_are_private_and_where_they_should_be() {
    use std::os::unix::fs::PermissionsExt;

    let subject = Subject::redb();
    written(&subject);
    let keys = std::fs::metadata(subject.path("keys")).unwrap();
    assert_eq!(keys.permissions().mode() & 0o777, 0o600);
    let folder = subject.path("keys").parent().unwrap().to_owned();
    let names = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = names.map(|name| name.unwrap().file_name()).collect();
    names.sort();
    let [keys, checkpoint, store] = &*names else {
        panic!("{names:?}");
    };
    assert_eq!((keys, store), (&"keys".into(), &"store.redb".into()));
    let checkpoint = checkpoint.to_str().unwrap();
    assert!(checkpoint.starts_with("keys.") && checkpoint.ends_with(".checkpoint"));
}

#[test]
fn an_opening_that_was_cut_off_is_begun_again() {
    let subject = Subject::redb();
    std::fs::write(subject.path("store.redb.new"), b"half a file").unwrap();
    std::fs::write(subject.path("keys.new"), b"half a file").unwrap();
    written(&subject);
    assert_eq!(
        value(&*subject.open(), "k"),
        Some((1, "a-secret-value".to_owned()))
    );
}

#[test]
fn a_file_that_is_no_store_is_refused_and_kept() {
    let subject = Subject::redb();
    drop(subject.open());
    std::fs::write(subject.path("store.redb"), b"somebody's notes").unwrap();
    let refused = refusal(&subject);
    assert!(
        matches!(refused, OpenError::Damaged { .. } | OpenError::Io { .. }),
        "{refused}"
    );
    let kept = std::fs::read(subject.path("store.redb")).unwrap();
    assert_eq!(kept, b"somebody's notes");
}

#[test]
fn a_store_written_without_checksums_is_read_and_written() {
    let subject = Subject::redb();
    written(&subject);
    subject.strip();
    let begins = |word: &[u8]| {
        std::fs::read(subject.path("store.redb"))
            .unwrap()
            .starts_with(word)
    };
    assert!(begins(b"redb"));
    let store = subject.open();
    assert_eq!(value(&*store, "k"), Some((1, "a-secret-value".to_owned())));
    commit(&*store, puts(vec![put("k", "another")]));
    drop(store);
    assert_eq!(
        value(&*subject.open(), "k"),
        Some((2, "another".to_owned()))
    );
    assert!(begins(b"redb"), "it stays as it is");
}
