//! The ledger under ordinary use and under every misuse; money is conserved by any history.

use proptest::prelude::*;

use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn fund(minor: i64) -> Fund {
    Fund::new("f", "Fund", &Money::new(minor, "AUD")).unwrap()
}

fn reserve(fund: &Fund, key: &str, owner: &str, minor: i64) -> Result<Booked, Code> {
    let money = Money::new(minor, "AUD");
    let request = Reserve {
        at: at(0),
        key,
        owner,
        money: &money,
        expires: Some(at(100)),
    };
    fund.reserve(&request).map_err(|refusal| refusal.code)
}

#[test]
fn exactly_what_is_there_can_be_reserved() {
    let mut fund = fund(100_000);
    for number in 0..10 {
        let key = number.to_string();
        fund = reserve(&fund, &key, &key, 10_000).unwrap().0;
    }
    assert_eq!(fund.available(), 0);
    assert_eq!(reserve(&fund, "x", "x", 1), Err(Code::InsufficientFunds));
}

#[test]
fn a_new_reservation_of_the_same_owner_replaces_the_old_one() {
    let (fund, _) = reserve(&fund(1_000), "k1", "task", 900).unwrap();
    let (fund, entries) = reserve(&fund, "k2", "task", 1_000).unwrap();
    assert_eq!((fund.reserved(), entries.len()), (1_000, 2));
    assert_eq!(entries[0].kind, EntryKind::Release);
    // Too much leaves everything as it was, the old reservation included.
    assert_eq!(
        reserve(&fund, "k3", "task", 1_001),
        Err(Code::InsufficientFunds)
    );
    assert!(fund.reservation("k2").is_some());
}

#[test]
fn the_same_key_reserves_once() {
    let (once, _) = reserve(&fund(1_000), "k", "task", 600).unwrap();
    assert_eq!(
        reserve(&once, "k", "task", 600),
        Ok((once.clone(), Vec::new()))
    );
}

#[test]
fn commit_spends_and_gives_back_the_rest() {
    let (fund, _) = reserve(&fund(1_000), "k", "task", 600).unwrap();
    let refused = |minor| {
        fund.commit(at(1), "k", &Money::new(minor, "AUD"))
            .unwrap_err()
            .code
    };
    assert_eq!(refused(601), Code::InsufficientFunds);
    assert_eq!(refused(0), Code::AmountInvalid);
    let (fund, entries) = fund.commit(at(1), "k", &Money::new(500, "AUD")).unwrap();
    assert_eq!(
        (fund.committed(), fund.reserved(), fund.available()),
        (500, 0, 500)
    );
    assert_eq!(entries.len(), 2);
    let again = fund
        .commit(at(1), "k", &Money::new(500, "AUD"))
        .unwrap_err();
    assert_eq!(again.code, Code::UnknownReservation);
    assert_eq!(
        fund.release(at(1), "k").unwrap_err().code,
        Code::UnknownReservation
    );
}

#[test]
fn an_expired_reservation_pays_nothing_and_blocks_nobody() {
    let (fund, _) = reserve(&fund(1_000), "k", "task", 600).unwrap();
    let late = fund
        .commit(at(101), "k", &Money::new(600, "AUD"))
        .unwrap_err();
    assert_eq!(late.code, Code::ReservationClosed);
    assert_eq!(fund.expire(at(101)).0.available(), 1_000);
    assert_eq!(
        fund.expire(at(100)).0.available(),
        400,
        "still valid at the moment itself"
    );
}

#[test]
fn wrong_amounts_are_refused_before_anything_else() {
    let whole = fund(1_000);
    assert_eq!(reserve(&whole, "k", "o", 0), Err(Code::AmountInvalid));
    assert_eq!(reserve(&whole, "k", "o", -5), Err(Code::AmountInvalid));
    assert_eq!(
        reserve(&whole, "k", "o", i64::MAX),
        Err(Code::InsufficientFunds)
    );
    let euros = Money::new(5, "EUR");
    let request = Reserve {
        at: at(0),
        key: "k",
        owner: "o",
        money: &euros,
        expires: None,
    };
    assert_eq!(
        whole.reserve(&request).unwrap_err().code,
        Code::CurrencyMismatch
    );
    assert!(Fund::new("f", "Fund", &Money::new(-1, "AUD")).is_err());
    let (held, _) = reserve(&whole, "k", "o", 700).unwrap();
    assert_eq!(
        held.reallocate(&Money::new(699, "AUD")).unwrap_err().code,
        Code::InsufficientFunds
    );
    assert_eq!(
        held.reallocate(&Money::new(700, "AUD"))
            .unwrap()
            .available(),
        0
    );
}

proptest! {
    /// Whatever is asked in whatever order: nothing is created, nothing lost, nothing below zero.
    #[test]
    fn money_is_conserved(steps in prop::collection::vec((0..4_u8, 0..6_u8, 1..700_i64), 1..60)) {
        let mut ledger = fund(1_000);
        for (second, (kind, key, minor)) in (0_i64..).zip(steps) {
            let key = key.to_string();
            let money = Money::new(minor, "AUD");
            let moment = at(second);
            let booked = match kind {
                0 => ledger.reserve(&Reserve {
                    at: moment,
                    key: &key,
                    owner: &key,
                    money: &money,
                    expires: Some(at(second + 9)),
                }),
                1 => ledger.commit(moment, &key, &money),
                2 => ledger.release(moment, &key),
                _ => Ok(ledger.expire(moment)),
            };
            if let Ok((next, _)) = booked {
                prop_assert!(next.available() >= 0 && next.reserved() >= 0);
                prop_assert!(next.committed() >= ledger.committed());
                prop_assert_eq!(
                    next.available() + next.reserved() + next.committed(), next.allocated()
                );
                ledger = next;
            }
        }
    }
}
