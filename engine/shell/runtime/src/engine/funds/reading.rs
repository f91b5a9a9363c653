//! What a fund's ledger says to whoever reads it: page by page, as of the end of a day, whole. Of a
//! case that the reader may not see, only that money moved.
//!
//! It is read beside what goes on, up to the last entry that the fund's row counts.

use std::collections::BTreeMap;

use casewright_casework::fund::{self, Entry, EntryKind, Kept};
use casewright_casework::{Case, Principal};
use casewright_store::Table;
use jiff::civil::Date;

use super::books::entry_key;
use super::{check, standing};
use crate::engine::shared::{Shared, not_found, unreadable};
use crate::engine::work_lists::bad_cursor;
use crate::engine::{Engine, Refused};
use crate::key;
use crate::record::{self, FundRow};
use crate::view::{FundEntryView, FundView, Page, PaymentView};

/// Entries of a page unless asked otherwise, and at most.
const PAGE: usize = 50;
const PAGE_MAX: usize = 500;

impl Engine {
    /// A fund as it is, or as it was at the end of a day. Also one that the pack names no longer.
    #[expect(
        clippy::unused_async,
        reason = "a store on another machine is awaited here"
    )]
    pub async fn fund(
        &self,
        who: &Principal,
        name: &str,
        at: Option<Date>,
    ) -> Result<FundView, Refused> {
        let shared = &self.shared;
        let row = shared.fund_row(&who.agency, name)?;
        let Some(day) = at else {
            return Ok(standing::view(row.fund.expire(shared.now()).0));
        };
        let end = day.tomorrow().ok();
        let end = end.and_then(|next| next.to_zoned(self.zone(who)).ok());
        let end = end.ok_or_else(bad_day)?.timestamp();
        let entries = check::entries(&*shared.parts.store, &who.agency, &row)?;
        let count = fund::count_before(&entries, end);
        let sums = fund::sums_after(&row.fund, &entries, count);
        // What a ledger adds up to is what a fund held: each fits an amount.
        let minor = |sum: i128| i64::try_from(sum).unwrap_or(i64::MAX);
        Ok(FundView {
            allocated_minor: minor(-sums.giver),
            committed_minor: minor(sums.committed),
            reserved_minor: minor(sums.reserved),
            available_minor: minor(sums.available),
            at: Some(day),
            ..standing::view(row.fund)
        })
    }

    /// Entries of a fund, newest first.
    #[expect(
        clippy::unused_async,
        reason = "a store on another machine is awaited here"
    )]
    pub async fn fund_entries(
        &self,
        who: &Principal,
        name: &str,
        cursor: Option<String>,
        limit: Option<usize>,
    ) -> Result<Page<FundEntryView>, Refused> {
        let before = cursor.map(|text| text.parse::<u64>());
        let before = before.transpose().map_err(|_| bad_cursor())?;
        let row = self.shared.fund_row(&who.agency, name)?;
        let before = before.map_or(row.entries, |before| before.min(row.entries));
        let limit = limit.unwrap_or(PAGE).clamp(1, PAGE_MAX) as u64;
        let first = before.saturating_sub(limit);
        let mut reader = Reader::new(&self.shared, who, &row);
        let mut items = reader.read(first, before)?;
        items.reverse();
        for entry in &mut items {
            reader.complete(entry)?;
        }
        let next = (first > 0).then(|| first.to_string());
        Ok(Page { items, next })
    }

    /// One entry of a fund.
    #[expect(
        clippy::unused_async,
        reason = "a store on another machine is awaited here"
    )]
    pub async fn fund_entry(
        &self,
        who: &Principal,
        name: &str,
        number: u64,
    ) -> Result<FundEntryView, Refused> {
        let row = self.shared.fund_row(&who.agency, name)?;
        let mut reader = Reader::new(&self.shared, who, &row);
        let found = reader.read(number, number.saturating_add(1))?;
        let mut entry = found.into_iter().next().ok_or_else(not_found)?;
        reader.complete(&mut entry)?;
        Ok(entry)
    }

    /// At most so many entries of a fund from this number on, oldest first, for whoever reads them
    /// all. Without reasons: what people wrote stays where it is sealed with its case.
    #[expect(
        clippy::unused_async,
        reason = "a store on another machine is awaited here"
    )]
    pub async fn fund_ledger(
        &self,
        who: &Principal,
        name: &str,
        first: u64,
        count: u64,
    ) -> Result<Vec<FundEntryView>, Refused> {
        let row = self.shared.fund_row(&who.agency, name)?;
        let end = row.entries.min(first.saturating_add(count));
        Reader::new(&self.shared, who, &row).read(first, end)
    }
}

