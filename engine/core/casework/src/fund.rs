//! The ledger of a fund: reserve, commit, release; never below zero, and never twice for one key.
//!
//! A fund holds what is open. What it must never forget lies beside it: entries, each a row, and
//! for each reservation what became of it (`Kept`), which a caller looks up and hands in.

mod days;
mod entry;
pub mod invoice;
mod kept;
pub mod reversal;

pub use days::Days;
pub use entry::{Account, Entry, EntryKind, Sums, check, count_before, sums_after};
pub use kept::{End, How, Kept};

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::{Code, Money, Refusal};

/// A fund with its open reservations. `allocated = available + reserved + committed` always holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fund {
    pub name: String,
    pub title: String,
    pub currency: String,
    /// When it is open.
    #[serde(default, skip_serializing_if = "Days::always")]
    days: Days,
    allocated: i64,
    committed: i64,
    reservations: BTreeMap<String, Reservation>,
}

/// Money put aside for one intent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reservation {
    /// Equal to the idempotency key of the intent that made it.
    pub id: String,
    /// Instance and task reference: a new run of the task replaces its open reservation.
    pub owner: String,
    pub minor: i64,
    pub expires: Option<Timestamp>,
}

/// A request to put money aside.
#[derive(Debug, Clone)]
pub struct Reserve<'a> {
    pub at: Timestamp,
    /// Whose days are meant: the agency's.
    pub zone: &'a TimeZone,
    pub key: &'a str,
    pub owner: &'a str,
    pub money: &'a Money,
    pub expires: Option<Timestamp>,
}

/// A request to pay from a reservation, or to give it back.
#[derive(Debug, Clone, Copy)]
pub struct Close<'a> {
    pub at: Timestamp,
    /// Whose days are meant: the agency's.
    pub zone: &'a TimeZone,
    /// Idempotency key of the intent that asks.
    pub key: &'a str,
    pub reservation: &'a str,
}

type Booked = (Fund, Vec<Entry>);

impl Fund {
    /// A fund with nothing spent. The allocation may be zero, not less.
    pub fn new(name: &str, title: &str, allocated: &Money) -> Result<Self, Refusal> {
        if allocated.minor < 0 {
            return Err(amount_invalid(
                "a fund cannot be allocated less than nothing",
            ));
        }
        Ok(Self {
            name: name.to_owned(),
            title: title.to_owned(),
            currency: allocated.currency.clone(),
            days: Days::default(),
            allocated: allocated.minor,
            committed: 0,
            reservations: BTreeMap::new(),
        })
    }

    /// With these days. What is put aside ends no later than it could still be paid.
    #[must_use]
    pub fn on_days(&self, days: &Days, zone: &TimeZone) -> Self {
        let mut fund = self.clone();
        fund.days = days.clone();
        for open in fund.reservations.values_mut() {
            open.expires = days.ends(open.expires, zone);
        }
        fund
    }

    /// When it is open.
    pub fn days(&self) -> &Days {
        &self.days
    }

    /// What was given to the fund, in minor units.
    pub fn allocated(&self) -> i64 {
        self.allocated
    }

    /// What was spent, in minor units.
    pub fn committed(&self) -> i64 {
        self.committed
    }

    /// What is put aside in open reservations, in minor units.
    pub fn reserved(&self) -> i64 {
        self.reservations
            .values()
            .map(|reservation| reservation.minor)
            .sum()
    }

    /// What can still be reserved, in minor units; never negative.
    pub fn available(&self) -> i64 {
        self.allocated - self.committed - self.reserved()
    }

    /// What is put aside.
    pub fn reservations(&self) -> impl Iterator<Item = &Reservation> {
        self.reservations.values()
    }

    /// The open reservation of this id.
    pub fn reservation(&self, id: &str) -> Option<&Reservation> {
        self.reservations.get(id)
    }

