//! Histories of instances: journal, folding into segments, trimming, and what recovery must look
//! at.

use casewright_store::{Batch, Settings, Store, SubmitError};

use crate::subject::{Subject, audited, commit, event, events, fold, folds, opens, texts};

crate::conform!(
    a_history_survives_folding_and_reopening,
    an_instance_that_starts_and_ends_in_one_batch_never_enters_the_journal,
    a_long_history_is_folded_in_pieces,
    a_fold_must_contain_every_event,
    unfolded_and_active_instances_are_unsettled,
    the_oldest_unfolded_instances_are_named_beyond_the_limit,
    folding_empties_the_journal,
);

fn a_history_survives_folding_and_reopening(subject: &Subject) {
    let mut store = subject.open();
    commit(&*store, opens("case-1"));
    let mut expected = Vec::new();
    for round in 0..4_u64 {
        for number in 0..3 {
            let text = format!("{round}.{number}");
            commit(&*store, events(vec![event("i-1", "case-1", &text)]));
            expected.push(text);
        }
        commit(
            &*store,
            folds(vec![fold("i-1", "case-1", (round + 1) * 3, false)]),
        );
        let text = format!("{round}.after");
        if round == 3 {
            commit(&*store, events(vec![event("i-1", "case-1", &text)]));
            expected.push(text);
        }
        drop(store);
        store = subject.open();
        assert_eq!(texts(store.events("i-1").unwrap()), expected);
    }
    let history = store.history("i-1").unwrap().unwrap();
    assert_eq!(history.case, "case-1");
    assert_eq!(history.snapshot_events, 12);
    assert_eq!(history.snapshot.unwrap(), b"snapshot of i-1 at 12");
    assert_eq!(texts(history.events), ["3.after"]);
}

fn a_long_history_is_folded_in_pieces(subject: &Subject) {
    let store = subject.open();
    commit(&*store, opens("case-1"));
    let long = |number: usize| format!("{number}").repeat(20_000);
    let all: Vec<String> = (1..=6).map(long).collect();
    for (number, text) in (1..).zip(&all) {
        commit(&*store, events(vec![event("i-1", "case-1", text)]));
        if number % 3 == 0 {
            commit(&*store, folds(vec![fold("i-1", "case-1", number, false)]));
        }
        let history = store.history("i-1").unwrap().unwrap();
        let known = history.snapshot_events + history.events.len() as u64;
        assert_eq!(known, number);
    }
    assert_eq!(texts(store.events("i-1").unwrap()), all);
    drop(store);
    assert_eq!(subject.values("segments").len(), 6);
    let store = subject.open();
    assert_eq!(texts(store.events("i-1").unwrap()), all);
}

fn an_instance_that_starts_and_ends_in_one_batch_never_enters_the_journal(subject: &Subject) {
    let store = subject.open();
    let mut batch = opens("case-1");
    batch.events = vec![event("i-1", "case-1", "a"), event("i-1", "case-1", "b")];
    batch.audit = vec![audited("case-1", "u")];
    batch.folds = vec![fold("i-1", "case-1", 2, false)];
    commit(&*store, batch);
    assert_eq!(texts(store.events("i-1").unwrap()), ["a", "b"]);
    assert_eq!(store.audit("case-1").unwrap().len(), 1);
    assert_eq!(store.unfolded(), (0, Vec::new()));
    drop(store);
    assert!(subject.values("journal").is_empty());
    let store = subject.open();
    assert_eq!(texts(store.events("i-1").unwrap()), ["a", "b"]);
    assert_eq!(store.unsettled(), Ok(Vec::new()));
}

