//! Correction by reversal: money that was spent by mistake is moved back by an entry of its own,
//! which names the one that it takes back. Nothing that was written is changed.
//!
//! It gives no approval back: whoever pays again has to ask again.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{Booked, Entry, EntryKind, Fund, Kept};
use crate::audit::{self, Action};
use crate::{Code, Money, Refusal};

/// Longest reason, in characters.
pub const REASON_LENGTH_MAX: usize = 500;

/// A request to take a payment back.
#[derive(Debug, Clone, Copy)]
pub struct Reverse<'a> {
    pub at: Timestamp,
    /// Number of the entry in the fund's ledger.
    pub number: u64,
    pub entry: &'a Entry,
    pub money: &'a Money,
    /// Id of the person.
    pub by: &'a str,
    /// How often they have seen it corrected.
    pub revision: Option<u64>,
}

/// Who asks for a correction, as far as it matters.
#[derive(Debug, Clone, Copy)]
pub struct Standing<'a> {
    pub person: &'a str,
    /// Whether one of their roles corrects payments.
    pub reverses: bool,
    /// Who worked on the payment.
    pub worked: &'a BTreeSet<String>,
    /// Whether they are family or payee in the case.
    pub related: bool,
}

impl Standing<'_> {
    /// Whoever worked on a payment hides no mistake of their own by correcting it.
    pub fn may_reverse(&self) -> Result<(), Refusal> {
        if !self.reverses {
            let sentence = "none of your roles corrects payments";
            return Err(Refusal::new(Code::NotAssigned, sentence));
        }
        let sentence = if self.related {
            "you stand in this case yourself; another person must correct the payment"
        } else if self.worked.contains(self.person) {
            "you worked on this payment; another person must correct it"
        } else {
            return Ok(());
        };
        Err(Refusal::new(Code::SelfApproval, sentence))
    }
}

/// Who began one of these runs, had it go on, or did work in it, as the record of its case says.
/// Looking and taking work that somebody else then did are no work.
pub fn worked<'a>(
    record: impl IntoIterator<Item = &'a audit::Entry>,
    runs: &BTreeSet<String>,
) -> BTreeSet<String> {
    let of_runs = |entry: &&audit::Entry| {
        let run = entry.instance.as_ref();
        run.is_some_and(|run| runs.contains(run))
            && matches!(
                entry.action,
                Action::InstanceStarted
                    | Action::InstanceRetried
                    | Action::WorkItemDrafted
                    | Action::WorkItemCompleted
            )
    };
    let found = record.into_iter().filter(of_runs);
    found.map(|entry| entry.who.clone()).collect()
}

/// Why, in somebody's words; needed, as nobody else can say it later.
pub fn reason(written: &str) -> Result<String, Refusal> {
    let written = written.trim();
    if written.is_empty() {
        let sentence = "say why the payment is taken back";
        return Err(Refusal::new(Code::ReasonNeeded, sentence));
    }
    if written.chars().count() > REASON_LENGTH_MAX {
        let sentence = format!("a reason has at most {REASON_LENGTH_MAX} characters");
        return Err(Refusal::new(Code::ReasonNeeded, sentence));
    }
    Ok(written.to_owned())
}

/// Of an entry that nothing can be taken back of.
pub fn no_payment() -> Refusal {
    let sentence = "only a payment that names its case is taken back; this entry is none";
    Refusal::new(Code::NotReversible, sentence)
}

impl Fund {
    /// Moves what was spent back to what can be reserved, at most what that entry spent over all
    /// its reversals. `kept` is what is known of the entry's reservation. It may be done on any
    /// day: a mistake is no less one when the fund's days are over.
    pub fn reverse(&self, request: &Reverse<'_>, kept: Option<&Kept>) -> Result<Booked, Refusal> {
        self.positive(request.money)?;
        let paid = request.entry;
        let Some(kept) = kept.filter(|_| paid.kind == EntryKind::Commit && paid.case.is_some())
        else {
            return Err(no_payment());
        };
        if request.revision.is_some_and(|seen| seen != kept.reversals) {
            let sentence = "somebody else has corrected this payment; look at it again";
            return Err(Refusal::new(Code::StaleRevision, sentence));
        }
        if request.money.minor > kept.standing() {
            let left = Money::new(kept.standing(), &self.currency);
            let sentence = format!(
                "{} is to be taken back, {left} of this payment stands",
                request.money
            );
            return Err(Refusal::new(Code::NotReversible, sentence));
        }
        let mut fund = self.clone();
        fund.committed -= request.money.minor;
        let entry = Entry {
            case: paid.case.clone(),
            run: paid.run.clone(),
            reverses: Some(request.number),
            by: Some(request.by.to_owned()),
            ..fund.entry(
                request.at,
                EntryKind::Reverse,
                &paid.reservation,
                request.money.minor,
            )
        };
        Ok((fund, vec![entry]))
    }
}

#[cfg(test)]
mod tests;
