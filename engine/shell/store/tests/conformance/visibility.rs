//! Who sees what when: deciders what is queued, outsiders only what is on disk.

use casewright_store::{Batch, SubmitError, Table};

use crate::subject::{
    Subject, audited, commit, event, events, fold, folds, opens, pending, put, put_under, puts,
    texts, value,
};

crate::conform!(
    deciders_see_what_is_queued_and_outsiders_do_not,
    a_fold_is_seen_by_outsiders_without_a_gap,
    lists_come_in_key_order_within_bounds,
    positions_ascend,
    closing_flushes_what_is_queued,
    a_failed_flush_stops_the_store_and_is_not_repeated,
);

fn deciders_see_what_is_queued_and_outsiders_do_not(subject: &Subject) {
    let (store, faults) = subject.open_faulty();
    commit(&*store, puts(vec![put("old", "1"), put("gone", "1")]));
    faults.hold();
    let mut batch = opens("case-1");
    batch.puts = vec![put("old", "2"), put("new", "1")];
    let agency = casewright_store::Under::Agency("agency".to_owned());
    batch.puts.push(put_under("gone", None, agency));
    let case = casewright_store::Under::Case("case-1".to_owned());
    batch
        .puts
        .push(put_under("sealed by the new case", Some("x"), case));
    batch.events = vec![event("i-1", "case-1", "a")];
    batch.audit = vec![audited("case-1", "u")];
    store.submit(batch).unwrap();
    let last = store
        .submit(events(vec![event("i-1", "case-1", "b")]))
        .unwrap();

    assert_eq!(pending(&*store, "old"), Some((2, "2".to_owned())));
    assert_eq!(pending(&*store, "new"), Some((1, "1".to_owned())));
    assert_eq!(pending(&*store, "gone"), None);
    assert_eq!(
        pending(&*store, "sealed by the new case"),
        Some((1, "x".to_owned()))
    );
    assert_eq!(
        texts(store.history("i-1").unwrap().unwrap().events),
        ["a", "b"]
    );

    assert_eq!(value(&*store, "old"), Some((1, "1".to_owned())));
    assert_eq!(value(&*store, "new"), None);
    assert_eq!(value(&*store, "gone"), Some((1, "1".to_owned())));
    assert_eq!(store.scan(Table::Case, b"", b"zzz", 9).unwrap().len(), 2);
    assert_eq!(store.events("i-1"), Ok(Vec::new()));
    assert_eq!(store.audit("case-1"), Ok(Vec::new()));

    faults.release();
    last.wait().unwrap();
    assert_eq!(value(&*store, "new"), Some((1, "1".to_owned())));
    assert_eq!(value(&*store, "gone"), None);
    assert_eq!(texts(store.events("i-1").unwrap()), ["a", "b"]);
    assert_eq!(store.audit("case-1").unwrap().len(), 1);
}

fn a_fold_is_seen_by_outsiders_without_a_gap(subject: &Subject) {
    let (store, faults) = subject.open_faulty();
    let mut batch = opens("case-1");
    batch.events = vec![event("i-1", "case-1", "a"), event("i-1", "case-1", "b")];
    batch.audit = vec![audited("case-1", "u")];
    commit(&*store, batch);
    faults.hold();
    store
        .submit(folds(vec![fold("i-1", "case-1", 2, false)]))
        .unwrap();
    let last = store
        .submit(events(vec![event("i-1", "case-1", "c")]))
        .unwrap();
    let history = store.history("i-1").unwrap().unwrap();
    assert_eq!(history.snapshot_events, 2);
    assert_eq!(texts(history.events), ["c"]);
    assert_eq!(texts(store.events("i-1").unwrap()), ["a", "b"]);
    assert_eq!(store.audit("case-1").unwrap().len(), 1);
    faults.release();
    last.wait().unwrap();
    assert_eq!(texts(store.events("i-1").unwrap()), ["a", "b", "c"]);
    assert_eq!(store.audit("case-1").unwrap().len(), 1);
}

fn lists_come_in_key_order_within_bounds(subject: &Subject) {
    let store = subject.open();
    let keys = ["b", "a", "ab", "c", "", "ba"];
    commit(&*store, puts(keys.map(|key| put(key, key)).to_vec()));
    let mut other = put("aa", "of another table");
    other.table = Table::Counter;
    commit(&*store, puts(vec![other]));
    let list = |start: &str, end: &str, limit| {
        let rows = store.scan(Table::Case, start.as_bytes(), end.as_bytes(), limit);
        let keys = rows.unwrap().into_iter().map(|(key, row)| {
            assert_eq!(key, row.value);
            key
        });
        texts(keys.collect())
    };
    assert_eq!(list("", "z", 99), ["", "a", "ab", "b", "ba", "c"]);
    assert_eq!(list("a", "b", 99), ["a", "ab"]);
    assert_eq!(list("a", "b\0", 99), ["a", "ab", "b"]);
    assert_eq!(list("a", "z", 2), ["a", "ab"]);
    assert!(list("a", "a", 99).is_empty());
    assert!(list("b", "a", 99).is_empty());
    assert!(list("a", "z", 0).is_empty());
}

fn positions_ascend(subject: &Subject) {
    let mut last = 0;
    for _ in 0..3 {
        let store = subject.open();
        for batch in [opens("case-1"), puts(vec![put("k", "v")]), Batch::default()] {
            let position = commit(&*store, batch).position;
            assert!(position > last, "{position} after {last}");
            last = position;
        }
    }
}

fn closing_flushes_what_is_queued(subject: &Subject) {
    let (store, faults) = subject.open_faulty();
    faults.hold();
    let tickets: Vec<_> = (0..5)
        .map(|number| {
            store
                .submit(puts(vec![put(&number.to_string(), "v")]))
                .unwrap()
        })
        .collect();
    std::thread::scope(|scope| {
        let closing = scope.spawn(|| store.close());
        faults.release();
        closing.join().unwrap();
    });
    for ticket in tickets {
        ticket.wait().unwrap();
    }
    let refused = store.submit(Batch::default()).unwrap_err();
    assert_eq!(refused, SubmitError::Stopped);
    drop(store);
    let store = subject.open();
    assert_eq!(store.scan(Table::Case, b"", b"z", 99).unwrap().len(), 5);
}

fn a_failed_flush_stops_the_store_and_is_not_repeated(subject: &Subject) {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use casewright_store::{Faults, Moment, Settings};

    let faults = Arc::new(Faults::default());
    let deaths = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&deaths);
    let settings = Settings {
        faults: Some(Arc::clone(&faults)),
        on_fatal: Some(Arc::new(move |reason| {
            assert!(reason.contains("planted"), "{reason}");
            counted.fetch_add(1, Ordering::SeqCst);
        })),
        ..Settings::default()
    };
    let store = subject.try_open(settings).unwrap();
    commit(&*store, puts(vec![put("k", "before")]));
    faults.stop_at(1, Moment::BeforeFlush);
    let ticket = store.submit(puts(vec![put("k", "lost")])).unwrap();
    assert_eq!(ticket.wait(), Err(SubmitError::Stopped));
    let refused = store.submit(puts(vec![put("k", "later")])).unwrap_err();
    assert_eq!(refused, SubmitError::Stopped);
    assert_eq!(value(&*store, "k"), Some((1, "before".to_owned())));
    let flushes = faults.flush_count();
    store.close();
    assert_eq!(deaths.load(Ordering::SeqCst), 1);
    assert_eq!(faults.flush_count(), flushes);
    drop(store);
    assert_eq!(value(&*subject.open(), "k"), Some((1, "before".to_owned())));
}
