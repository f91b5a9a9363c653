//! What was approved to be paid in a tree of runs, and what was paid on it: money moves only as
//! far as an approval that still stands.
//!
//! It knows no fund: that a fund bears a payment is the fund's to say. It knows no workflow: whose
//! approval takes the place of another's comes as an owner.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Code, Money, Refusal};

/// The approvals of a tree of runs, in the order they were given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payments {
    approved: Vec<Approved>,
}

/// One decision about money, by one person or several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approved {
    /// The work item.
    pub item: String,
    /// The task of which run: a later approval by the same takes the place of what is not used.
    pub owner: String,
    pub money: Money,
    /// Ids of those who approved.
    pub by: Vec<String>,
    /// Digest of what they were shown.
    pub shown: String,
    /// The sets of requests it was counted in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sets: Vec<String>,
    /// Sent to somebody, by the idempotency key of each payment.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    paid: BTreeMap<String, i64>,
    /// Taken from a fund, by reservation.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    committed: BTreeMap<String, i64>,
}

/// How money moves. Each approval bears both once: what is sent, and what the books say of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Paid,
    Committed,
}

impl Approved {
    /// Of which nothing is used yet.
    pub fn new(item: &str, owner: &str, money: &Money, by: Vec<String>, shown: &str) -> Self {
        Self {
            item: item.to_owned(),
            owner: owner.to_owned(),
            money: money.clone(),
            by,
            shown: shown.to_owned(),
            sets: Vec::new(),
            paid: BTreeMap::new(),
            committed: BTreeMap::new(),
        }
    }

    /// Minor units that have gone out, one way or the other.
    pub fn used(&self) -> i64 {
        self.uses(Way::Paid).max(self.uses(Way::Committed))
    }

    /// Whether those who gave it may still: nobody that `barred` says yes to.
    pub fn stands(&self, barred: impl Fn(&str) -> bool) -> Result<(), Refusal> {
        if !self.by.iter().any(|person| barred(person)) {
            return Ok(());
        }
        let sentence = "whoever approved this stands in the case themselves; another person must \
                        approve it before money moves";
        Err(Refusal::new(Code::SelfApproval, sentence))
    }

    fn uses(&self, way: Way) -> i64 {
        self.way(way).values().sum()
    }

    fn way(&self, way: Way) -> &BTreeMap<String, i64> {
        match way {
            Way::Paid => &self.paid,
            Way::Committed => &self.committed,
        }
    }

    fn way_mut(&mut self, way: Way) -> &mut BTreeMap<String, i64> {
        match way {
            Way::Paid => &mut self.paid,
            Way::Committed => &mut self.committed,
        }
    }
}

impl Payments {
    /// In the order they were given.
    pub fn approvals(&self) -> &[Approved] {
        &self.approved
    }

    /// So much may go out with nobody's approval; said once, it stays as it was.
    pub fn allow(&mut self, money: &Money) {
        let owner = "petty cash";
        if !self.approved.iter().any(|one| one.owner == owner) {
            let allowed = Approved::new("", owner, money, Vec::new(), "");
            self.approved.insert(0, allowed);
        }
    }

    /// What is not used of an earlier approval by the same owner lapses.
    pub fn approve(&mut self, approved: Approved) {
        for before in &mut self.approved {
            if before.owner == approved.owner {
                before.money.minor = before.used();
            }
        }
        self.approved.push(approved);
    }

    /// Uses what is approved up. The same key again is the same payment. `stands` says of an
    /// approval with something left whether it still counts.
    pub fn take(
        &self,
        way: Way,
        key: &str,
        money: &Money,
        stands: impl Fn(&Approved) -> Result<(), Refusal>,
    ) -> Result<Self, Refusal> {
        if money.minor <= 0 {
            let sentence = "the amount must be more than zero";
            return Err(Refusal::new(Code::AmountInvalid, sentence));
        }
        let mut next = self.clone();
        next.give_back(way, key);
        let (mut wanted, mut left, mut fallen) = (money.minor, 0_i64, None);
        for approved in &mut next.approved {
            let free = approved.money.minor - approved.uses(way);
            if approved.money.currency != money.currency || free <= 0 {
                continue;
            }
            if let Err(refusal) = stands(approved) {
                fallen = Some(refusal);
                continue;
            }
            let taken = free.min(wanted);
            left = left.saturating_add(free);
            if taken > 0 {
                approved.way_mut(way).insert(key.to_owned(), taken);
                wanted -= taken;
            }
        }
        if wanted == 0 {
            return Ok(next);
        }
        // Why an approval fell says more than how much is missing.
        Err(fallen.unwrap_or_else(|| {
            let left = Money::new(left, &money.currency);
            let sentence = format!(
                "{money} is to be paid; {left} of what was approved in this run is left for it. An \
                 approval with `rules.limit` comes before money goes out"
            );
            Refusal::new(Code::NotApproved, sentence)
        }))
    }

    /// A payment that was certainly not made, so that another may be.
    pub fn give_back(&mut self, way: Way, key: &str) {
        for approved in &mut self.approved {
            approved.way_mut(way).remove(key);
        }
    }
}

#[cfg(test)]
mod tests;
