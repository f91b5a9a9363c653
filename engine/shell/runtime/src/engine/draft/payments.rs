//! Money within a decision: what was approved in the tree of runs, what goes out on it, and what
//! counts together with it. `casework` decides; here are the rows, each guarded.

use std::collections::BTreeMap;

use casewright_casework::payments::{Approved, Payments, Way};
use casewright_casework::policy::{Aspect, Counted, Portion, Together};
use casewright_casework::work_item::{APPROVE, Decision, Limit};
use casewright_casework::{Code, Money, Policy, Refusal, WorkItem};
use casewright_store::{Guard, Table, Under};
use jiff::civil::Date;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Draft;
use crate::engine::Refused;
use crate::key;

/// Rows that this decision has looked at.
#[derive(Default)]
pub(super) struct Ledger {
    payments: BTreeMap<Vec<u8>, Open<Payments>>,
    sets: BTreeMap<Vec<u8>, Open<Counted>>,
}

struct Open<T> {
    version: u64,
    before: T,
    now: T,
}

impl Draft<'_> {
    /// What was approved before and counts together with this item, for each of the policy's
    /// `together` in its order.
    pub(crate) fn counted_before(
        &mut self,
        item: &WorkItem,
        policy: &Policy,
        on: Date,
    ) -> Result<Vec<i64>, Refused> {
        let Some(limit) = &item.limit else {
            return Ok(Vec::new());
        };
        let mut before = Vec::new();
        for together in &policy.together {
            let set = set_of(item, limit, together)?;
            let counted = &self.counted(&set)?.now;
            before.push(counted.until(together, on, &limit.money.currency));
        }
        Ok(before)
    }

    /// An item about money that enough people have approved: so much may go out, and it counts.
    pub(crate) fn approve_money(
        &mut self,
        item: &WorkItem,
        policy: Option<&Policy>,
        on: Date,
    ) -> Result<(), Refused> {
        let Some(limit) = &item.limit else {
            return Ok(());
        };
        let last = item.decisions.last();
        let Some(last) = last.filter(|last| item.approval && last.outcome == APPROVE) else {
            return Ok(());
        };
        let by = item
            .decisions
            .iter()
            .flat_map(Decision::people)
            .map(str::to_owned)
            .collect();
        let owner = owner(&item.instance, &item.reference, &item.rounds);
        let mut approved = Approved::new(&item.id, &owner, &limit.money, by, &last.shown);
        for together in policy.into_iter().flat_map(|policy| &policy.together) {
            let set = set_of(item, limit, together)?;
            let portion = Portion {
                money: limit.money.clone(),
                on,
            };
            self.counted(&set)?.now.count(&item.id, portion, together);
            approved.sets.push(set);
        }
        let payments = &mut self.payments()?.now;
        payments.approve(approved);
        let lapsed = payments.approvals().iter();
        let lapsed: Vec<_> = lapsed
            .filter(|one| one.owner == owner && one.item != item.id)
            .cloned()
            .collect();
        self.settle(&lapsed)
    }

    /// Money is about to go out: refused unless an approval that still stands bears it.
    pub(super) fn take(
        &mut self,
        way: Way,
        key: &str,
        money: &Money,
    ) -> Result<Result<(), Refusal>, Refused> {
        let (walls, guards) = self.shared.walls(&self.resident.row.case)?;
        self.batch.guards.extend(guards);
        let mut payments = self.payments()?.now.clone();
        if let Some((minor, currency)) = &self.resident.deployment.pack.petty_cash {
            payments.allow(&Money::new(*minor, currency));
        }
        let mut shown = BTreeMap::new();
        let asked = payments
            .approvals()
            .iter()
            .filter(|one| !one.item.is_empty());
        for approved in asked {
            let item = self.item(&approved.item)?.map(|item| item.shown());
            shown.insert(approved.item.clone(), item);
        }
        let barred = |person: &str| walls.stands(person);
        let stands = |approved: &Approved| {
            approved.stands(barred)?;
            if approved.item.is_empty()
                || shown.get(&approved.item) == Some(&Some(approved.shown.clone()))
            {
                return Ok(());
            }
            let sentence = "what was approved is not what stands there now; decide it again";
            Err(Refusal::new(Code::NotApproved, sentence))
        };
        Ok(match payments.take(way, key, money, stands) {
            Ok(taken) => {
                self.payments()?.now = taken;
                Ok(())
            }
            Err(refusal) => Err(refusal),
        })
    }

    /// What approvals have borne so far, to be put back when a booking is refused after all.
    pub(super) fn borne(&mut self) -> Result<Payments, Refused> {
        Ok(self.payments()?.now.clone())
    }

    /// Nothing moved: approvals have borne what they had before.
    pub(super) fn bear_again(&mut self, before: Payments) -> Result<(), Refused> {
        self.payments()?.now = before;
        Ok(())
    }

    /// A payment by this function that was certainly not made.
    pub(crate) fn give_back(&mut self, function: &str, key: &str) -> Result<(), Refused> {
        let signature = self.resident.deployment.signatures.get(function);
        if signature.is_none_or(|signature| signature.pays.is_none()) {
            return Ok(());
        }
        self.payments()?.now.give_back(Way::Paid, key);
        Ok(())
    }

    /// Nothing more goes out in this tree: what was approved and not used no longer counts.
    pub(super) fn settle_payments(&mut self) -> Result<(), Refused> {
        let asks = self
            .resident
            .workflow()
            .is_some_and(|found| found.asks_for_money() || found.runs_others());
        if self.resident.row.parent.is_some() || !asks {
            return Ok(());
        }
        let approvals = self.payments()?.now.approvals().to_vec();
        self.settle(&approvals)
    }

    fn settle(&mut self, approvals: &[Approved]) -> Result<(), Refused> {
        for approved in approvals {
            for set in &approved.sets {
                let counted = &mut self.counted(set)?.now;
                counted.settle(&approved.item, approved.used());
            }
        }
        Ok(())
    }

    fn payments(&mut self) -> Result<&mut Open<Payments>, Refused> {
        let root = self.shared.root_of(&self.resident.id)?;
        let key = key::join(&["tree-payments", &root]);
        if !self.ledger.payments.contains_key(&key) {
            let open = self.open(&key, "payments of instances")?;
            self.ledger.payments.insert(key.clone(), open);
        }
        Ok(self.ledger.payments.entry(key).or_default())
    }

    fn counted(&mut self, set: &str) -> Result<&mut Open<Counted>, Refused> {
        let key = key::join(&["approved-together", &self.resident.row.agency, set]);
        if !self.ledger.sets.contains_key(&key) {
            let open = self.open(&key, "what counts together")?;
            self.ledger.sets.insert(key.clone(), open);
        }
        Ok(self.ledger.sets.entry(key).or_default())
    }

    fn open<T>(&self, key: &[u8], what: &'static str) -> Result<Open<T>, Refused>
    where
        T: DeserializeOwned + Default + Clone,
    {
        let found = self.shared.pending::<T>(Table::Index, key, what)?;
        let (row, version) = found.unwrap_or_default();
        Ok(Open {
            version,
            before: row.clone(),
            now: row,
        })
    }

    pub(super) fn write_ledger(&mut self) {
        let Ledger { payments, sets } = std::mem::take(&mut self.ledger);
        let (case, agency) = (self.under(), self.resident.row.agency.clone());
        for (key, open) in payments {
            self.write_open(key, &open, case.clone());
        }
        for (key, open) in sets {
            self.write_open(key, &open, Under::Agency(agency.clone()));
        }
    }

    /// What was only looked at is guarded as well: the decision rests on it.
    fn write_open<T: Serialize + PartialEq>(&mut self, key: Vec<u8>, open: &Open<T>, under: Under) {
        if open.now != open.before {
            self.put(Table::Index, key.clone(), &open.now, under);
        }
        self.batch.guards.push(Guard::Row {
            table: Table::Index,
            key,
            version: open.version,
        });
    }
}

