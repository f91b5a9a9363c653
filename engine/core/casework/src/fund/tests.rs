//! The ledger under ordinary use and under every misuse; money is conserved by any history.

use proptest::prelude::*;

use super::reversal::Reverse;
use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn fund(minor: i64) -> Fund {
    Fund::new("f", "Fund", &Money::new(minor, "AUD")).unwrap()
}

/// A fund with all that lies beside it, as a store keeps them.
#[derive(Debug, Clone)]
pub(super) struct Ledger {
    pub(super) fund: Fund,
    pub(super) entries: Vec<Entry>,
    kept: BTreeMap<String, Kept>,
}

impl Ledger {
    pub(super) fn new(minor: i64) -> Self {
        let fund = fund(minor);
        Self {
            entries: fund.opening(at(0)).into_iter().collect(),
            kept: BTreeMap::new(),
            fund,
        }
    }

    fn enter(&mut self, booked: Result<Booked, Refusal>, by: Option<&str>) -> Result<usize, Code> {
        let (fund, mut entries) = booked.map_err(|refusal| refusal.code)?;
        for entry in &mut entries {
            if !entry.reservation.is_empty() {
                entry.case = Some(format!("case-{}", entry.reservation));
            }
            let earlier = self.kept.get(&entry.reservation);
            let kept = Kept::after(earlier, "f", entry, by);
            self.kept
                .extend(kept.map(|kept| (entry.reservation.clone(), kept)));
        }
        self.fund = fund;
        self.entries.extend(entries.iter().cloned());
        check(&self.fund, &self.entries).unwrap();
        Ok(entries.len())
    }

    /// How many entries it made.
    pub(super) fn reserve(&mut self, key: &str, owner: &str, minor: i64) -> Result<usize, Code> {
        self.reserve_until(at(0), at(100), key, owner, minor)
    }

    fn reserve_until(
        &mut self,
        at: Timestamp,
        until: Timestamp,
        key: &str,
        owner: &str,
        minor: i64,
    ) -> Result<usize, Code> {
        let money = Money::new(minor, "AUD");
        let request = Reserve {
            at,
            zone: &TimeZone::UTC,
            key,
            owner,
            money: &money,
            expires: Some(until),
        };
        self.enter(self.fund.reserve(&request, self.kept.get(key)), Some(key))
    }

    pub(super) fn commit(
        &mut self,
        at: Timestamp,
        key: &str,
        reservation: &str,
        minor: i64,
    ) -> Result<usize, Code> {
        let close = Close {
            at,
            zone: &TimeZone::UTC,
            key,
            reservation,
        };
        let money = Money::new(minor, "AUD");
        let kept = self.kept.get(reservation);
        self.enter(self.fund.commit(&close, &money, kept), Some(key))
    }

    fn release(&mut self, at: Timestamp, key: &str, reservation: &str) -> Result<usize, Code> {
        let close = Close {
            at,
            zone: &TimeZone::UTC,
            key,
            reservation,
        };
        let kept = self.kept.get(reservation);
        self.enter(self.fund.release(&close, kept), Some(key))
    }

    /// Of the entry of this number; nothing where there is none.
    pub(super) fn reverse(
        &mut self,
        number: usize,
        minor: i64,
        revision: Option<u64>,
    ) -> Result<usize, Code> {
        let Some(entry) = self.entries.get(number).cloned() else {
            return Err(Code::NotFound);
        };
        let money = Money::new(minor, "AUD");
        let request = Reverse {
            at: entry.at,
            number: number as u64,
            entry: &entry,
            money: &money,
            by: "u-fin",
            revision,
        };
        let kept = self.kept.get(&entry.reservation);
        self.enter(self.fund.reverse(&request, kept), Some("fin"))
    }

    fn expire(&mut self, at: Timestamp) -> usize {
        self.enter(Ok(self.fund.expire(at)), None).unwrap()
    }

    pub(super) fn held(&self) -> (i64, i64, i64) {
        let fund = &self.fund;
        (fund.committed(), fund.reserved(), fund.available())
    }
}

#[test]
fn exactly_what_is_there_can_be_reserved() {
    let mut ledger = Ledger::new(100_000);
    for number in 0..10 {
        let key = number.to_string();
        assert_eq!(ledger.reserve(&key, &key, 10_000), Ok(1));
    }
    assert_eq!(ledger.fund.available(), 0);
    assert_eq!(ledger.reserve("x", "x", 1), Err(Code::InsufficientFunds));
}

#[test]
fn a_new_reservation_of_the_same_owner_replaces_the_old_one() {
    let mut ledger = Ledger::new(1_000);
    ledger.reserve("k1", "task", 900).unwrap();
    assert_eq!(ledger.reserve("k2", "task", 1_000), Ok(2));
    assert_eq!(ledger.fund.reserved(), 1_000);
    assert_eq!(ledger.entries[2].kind, EntryKind::Release);
    // Too much leaves everything as it was, the old reservation included.
    assert_eq!(
        ledger.reserve("k3", "task", 1_001),
        Err(Code::InsufficientFunds)
    );
    assert!(ledger.fund.reservation("k2").is_some());
}

