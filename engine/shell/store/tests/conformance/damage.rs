//! Damage: whatever is flipped, swapped or lost in the stored values, nothing wrong is ever served.

use casewright_store::{
    Batch, OpenError, ReadError, RedbStore, Settings, Store, SubmitError, Table, Under,
};

use crate::model::{CASES, Random};
use crate::subject::{
    SPACES, Subject, audited, commit, event, fold, pending, put, put_under, puts, value,
};

crate::conform!(
    no_flipped_bit_is_served,
    no_swapped_value_is_served,
    a_lost_journal_record_is_noticed_at_opening,
    a_lost_part_of_a_chain_is_noticed,
    a_damaged_row_refuses_guards_and_spares_the_others,
);

/// A store with something in every space.
fn furnish(subject: &Subject) {
    let store = subject.open();
    let mut batch = Batch {
        opens: CASES.map(str::to_owned).to_vec(),
        ..Batch::default()
    };
    batch.puts = vec![
        put("a", "first"),
        put("b", "second"),
        put_under("c", Some("third"), Under::Case("case-1".to_owned())),
    ];
    commit(&*store, batch);
    for case in CASES {
        for (id, active) in [("folded", true), ("parked", false)] {
            let id = format!("{id}-{case}");
            let mut batch = Batch {
                events: vec![event(&id, case, "one"), event(&id, case, "two")],
                audit: vec![audited(case, "u")],
                ..Batch::default()
            };
            commit(&*store, batch.clone());
            batch.folds = vec![fold(&id, case, 4, active)];
            commit(&*store, batch);
        }
        let batch = Batch {
            events: vec![event(&format!("unfolded-{case}"), case, "one")],
            audit: vec![audited(case, "u")],
            ..Batch::default()
        };
        commit(&*store, batch.clone());
        commit(&*store, batch);
    }
}

/// Everything that can be read, each answer or its error.
fn read_all(store: &dyn Store) -> Vec<Result<String, ReadError>> {
    let mut all = vec![
        store.unsettled().map(|ids| format!("{ids:?}")),
        store
            .scan(Table::Case, b"", b"z", 99)
            .map(|rows| format!("{rows:?}")),
    ];
    for key in ["a", "b", "c"] {
        all.push(
            store
                .get(Table::Case, key.as_bytes())
                .map(|row| format!("{row:?}")),
        );
    }
    for case in CASES {
        all.push(store.audit(case).map(|links| format!("{links:?}")));
        for id in ["folded", "parked", "unfolded"] {
            let id = format!("{id}-{case}");
            all.push(store.history(&id).map(|history| format!("{history:?}")));
            all.push(store.events(&id).map(|events| format!("{events:?}")));
        }
    }
    all
}

/// Opens the damaged store and compares: an answer is right or an error, and if the store opens,
/// `noticed` tells whether there was an error.
fn noticed(subject: &Subject, whole: &[Result<String, ReadError>], what: &str) -> bool {
    let store = match subject.try_open(Settings::default()) {
        Ok(store) => store,
        Err(OpenError::Damaged { .. } | OpenError::Newer { .. } | OpenError::Keys { .. }) => {
            return true;
        }
        Err(error) => panic!("{what}: {error}"),
    };
    let mut errors = 0;
    for (found, expected) in read_all(&*store).iter().zip(whole) {
        match found {
            Ok(_) => assert_eq!(found, expected, "{what}"),
            Err(ReadError::Damaged { .. } | ReadError::Newer { .. }) => errors += 1,
            Err(error) => panic!("{what}: {error}"),
        }
    }
    errors > 0
}

fn whole(subject: &Subject) -> Vec<Result<String, ReadError>> {
    let whole = read_all(&*subject.open());
    assert!(whole.iter().all(Result::is_ok), "{whole:?}");
    whole
}

fn no_flipped_bit_is_served(subject: &Subject) {
    furnish(subject);
    let whole = whole(subject);
    let mut random = Random(7);
    for space in SPACES {
        let values = subject.values(space);
        assert!(!values.is_empty(), "{space} is not furnished");
        for (index, (key, value)) in values.iter().enumerate() {
            if index >= 4 {
                break;
            }
            let mut bits = vec![0, value.len() * 8 - 1];
            bits.extend((0..4).map(|_| random.below(value.len() * 8)));
            for bit in bits {
                let mut flipped = value.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                subject.plant(space, key, Some(&flipped));
                let what = format!("bit {bit} of value {index} in {space}");
                assert!(noticed(subject, &whole, &what), "{what} was not noticed");
            }
            subject.plant(space, key, Some(value));
        }
    }
    assert!(!noticed(subject, &whole, "all put back"));
}

