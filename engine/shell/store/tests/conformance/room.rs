//! Too much: a full queue, a full disk. Refused at once, nothing accepted is lost, and it goes on
//! by itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use casewright_store::{Batch, Faults, Settings, Store, SubmitError};

use crate::subject::{Subject, commit, event, opens, pending, put, puts, value};

crate::conform!(
    a_full_queue_refuses_and_takes_again_after_the_flush,
    queued_bytes_are_bounded_too,
    a_batch_larger_than_the_queue_passes_alone,
    below_the_reserve_only_read_audits_are_taken,
    an_accepted_batch_waits_for_space,
);

fn a_full_queue_refuses_and_takes_again_after_the_flush(subject: &Subject) {
    let faults = Arc::new(Faults::default());
    let settings = Settings {
        queue_count_max: 3,
        faults: Some(Arc::clone(&faults)),
        ..Settings::default()
    };
    let store = subject.try_open(settings).unwrap();
    faults.hold();
    let submit = |number: u64| store.submit(puts(vec![put(&number.to_string(), "v")]));
    let taken: Vec<_> = (0..3).map(|number| submit(number).unwrap()).collect();
    assert_eq!(submit(3).unwrap_err(), SubmitError::Full);
    assert_eq!(pending(&*store, "3"), None);
    faults.release();
    for ticket in taken {
        ticket.wait().unwrap();
    }
    submit(3).unwrap().wait().unwrap();
    for number in 0..4 {
        assert!(value(&*store, &number.to_string()).is_some());
    }
}

fn queued_bytes_are_bounded_too(subject: &Subject) {
    let faults = Arc::new(Faults::default());
    let settings = Settings {
        queue_bytes_max: 10_000,
        faults: Some(Arc::clone(&faults)),
        ..Settings::default()
    };
    let store = subject.try_open(settings).unwrap();
    faults.hold();
    let long = "x".repeat(6_000);
    let first = store.submit(puts(vec![put("1", &long)])).unwrap();
    let refused = store.submit(puts(vec![put("2", &long)])).unwrap_err();
    assert_eq!(refused, SubmitError::Full);
    faults.release();
    first.wait().unwrap();
    commit(&*store, puts(vec![put("2", &long)]));
}

fn a_batch_larger_than_the_queue_passes_alone(subject: &Subject) {
    let settings = Settings {
        queue_bytes_max: 1_000,
        ..Settings::default()
    };
    let store = subject.try_open(settings).unwrap();
    let long = "x".repeat(100_000);
    commit(&*store, puts(vec![put("1", &long)]));
    assert_eq!(value(&*store, "1"), Some((1, long)));
}

/// A disk whose free space the test sets.
fn on_small_disk(subject: &Subject) -> (Box<dyn Store>, Arc<AtomicU64>, Arc<Faults>) {
    let free = Arc::new(AtomicU64::new(1 << 30));
    let faults = Arc::new(Faults::default());
    let probed = Arc::clone(&free);
    let settings = Settings {
        reserve_bytes: 8 << 20,
        probe_every: Duration::ZERO,
        free_space: Some(Arc::new(move || Ok(probed.load(Ordering::SeqCst)))),
        faults: Some(Arc::clone(&faults)),
        ..Settings::default()
    };
    (subject.try_open(settings).unwrap(), free, faults)
}

fn below_the_reserve_only_read_audits_are_taken(subject: &Subject) {
    let (store, free, _) = on_small_disk(subject);
    commit(&*store, puts(vec![put("k", "before")]));
    free.store(7 << 20, Ordering::SeqCst);
    let ordinary = || store.submit(puts(vec![put("k", "after")]));
    let reserve = || {
        let mut batch = puts(vec![put("read", "audit")]);
        batch.reserve = true;
        store.submit(batch)
    };
    assert_eq!(ordinary().unwrap_err(), SubmitError::DiskFull);
    reserve().unwrap().wait().unwrap();
    assert_eq!(value(&*store, "k"), Some((1, "before".to_owned())));

    free.store(1 << 20, Ordering::SeqCst);
    assert_eq!(reserve().unwrap_err(), SubmitError::DiskFull);
    assert_eq!(ordinary().unwrap_err(), SubmitError::DiskFull);
    assert_eq!(value(&*store, "k"), Some((1, "before".to_owned())));

    free.store(1 << 30, Ordering::SeqCst);
    ordinary().unwrap().wait().unwrap();
    assert_eq!(value(&*store, "k"), Some((2, "after".to_owned())));
}

fn an_accepted_batch_waits_for_space(subject: &Subject) {
    let (store, free, faults) = on_small_disk(subject);
    commit(&*store, opens("case-1"));
    faults.hold();
    let first = store.submit(puts(vec![put("first", "v")])).unwrap();
    while faults.flush_count() < 2 {
        std::thread::yield_now();
    }
    let accepted: Vec<_> = (0..10)
        .map(|number| {
            let mut batch = puts(vec![put(&number.to_string(), "v")]);
            batch.events = vec![event("i-1", "case-1", "x")];
            store.submit(batch).unwrap()
        })
        .collect();
    free.store(0, Ordering::SeqCst);
    faults.release();
    first.wait().unwrap();
    // Until the writer has looked at the disk again, more is accepted, and waits too.
    let refused = loop {
        if let Err(error) = store.submit(Batch::default()) {
            break error;
        }
        std::thread::yield_now();
    };
    assert_eq!(refused, SubmitError::DiskFull);
    assert_eq!(value(&*store, "0"), None);
    assert_eq!(pending(&*store, "0"), Some((1, "v".to_owned())));
    assert_eq!(faults.flush_count(), 2, "the disk is left alone");
    free.store(1 << 30, Ordering::SeqCst);
    for ticket in accepted {
        ticket.wait().unwrap();
    }
    assert_eq!(store.events("i-1").unwrap().len(), 10);
}