impl<T: Default> Default for Open<T> {
    fn default() -> Self {
        Self {
            version: 0,
            before: T::default(),
            now: T::default(),
        }
    }
}

/// Which run's task it is, and in which round of its loops: a later one takes its place.
pub(crate) fn owner(instance: &str, reference: &str, rounds: &[u32]) -> String {
    let mut owner = format!("{instance}{reference}");
    for round in rounds {
        owner = format!("{owner}#{round}");
    }
    owner
}

/// Who cannot be told apart counts with nobody, so nobody may decide it.
fn set_of(item: &WorkItem, limit: &Limit, together: &Together) -> Result<String, Refused> {
    let set = together.set(&limit.policy, &item.case, &limit.aspects);
    set.ok_or_else(|| {
        let sentence = format!(
            "the approval does not say all that the policy {} counts together by; the workflow \
             must be mended",
            limit.policy
        );
        Refused::Rule(Refusal::new(Code::OverLimit, sentence))
    })
}

/// As the machine names them.
pub(super) fn aspects(named: BTreeMap<String, String>) -> BTreeMap<Aspect, String> {
    let known = [
        ("goal", Aspect::Goal),
        ("supplier", Aspect::Supplier),
        ("category", Aspect::Category),
        ("fund", Aspect::Fund),
    ];
    let mut named = named;
    let known = known.into_iter();
    known
        .filter_map(|(name, aspect)| Some((aspect, named.remove(name)?)))
        .collect()
}
