//! Payments taken back by people: one batch with the fund, its ledger, the record of the case whose
//! payment it was, and the reason, which is sealed with the case as everything people write.
//!
//! Who may and how much is `casework`'s.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use casewright_casework::audit::Action;
use casewright_casework::fund::reversal::{self, Reverse, Standing};
use casewright_casework::fund::{Entry, EntryKind};
use casewright_casework::{Case, Code, Money, Principal, Refusal};
use casewright_store::{Batch, Put, Table, Under};

use super::books::{OpenFund, entry_key};
use super::invoices::Invoices;
use crate::engine::case_file::filed;
use crate::engine::shared::{Shared, not_found, unreadable};
use crate::engine::{Engine, Refused, RequestKey};
use crate::view::FundEntryView;
use crate::{key, record};

/// What somebody wants taken back.
#[derive(Debug, Clone)]
pub struct Correction {
    pub money: Money,
    /// In their words.
    pub reason: String,
    /// How often they have seen the payment corrected.
    pub revision: Option<u64>,
}

impl Engine {
    /// Moves money that an entry spent back into its fund. The answer is the entry that does it.
    pub async fn reverse(
        &self,
        who: &Principal,
        fund: &str,
        number: u64,
        correction: Correction,
        key: Option<RequestKey>,
    ) -> Result<FundEntryView, Refused> {
        let reason = reversal::reason(&correction.reason).map_err(Refused::Rule)?;
        let (entry, case) = self.shared.payment(who, fund, number)?;
        let (author, name) = (who.clone(), fund.to_owned());
        let route = format!("reverse {fund} {number}");
        let moved = Arc::new(Mutex::new(None));
        let timer = Arc::clone(&moved);
        let reversed = self
            .change_file(who, &case, &route, key, move |shared, case, batch| {
                shared.may_reverse(&author, case, &entry, batch)?;
                let open = OpenFund::read(shared, &author.agency, &name)?;
                let mut open = open.ok_or_else(not_found)?;
                let kept = open.kept(shared, &entry.reservation)?;
                let request = Reverse {
                    at: shared.now(),
                    number,
                    entry: &entry,
                    money: &correction.money,
                    by: &author.id,
                    revision: correction.revision,
                };
                let booked = open.row.fund.reverse(&request, kept.as_ref());
                let booked = booked.map_err(Refused::Rule)?;
                let written = booked.1.first().cloned().ok_or_else(not_found)?;
                let place = open.row.entries;
                open.enter(shared, booked, None)?;
                let kept = open.kept(shared, &entry.reservation)?;
                let freed = kept.filter(|kept| kept.standing() == 0);
                if let Some(tag) = freed.and_then(|kept| kept.invoice) {
                    let (mut invoices, agency) = (Invoices::default(), &author.agency);
                    invoices.free(shared, agency, &tag, &entry.reservation)?;
                    invoices.write(agency, batch);
                }
                let currency = open.row.fund.currency.clone();
                let moved = open.write(batch);
                *timer.lock().unwrap_or_else(PoisonError::into_inner) = moved;
                batch.puts.push(Put {
                    table: Table::Index,
                    key: reason_key(&author.agency, &name, place),
                    value: Some(record::encode(&reason)),
                    under: Under::Case(case.id.clone()),
                });
                let (action, subject) = (Action::FundReversed, &entry.reservation);
                let told = filed(shared, &author, case, action, subject, Some(&name));
                batch.audit.push(told);
                let mut view = FundEntryView::new(place, written, &currency);
                view.case_number = Some(case.number.clone());
                view.reason = Some(reason.clone());
                Ok(view)
            })
            .await?;
        let moved = moved.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(moved) = moved {
            self.shared.timers.move_alarm(&moved);
        }
        Ok(reversed)
    }

    /// Whether one of their roles corrects payments.
    pub fn reverses(&self, who: &Principal) -> bool {
        self.shared.reverses(who)
    }
}

impl Shared {
    fn reverses(&self, who: &Principal) -> bool {
        let in_force = self.in_force(&who.agency);
        in_force.is_some_and(|found| found.pack.reverses(&who.roles))
    }

    /// A payment of a fund, and the case that it was made in.
    fn payment(
        &self,
        who: &Principal,
        fund: &str,
        number: u64,
    ) -> Result<(Entry, String), Refused> {
        let key = entry_key(&who.agency, fund, number);
        let entry = self.read::<Entry>(Table::Ledger, &key, "an entry")?;
        let entry = entry.ok_or_else(not_found)?;
        let of_payment = entry
            .case
            .clone()
            .filter(|_| entry.kind == EntryKind::Commit);
        let Some(case) = of_payment else {
            return Err(Refused::Rule(reversal::no_payment()));
        };
        Ok((entry, case))
    }

    /// That it stays so until it is on disk is guarded as far as it can change: what was worked on
    /// a payment was done before it.
    fn may_reverse(
        &self,
        who: &Principal,
        case: &Case,
        entry: &Entry,
        batch: &mut Batch,
    ) -> Result<(), Refused> {
        let (walls, guards) = self.walls(&case.id)?;
        batch.guards.extend(guards);
        let worked = self.worked_on_payment(case, entry)?;
        let standing = Standing {
            person: &who.id,
            reverses: self.reverses(who),
            worked: &worked,
            related: walls.staff().contains(who.id.as_str()),
        };
        standing.may_reverse().map_err(Refused::Rule)
    }

    /// Everybody who worked in the tree of runs that paid.
    fn worked_on_payment(&self, case: &Case, entry: &Entry) -> Result<BTreeSet<String>, Refused> {
        let paid_in = entry.run.as_deref().map(|run| self.root_of(run));
        let paid_in = paid_in.transpose()?;
        let mut runs = BTreeSet::new();
        for run in self.instances_of(&case.id)? {
            if paid_in.is_none() || paid_in.as_ref() == Some(&self.root_of(&run)?) {
                runs.insert(run);
            }
        }
        let record = self.parts.store.audit(&case.id).map_err(unreadable)?;
        Ok(reversal::worked(
            record.iter().map(|link| &link.entry),
            &runs,
        ))
    }

    /// Why an entry takes a payment back, as long as its case is not erased.
    pub(super) fn reason_of(
        &self,
        agency: &str,
        fund: &str,
        number: u64,
    ) -> Result<Option<String>, Refused> {
        let key = reason_key(agency, fund, number);
        match self.read(Table::Index, &key, "a reason") {
            Err(Refused::Rule(Refusal {
                code: Code::NotFound,
                ..
            })) => Ok(None),
            found => found,
        }
    }
}

fn reason_key(agency: &str, fund: &str, number: u64) -> Vec<u8> {
    key::join(&["reversal-reason", agency, fund, &number.to_string()])
}
