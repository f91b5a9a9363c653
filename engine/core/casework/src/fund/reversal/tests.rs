//! What is taken back, how much of it, and by whom.

use super::*;
use crate::fund::tests::Ledger;

/// 500 of 600 paid: entry 3, after the allocation, the reservation and what was given back.
fn paid() -> Ledger {
    let mut ledger = Ledger::new(1_000);
    ledger.reserve("k", "task", 600).unwrap();
    let at = Timestamp::from_second(1).unwrap();
    ledger.commit(at, "pay", "k", 500).unwrap();
    assert_eq!(ledger.entries[3].kind, EntryKind::Commit);
    ledger
}

#[test]
fn a_payment_is_taken_back_in_parts_and_never_more_than_it_was() {
    let mut ledger = paid();
    assert_eq!(ledger.reverse(3, 200, None), Ok(1));
    assert_eq!(ledger.held(), (300, 0, 700));
    assert_eq!(ledger.entries[4].reverses, Some(3));
    assert_eq!(ledger.entries[4].by.as_deref(), Some("u-fin"));
    assert_eq!(ledger.entries[4].case.as_deref(), Some("case-k"));
    assert_eq!(ledger.reverse(3, 301, None), Err(Code::NotReversible));
    assert_eq!(ledger.reverse(3, 300, None), Ok(1));
    assert_eq!(ledger.reverse(3, 1, None), Err(Code::NotReversible));
    assert_eq!(ledger.held(), (0, 0, 1_000));
    // What is taken back is free, and its key is not.
    assert_eq!(
        ledger.reserve("k", "task", 600),
        Err(Code::ReservationClosed)
    );
    let at = Timestamp::from_second(2).unwrap();
    assert_eq!(ledger.commit(at, "pay", "k", 500), Ok(0));
    assert_eq!(ledger.held(), (0, 0, 1_000));
}

#[test]
fn only_a_payment_that_names_its_case_is_taken_back() {
    let mut ledger = paid();
    for number in [0, 1, 2] {
        assert_eq!(ledger.reverse(number, 1, None), Err(Code::NotReversible));
    }
    assert_eq!(ledger.reverse(3, 0, None), Err(Code::AmountInvalid));
    assert_eq!(ledger.reverse(3, -1, None), Err(Code::AmountInvalid));
    ledger.entries[3].case = None;
    assert_eq!(ledger.reverse(3, 1, None), Err(Code::NotReversible));
    ledger.entries[3].case = Some("case-k".to_owned());
    ledger.reverse(3, 1, None).unwrap();
    assert_eq!(
        ledger.reverse(4, 1, None),
        Err(Code::NotReversible),
        "a reversal"
    );
}

#[test]
fn who_has_not_seen_the_last_correction_makes_none() {
    let mut ledger = paid();
    assert_eq!(ledger.reverse(3, 100, Some(1)), Err(Code::StaleRevision));
    assert_eq!(ledger.reverse(3, 100, Some(0)), Ok(1));
    assert_eq!(ledger.reverse(3, 100, Some(0)), Err(Code::StaleRevision));
    assert_eq!(ledger.reverse(3, 100, Some(1)), Ok(1));
}

#[test]
fn a_ledger_that_takes_back_what_was_not_spent_is_found() {
    let mut ledger = paid();
    ledger.reverse(3, 200, None).unwrap();
    ledger.reverse(3, 300, None).unwrap();
    let broken = |change: fn(&mut Vec<Entry>)| {
        let mut entries = ledger.entries.clone();
        change(&mut entries);
        crate::fund::check(&ledger.fund, &entries).unwrap_err()
    };
    let sentence = "entry 4 reverses what was not spent";
    assert_eq!(broken(|entries| entries[4].reverses = None), sentence);
    assert_eq!(broken(|entries| entries[4].reverses = Some(1)), sentence);
    assert_eq!(broken(|entries| entries[4].reverses = Some(9)), sentence);
    assert_eq!(
        broken(|entries| entries[4].reservation = "x".to_owned()),
        sentence
    );
}

#[test]
fn whoever_worked_on_a_payment_or_stands_in_the_case_does_not_correct_it() {
    let entry = |who: &str, action, instance: &str| audit::Entry {
        at: Timestamp::UNIX_EPOCH,
        who: who.to_owned(),
        action,
        instance: Some(instance.to_owned()),
        subject: None,
        detail: None,
    };
    let record = [
        entry("u-starter", Action::InstanceStarted, "i-1"),
        entry("u-asker", Action::WorkItemCompleted, "i-2"),
        entry("u-writer", Action::WorkItemDrafted, "i-1"),
        entry("u-reader", Action::CaseRead, "i-1"),
        entry("u-taker", Action::WorkItemClaimed, "i-1"),
        entry("u-other", Action::WorkItemCompleted, "i-3"),
    ];
    let runs = ["i-1".to_owned(), "i-2".to_owned()].into();
    let worked = worked(&record, &runs);
    let may = |person, reverses, related| {
        let standing = Standing {
            person,
            reverses,
            worked: &worked,
            related,
        };
        standing.may_reverse().map_err(|refusal| refusal.code)
    };
    for person in ["u-starter", "u-asker", "u-writer"] {
        assert_eq!(
            may(person, true, false),
            Err(Code::SelfApproval),
            "{person}"
        );
    }
    for person in ["u-reader", "u-taker", "u-other", "u-fin"] {
        assert_eq!(may(person, true, false), Ok(()), "{person}");
    }
    assert_eq!(may("u-fin", true, true), Err(Code::SelfApproval));
    assert_eq!(may("u-fin", false, false), Err(Code::NotAssigned));
}

#[test]
fn a_reason_is_needed() {
    assert_eq!(reason("  paid twice ").unwrap(), "paid twice");
    for nothing in ["", "  \n", &"x".repeat(REASON_LENGTH_MAX + 1)] {
        assert_eq!(reason(nothing).unwrap_err().code, Code::ReasonNeeded);
    }
}
