//! What clients were told, and what must therefore be so: the memory of the test, outside of the
//! server, with the checks that compare the two.
//!
//! A check says what is wrong in a sentence; who calls it decides what follows.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Mutex, MutexGuard};

use serde_json::Value;

use super::home::{PAYMENTS_AT_END, PLACES, PRICE};
use crate::client::Reply;

/// Acknowledged facts that are looked for a second time at the very end.
const KEPT_MAX: usize = 4_000;

/// Something that a client was told with 2xx.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fact {
    /// A run was started.
    Run {
        id: String,
        case: String,
        workflow: &'static str,
    },
    /// A work item was taken.
    Claimed { item: String, by: &'static str },
    /// A work item was finished.
    Completed {
        item: String,
        by: &'static str,
        outcome: &'static str,
    },
    /// A note was written.
    Note {
        case: String,
        id: String,
        text: String,
    },
}

impl Fact {
    /// Where it is looked for.
    pub(crate) fn path(&self) -> String {
        match self {
            Self::Run { id, .. } => format!("/api/v1/instances/{id}"),
            Self::Claimed { item, .. } | Self::Completed { item, .. } => {
                format!("/api/v1/work-items/{item}")
            }
            Self::Note { case, .. } => format!("/api/v1/cases/{case}/notes"),
        }
    }

    /// Whether it is there, once and as it was told.
    pub(crate) fn check(&self, reply: &Reply) -> Result<(), String> {
        let body = &reply.body;
        if reply.status != 200 {
            return Err(format!("lost: {self:?}, but {reply:?}"));
        }
        let there = match self {
            Self::Run { id, case, workflow } => {
                body["id"] == *id && body["case"] == *case && body["workflow"] == *workflow
            }
            Self::Claimed { by, .. } => match body["state"].as_str() {
                Some("claimed") => body["claimedBy"]["id"] == *by,
                Some("completed") => body["decisions"][0]["by"]["id"] == *by,
                _ => false,
            },
            Self::Completed { by, outcome, .. } => {
                let decisions = body["decisions"].as_array().map_or(&[][..], Vec::as_slice);
                let told = |one: &Value| one["by"]["id"] == *by && one["outcome"] == *outcome;
                body["state"] == "completed" && decisions.len() == 1 && told(&decisions[0])
            }
            Self::Note { id, text, .. } => {
                let notes = body["items"].as_array().map_or(&[][..], Vec::as_slice);
                let same: Vec<_> = notes.iter().filter(|note| note["text"] == *text).collect();
                if same.len() > 1 {
                    return Err(format!("twice: {self:?}, but {body}"));
                }
                same.first().is_some_and(|note| note["id"] == *id)
            }
        };
        there
            .then_some(())
            .ok_or_else(|| format!("lost or changed: {self:?}, but {body}"))
    }
}

/// A payment as the partner has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Payment {
    pub(crate) key: String,
    /// What it was for: one reference is one intent.
    pub(crate) reference: String,
    pub(crate) minor: i64,
}

#[derive(Default)]
pub(crate) struct Ledger(Mutex<Book>);

#[derive(Default)]
struct Book {
    /// Every run, by id.
    runs: BTreeSet<String>,
    /// References that must be paid, and those that may be: a decision in doubt is in neither.
    owed: BTreeSet<String>,
    /// Committed money by fund.
    spent: BTreeMap<&'static str, i64>,
    /// Runs that are known to hold money of the fund `narrow`.
    held: i64,
    /// With the life that acknowledged it.
    facts: VecDeque<(u64, Fact)>,
    kept: Vec<Fact>,
    facts_count: u64,
}