fn no_swapped_value_is_served(subject: &Subject) {
    furnish(subject);
    let whole = whole(subject);
    for space in SPACES {
        let values = subject.values(space);
        for pair in values.windows(2) {
            let [(one, first), (two, second)] = pair else {
                unreachable!("windows of two");
            };
            subject.plant(space, one, Some(second));
            subject.plant(space, two, Some(first));
            let what = format!("a swap in {space}");
            assert!(noticed(subject, &whole, &what), "{what} was not noticed");
            subject.plant(space, one, Some(first));
            subject.plant(space, two, Some(second));
        }
    }
    assert!(!noticed(subject, &whole, "all put back"));
}

fn a_lost_journal_record_is_noticed_at_opening(subject: &Subject) {
    let store = subject.open();
    let batch = Batch {
        opens: vec!["case-1".to_owned()],
        events: vec![event("i-1", "case-1", "a")],
        ..Batch::default()
    };
    for _ in 0..3 {
        commit(&*store, batch.clone());
    }
    drop(store);
    let records = subject.values("journal");
    subject.plant("journal", &records[1].0, None);
    let refused = subject.try_open(Settings::default()).err().unwrap();
    assert!(matches!(refused, OpenError::Damaged { .. }), "{refused}");
}

/// More of each than is read at a time.
#[test]
fn verifying_opens_everything_there_is() {
    let subject = Subject::redb();
    furnish(&subject);
    let store = subject.open();
    let rows = (0..600).map(|number| put(&format!("r{number:03}"), "x"));
    commit(&*store, puts(rows.collect()));
    drop(store);
    let verify = || {
        let (path, keys) = (subject.path("store.redb"), subject.path("keys"));
        let store = RedbStore::open(&path, &keys, Settings::default());
        store.unwrap().verify()
    };
    assert!(verify().unwrap().opened > 603);
    for space in ["rows", "audit", "segments"] {
        let (key, value) = subject.values(space).swap_remove(0);
        let mut damaged = value.clone();
        *damaged.last_mut().unwrap() ^= 1;
        subject.plant(space, &key, Some(&damaged));
        let found = verify();
        assert!(
            matches!(found, Err(ReadError::Damaged { .. })),
            "{space}: {found:?}"
        );
        subject.plant(space, &key, Some(&value));
    }
}

/// Of one case two parts, of another one part and what is not folded yet.
fn a_lost_part_of_a_chain_is_noticed(subject: &Subject) {
    let store = subject.open();
    let folded = |case: &str, count| Batch {
        opens: vec![case.to_owned()],
        events: vec![event(&format!("i-{case}"), case, "x")],
        audit: vec![audited(case, "u")],
        folds: vec![fold(&format!("i-{case}"), case, count, false)],
        ..Batch::default()
    };
    commit(&*store, folded("case-1", 1));
    commit(&*store, folded("case-1", 2));
    commit(&*store, folded("case-2", 1));
    let more = Batch {
        audit: vec![audited("case-2", "u")],
        ..Batch::default()
    };
    commit(&*store, more);
    drop(store);
    let parts = subject.values("audit");
    assert_eq!(parts.len(), 3);
    for (case, index) in [("case-1", 0), ("case-2", 2)] {
        let (key, value) = &parts[index];
        subject.plant("audit", key, None);
        if let Ok(store) = subject.try_open(Settings::default()) {
            let links = store.audit(case);
            assert!(matches!(links, Err(ReadError::Damaged { .. })), "{links:?}");
        }
        subject.plant("audit", key, Some(value));
    }
    let store = subject.open();
    let counts = ["case-1", "case-2"].map(|case| store.audit(case).unwrap().len());
    assert_eq!(counts, [2, 2]);
}

fn a_damaged_row_refuses_guards_and_spares_the_others(subject: &Subject) {
    let store = subject.open();
    commit(&*store, puts(vec![put("a", "x"), put("b", "y")]));
    drop(store);
    let (key, mut bytes) = subject.values("rows").swap_remove(0);
    *bytes.last_mut().unwrap() ^= 1;
    subject.plant("rows", &key, Some(&bytes));
    let store = subject.open();
    let damaged = ReadError::Damaged {
        what: "a row".to_owned(),
    };
    assert_eq!(store.get(Table::Case, b"a"), Err(damaged.clone()));
    assert_eq!(store.pending(Table::Case, b"a"), Err(damaged.clone()));
    let refused = store.submit(puts(vec![put("a", "z")])).unwrap_err();
    assert_eq!(refused, SubmitError::Read(damaged));
    assert_eq!(value(&*store, "b"), Some((1, "y".to_owned())));
    commit(&*store, puts(vec![put("b", "z")]));
    assert_eq!(pending(&*store, "b"), Some((2, "z".to_owned())));
}
