//! Guards: two decisions on the same state cannot both pass, and a refused batch changes nothing.

use casewright_store::{Batch, Faults, Guard, Store, SubmitError};

use crate::subject::{
    Subject, audited, caught, commit, event, events, fold, opens, pending, put, puts, row, value,
};

crate::conform!(
    versions_count_writes_and_begin_again_after_deletion,
    of_two_decisions_on_one_state_the_second_is_refused,
    a_refused_batch_changes_nothing,
    instances_are_guarded_by_their_number_of_events,
    a_case_is_guarded_by_the_length_of_its_record,
    a_batch_may_write_a_row_twice,
    a_case_must_be_open,
    an_instance_stays_with_its_case,
    guarded_increments_of_fifty_threads_all_count,
);

fn versions_count_writes_and_begin_again_after_deletion(subject: &Subject) {
    let store = subject.open();
    let guarded = |version, text: Option<&str>| {
        let mut put = put("k", "");
        put.value = text.map(|text| text.as_bytes().to_vec());
        Batch {
            guards: vec![row("k", version)],
            puts: vec![put],
            ..Batch::default()
        }
    };
    commit(&*store, guarded(0, Some("one")));
    commit(&*store, guarded(1, Some("two")));
    assert_eq!(value(&*store, "k"), Some((2, "two".to_owned())));
    commit(&*store, guarded(2, None));
    assert_eq!(value(&*store, "k"), None);
    let absent = store.submit(guarded(2, Some("late"))).unwrap_err();
    assert_eq!(absent, SubmitError::Guard { index: 0 });
    commit(&*store, guarded(0, Some("again")));
    assert_eq!(value(&*store, "k"), Some((1, "again".to_owned())));
    drop(store);
    let store = subject.open();
    let refused = store.submit(guarded(2, None)).unwrap_err();
    assert_eq!(refused, SubmitError::Guard { index: 0 });
    commit(&*store, guarded(1, Some("cold")));
    assert_eq!(value(&*store, "k"), Some((2, "cold".to_owned())));
}

fn of_two_decisions_on_one_state_the_second_is_refused(subject: &Subject) {
    let (store, faults) = subject.open_faulty();
    decide_twice(&*store, &faults, &[row("other", 1), row("claim", 1)]);
}

/// A batch without its guards is what a store makes of it that does not check them.
#[test]
fn guards_that_are_not_checked_are_caught() {
    let (store, faults) = Subject::memory().open_faulty();
    let said = caught(|| decide_twice(&*store, &faults, &[]));
    assert!(said.contains("both decisions passed"), "{said}");
}

fn decide_twice(store: &dyn Store, faults: &Faults, guards: &[Guard]) {
    commit(store, puts(vec![put("claim", "open"), put("other", "x")]));
    faults.hold();
    let claim = |who: &str| Batch {
        guards: guards.to_vec(),
        puts: vec![put("claim", who)],
        ..Batch::default()
    };
    let first = store.submit(claim("first")).unwrap();
    let second = store.submit(claim("second"));
    let second = second.expect_err("both decisions passed");
    assert_eq!(second, SubmitError::Guard { index: 1 });
    assert_eq!(value(store, "claim"), Some((1, "open".to_owned())));
    faults.release();
    first.wait().unwrap();
    assert_eq!(value(store, "claim"), Some((2, "first".to_owned())));
    let late = store.submit(claim("third")).unwrap_err();
    assert_eq!(late, SubmitError::Guard { index: 1 });
}

fn a_refused_batch_changes_nothing(subject: &Subject) {
    let store = subject.open();
    commit(&*store, opens("case-1"));
    commit(&*store, puts(vec![put("k", "before")]));
    let refused = Batch {
        guards: vec![row("k", 7)],
        opens: vec!["case-2".to_owned()],
        puts: vec![put("k", "after"), put("new", "after")],
        events: vec![event("i-1", "case-1", "after")],
        audit: vec![audited("case-1", "after")],
        erases: Vec::new(),
        folds: vec![fold("i-1", "case-1", 1, true)],
        reserve: false,
    };
    let error = store.submit(refused).unwrap_err();
    assert_eq!(error, SubmitError::Guard { index: 0 });
    assert_eq!(pending(&*store, "k"), Some((1, "before".to_owned())));
    assert_eq!(pending(&*store, "new"), None);
    assert_eq!(store.history("i-1"), Ok(None));
    let unknown = store.submit(events(vec![event("i-2", "case-2", "x")]));
    assert_eq!(
        unknown.unwrap_err(),
        SubmitError::UnknownCase("case-2".to_owned())
    );
    commit(&*store, events(vec![event("i-1", "case-1", "first")]));
    assert_eq!(store.events("i-1"), Ok(vec![b"first".to_vec()]));
    assert_eq!(store.audit("case-1"), Ok(Vec::new()));
}

