//! An erased case opens for nobody, before and after a crash; its audit chain stays, and nothing
//! of others changes. A roll of the epoch changes nothing that anybody sees.

use casewright_casework::audit::verify;
use casewright_store::memory::Disk;
use casewright_store::{
    Batch, Erase, Faults, MemoryStore, Moment, ReadError, Settings, Store, SubmitError, Table,
    Under,
};

use crate::subject::{
    Subject, audited, commit, event, fold, opens, put, put_under, puts, row, texts, value,
};

crate::conform!(
    what_was_erased_opens_for_nobody,
    lists_leave_out_what_was_erased,
    nothing_is_added_to_a_case_that_is_erased,
    a_chain_that_grows_meanwhile_is_not_cut_off,
    the_journal_is_not_held_by_what_was_erased,
);

fn erases(case: &str) -> Batch {
    Batch {
        erases: vec![Erase {
            case: case.to_owned(),
            agency: "agency".to_owned(),
        }],
        audit: vec![audited(case, "the last")],
        ..Batch::default()
    }
}

fn under(case: &str) -> Under {
    Under::Case(case.to_owned())
}

/// Two cases: each with a row, a folded run with three events, an unfolded one, and a chain of
/// which a part is folded.
fn fill(store: &dyn Store) {
    for case in ["case-1", "case-2"] {
        let (folded, open) = (format!("{case}-folded"), format!("{case}-open"));
        let mut batch = opens(case);
        batch.puts = vec![put_under(&format!("{case}-row"), Some("text"), under(case))];
        batch.events = vec![event(&folded, case, "a"), event(&folded, case, "b")];
        batch.audit = vec![audited(case, "first")];
        commit(store, batch);
        let mut batch = Batch {
            folds: vec![fold(&folded, case, 3, false)],
            ..Batch::default()
        };
        batch.events = vec![event(&folded, case, "c")];
        commit(store, batch);
        let mut batch = Batch {
            events: vec![event(&open, case, "d")],
            ..Batch::default()
        };
        batch.audit = vec![audited(case, "second")];
        commit(store, batch);
    }
    commit(store, puts(vec![put("line", "of the agency")]));
}

fn is_erased(store: &dyn Store, case: &str) {
    let row = format!("{case}-row");
    for found in [
        store.get(Table::Case, row.as_bytes()),
        store.pending(Table::Case, row.as_bytes()),
    ] {
        assert_eq!(found, Err(ReadError::Erased));
    }
    let folded = format!("{case}-folded");
    assert_eq!(store.history(&folded), Err(ReadError::Erased));
    assert_eq!(store.events(&folded), Err(ReadError::Erased));
    // Of what was never folded nothing is left to say whose it was.
    let open = format!("{case}-open");
    let history = store.history(&open);
    let is_gone = matches!(history, Err(ReadError::Erased) | Ok(None));
    assert!(is_gone, "{history:?}");
    let events = store.events(&open);
    let is_gone = events == Err(ReadError::Erased) || events == Ok(Vec::new());
    assert!(is_gone, "{events:?}");
    let links = store.audit(case).unwrap();
    assert_eq!(verify(case, &links), Ok(()));
    let who: Vec<&str> = links.iter().map(|link| &*link.entry.who).collect();
    assert_eq!(who, ["first", "second", "the last"]);
}

fn is_whole(store: &dyn Store, case: &str) {
    assert_eq!(
        value(store, &format!("{case}-row")),
        Some((1, "text".to_owned()))
    );
    let events = store.events(&format!("{case}-folded")).unwrap();
    assert_eq!(texts(events), ["a", "b", "c"]);
    let history = store.history(&format!("{case}-open")).unwrap().unwrap();
    assert_eq!(texts(history.events), ["d"]);
    let links = store.audit(case).unwrap();
    assert_eq!((verify(case, &links), links.len()), (Ok(()), 2));
    assert_eq!(value(store, "line"), Some((1, "of the agency".to_owned())));
}

fn what_was_erased_opens_for_nobody(subject: &Subject) {
    let store = subject.open();
    fill(&*store);
    commit(&*store, erases("case-1"));
    for _ in 0..2 {
        is_erased(&*store, "case-1");
        is_whole(&*store, "case-2");
    }
    drop(store);
    let store = subject.open();
    is_erased(&*store, "case-1");
    is_whole(&*store, "case-2");
    assert!(
        !store
            .unsettled()
            .unwrap()
            .contains(&"case-1-open".to_owned())
    );
}

fn lists_leave_out_what_was_erased(subject: &Subject) {
    let store = subject.open();
    commit(&*store, opens("case-1"));
    let key = |number: u32| format!("{number:02}");
    for number in 0..20 {
        let of_case = number % 3 > 0;
        let owner = if of_case {
            under("case-1")
        } else {
            Under::Agency("agency".to_owned())
        };
        let line = put_under(&key(number), Some("x"), owner);
        commit(&*store, puts(vec![line]));
    }
    commit(&*store, erases("case-1"));
    let left: Vec<Vec<u8>> = (0..20)
        .step_by(3)
        .map(|number| key(number).into_bytes())
        .collect();
    for limit in 0..9 {
        let rows = store.scan(Table::Case, b"", b"\xff", limit).unwrap();
        let keys: Vec<Vec<u8>> = rows.into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, left[..limit.min(left.len())]);
    }
}

