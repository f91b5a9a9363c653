//! The ledger's lines. Each moves an amount from one account of a fund to another, so whatever is
//! written sums to zero, and what a fund says it has can be added up again from its entries.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Fund;

/// One line of the ledger; immutable, kept as a row of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub at: Timestamp,
    pub kind: EntryKind,
    /// Empty where the allocation itself changed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reservation: String,
    /// More than zero; the kind says from where to where.
    pub minor: i64,
    /// What can still be reserved after this entry.
    pub available_after: i64,
    /// Whose money it is: the case, whose number a reader is told. Earlier engines did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case: Option<String>,
    /// The run that asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// Number of the entry that this one takes back, whole or in part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reverses: Option<u64>,
    /// Id of the person who corrected it; a run asks for everything else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// What an entry did with its amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EntryKind {
    Allocate,
    /// Takes back a part of the allocation that nobody reserved or spent.
    Reduce,
    Reserve,
    Commit,
    Release,
    Expire,
    /// Takes back what a `Commit` spent, whole or in part: the mistake and the correction stay.
    Reverse,
}

/// Where the money of a fund is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Account {
    /// With whoever gave it: the fund's owes as much as was given.
    Giver,
    Available,
    Reserved,
    Committed,
}

impl EntryKind {
    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allocate => "allocate",
            Self::Reduce => "reduce",
            Self::Reserve => "reserve",
            Self::Commit => "commit",
            Self::Release => "release",
            Self::Expire => "expire",
            Self::Reverse => "reverse",
        }
    }

    /// From which account to which.
    pub const fn moves(self) -> (Account, Account) {
        match self {
            Self::Allocate => (Account::Giver, Account::Available),
            Self::Reduce => (Account::Available, Account::Giver),
            Self::Reserve => (Account::Available, Account::Reserved),
            Self::Commit => (Account::Reserved, Account::Committed),
            Self::Release | Self::Expire => (Account::Reserved, Account::Available),
            Self::Reverse => (Account::Committed, Account::Available),
        }
    }
}

/// The accounts added up; wider than an amount, so that no ledger is too long for them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sums {
    pub giver: i128,
    pub available: i128,
    pub reserved: i128,
    pub committed: i128,
}

impl Sums {
    /// What the fund itself says.
    pub fn of(fund: &Fund) -> Self {
        Self {
            giver: -i128::from(fund.allocated()),
            available: i128::from(fund.available()),
            reserved: i128::from(fund.reserved()),
            committed: i128::from(fund.committed()),
        }
    }

    /// With one entry more.
    #[must_use]
    pub fn after(mut self, entry: &Entry) -> Self {
        let (from, to) = entry.kind.moves();
        *self.account(from) -= i128::from(entry.minor);
        *self.account(to) += i128::from(entry.minor);
        self
    }

    /// Zero, always: nothing is made and nothing is lost.
    pub fn total(self) -> i128 {
        self.giver + self.available + self.reserved + self.committed
    }

    fn account(&mut self, account: Account) -> &mut i128 {
        match account {
            Account::Giver => &mut self.giver,
            Account::Available => &mut self.available,
            Account::Reserved => &mut self.reserved,
            Account::Committed => &mut self.committed,
        }
    }

    fn allocated_by(self, minor: i128) -> Self {
        Self {
            giver: self.giver - minor,
            available: self.available + minor,
            ..self
        }
    }
}

/// What a fund had after these first entries of its ledger.
pub fn sums_after(fund: &Fund, entries: &[Entry], count: usize) -> Sums {
    let first = entries.iter().take(count);
    first.fold(start(fund, entries), Sums::after)
}

/// How many of the entries were there before that moment: none that stands after a later one.
pub fn count_before(entries: &[Entry], moment: Timestamp) -> usize {
    let later = entries.iter().position(|entry| entry.at >= moment);
    later.unwrap_or(entries.len())
}

/// Whether the ledger begins with what was allocated.
fn complete(entries: &[Entry]) -> bool {
    let first = entries.first();
    first.is_none_or(|entry| entry.kind == EntryKind::Allocate)
}

/// Before the first entry: nothing, or what an earlier engine gave without writing it down.
fn start(fund: &Fund, entries: &[Entry]) -> Sums {
    let told = entries.iter().fold(Sums::default(), Sums::after);
    let whole = entries.is_empty() || !complete(entries);
    let unwritten = i128::from(fund.allocated()) + told.giver;
    Sums::default().allocated_by(if whole { unwritten } else { 0 })
}

/// Whether it names a payment of the same reservation, and all that takes that one back is at
/// most what it spent.
fn takes_back(entry: &Entry, entries: &[Entry], reversed: &mut BTreeMap<u64, i128>) -> bool {
    let Some(number) = entry.reverses else {
        return false;
    };
    let paid = usize::try_from(number).ok().and_then(|it| entries.get(it));
    let of_payment =
        |paid: &&Entry| paid.kind == EntryKind::Commit && paid.reservation == entry.reservation;
    let Some(paid) = paid.filter(of_payment) else {
        return false;
    };
    let sum = reversed.entry(number).or_default();
    *sum += i128::from(entry.minor);
    *sum <= i128::from(paid.minor)
}

/// Whether the fund is what its entries, from the first, add up to; a sentence says what is not.
///
/// Funds of earlier engines did not write down their allocation: of a ledger that does not begin
/// with it, what is missing is taken as given at the start, and only what was reserved and spent
/// is followed on the way.
pub fn check(fund: &Fund, entries: &[Entry]) -> Result<(), String> {
    let complete = complete(entries);
    let mut sums = start(fund, entries);
    let mut reversed = BTreeMap::new();
    for (number, entry) in entries.iter().enumerate() {
        sums = sums.after(entry);
        if entry.minor <= 0 {
            return Err(format!("entry {number} moves {}", entry.minor));
        }
        if sums.reserved < 0 || sums.committed < 0 {
            return Err(format!("entry {number} takes more than was there"));
        }
        if complete && sums.available != i128::from(entry.available_after) {
            return Err(format!("an entry before entry {number} is missing"));
        }
        if entry.kind == EntryKind::Reverse && !takes_back(entry, entries, &mut reversed) {
            return Err(format!("entry {number} reverses what was not spent"));
        }
    }
    let said = Sums::of(fund);
    if sums == said && said.total() == 0 && said.available >= 0 {
        return Ok(());
    }
    Err(format!(
        "its entries add up to {} reserved, {} spent and {} left; it says {}, {} and {}",
        sums.reserved,
        sums.committed,
        sums.available,
        said.reserved,
        said.committed,
        said.available
    ))
}
