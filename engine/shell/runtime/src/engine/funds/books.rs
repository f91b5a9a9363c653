//! Funds as one decision finds and leaves them: the row of each, the lines of its ledger, what
//! became of each reservation, and the timer of the next that expires. All of a fund is guarded by
//! its row, which is read first: a decision on anything older is not taken.
//!
//! What may be booked is `casework`'s.

use std::collections::BTreeMap;

use casewright_casework::Fund;
use casewright_casework::fund::{Entry, EntryKind, Kept};
use casewright_store::{Batch, Guard, Put, Table, Under};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::engine::Refused;
use crate::engine::alarms::Moved;
use crate::engine::shared::Shared;
use crate::engine::work_items::ALARM;
use crate::key;
use crate::record::{self, FundRow};

/// What the timers of funds belong to begins with it; no instance's id and no schedule does.
const OWNER: &str = "fund:";

/// Agency and fund of a timer's owner.
pub(crate) fn of_owner(owner: &str) -> Option<(&str, &str)> {
    owner.strip_prefix(OWNER)?.split_once('/')
}

/// A run that asks for a booking.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    /// Of the intent.
    pub(super) key: &'a str,
    pub(super) run: &'a str,
    pub(super) case: &'a str,
}

/// A fund that is decided on.
pub(super) struct OpenFund {
    agency: String,
    name: String,
    pub(super) row: FundRow,
    version: u64,
    entries: Vec<Entry>,
    /// Reservations that this decision changes.
    kept: BTreeMap<String, Kept>,
}

impl OpenFund {
    pub(super) fn read(shared: &Shared, agency: &str, name: &str) -> Result<Option<Self>, Refused> {
        let key = key::join(&[agency, name]);
        let found = shared.pending(Table::Fund, &key, "a fund")?;
        Ok(found.map(|(row, version)| Self::at(agency, name, row, version)))
    }

    /// One that nobody has stored, with what its ledger begins with.
    pub(super) fn new(agency: &str, fund: Fund, opening: Option<Entry>) -> Self {
        let name = fund.name.clone();
        let row = FundRow {
            fund,
            entries: opening.iter().len() as u64,
            timer: None,
        };
        Self {
            entries: opening.into_iter().collect(),
            ..Self::at(agency, &name, row, 0)
        }
    }

    fn at(agency: &str, name: &str, row: FundRow, version: u64) -> Self {
        Self {
            agency: agency.to_owned(),
            name: name.to_owned(),
            row,
            version,
            entries: Vec::new(),
            kept: BTreeMap::new(),
        }
    }

    /// Whether a reservation is open, or was changed by this decision.
    pub(super) fn holds(&self, reservation: &str) -> bool {
        self.row.fund.reservation(reservation).is_some() || self.kept.contains_key(reservation)
    }

    /// What is known of a reservation, also of one that is not open.
    pub(super) fn kept(&self, shared: &Shared, reservation: &str) -> Result<Option<Kept>, Refused> {
        if let Some(kept) = self.kept.get(reservation) {
            return Ok(Some(kept.clone()));
        }
        let found = kept(shared, &self.agency, reservation)?;
        Ok(found.filter(|kept| kept.fund == self.name))
    }

    /// Takes a booking in; no run asked where time or a person did it. Each entry says whose money
    /// it is.
    pub(super) fn enter(
        &mut self,
        shared: &Shared,
        (after, mut entries): (Fund, Vec<Entry>),
        asked: Option<Asked<'_>>,
    ) -> Result<(), Refused> {
        for entry in &mut entries {
            let id = entry.reservation.clone();
            let earlier = self.kept(shared, &id)?;
            match (entry.kind, asked) {
                (EntryKind::Reserve | EntryKind::Commit, Some(asked)) => {
                    entry.case = Some(asked.case.to_owned());
                    entry.run = Some(asked.run.to_owned());
                }
                // What is given back may be another run's.
                (EntryKind::Release | EntryKind::Expire, _) => {
                    entry.case = earlier.as_ref().and_then(|kept| kept.case.clone());
                }
                (EntryKind::Reserve | EntryKind::Commit, None)
                | (EntryKind::Allocate | EntryKind::Reduce | EntryKind::Reverse, _) => {}
            }
            let key = asked.map(|asked| asked.key);
            let kept = Kept::after(earlier.as_ref(), &self.name, entry, key);
            self.kept.extend(kept.map(|kept| (id, kept)));
        }
        self.row.fund = after;
        self.row.entries += entries.len() as u64;
        self.entries.extend(entries);
        Ok(())
    }