    /// The moment after which the first reservation is no longer good.
    pub fn next_expiry(&self) -> Option<Timestamp> {
        self.reservations
            .values()
            .filter_map(|open| open.expires)
            .min()
    }

    /// What a new fund's ledger begins with.
    pub fn opening(&self, at: Timestamp) -> Option<Entry> {
        let given = self.allocated > 0;
        given.then(|| self.entry(at, EntryKind::Allocate, "", self.allocated))
    }

    /// Another allocation; refused when what is spent and put aside would not fit into it.
    pub fn reallocate(&self, at: Timestamp, allocated: &Money) -> Result<Booked, Refusal> {
        self.same_currency(allocated)?;
        if allocated.minor < self.committed + self.reserved() {
            let bound = Money::new(self.committed + self.reserved(), &self.currency);
            let sentence = format!("{bound} of the fund is already spent or reserved");
            return Err(Refusal::new(Code::InsufficientFunds, sentence));
        }
        let fund = Self {
            allocated: allocated.minor,
            ..self.clone()
        };
        // Neither is less than zero: the difference fits.
        let more = fund.allocated - self.allocated;
        let kind = if more > 0 {
            EntryKind::Allocate
        } else {
            EntryKind::Reduce
        };
        let entry = (more != 0).then(|| fund.entry(at, kind, "", more.abs()));
        Ok((fund, entry.into_iter().collect()))
    }

    /// Releases the owner's open reservation first. The same key again gives the same fund and no
    /// entries while it is open; a key that was used is never good for another.
    pub fn reserve(&self, request: &Reserve<'_>, kept: Option<&Kept>) -> Result<Booked, Refusal> {
        self.positive(request.money)?;
        if let Some(open) = self.reservations.get(request.key) {
            return self.reserved_before(open, request);
        }
        if let Some(kept) = kept {
            return Err(kept.refusal());
        }
        self.days.take(day(request.at, request.zone))?;
        let (mut fund, mut entries) = self.expire(request.at);
        let earlier = fund
            .reservations
            .values()
            .find(|open| open.owner == request.owner);
        if let Some(earlier) = earlier.map(|open| open.id.clone()) {
            entries.push(fund.close(request.at, &earlier, EntryKind::Release));
        }
        if request.money.minor > fund.available() {
            let left = Money::new(fund.available(), &fund.currency);
            let sentence = format!("{} is asked for, {left} is left in the fund", request.money);
            return Err(Refusal::new(Code::InsufficientFunds, sentence));
        }
        let reservation = Reservation {
            id: request.key.to_owned(),
            owner: request.owner.to_owned(),
            minor: request.money.minor,
            expires: self.days.ends(request.expires, request.zone),
        };
        fund.reservations
            .insert(reservation.id.clone(), reservation);
        entries.push(fund.entry(
            request.at,
            EntryKind::Reserve,
            request.key,
            request.money.minor,
        ));
        Ok((fund, entries))
    }

    /// The first answer, unless something else is asked for under the same key.
    fn reserved_before(&self, open: &Reservation, again: &Reserve<'_>) -> Result<Booked, Refusal> {
        if open.minor == again.money.minor && open.owner == again.owner {
            return Ok((self.clone(), Vec::new()));
        }
        let sentence = "under this key another amount is reserved already";
        Err(Refusal::new(Code::ReservationClosed, sentence))
    }