fn a_fold_must_contain_every_event(subject: &Subject) {
    let store = subject.open();
    commit(&*store, opens("case-1"));
    commit(&*store, events(vec![event("i-1", "case-1", "a")]));
    let refused = |batch: Batch, index| {
        let error = store.submit(batch).unwrap_err();
        assert_eq!(error, SubmitError::Guard { index });
    };
    refused(folds(vec![fold("i-1", "case-1", 2, false)]), 0);
    refused(folds(vec![fold("i-1", "case-1", 0, false)]), 0);
    refused(folds(vec![fold("i-2", "case-1", 0, false)]), 0);
    let mut batch = folds(vec![fold("i-1", "case-1", 1, false)]);
    batch.events = vec![event("i-1", "case-1", "b")];
    refused(batch.clone(), 0);
    batch.folds[0].events = 2;
    commit(&*store, batch);
    commit(&*store, folds(vec![fold("i-1", "case-1", 2, true)]));
    assert_eq!(texts(store.events("i-1").unwrap()), ["a", "b"]);
}

fn unfolded_and_active_instances_are_unsettled(subject: &Subject) {
    let store = subject.open();
    commit(&*store, opens("case-1"));
    for id in ["unfolded", "active", "parked", "woken", "calmed"] {
        commit(&*store, events(vec![event(id, "case-1", "a")]));
    }
    for (id, active) in [
        ("active", true),
        ("parked", false),
        ("woken", false),
        ("calmed", true),
    ] {
        commit(&*store, folds(vec![fold(id, "case-1", 1, active)]));
    }
    commit(&*store, events(vec![event("woken", "case-1", "b")]));
    commit(&*store, folds(vec![fold("calmed", "case-1", 1, false)]));
    assert_eq!(store.unsettled(), Ok(Vec::new()), "constant after opening");
    drop(store);
    let store = subject.open();
    assert_eq!(texts(ids(&*store)), ["active", "unfolded", "woken"]);
    commit(&*store, folds(vec![fold("active", "case-1", 1, false)]));
    drop(store);
    assert_eq!(texts(ids(&*subject.open())), ["unfolded", "woken"]);
}

fn ids(store: &dyn Store) -> Vec<Vec<u8>> {
    let ids = store.unsettled().unwrap().into_iter();
    ids.map(String::into_bytes).collect()
}

fn the_oldest_unfolded_instances_are_named_beyond_the_limit(subject: &Subject) {
    let settings = Settings {
        tail_bytes_max: 10_000,
        ..Settings::default()
    };
    let store = subject.try_open(settings).unwrap();
    commit(&*store, opens("case-1"));
    let long = "x".repeat(1_000);
    for number in 0..9 {
        commit(
            &*store,
            events(vec![event(&format!("i-{number}"), "case-1", &long)]),
        );
        assert!(store.unfolded().1.is_empty());
    }
    for number in 9..12 {
        commit(
            &*store,
            events(vec![event(&format!("i-{number}"), "case-1", &long)]),
        );
    }
    let (bytes, oldest) = store.unfolded();
    assert!((12_000..14_000).contains(&bytes), "{bytes}");
    assert_eq!(oldest, ["i-0", "i-1", "i-2", "i-3"]);
    for id in &oldest {
        commit(&*store, folds(vec![fold(id, "case-1", 1, false)]));
    }
    let (bytes, oldest) = store.unfolded();
    assert!((8_000..10_000).contains(&bytes), "{bytes}");
    assert!(oldest.is_empty());
}

fn folding_empties_the_journal(subject: &Subject) {
    let store = subject.open();
    commit(&*store, opens("case-1"));
    let many: Vec<_> = (0..1_500)
        .map(|number| store.submit(events(vec![event(&format!("i-{number}"), "case-1", "a")])))
        .collect();
    let last = many.into_iter().last().unwrap().unwrap();
    last.wait().unwrap();
    for number in 0..1_500 {
        let fold = fold(&format!("i-{number}"), "case-1", 1, false);
        store.submit(folds(vec![fold])).unwrap();
    }
    commit(&*store, Batch::default());
    assert_eq!(store.unfolded(), (0, Vec::new()));
    drop(store);
    let rows = subject.values("journal");
    let left: usize = rows.iter().map(|(_, row)| row.len()).sum();
    assert!(left < 80_000, "{left} of over 150,000 bytes left");
    let store = subject.open();
    assert_eq!(store.unsettled(), Ok(Vec::new()));
    assert_eq!(texts(store.events("i-700").unwrap()), ["a"]);
}
