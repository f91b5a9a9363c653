//! Audit chains: one order per case, the order of commits, unbroken over folding and crashes.

use casewright_casework::audit::verify;
use casewright_store::{Batch, Settings, Store};

use crate::subject::{Subject, audited, commit, event, fold, opens};

crate::conform!(
    chains_verify_over_folding_and_reopening,
    chains_that_only_readers_write_do_not_hold_the_journal,
    concurrent_entries_form_one_chain,
    entries_of_one_batch_keep_their_order,
);

fn check(store: &dyn Store, case: &str, count: usize) {
    let links = store.audit(case).unwrap();
    assert_eq!(links.len(), count);
    assert_eq!(verify(case, &links), Ok(()));
}

fn audit(case: &str, who: &str) -> Batch {
    Batch {
        audit: vec![audited(case, who), audited(case, who)],
        ..Batch::default()
    }
}

fn chains_verify_over_folding_and_reopening(subject: &Subject) {
    let mut store = subject.open();
    commit(&*store, opens("case-1"));
    commit(&*store, opens("case-2"));
    for round in 0..3 {
        commit(&*store, audit("case-1", "a"));
        commit(&*store, audit("case-2", "b"));
        let mut batch = audit("case-1", "c");
        batch.events = vec![event("i-1", "case-1", "x")];
        commit(&*store, batch);
        check(&*store, "case-1", 6 * round + 4);
        let mut batch = audit("case-1", "d");
        batch.folds = vec![fold("i-1", "case-1", round as u64 + 1, false)];
        commit(&*store, batch);
        drop(store);
        store = subject.open();
        check(&*store, "case-1", 6 * round + 6);
        check(&*store, "case-2", 2 * round + 2);
    }
    assert_eq!(store.audit("unknown"), Ok(Vec::new()));
}

fn chains_that_only_readers_write_do_not_hold_the_journal(subject: &Subject) {
    const READS: usize = 4_000;
    let settings = Settings {
        tail_bytes_max: 40_000,
        ..Settings::default()
    };
    let store = subject.try_open(settings.clone()).unwrap();
    commit(&*store, opens("case-1"));
    commit(&*store, audit("case-1", "first"));
    let mut last = None;
    for number in 0..READS {
        if number % 100 == 0 {
            commit(&*store, Batch::default());
        }
        last = Some(store.submit(audit("case-1", "reader")).unwrap());
    }
    last.unwrap().wait().unwrap();
    commit(&*store, Batch::default());
    commit(&*store, Batch::default());
    let (bytes, instances) = store.unfolded();
    assert!(bytes <= 40_000, "{bytes}");
    assert!(instances.is_empty());
    check(&*store, "case-1", 2 * READS + 2);
    drop(store);
    let rows = subject.values("journal");
    let left: usize = rows.iter().map(|(_, row)| row.len()).sum();
    assert!(left < 100 * READS, "{left} bytes left");
    check(
        &*subject.try_open(settings).unwrap(),
        "case-1",
        2 * READS + 2,
    );
}

fn concurrent_entries_form_one_chain(subject: &Subject) {
    let store = subject.open();
    commit(&*store, opens("case-1"));
    std::thread::scope(|scope| {
        for number in 0..8 {
            let store = &store;
            scope.spawn(move || {
                for _ in 0..10 {
                    let batch = audit("case-1", &format!("user {number}"));
                    store.submit(batch).unwrap().wait().unwrap();
                }
            });
        }
    });
    check(&*store, "case-1", 160);
}

fn entries_of_one_batch_keep_their_order(subject: &Subject) {
    let store = subject.open();
    let mut batch = opens("case-1");
    batch.audit = ["a", "b", "c"].map(|who| audited("case-1", who)).to_vec();
    commit(&*store, batch);
    let links = store.audit("case-1").unwrap();
    let who: Vec<_> = links.iter().map(|link| &*link.entry.who).collect();
    assert_eq!(who, ["a", "b", "c"]);
}