    /// That an invoice was paid by this reservation: taking the payment back frees it.
    pub(super) fn settled(&mut self, reservation: &str, tag: &str) {
        if let Some(kept) = self.kept.get_mut(reservation) {
            kept.invoice = Some(tag.to_owned());
        }
    }

    /// What has expired is free again.
    pub(super) fn expire(&mut self, shared: &Shared, at: Timestamp) -> Result<(), Refused> {
        let booked = self.row.fund.expire(at);
        self.enter(shared, booked, None)
    }

    /// When a timer is to look at it next: a reservation is good at its last moment.
    fn wanted_timer(&self) -> Option<Timestamp> {
        let last = key::rounded_up(self.row.fund.next_expiry()?);
        last.checked_add(SignedDuration::from_millis(1)).ok()
    }

    /// Whether its timer is where it must be.
    pub(super) fn timed(&self) -> bool {
        self.row.timer == self.wanted_timer()
    }

    /// Everything of it, guarded by its row.
    pub(super) fn write(mut self, batch: &mut Batch) -> Option<Moved> {
        let key = key::join(&[&self.agency, &self.name]);
        batch.guards.push(Guard::Row {
            table: Table::Fund,
            key: key.clone(),
            version: self.version,
        });
        let agency = self.agency.as_str();
        let first = self.row.entries - self.entries.len() as u64;
        for (sequence, entry) in (first..).zip(&self.entries) {
            let key = entry_key(agency, &self.name, sequence);
            batch.puts.push(put(Table::Ledger, key, entry, agency));
        }
        for (id, kept) in &self.kept {
            let key = key::join(&[agency, id]);
            batch.puts.push(put(Table::Reservation, key, kept, agency));
        }
        let moved = Moved {
            item: format!("{OWNER}{agency}/{}", self.name),
            from: self.row.timer,
            to: self.wanted_timer(),
        };
        let changed = moved.from != moved.to;
        if changed {
            for (at, value) in [(moved.from, None), (moved.to, Some(Vec::new()))] {
                let row = |at| timer_row(agency, at, &moved.item, value);
                batch.puts.extend(at.map(row));
            }
        }
        self.row.timer = moved.to;
        batch.puts.push(put(Table::Fund, key, &self.row, agency));
        changed.then_some(moved)
    }
}

/// The row of a fund's timer.
pub(super) fn timer_row(agency: &str, at: Timestamp, owner: &str, value: Option<Vec<u8>>) -> Put {
    Put {
        table: Table::Timer,
        key: key::timer(at, owner, ALARM),
        value,
        under: Under::Agency(agency.to_owned()),
    }
}

/// What is known of a reservation of the agency.
pub(super) fn kept(
    shared: &Shared,
    agency: &str,
    reservation: &str,
) -> Result<Option<Kept>, Refused> {
    let key = key::join(&[agency, reservation]);
    let found = shared.pending(Table::Reservation, &key, "a reservation")?;
    Ok(found.map(|(kept, _)| kept))
}

/// Where a line of a fund's ledger lies.
pub(super) fn entry_key(agency: &str, fund: &str, sequence: u64) -> Vec<u8> {
    let mut key = key::prefix(&[agency, fund]);
    key.extend_from_slice(&sequence.to_be_bytes());
    key
}

fn put<T: Serialize>(table: Table, key: Vec<u8>, row: &T, agency: &str) -> Put {
    Put {
        table,
        key,
        value: Some(record::encode(row)),
        under: Under::Agency(agency.to_owned()),
    }
}
