//! Crashes at every flush: what was acknowledged is there, what is there is a whole beginning, and
//! the store goes on from it.

use casewright_store::{MemoryStore, Moment, Settings, Store, SubmitError};

use crate::model::{Model, script};
use crate::subject::{Subject, commit, put, puts, value};

crate::conform!(
    a_crash_at_any_flush_loses_nothing_acknowledged,
    a_crash_with_a_full_queue_leaves_a_whole_beginning,
    an_undisturbed_run_equals_the_model,
);

fn a_crash_at_any_flush_loses_nothing_acknowledged(subject: &Subject) {
    const BATCHES: usize = 14;
    for moment in [Moment::BeforeFlush, Moment::AfterFlush] {
        for flush in 1..=BATCHES as u64 {
            let batches = script(flush, BATCHES);
            let subject = subject.another();
            let (store, faults) = subject.open_faulty();
            faults.stop_at(flush, moment);
            let mut acknowledged = 0;
            for batch in &batches {
                let Ok(ticket) = store.submit(batch.clone()) else {
                    break;
                };
                match ticket.wait() {
                    Ok(_) => acknowledged += 1,
                    Err(error) => assert_eq!(error, SubmitError::Stopped),
                }
            }
            drop(store);
            let in_flight = usize::from(moment == Moment::AfterFlush);
            let kept = acknowledged + in_flight;
            assert_eq!(kept as u64, flush - 1 + in_flight as u64);

            let store = subject.open();
            let model = Model::of(&batches[..kept]);
            model.check(&*store);
            model.check_unsettled(&*store);
            for batch in &batches[kept..] {
                commit(&*store, batch.clone());
            }
            let model = Model::of(&batches);
            model.check(&*store);
            drop(store);
            let store = subject.open();
            model.check(&*store);
            model.check_unsettled(&*store);
        }
    }
}

fn a_crash_with_a_full_queue_leaves_a_whole_beginning(subject: &Subject) {
    for seed in 0..6 {
        for moment in [Moment::BeforeFlush, Moment::AfterFlush] {
            let batches = script(seed, 30);
            let subject = subject.another();
            let (store, faults) = subject.open_faulty();
            faults.hold();
            faults.stop_at(2, moment);
            let tickets: Vec<_> = batches
                .iter()
                .map(|batch| store.submit(batch.clone()).unwrap())
                .collect();
            faults.release();
            let acknowledged = tickets
                .into_iter()
                .map(casewright_store::Ticket::wait)
                .take_while(Result::is_ok)
                .count();
            drop(store);
            let store = subject.open();
            // The second group is whole or absent; it holds everything after the first.
            let kept = match moment {
                Moment::BeforeFlush => acknowledged,
                Moment::AfterFlush => batches.len(),
            };
            let model = Model::of(&batches[..kept]);
            model.check(&*store);
            model.check_unsettled(&*store);
        }
    }
}

fn an_undisturbed_run_equals_the_model(subject: &Subject) {
    let batches = script(42, 150);
    let settings = Settings {
        tail_bytes_max: 2_000,
        ..Settings::default()
    };
    let store = subject.try_open(settings.clone()).unwrap();
    for (index, batch) in batches.iter().enumerate() {
        commit(&*store, batch.clone());
        if index % 10 == 0 {
            Model::of(&batches[..=index]).check(&*store);
        }
    }
    drop(store);
    let store = subject.try_open(settings).unwrap();
    let model = Model::of(&batches);
    model.check(&*store);
    model.check_unsettled(&*store);
}

#[test]
fn a_crashed_memory_store_goes_on_with_what_was_flushed() {
    let faults = std::sync::Arc::new(casewright_store::Faults::default());
    let settings = Settings {
        faults: Some(std::sync::Arc::clone(&faults)),
        ..Settings::default()
    };
    let store = MemoryStore::new(settings);
    commit(&store, puts(vec![put("k", "flushed")]));
    faults.hold();
    let lost = store.submit(puts(vec![put("k", "queued")])).unwrap();
    let next = store.crash();
    assert_eq!(lost.wait(), Err(SubmitError::Stopped));
    assert_eq!(value(&next, "k"), Some((1, "flushed".to_owned())));
    commit(&next, puts(vec![put("k", "after")]));
    assert_eq!(value(&next, "k"), Some((2, "after".to_owned())));
    let dead = store.submit(puts(vec![put("k", "ghost")])).unwrap_err();
    assert_eq!(dead, SubmitError::Stopped);
}