fn instances_are_guarded_by_their_number_of_events(subject: &Subject) {
    let (store, faults) = subject.open_faulty();
    commit(&*store, opens("case-1"));
    faults.hold();
    let at = |count, text: &str| Batch {
        guards: vec![Guard::Instance {
            id: "i-1".to_owned(),
            events: count,
        }],
        events: vec![event("i-1", "case-1", text), event("i-1", "case-1", text)],
        ..Batch::default()
    };
    store.submit(at(0, "a")).unwrap();
    let refused = store.submit(at(0, "b")).unwrap_err();
    assert_eq!(refused, SubmitError::Guard { index: 0 });
    let last = store.submit(at(2, "c")).unwrap();
    faults.release();
    last.wait().unwrap();
    let fold = Batch {
        folds: vec![fold("i-1", "case-1", 4, false)],
        ..Batch::default()
    };
    commit(&*store, fold);
    drop(store);
    let store = subject.open();
    let refused = store.submit(at(3, "d")).unwrap_err();
    assert_eq!(refused, SubmitError::Guard { index: 0 });
    commit(&*store, at(4, "e"));
    assert_eq!(store.events("i-1").unwrap().len(), 6);
}

fn a_case_is_guarded_by_the_length_of_its_record(subject: &Subject) {
    let (store, faults) = subject.open_faulty();
    commit(&*store, opens("case-1"));
    commit(&*store, opens("case-2"));
    let after = |links, key: &str| Batch {
        guards: vec![Guard::Chain {
            case: "case-1".to_owned(),
            links,
        }],
        puts: vec![put(key, "a")],
        audit: vec![audited("case-1", "a")],
        ..Batch::default()
    };
    commit(&*store, after(0, "first"));
    faults.hold();
    // What is on its way counts, and what is of another case does not.
    store.submit(after(1, "second")).unwrap();
    let other = Batch {
        audit: vec![audited("case-2", "a")],
        ..Batch::default()
    };
    store.submit(other).unwrap();
    for links in [0, 1, 3] {
        let refused = store.submit(after(links, "stale")).unwrap_err();
        assert_eq!(refused, SubmitError::Guard { index: 0 }, "{links}");
    }
    let last = store.submit(after(2, "third")).unwrap();
    faults.release();
    last.wait().unwrap();
    assert_eq!(value(&*store, "stale"), None);
    drop(store);
    let store = subject.open();
    let refused = store.submit(after(2, "stale")).unwrap_err();
    assert_eq!(refused, SubmitError::Guard { index: 0 });
    commit(&*store, after(3, "fourth"));
    assert_eq!(store.audit("case-1").unwrap().len(), 4);
}

fn a_batch_may_write_a_row_twice(subject: &Subject) {
    let store = subject.open();
    let mut gone = put("gone", "");
    gone.value = None;
    let twice = vec![put("k", "a"), put("k", "b"), put("gone", "a"), gone];
    commit(&*store, puts(twice));
    assert_eq!(value(&*store, "k"), Some((2, "b".to_owned())));
    assert_eq!(value(&*store, "gone"), None);
}

fn a_case_must_be_open(subject: &Subject) {
    let store = subject.open();
    let unknown = |batch: Batch| {
        let refused = store.submit(batch).unwrap_err();
        assert_eq!(refused, SubmitError::UnknownCase("case-1".to_owned()));
    };
    unknown(events(vec![event("i-1", "case-1", "x")]));
    unknown(Batch {
        audit: vec![audited("case-1", "x")],
        ..Batch::default()
    });
    let mut batch = opens("case-1");
    batch.audit.push(audited("case-1", "x"));
    batch.events.push(event("i-1", "case-1", "x"));
    commit(&*store, batch);
    commit(&*store, opens("case-1"));
    drop(store);
    let store = subject.open();
    assert_eq!(store.audit("case-1").unwrap().len(), 1);
    assert_eq!(store.events("i-1"), Ok(vec![b"x".to_vec()]));
}

fn an_instance_stays_with_its_case(subject: &Subject) {
    let store = subject.open();
    commit(&*store, opens("case-1"));
    commit(&*store, opens("case-2"));
    commit(&*store, events(vec![event("i-1", "case-1", "x")]));
    let moved = store.submit(events(vec![event("i-1", "case-2", "y")]));
    assert_eq!(
        moved.unwrap_err(),
        SubmitError::UnknownCase("case-2".to_owned())
    );
}

fn guarded_increments_of_fifty_threads_all_count(subject: &Subject) {
    const THREADS: usize = 50;
    const EACH: usize = 4;
    let store = subject.open();
    commit(&*store, puts(vec![put("counter", "0")]));
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for _ in 0..EACH {
                    increment(&*store);
                }
            });
        }
    });
    let total = THREADS * EACH;
    assert_eq!(
        value(&*store, "counter"),
        Some((total as u64 + 1, total.to_string()))
    );
}

fn increment(store: &dyn casewright_store::Store) {
    loop {
        let (version, text) = pending(store, "counter").unwrap();
        let next = text.parse::<usize>().unwrap() + 1;
        let batch = Batch {
            guards: vec![row("counter", version)],
            puts: vec![put("counter", &next.to_string())],
            ..Batch::default()
        };
        match store.submit(batch) {
            Ok(ticket) => {
                ticket.wait().unwrap();
                return;
            }
            Err(SubmitError::Guard { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
}
