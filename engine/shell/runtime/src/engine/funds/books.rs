//! Funds as one decision finds and leaves them: the row of each, the lines of its ledger, what
//! became of each reservation, and the timer of the next that expires. All of a fund is guarded by
//! its row, which is read first: a decision on anything older is not taken.
//!
//! What may be booked is `casework`'s.

use std::collections::BTreeMap;

use casewright_casework::Fund;
use casewright_casework::fund::{Entry, Kept};
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

    /// Takes a booking in, asked for under this key; none where time did it.
    pub(super) fn enter(
        &mut self,
        shared: &Shared,
        (after, entries): (Fund, Vec<Entry>),
        by: Option<&str>,
    ) -> Result<(), Refused> {
        for entry in &entries {
            let id = entry.reservation.as_str();
            let earlier = self.kept(shared, id)?;
            let kept = Kept::after(earlier.as_ref(), &self.name, entry, by);
            self.kept.extend(kept.map(|kept| (id.to_owned(), kept)));
        }
        self.row.fund = after;
        self.row.entries += entries.len() as u64;
        self.entries.extend(entries);
        Ok(())
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
