//! The ledger of a fund: reserve, commit, release; never below zero.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Money, Refusal};

/// A fund with its open reservations. `allocated = available + reserved + committed` always holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fund {
    pub name: String,
    pub title: String,
    pub currency: String,
    allocated: i64,
    committed: i64,
    reservations: BTreeMap<String, Reservation>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reservation {
    /// Equal to the idempotency key of the intent that made it.
    pub id: String,
    /// Instance and task reference: a new run of the task replaces its open reservation.
    pub owner: String,
    pub minor: i64,
    pub expires: Option<Timestamp>,
}

/// One line of the ledger; immutable, kept as a row of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub at: Timestamp,
    pub kind: EntryKind,
    pub reservation: String,
    pub minor: i64,
    /// What can still be reserved after this entry.
    pub available_after: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EntryKind {
    Reserve,
    Commit,
    Release,
    Expire,
}

/// A request to put money aside.
#[derive(Debug, Clone)]
pub struct Reserve<'a> {
    pub at: Timestamp,
    pub key: &'a str,
    pub owner: &'a str,
    pub money: &'a Money,
    pub expires: Option<Timestamp>,
}

impl Fund {
    pub fn new(_name: &str, _title: &str, _allocated: &Money) -> Result<Self, Refusal> {
        unimplemented!()
    }

    /// What can still be reserved, in minor units; never negative.
    pub fn available(&self) -> i64 {
        unimplemented!()
    }

    /// Releases the owner's open reservation first. The same key again gives the same fund and no
    /// entries.
    pub fn reserve(&self, _request: &Reserve<'_>) -> Result<(Self, Vec<Entry>), Refusal> {
        unimplemented!()
    }

    /// At most what is reserved; the rest is released. Repeating it is refused with
    /// `reservation-closed` (the caller keeps the answer of the first).
    pub fn commit(
        &self,
        _at: Timestamp,
        _reservation: &str,
        _money: &Money,
    ) -> Result<(Self, Vec<Entry>), Refusal> {
        unimplemented!()
    }

    pub fn release(
        &self,
        _at: Timestamp,
        _reservation: &str,
    ) -> Result<(Self, Vec<Entry>), Refusal> {
        unimplemented!()
    }

    /// Releases what has expired by `at`.
    pub fn expire(&self, _at: Timestamp) -> (Self, Vec<Entry>) {
        unimplemented!()
    }
}