impl Shared {
    pub(super) fn fund_row(&self, agency: &str, name: &str) -> Result<FundRow, Refused> {
        let key = key::join(&[agency, name]);
        let row = self.read::<FundRow>(Table::Fund, &key, "a fund")?;
        row.ok_or_else(not_found)
    }
}

/// Reads entries as one person may see them.
struct Reader<'a> {
    shared: &'a Shared,
    who: &'a Principal,
    fund: &'a str,
    currency: &'a str,
    /// Numbers of the cases that were met; none of those that stay unseen.
    cases: BTreeMap<String, Option<String>>,
    /// Runs that were met, and whether they may be seen.
    runs: BTreeMap<String, bool>,
}

impl<'a> Reader<'a> {
    fn new(shared: &'a Shared, who: &'a Principal, row: &'a FundRow) -> Self {
        Self {
            shared,
            who,
            fund: &row.fund.name,
            currency: &row.fund.currency,
            cases: BTreeMap::new(),
            runs: BTreeMap::new(),
        }
    }

    /// From the first of these numbers to before the other.
    fn read(&mut self, first: u64, end: u64) -> Result<Vec<FundEntryView>, Refused> {
        let at = |number| entry_key(&self.who.agency, self.fund, number);
        let store = &self.shared.parts.store;
        let rows = store.scan(Table::Ledger, &at(first), &at(end), usize::MAX);
        let mut entries = Vec::new();
        for (key, row) in rows.map_err(unreadable)? {
            let number = key.last_chunk().copied().map(u64::from_be_bytes);
            let number = number.ok_or_else(not_found)?;
            let entry: Entry = record::decode("an entry", &row.value)?;
            let mut view = FundEntryView::new(number, entry, self.currency);
            view.case_number = match &view.case {
                Some(case) => self.number_of(case)?,
                None => None,
            };
            let hidden = match (&view.case_number, &view.run) {
                (None, _) => true,
                (Some(_), Some(run)) => !self.sees(run)?,
                (Some(_), None) => false,
            };
            if hidden {
                (view.case, view.case_number, view.run) = (None, None, None);
                // It names the run that it was made by.
                view.reservation.clear();
            }
            entries.push(view);
        }
        Ok(entries)
    }

    fn sees(&mut self, run: &str) -> Result<bool, Refused> {
        if let Some(known) = self.runs.get(run) {
            return Ok(*known);
        }
        let seen = self.shared.sees_run(self.who, run)?;
        self.runs.insert(run.to_owned(), seen);
        Ok(seen)
    }

    fn number_of(&mut self, case: &str) -> Result<Option<String>, Refused> {
        if let Some(known) = self.cases.get(case) {
            return Ok(known.clone());
        }
        let seen = match self.shared.seen_case(self.who, case) {
            Ok(Case { number, .. }) => Some(number),
            Err(Refused::Rule(_)) => None,
            Err(other) => return Err(other),
        };
        self.cases.insert(case.to_owned(), seen.clone());
        Ok(seen)
    }

    /// Why it takes a payment back, or what of a payment still stands.
    fn complete(&self, entry: &mut FundEntryView) -> Result<(), Refused> {
        let agency = self.who.agency.as_str();
        let seen = entry.case.is_some();
        if entry.kind == EntryKind::Reverse && seen {
            entry.reason = self.shared.reason_of(agency, self.fund, entry.number)?;
        }
        if entry.kind == EntryKind::Commit && seen {
            let key = key::join(&[agency, &entry.reservation]);
            let kept = self
                .shared
                .read::<Kept>(Table::Reservation, &key, "a reservation")?;
            entry.standing = kept.map(|kept| PaymentView {
                minor: kept.standing(),
                revision: kept.reversals,
            });
        }
        Ok(())
    }
}

fn bad_day() -> Refused {
    Refused::Invalid {
        code: "invalid-input",
        status: 422,
        message: "there is no such day; write year, month and day: 2026-09-30".to_owned(),
    }
}