    /// At most what is reserved; the rest is released. Repeated by the same intent it changes
    /// nothing; by another it is refused.
    pub fn commit(
        &self,
        close: &Close<'_>,
        money: &Money,
        kept: Option<&Kept>,
    ) -> Result<Booked, Refusal> {
        self.positive(money)?;
        let paid = How::Paid { minor: money.minor };
        let open = self.open(close, paid, kept);
        if !matches!(open, Ok(None)) {
            // What ended with the last day is told so, rather than to reserve again.
            self.days.settle(day(close.at, close.zone))?;
        }
        let Some(reserved) = open? else {
            return Ok((self.clone(), Vec::new()));
        };
        let (at, id) = (close.at, close.reservation);
        if money.minor > reserved {
            let bound = Money::new(reserved, &self.currency);
            let sentence = format!("{money} is to be paid, only {bound} is reserved");
            return Err(Refusal::new(Code::InsufficientFunds, sentence));
        }
        let mut fund = self.clone();
        fund.reservations.remove(id);
        fund.committed += money.minor;
        let mut entries = Vec::new();
        // The available amount named in an entry is what holds after all entries of the booking.
        if money.minor < reserved {
            entries.push(fund.entry(at, EntryKind::Release, id, reserved - money.minor));
        }
        entries.push(fund.entry(at, EntryKind::Commit, id, money.minor));
        Ok((fund, entries))
    }

    /// Gives back all of an open reservation.
    pub fn release(&self, close: &Close<'_>, kept: Option<&Kept>) -> Result<Booked, Refusal> {
        if self.open(close, How::Released, kept)?.is_none() {
            return Ok((self.clone(), Vec::new()));
        }
        let mut fund = self.clone();
        let entry = fund.close(close.at, close.reservation, EntryKind::Release);
        Ok((fund, vec![entry]))
    }

    /// Releases what has expired by `at`.
    pub fn expire(&self, at: Timestamp) -> Booked {
        let mut fund = self.clone();
        let gone = |open: &&Reservation| open.expires.is_some_and(|expires| expires < at);
        let expired: Vec<_> = self
            .reservations
            .values()
            .filter(gone)
            .map(|open| open.id.clone())
            .collect();
        let entries = expired
            .iter()
            .map(|id| fund.close(at, id, EntryKind::Expire))
            .collect();
        (fund, entries)
    }

    /// How much is open in it; nothing where this intent has ended it so already.
    fn open(
        &self,
        close: &Close<'_>,
        how: How,
        kept: Option<&Kept>,
    ) -> Result<Option<i64>, Refusal> {
        let Some(open) = self.reservations.get(close.reservation) else {
            return match kept {
                Some(kept) if kept.ended_by(close.key, how) => Ok(None),
                Some(kept) => Err(kept.refusal()),
                None => Err(kept::unknown()),
            };
        };
        if open.expires.is_some_and(|expires| expires < close.at) {
            let sentence = "the reservation has expired; reserve again";
            return Err(Refusal::new(Code::ReservationClosed, sentence));
        }
        Ok(Some(open.minor))
    }

    fn close(&mut self, at: Timestamp, id: &str, kind: EntryKind) -> Entry {
        let minor = self
            .reservations
            .remove(id)
            .map_or(0, |reservation| reservation.minor);
        self.entry(at, kind, id, minor)
    }

    fn entry(&self, at: Timestamp, kind: EntryKind, reservation: &str, minor: i64) -> Entry {
        let available_after = self.available();
        Entry {
            at,
            kind,
            reservation: reservation.to_owned(),
            minor,
            available_after,
            case: None,
            run: None,
            reverses: None,
            by: None,
        }
    }

    fn positive(&self, money: &Money) -> Result<(), Refusal> {
        self.same_currency(money)?;
        if money.minor > 0 {
            Ok(())
        } else {
            Err(amount_invalid("the amount must be more than zero"))
        }
    }

    fn same_currency(&self, money: &Money) -> Result<(), Refusal> {
        if money.currency == self.currency {
            return Ok(());
        }
        let sentence = format!(
            "the fund is in {}, the amount in {}",
            self.currency, money.currency
        );
        Err(Refusal::new(Code::CurrencyMismatch, sentence))
    }
}

fn day(at: Timestamp, zone: &TimeZone) -> Date {
    at.to_zoned(zone.clone()).date()
}

fn amount_invalid(sentence: &str) -> Refusal {
    Refusal::new(Code::AmountInvalid, sentence)
}

#[cfg(test)]
mod tests;