impl Ledger {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap()
    }

    pub(crate) fn note(&self, life: u64, fact: Fact) {
        let mut book = self.book();
        if let Fact::Run { id, .. } = &fact {
            book.runs.insert(id.clone());
        }
        book.facts_count += 1;
        // An even sample of a stream whose length nobody knows.
        let place = usize::try_from(book.facts_count.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20);
        let place = place.unwrap_or(0) % usize::try_from(book.facts_count).unwrap_or(usize::MAX);
        if book.kept.len() < KEPT_MAX {
            book.kept.push(fact.clone());
        } else if place < KEPT_MAX {
            book.kept[place] = fact.clone();
        }
        book.facts.push_back((life, fact));
    }

    pub(crate) fn has_facts_before(&self, life: u64) -> bool {
        let book = self.book();
        book.facts.front().is_some_and(|(told, _)| *told < life)
    }

    /// The oldest fact; it stays until it was looked for.
    pub(crate) fn oldest(&self) -> Option<Fact> {
        self.book().facts.front().map(|(_, fact)| fact.clone())
    }

    pub(crate) fn looked_for_oldest(&self) {
        self.book().facts.pop_front();
    }

    pub(crate) fn kept(&self) -> Vec<Fact> {
        self.book().kept.clone()
    }

    pub(crate) fn runs_count(&self) -> usize {
        self.book().runs.len()
    }

    pub(crate) fn knows_run(&self, id: &str) -> bool {
        self.book().runs.contains(id)
    }

    /// Somebody has decided that this is to be paid; from a fund, if it names one.
    pub(crate) fn owe(&self, reference: String, fund: Option<&'static str>) {
        let mut book = self.book();
        book.owed.insert(reference);
        if let Some(fund) = fund {
            *book.spent.entry(fund).or_default() += PRICE;
        }
    }

    /// A run is seen to hold money of `narrow`.
    pub(crate) fn hold(&self) -> Result<(), String> {
        let mut book = self.book();
        book.held += 1;
        if book.held > PLACES {
            return Err(format!(
                "a guard was not held: {} runs hold money of a fund that has it for {PLACES}",
                book.held
            ));
        }
        Ok(())
    }

    /// It is about to let it go.
    pub(crate) fn let_go(&self) {
        self.book().held -= 1;
    }

    /// Exactly what was decided was paid, when nothing is under way.
    pub(crate) fn check_paid(&self, paid: &BTreeMap<String, Payment>) -> Result<(), String> {
        let book = self.book();
        if let Some(missing) = book.owed.iter().find(|one| !paid.contains_key(*one)) {
            return Err(format!("lost: {missing} was decided and never paid"));
        }
        match paid.keys().find(|one| !book.owed.contains(*one)) {
            Some(extra) => Err(format!("doubled: {extra} was paid, and nobody decided it")),
            None => Ok(()),
        }
    }

    /// What the list of funds must say when nothing is under way.
    pub(crate) fn check_funds(&self, funds: &Value) -> Result<(), String> {
        let book = self.book();
        for fund in funds["items"].as_array().map_or(&[][..], Vec::as_slice) {
            check_sums(fund)?;
            let name = fund["name"].as_str().unwrap_or_default();
            let spent = book.spent.get(name).copied().unwrap_or(0);
            let found = (minor(fund, "committed"), minor(fund, "reserved"));
            if found != (spent, 0) {
                return Err(format!(
                    "money is not conserved: of fund {name} {spent} were decided and 0 are under \
                     way, but (committed, reserved) is {found:?}"
                ));
            }
        }
        let ending = book.spent.get("ending").copied().unwrap_or(0);
        if ending > PAYMENTS_AT_END * PRICE {
            return Err(format!("a guard was not held: fund ending paid {ending}"));
        }
        Ok(())
    }
}

fn minor(fund: &Value, what: &str) -> i64 {
    fund[what]["minor"].as_i64().unwrap_or(i64::MIN)
}

/// What holds at any moment: no fund is below zero, and its money is somewhere.
pub(crate) fn check_sums(fund: &Value) -> Result<(), String> {
    let [allocated, committed, reserved, available] =
        ["allocated", "committed", "reserved", "available"].map(|what| minor(fund, what));
    let sound = [committed, reserved, available]
        .iter()
        .all(|part| *part >= 0)
        && committed + reserved + available == allocated;
    sound
        .then_some(())
        .ok_or_else(|| format!("a guard was not held: a fund is below zero or torn: {fund}"))
}

/// Adds a payment to those known: one key, one effect; one intent, one key.
pub(crate) fn take_payment(
    paid: &mut BTreeMap<String, Payment>,
    payment: &Payment,
) -> Result<(), String> {
    if payment.minor != PRICE {
        return Err(format!("changed: nobody decided {payment:?}"));
    }
    match paid.insert(payment.reference.clone(), payment.clone()) {
        None => Ok(()),
        Some(before) if before.key == payment.key => {
            Err(format!("doubled: one key had two effects: {payment:?}"))
        }
        Some(before) => Err(format!(
            "doubled: one intent was paid under two keys: {before:?} and {payment:?}"
        )),
    }
}