fn nothing_is_added_to_a_case_that_is_erased(subject: &Subject) {
    let store = subject.open();
    fill(&*store);
    let with = |change: &dyn Fn(&mut Batch)| {
        let mut batch = erases("case-1");
        change(&mut batch);
        store.submit(batch).map(drop)
    };
    let unknown = Err(SubmitError::UnknownCase("case-1".to_owned()));
    let added = put_under("more", Some("x"), under("case-1"));
    assert_eq!(with(&|batch| batch.puts.push(added.clone())), unknown);
    let more = event("case-1-open", "case-1", "x");
    assert_eq!(with(&|batch| batch.events.push(more.clone())), unknown);
    assert_eq!(
        with(&|batch| batch.erases.push(batch.erases[0].clone())),
        unknown
    );
    let folded = fold("case-1-open", "case-1", 1, false);
    assert_eq!(with(&|batch| batch.folds.push(folded.clone())), unknown);
    let stale = row("case-1-row", 7);
    assert_eq!(
        with(&|batch| batch.guards.push(stale.clone())),
        Err(SubmitError::Guard { index: 0 })
    );
    is_whole(&*store, "case-1");

    let gone = put_under("case-1-row", None, under("case-1"));
    let mut last = erases("case-1");
    last.puts = vec![gone, put("skeleton", "number 1")];
    commit(&*store, last);
    assert_eq!(value(&*store, "case-1-row"), None);
    assert_eq!(value(&*store, "skeleton"), Some((1, "number 1".to_owned())));
    let erased = Some(SubmitError::Read(ReadError::Erased));
    let mut later = vec![erases("case-1"), opens("case-1")];
    later.push(puts(vec![put_under("more", Some("x"), under("case-1"))]));
    later.push(Batch {
        audit: vec![audited("case-1", "later")],
        ..Batch::default()
    });
    for batch in later {
        assert_eq!(store.submit(batch).err(), erased);
    }
    let unknown = store.submit(erases("case-9")).err();
    assert_eq!(unknown, Some(SubmitError::UnknownCase("case-9".to_owned())));
}

fn a_chain_that_grows_meanwhile_is_not_cut_off(subject: &Subject) {
    let (store, faults) = subject.open_faulty();
    fill(&*store);
    faults.hold();
    let entry = Batch {
        audit: vec![audited("case-1", "meanwhile")],
        ..Batch::default()
    };
    let meanwhile = store.submit(entry).unwrap();
    let refused = store.submit(erases("case-1")).err();
    assert_eq!(refused, Some(SubmitError::Guard { index: 0 }));
    faults.release();
    meanwhile.wait().unwrap();
    commit(&*store, erases("case-1"));
    let links = store.audit("case-1").unwrap();
    assert_eq!((verify("case-1", &links), links.len()), (Ok(()), 4));
}

fn the_journal_is_not_held_by_what_was_erased(subject: &Subject) {
    let settings = Settings {
        tail_bytes_max: 10_000,
        ..Settings::default()
    };
    let store = subject.try_open(settings.clone()).unwrap();
    fill(&*store);
    commit(&*store, erases("case-1"));
    let text = "x".repeat(500);
    for number in 0..100_u64 {
        let mut batch = Batch {
            events: vec![event("case-2-busy", "case-2", &text)],
            ..Batch::default()
        };
        if number > 0 {
            batch.folds = vec![fold("case-2-busy", "case-2", number + 1, false)];
        }
        commit(&*store, batch);
    }
    let (_, behind) = store.unfolded();
    assert!(!behind.contains(&"case-1-open".to_owned()), "{behind:?}");
    drop(store);
    is_erased(&*subject.try_open(settings).unwrap(), "case-1");
}

/// The crash of a roll at each flush, and before and after each change of the key file.
#[test]
fn a_roll_that_is_cut_off_loses_nothing_and_is_done_again() {
    let mut flushes = 2;
    loop {
        let disk = Disk::default();
        let faults = std::sync::Arc::new(Faults::default());
        let settings = Settings {
            faults: Some(std::sync::Arc::clone(&faults)),
            ..Settings::default()
        };
        let store = MemoryStore::open(&disk, settings).unwrap();
        fill(&store);
        commit(&store, erases("case-1"));
        assert!(store.roll_is_due());
        let moment = [Moment::BeforeFlush, Moment::AfterFlush][flushes % 2];
        faults.stop_at(flushes as u64 / 2, moment);
        let rolled = store.roll();
        let store = store.crash();
        is_erased(&store, "case-1");
        is_whole(&store, "case-2");
        if rolled.is_ok() {
            assert!(flushes > 6, "the roll has flushes of its own");
            assert!(!store.roll_is_due());
            return;
        }
        flushes += 1;
        if !store.roll_is_due() {
            // The last flush was on disk, and nobody was told.
            assert_eq!(moment, Moment::AfterFlush);
            continue;
        }
        let rolled = store.roll().unwrap();
        // The agency's key, and one of two cases'; the other is a row that says it is gone.
        assert_eq!((rolled.keys, rolled.erased), (3, 1));
        assert!(!store.roll_is_due());
        let store = store.crash();
        is_erased(&store, "case-1");
        is_whole(&store, "case-2");
        commit(&store, opens("case-3"));
    }
}

#[test]
fn the_key_file_holds_one_epoch_after_a_roll() {
    let disk = Disk::default();
    let store = MemoryStore::open(&disk, Settings::default()).unwrap();
    fill(&store);
    let before = disk.keys().unwrap();
    let rows = disk.values("keys");
    assert_eq!(store.roll().unwrap().keys, 3);
    let after = disk.keys().unwrap();
    assert_ne!(before, after);
    assert_eq!(after.matches("\":\"").count(), 2, "{after}");
    let again = disk.values("keys");
    assert!(rows.iter().zip(&again).all(|(old, new)| old.0 == new.0));
    assert!(rows.iter().zip(&again).all(|(old, new)| old.1 != new.1));
    drop(store);
    disk.set_keys(Some(before));
    let opened = MemoryStore::open(&disk, Settings::default()).err();
    let reason = opened.unwrap().to_string();
    assert!(reason.contains("key file"), "{reason}");
}