#[test]
fn the_same_key_reserves_once() {
    let mut ledger = Ledger::new(1_000);
    ledger.reserve("k", "task", 600).unwrap();
    assert_eq!(ledger.reserve("k", "task", 600), Ok(0));
    assert_eq!(
        ledger.reserve("k", "task", 601),
        Err(Code::ReservationClosed)
    );
    assert_eq!(
        ledger.reserve("k", "other", 600),
        Err(Code::ReservationClosed)
    );
    assert_eq!(ledger.held(), (0, 600, 400));
}

#[test]
fn commit_spends_and_gives_back_the_rest() {
    let mut ledger = Ledger::new(1_000);
    ledger.reserve("k", "task", 600).unwrap();
    assert_eq!(
        ledger.commit(at(1), "pay", "k", 601),
        Err(Code::InsufficientFunds)
    );
    assert_eq!(
        ledger.commit(at(1), "pay", "k", 0),
        Err(Code::AmountInvalid)
    );
    assert_eq!(ledger.commit(at(1), "pay", "k", 500), Ok(2));
    assert_eq!(ledger.held(), (500, 0, 500));
}

#[test]
fn a_key_is_never_forgotten_once_it_was_used() {
    type End = fn(&mut Ledger) -> Result<usize, Code>;
    let ends: [End; 3] = [
        |ledger| ledger.commit(at(1), "end", "k", 500),
        |ledger| ledger.release(at(1), "end", "k"),
        |ledger| Ok(ledger.expire(at(101))),
    ];
    for (number, end) in ends.into_iter().enumerate() {
        let mut ledger = Ledger::new(1_000);
        ledger.reserve("k", "task", 600).unwrap();
        assert!(end(&mut ledger).unwrap() > 0);
        let after = ledger.held();
        // The same intent again books nothing more; time has none.
        if number < 2 {
            assert_eq!(end(&mut ledger), Ok(0));
        }
        for refused in [
            ledger.reserve("k", "task", 600),
            ledger.commit(at(1), "other", "k", 500),
            ledger.commit(at(1), "end", "k", 499),
            ledger.release(at(1), "other", "k"),
        ] {
            assert_eq!(refused, Err(Code::ReservationClosed), "{number}");
        }
        assert_eq!(ledger.held(), after);
    }
    let mut ledger = Ledger::new(1_000);
    assert_eq!(
        ledger.commit(at(1), "pay", "k", 1),
        Err(Code::UnknownReservation)
    );
    assert_eq!(
        ledger.release(at(1), "free", "k"),
        Err(Code::UnknownReservation)
    );
}

#[test]
fn an_expired_reservation_pays_nothing_and_blocks_nobody() {
    let mut ledger = Ledger::new(1_000);
    ledger.reserve("k", "task", 600).unwrap();
    assert_eq!(ledger.fund.next_expiry(), Some(at(100)));
    assert_eq!(
        ledger.expire(at(100)),
        0,
        "still valid at the moment itself"
    );
    assert_eq!(
        ledger.commit(at(101), "pay", "k", 600),
        Err(Code::ReservationClosed)
    );
    assert_eq!(ledger.expire(at(101)), 1);
    assert_eq!(ledger.held(), (0, 0, 1_000));
    assert_eq!(ledger.fund.next_expiry(), None);
}

#[test]
fn what_expired_is_free_for_the_next_who_asks_and_the_earliest_ends_first() {
    let mut ledger = Ledger::new(1_000);
    ledger
        .reserve_until(at(0), at(200), "k", "task", 300)
        .unwrap();
    ledger
        .reserve_until(at(0), at(100), "l", "other", 700)
        .unwrap();
    assert_eq!(ledger.fund.next_expiry(), Some(at(100)));
    let more = ledger.reserve_until(at(101), at(300), "m", "third", 700);
    assert_eq!(more, Ok(2));
    assert_eq!(ledger.fund.next_expiry(), Some(at(200)));
}

#[test]
fn wrong_amounts_are_refused_before_anything_else() {
    let mut whole = Ledger::new(1_000);
    for (minor, code) in [
        (0, Code::AmountInvalid),
        (-5, Code::AmountInvalid),
        (i64::MAX, Code::InsufficientFunds),
    ] {
        assert_eq!(whole.reserve("k", "o", minor), Err(code));
    }
    let euros = Money::new(5, "EUR");
    let request = Reserve {
        at: at(0),
        zone: &TimeZone::UTC,
        key: "k",
        owner: "o",
        money: &euros,
        expires: None,
    };
    assert_eq!(
        whole.fund.reserve(&request, None).unwrap_err().code,
        Code::CurrencyMismatch
    );
    assert!(Fund::new("f", "Fund", &Money::new(-1, "AUD")).is_err());
}

