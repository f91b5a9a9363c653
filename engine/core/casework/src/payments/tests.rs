//! Money moves only as far as an approval that stands, once for each key.

#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;

use super::*;

fn aud(minor: i64) -> Money {
    Money::new(minor, "AUD")
}

fn approved(item: &str, owner: &str, minor: i64, by: &[&str]) -> Approved {
    let by = by.iter().map(|person| (*person).to_owned()).collect();
    Approved::new(item, owner, &aud(minor), by, "sha256:0")
}

fn one(minor: i64) -> Payments {
    let mut payments = Payments::default();
    payments.approve(approved("i-1", "i/do/1", minor, &["lee"]));
    payments
}

#[expect(clippy::unnecessary_wraps, reason = "it is what `take` asks")]
fn all(_: &Approved) -> Result<(), Refusal> {
    Ok(())
}

#[test]
fn without_an_approval_nothing_moves() {
    let refusal = Payments::default().take(Way::Paid, "k", &aud(1), all);
    let refusal = refusal.unwrap_err();
    assert_eq!(refusal.code, Code::NotApproved);
    let sentence = "$0.01 is to be paid; $0.00 of what was approved in this run is left for it.";
    assert!(refusal.message.starts_with(sentence));
}

#[test]
fn petty_cash_needs_no_approval_and_is_there_once() {
    let mut payments = Payments::default();
    payments.allow(&aud(50));
    payments.allow(&aud(50));
    let paid = payments.take(Way::Paid, "k", &aud(30), all).unwrap();
    assert!(paid.take(Way::Paid, "l", &aud(21), all).is_err());
    let mut paid = paid.take(Way::Paid, "l", &aud(20), all).unwrap();
    paid.approve(approved("i-1", "i/do/1", 100, &["lee"]));
    assert!(paid.take(Way::Paid, "m", &aud(100), all).is_ok());
}

#[test]
fn an_approval_bears_its_amount_once_each_way_and_the_same_key_again() {
    let paid = one(100).take(Way::Paid, "k", &aud(100), all).unwrap();
    assert_eq!(paid.take(Way::Paid, "k", &aud(100), all).unwrap(), paid);
    let more = paid.take(Way::Paid, "l", &aud(1), all).unwrap_err();
    assert_eq!(more.code, Code::NotApproved);
    let booked = paid.take(Way::Committed, "r", &aud(100), all).unwrap();
    let twice = booked.take(Way::Committed, "s", &aud(1), all);
    assert_eq!(twice.unwrap_err().code, Code::NotApproved);
    assert!(one(100).take(Way::Paid, "k", &aud(101), all).is_err());
    let dollars = one(100).take(Way::Paid, "k", &Money::new(1, "USD"), all);
    assert_eq!(dollars.unwrap_err().code, Code::NotApproved);
}

#[test]
fn what_was_certainly_not_paid_may_be_paid_otherwise() {
    let mut payments = one(100).take(Way::Paid, "k", &aud(80), all).unwrap();
    assert!(payments.take(Way::Paid, "l", &aud(80), all).is_err());
    payments.give_back(Way::Paid, "k");
    assert!(payments.take(Way::Paid, "l", &aud(80), all).is_ok());
}

#[test]
fn an_approval_falls_with_one_of_those_who_gave_it() {
    let mut payments = Payments::default();
    let without_sam = |approved: &Approved| approved.stands(|person| person == "sam");
    payments.approve(approved("i-1", "i/do/1", 100, &["lee", "sam"]));
    let refusal = payments.take(Way::Committed, "r", &aud(100), without_sam);
    assert_eq!(refusal.unwrap_err().code, Code::SelfApproval);
    payments.approve(approved("i-2", "i/do/2", 100, &["kim"]));
    let taken = payments.take(Way::Committed, "r", &aud(100), without_sam);
    assert_eq!(taken.unwrap().approvals()[0].used(), 0);
}

#[test]
fn deciding_again_takes_the_place_of_what_is_not_used() {
    let mut payments = one(100).take(Way::Paid, "k", &aud(40), all).unwrap();
    payments.approve(approved("i-2", "i/do/1", 70, &["lee"]));
    assert!(payments.take(Way::Paid, "l", &aud(71), all).is_err());
    let paid = payments.take(Way::Paid, "l", &aud(70), all).unwrap();
    assert_eq!(paid.approvals()[0].used(), 40);
    assert_eq!(paid.approvals()[1].used(), 70);
}

#[test]
fn what_another_task_was_approved_for_stays() {
    let mut payments = one(100);
    payments.approve(approved("i-2", "i/do/2", 70, &["lee"]));
    assert!(payments.take(Way::Paid, "k", &aud(170), all).is_ok());
    assert!(payments.take(Way::Paid, "k", &aud(171), all).is_err());
}

#[test]
fn nothing_and_less_are_no_payment() {
    for minor in [0, -1] {
        let refusal = one(100).take(Way::Paid, "k", &aud(minor), all).unwrap_err();
        assert_eq!(refusal.code, Code::AmountInvalid);
    }
}

proptest! {
    /// Whatever is tried, no more goes out either way than was approved by those who stand.
    #[test]
    fn no_more_moves_than_was_approved(
        tries in prop::collection::vec((0..3_u8, 0..4_usize, 1..60_i64), 1..40),
    ) {
        let mut payments = Payments::default();
        let (mut given, mut sent) = (0, BTreeMap::new());
        for (kind, which, minor) in tries {
            let key = format!("k{which}");
            match kind {
                0 => {
                    let item = format!("i-{given}");
                    payments.approve(approved(&item, &item, minor, &["lee"]));
                    given += minor;
                }
                1 => if let Ok(next) = payments.take(Way::Paid, &key, &aud(minor), all) {
                    payments = next;
                    sent.insert(key, minor);
                },
                _ => {
                    payments.give_back(Way::Paid, &key);
                    sent.remove(&key);
                }
            }
            let out: i64 = sent.values().sum();
            let used: i64 = payments.approvals().iter().map(Approved::used).sum();
            prop_assert_eq!(out, used);
            prop_assert!(out <= given);
        }
    }
}
