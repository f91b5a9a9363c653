//! A disk that fails: at each call of each kind, once or for ever, also with half of it done. The
//! store stops, asks for no second flush, and opens clean with all that was acknowledged.
//!
//! `CASEWRIGHT_FAILURES` says that every nth call is made to fail: 1 for all of them.

use casewright_store::{Store, SubmitError, Ticket};

use crate::images::{Base, count, numbered};
use crate::medium::{Call, Disk, Failing};
use crate::model::Model;

/// Without `CASEWRIGHT_FAILURES`; a prime, so that no round of calls is left out for good.
const EVERY: usize = 211;
/// The first calls of each kind always: opening and the first commits are there.
const FIRST: u64 = 2;
/// Its values are so large that the file grows.
const SEED: u64 = 5;

#[test]
fn a_failing_disk_stops_the_store_at_once() {
    let set = std::env::var("CASEWRIGHT_FAILURES").ok();
    let every = set.map_or(EVERY, |text| text.parse().unwrap());
    let base = Base::new();
    let whole = base.disk();
    assert!(!stopped(&base, &whole).1, "nothing was planted");
    let mut failed = 0;
    for call in Call::ALL {
        let last = whole.calls(call);
        assert!(last > 0, "{call:?} is never called");
        let chosen = (1..=last).filter(|n| *n <= FIRST || n % every as u64 == 0);
        for nth in chosen {
            for (for_ever, short) in [(false, false), (true, false), (false, true), (true, true)] {
                if short && !matches!(call, Call::Read | Call::Write) {
                    continue;
                }
                failed += usize::from(fail(
                    &base,
                    Failing {
                        call,
                        nth,
                        for_ever,
                        short,
                    },
                ));
            }
        }
    }
    eprintln!("{failed} failures of the disk: the store stopped at each and nothing was lost");
    assert!(failed > 25, "only {failed} calls failed");
}

/// Whether the call came at all: how batches fall into groups differs a little between runs.
fn fail(base: &Base, failing: Failing) -> bool {
    let disk = base.disk();
    disk.fail(failing);
    let (acknowledged, stopped) = stopped(base, &disk);
    let what = format!("{failing:?}");
    if !disk.failed() {
        return false;
    }
    assert!(stopped, "{what}: it went on");
    assert_eq!(disk.syncs_after_failure(), 0, "{what}: a second flush");
    let batches = numbered(SEED);
    let disk = Disk::after(disk.now());
    let store = base.open(&disk);
    let found = count(&store);
    assert!(
        found >= acknowledged,
        "{what}: {acknowledged} acknowledged, {found} there"
    );
    Model::of(&batches[..found]).check(&store);
    for batch in &batches[found..] {
        store.submit(batch.clone()).unwrap().wait().unwrap();
    }
    Model::of(&batches).check(&store);
    true
}

/// How many batches were acknowledged, and whether anything did not go well, opening and closing
/// included.
fn stopped(base: &Base, disk: &Disk) -> (usize, bool) {
    let Ok(store) = base.try_open(disk) else {
        return (0, true);
    };
    let all = numbered(SEED);
    let mut acknowledged = 0;
    for batch in &all {
        match store.submit(batch.clone()).map(Ticket::wait) {
            Ok(Ok(_)) => acknowledged += 1,
            Ok(Err(SubmitError::Stopped)) | Err(SubmitError::Stopped | SubmitError::Read(_)) => {
                store.close();
                return (acknowledged, true);
            }
            other => panic!("{other:?}"),
        }
    }
    store.close();
    (acknowledged, disk.failed())
}