#[test]
fn another_allocation_is_written_down_and_never_less_than_is_held() {
    let mut ledger = Ledger::new(1_000);
    ledger.reserve("k", "o", 700).unwrap();
    let mut allocate = |minor| {
        let booked = ledger.fund.reallocate(at(1), &Money::new(minor, "AUD"));
        ledger.enter(booked, None).map(|count| {
            let kind = ledger.entries.last().map(|entry| entry.kind);
            (count, kind.filter(|_| count > 0), ledger.fund.available())
        })
    };
    assert_eq!(allocate(699), Err(Code::InsufficientFunds));
    assert_eq!(allocate(1_000), Ok((0, None, 300)));
    assert_eq!(allocate(700), Ok((1, Some(EntryKind::Reduce), 0)));
    assert_eq!(allocate(900), Ok((1, Some(EntryKind::Allocate), 200)));
}

#[test]
fn a_ledger_that_does_not_bear_its_fund_out_is_found() {
    let mut ledger = Ledger::new(1_000);
    ledger.reserve("a", "a", 600).unwrap();
    ledger.commit(at(1), "pay", "a", 500).unwrap();
    let broken = |change: fn(&mut Vec<Entry>)| {
        let mut entries = ledger.entries.clone();
        change(&mut entries);
        check(&ledger.fund, &entries).unwrap_err()
    };
    assert_eq!(
        broken(|entries| entries.truncate(3)),
        "its entries add up to 500 reserved, 0 spent and 500 left; it says 0, 500 and 500"
    );
    assert_eq!(
        broken(|entries| drop(entries.remove(1))),
        "entry 1 takes more than was there"
    );
    assert_eq!(
        broken(|entries| entries[0].minor = 999),
        "an entry before entry 0 is missing"
    );
    assert_eq!(broken(|entries| entries[1].minor = -1), "entry 1 moves -1");
    // One that gave away more than it had says so itself.
    let mut over = ledger.fund.clone();
    over.allocated = 400;
    let mut entries = ledger.entries.clone();
    let after = [400, -200, -100, -100];
    for (entry, after) in entries.iter_mut().zip(after) {
        entry.available_after = after;
    }
    entries[0].minor = 400;
    entries[2].available_after = -100;
    assert!(check(&over, &entries).is_err());
}

#[test]
fn a_ledger_of_an_earlier_engine_is_read_without_its_allocation() {
    let mut ledger = Ledger::new(1_000);
    ledger.reserve("a", "a", 600).unwrap();
    ledger.entries.remove(0);
    assert_eq!(check(&ledger.fund, &ledger.entries), Ok(()));
    // It goes on with what is written down from here on.
    let booked = ledger.fund.reallocate(at(2), &Money::new(2_000, "AUD"));
    ledger.enter(booked, None).unwrap();
    assert_eq!(ledger.commit(at(3), "pay", "a", 600), Ok(1));
    ledger.entries.pop();
    assert!(check(&ledger.fund, &ledger.entries).is_err());
}

const BRISBANE: &str = "Australia/Brisbane";

/// A year of a fund whose bills are paid until the end of August.
fn year() -> Days {
    let day = |text: &str| Some(text.parse().unwrap());
    Days {
        from: day("2026-07-01"),
        until: day("2027-06-30"),
        settle_until: day("2027-08-31"),
    }
}

/// A fund of that year, and what becomes of a reservation and a payment at a moment.
fn of_year(moment: &str, settled: &str) -> (Fund, Result<(), Code>, Result<(), Code>) {
    let zone = TimeZone::get(BRISBANE).unwrap();
    let fund = fund(1_000).on_days(&year(), &zone);
    let money = Money::new(600, "AUD");
    let request = Reserve {
        at: moment.parse().unwrap(),
        zone: &zone,
        key: "k",
        owner: "o",
        money: &money,
        expires: None,
    };
    let reserved = fund.reserve(&request, None).map_err(|refusal| refusal.code);
    let fund = reserved.as_ref().map_or(fund, |(fund, _)| fund.clone());
    let close = Close {
        at: settled.parse().unwrap(),
        zone: &zone,
        key: "pay",
        reservation: "k",
    };
    let paid = fund.commit(&close, &money, None);
    let paid = paid.map(drop).map_err(|refusal| refusal.code);
    (fund, reserved.map(drop), paid)
}

#[test]
fn a_fund_takes_and_pays_on_its_days_and_on_no_other() {
    let paid = "2027-08-31T13:59:59.999999999Z";
    let closed = Err(Code::FundClosed);
    for (moment, reserved) in [
        ("2026-06-30T13:59:59.999999999Z", closed),
        ("2026-06-30T14:00:00Z", Ok(())),
        ("2027-06-30T13:59:59.999999999Z", Ok(())),
        ("2027-06-30T14:00:00Z", closed),
    ] {
        assert_eq!(of_year(moment, paid).1, reserved, "{moment}");
    }
    let taken = "2027-06-30T00:00:00Z";
    assert_eq!(of_year(taken, paid).2, Ok(()));
    assert_eq!(of_year(taken, "2027-08-31T14:00:00Z").2, closed);
}

#[test]
fn what_is_put_aside_ends_with_the_last_day_on_which_it_is_paid() {
    let (fund, ..) = of_year("2027-06-30T00:00:00Z", "2027-07-01T00:00:00Z");
    let last: Timestamp = "2027-08-31T13:59:59.999999999Z".parse().unwrap();
    assert_eq!(fund.next_expiry(), Some(last));
    // Days that are changed move what is open forward, never back.
    let zone = TimeZone::get(BRISBANE).unwrap();
    let shorter = Days {
        settle_until: None,
        ..year()
    };
    let sooner: Timestamp = "2027-06-30T13:59:59.999999999Z".parse().unwrap();
    let fund = fund.on_days(&shorter, &zone);
    assert_eq!(fund.next_expiry(), Some(sooner));
    assert_eq!(fund.on_days(&year(), &zone).next_expiry(), Some(sooner));
}

#[test]
fn a_refusal_says_on_which_days_a_fund_is_open() {
    let day: jiff::civil::Date = "2028-01-02".parse().unwrap();
    assert_eq!(
        year().take(day).unwrap_err().message,
        "money of this fund is put aside from 2026-07-01 until 2027-06-30; today is 2028-01-02"
    );
    assert_eq!(
        year().settle(day).unwrap_err().message,
        "money of this fund is paid until 2027-08-31; today is 2028-01-02"
    );
    assert_eq!(Days::default().take(day), Ok(()));
    assert_eq!(Days::default().settle(day), Ok(()));
}

proptest! {
    /// Whatever is asked in whatever order: nothing is created, nothing lost, nothing below zero,
    /// no key is good twice, and the entries add up to the fund.
    #[test]
    fn money_is_conserved(steps in prop::collection::vec((0..8_u8, 0..6_u8, 1..700_i64), 1..60)) {
        let mut ledger = Ledger::new(1_000);
        let mut spent = BTreeMap::new();
        let mut taken_back = 0;
        for (second, (kind, key, minor)) in (0_i64..).zip(steps) {
            let key = key.to_string();
            let moment = at(second);
            let before = ledger.fund.committed();
            let done = match kind {
                0 | 1 => ledger.reserve_until(moment, at(second + 9), &key, &key, minor),
                2 => ledger.commit(moment, "pay", &key, minor),
                3 => ledger.release(moment, "free", &key),
                4 => Ok(ledger.expire(moment)),
                5 | 6 => {
                    // A payment of this key, or whatever stands there.
                    let count = ledger.entries.len();
                    let of_key = |entry: &Entry| {
                        entry.kind == EntryKind::Commit && entry.reservation == key
                    };
                    let number = if kind == 5 {
                        ledger.entries.iter().position(of_key)
                    } else {
                        usize::try_from(minor).ok().map(|minor| minor % count)
                    };
                    let done = ledger.reverse(number.unwrap_or(count), minor, None);
                    taken_back += if done.is_ok() { minor } else { 0 };
                    done
                }
                _ => {
                    let given = Money::new(minor * 3, "AUD");
                    let booked = ledger.fund.reallocate(moment, &given);
                    ledger.enter(booked, None)
                }
            };
            let more = ledger.fund.committed() - before;
            prop_assert!(more == 0 || done.is_ok());
            prop_assert!(more >= 0 || matches!(kind, 5 | 6));
            if more > 0 {
                prop_assert!(spent.insert(key, more).is_none(), "paid twice");
            }
            let (committed, reserved, available) = ledger.held();
            prop_assert!(available >= 0 && reserved >= 0);
            prop_assert_eq!(committed + reserved + available, ledger.fund.allocated());
            prop_assert_eq!(spent.values().sum::<i64>() - taken_back, committed);
            for entry in ledger.entries.iter().filter(|entry| entry.kind == EntryKind::Commit) {
                let kept = &ledger.kept[&entry.reservation];
                prop_assert!((0..=entry.minor).contains(&kept.reversed));
            }
            prop_assert_eq!(check(&ledger.fund, &ledger.entries), Ok(()));
            let sums = ledger.entries.iter().fold(Sums::default(), Sums::after);
            prop_assert_eq!((sums.total(), sums), (0, Sums::of(&ledger.fund)));
        }
    }
}
