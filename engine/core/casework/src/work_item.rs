//! Human work: offered, claimed, completed, withdrawn; and who may do which.
//!
//! Checks come in one order at every door: visible, exclusion, role, state, revision, outcome and
//! form, reason, limit.

mod alarm;
mod hold;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::access::Audience;
use crate::audit::hex;
use crate::calendar::{Calendar, Pace};
use crate::policy::{Asked, Aspect};
use crate::principal::Kind;
use crate::{Code, Money, Policy, Principal, Refusal};

pub use alarm::{Alarm, Escalation, Rings};
pub use hold::{Clock, HOLDS_MAX, Hold, REASON_BYTES_MAX};

/// A piece of human work, from its offer to its end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WorkItem {
    pub id: String,
    pub agency: String,
    pub case: String,
    pub case_number: String,
    pub instance: String,
    /// Number within the instance, for the event that completes it.
    pub number: u32,
    pub task: String,
    pub reference: String,
    /// Which round of each loop around it, outermost first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rounds: Vec<u32>,
    pub approval: bool,
    pub title: String,
    pub show: Value,
    /// Name of the form; its text is pinned by the instance's deployment.
    pub form: Option<String>,
    pub assigned: Assigned,
    pub outcomes: Vec<String>,
    pub approvals_needed: u32,
    pub limit: Option<Limit>,
    /// Person id to reason; only ever grows.
    pub excluded: BTreeMap<String, String>,
    /// That of its run.
    #[serde(default, skip_serializing_if = "Audience::is_everybody")]
    pub seen_by: Audience,
    pub offered_at: Timestamp,
    pub due: Option<Timestamp>,
    /// What happens to `due` and `alarms` while it is on hold.
    #[serde(default)]
    pub clock: Clock,
    /// What `due` counts.
    #[serde(default)]
    pub pace: Pace,
    /// The times that it waited, with their reasons; the last one is on while it is held.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holds: Vec<Hold>,
    /// What time has still to say, earliest first; empty once it is closed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alarms: Vec<Alarm>,
    /// When people were last reminded of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reminded_at: Option<Timestamp>,
    /// To whom it is offered as well since time ran out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub escalations: Vec<Escalation>,
    /// Ids of those who began an answer, sent or not: they count as having worked on it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub editors: BTreeSet<String>,
    pub state: State,
    pub claimed_by: Option<Claim>,
    pub decisions: Vec<Decision>,
    /// Grows with every change of what there is to decide; claiming and releasing change nothing.
    pub revision: u64,
}

/// To whom it is offered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Assigned {
    Role(String),
    Team(String),
    Person(String),
}

/// Where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Offered,
    Claimed,
    Held,
    Completed,
    Withdrawn,
}

/// Who holds it, since when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    pub person: String,
    pub display_name: String,
    pub at: Timestamp,
}

/// What one person decided.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    pub person: String,
    pub display_name: String,
    /// The role under which they decided.
    pub role: String,
    pub at: Timestamp,
    pub outcome: String,
    pub data: Value,
    pub comment: Option<String>,
    /// Digest of what they were shown: [`WorkItem::shown`]. Empty in records of before.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub shown: String,
}

/// The amount that a decision would release, and the policy that bounds who may.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    pub policy: String,
    pub money: Money,
    /// What else the policy has to know of it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub aspects: BTreeMap<Aspect, String>,
}

/// What somebody submits.
#[derive(Debug, Clone)]
pub struct Completion<'a> {
    pub at: Timestamp,
    pub outcome: &'a str,
    pub data: &'a Value,
    pub comment: Option<&'a str>,
    pub revision: Option<u64>,
    /// Digest of what they saw, where their door tells it.
    pub shown: Option<&'a str>,
    /// What the form says of `data`: field and sentence; empty when it is well.
    pub form_errors: &'a [(String, String)],
    /// The policy named by the item's limit.
    pub policy: Option<&'a Policy>,
    /// The day it is where the agency is.
    pub on: Date,
    /// What was approved before and counts together, in the order of the policy.
    pub before: &'a [i64],
}

/// What a completion led to.
#[derive(Debug, Clone, PartialEq)]
pub enum Completed {
    /// Another approval by a different person is needed; the item is offered again.
    More(WorkItem),
    Done(WorkItem),
}

/// The outcome that limits apply to and that several people may have to give.
pub const APPROVE: &str = "approve";

impl Assigned {
    /// Whether this principal is one of them.
    pub fn covers(&self, who: &Principal) -> bool {
        match self {
            Self::Role(role) => who.holds(role),
            Self::Team(team) => who.in_team(team),
            Self::Person(person) => who.id == *person,
        }
    }
}

impl WorkItem {
    /// Whether this principal may know that the item exists.
    pub fn visible(&self, who: &Principal) -> bool {
        who.agency == self.agency && self.seen_by.has(who)
    }

    /// Whether this principal may take part, whatever the state: the checks before the state.
    pub fn admits(&self, who: &Principal) -> Result<(), Refusal> {
        if !self.visible(who) {
            return Err(Refusal::new(Code::NotFound, "there is no such task"));
        }
        if let Some(reason) = self.excluded.get(&who.id) {
            return Err(Refusal::new(Code::SelfApproval, reason.clone()));
        }
        if !self.assigned_to(who) {
            return Err(Refusal::new(
                Code::NotAssigned,
                "this task is for somebody else",
            ));
        }
        Ok(())
    }

    /// Repeating one's own claim changes nothing.
    pub fn claim(&self, who: &Principal, at: Timestamp) -> Result<Self, Refusal> {
        self.admits(who)?;
        match self.state {
            State::Claimed if self.held_by(who) => Ok(self.clone()),
            State::Offered | State::Claimed | State::Held if self.free_for(who) => {
                if self.has_decided(who) {
                    return Err(decided_before());
                }
                let claim = Claim {
                    person: who.id.clone(),
                    display_name: who.display_name.clone(),
                    at,
                };
                Ok(Self {
                    state: State::Claimed,
                    claimed_by: Some(claim),
                    holds: self.holds_ended(at),
                    ..self.clone()
                })
            }
            State::Offered | State::Claimed | State::Held => Err(self.taken()),
            State::Completed | State::Withdrawn => Err(self.over()),
        }
    }

    /// Whether [`WorkItem::claim`] would give it to somebody who does not have it.
    pub fn claimable(&self, who: &Principal) -> bool {
        let open = matches!(self.state, State::Offered | State::Claimed | State::Held);
        open && self.admits(who).is_ok()
            && !self.held_by(who)
            && self.free_for(who)
            && !self.has_decided(who)
    }

    /// Gives it back to those it was offered to.
    pub fn release(&self, who: &Principal, _at: Timestamp) -> Result<Self, Refusal> {
        self.admits(who)?;
        self.held_now(who)?;
        if self.state == State::Held {
            return Err(hold::on_hold());
        }
        Ok(Self {
            state: State::Offered,
            claimed_by: None,
            ..self.clone()
        })
    }

    /// Back to those it was offered to, from somebody who may not open the case any more. `None`
    /// where they do not have it. A clock that stood still goes on.
    pub fn taken_from(&self, staff: &str, at: Timestamp, calendar: &Calendar) -> Option<Self> {
        let claim = self.claimed_by.as_ref();
        if claim.is_none_or(|claim| claim.person != staff) {
            return None;
        }
        match self.state {
            State::Claimed | State::Held => Some(Self {
                state: State::Offered,
                claimed_by: None,
                ..self.back(at, calendar)
            }),
            State::Offered | State::Completed | State::Withdrawn => None,
        }
    }

    /// Whoever may complete it may keep an unfinished answer, which nobody checks. They count as
    /// having worked on it from then on.
    pub fn edit(&self, who: &Principal) -> Result<Self, Refusal> {
        self.admits(who)?;
        self.held_now(who)?;
        let mut next = self.clone();
        next.editors.insert(who.id.clone());
        Ok(next)
    }

    /// Decides it, or counts as one of several approvals.
    pub fn complete(&self, who: &Principal, by: &Completion<'_>) -> Result<Completed, Refusal> {
        self.admits(who)?;
        self.held_now(who)?;
        if self.state == State::Held {
            return Err(hold::on_hold());
        }
        if by
            .revision
            .is_some_and(|revision| revision != self.revision)
        {
            let sentence = self.changed_since(by.revision.unwrap_or_default());
            return Err(Refusal::new(Code::StaleRevision, sentence));
        }
        if by.shown.is_some_and(|shown| shown != self.shown()) {
            let sentence = "what is to be decided is not what you were shown; read it again";
            return Err(Refusal::new(Code::StaleRevision, sentence));
        }
        if !self.outcomes.iter().any(|known| known == by.outcome) {
            let sentence = format!("the outcome must be one of: {}", self.outcomes.join(", "));
            return Err(Refusal::new(Code::UnknownOutcome, sentence));
        }
        if !by.form_errors.is_empty() {
            let fields = by.form_errors.to_vec();
            let message = "the form has mistakes".to_owned();
            return Err(Refusal {
                code: Code::FormInvalid,
                message,
                fields,
            });
        }
        if self.approval
            && by.outcome != APPROVE
            && by.comment.unwrap_or_default().trim().is_empty()
        {
            let sentence = "say in the comment why this is not approved";
            return Err(Refusal::new(Code::ReasonNeeded, sentence));
        }
        let role = self.deciding_role(who, by)?;
        Ok(self.decided(who, by, role))
    }

    /// The engine takes it back; fits every open state.
    pub fn withdraw(&self, _reason: &str, at: Timestamp) -> Result<Self, Refusal> {
        match self.state {
            State::Completed | State::Withdrawn => Err(self.over()),
            State::Offered | State::Claimed | State::Held => Ok(Self {
                state: State::Withdrawn,
                claimed_by: None,
                alarms: Vec::new(),
                holds: self.holds_ended(at),
                revision: self.revision + 1,
                ..self.clone()
            }),
        }
    }

    /// Digest of what is to be decided, as people see it: who decides decides this and nothing
    /// else.
    pub fn shown(&self) -> String {
        let Self {
            title,
            show,
            form,
            outcomes,
            approvals_needed,
            limit,
            ..
        } = self;
        let seen = serde_json::json!([title, show, form, outcomes, approvals_needed, limit]);
        format!(
            "sha256:{}",
            hex(Sha256::new().chain_update(seen.to_string()))
        )
    }

    /// Whether it should have been done by `at`; time that its clock stood still does not count.
    pub fn overdue(&self, at: Timestamp) -> bool {
        let at = self.stopped_at().unwrap_or(at);
        self.due.is_some_and(|due| at > due)
    }

    /// To whom it is offered: first as the document says, then by escalation.
    pub fn offered_to(&self) -> impl Iterator<Item = &Assigned> {
        let escalated = self.escalations.iter().map(|escalation| &escalation.to);
        std::iter::once(&self.assigned).chain(escalated)
    }

    fn assigned_to(&self, who: &Principal) -> bool {
        self.assignment_of(who).is_some()
    }

    /// Why somebody may take part: the first of those it is offered to that they belong to.
    fn assignment_of(&self, who: &Principal) -> Option<&Assigned> {
        // The engine offers and withdraws; it never decides for a person.
        if who.kind == Kind::Engine {
            return None;
        }
        self.offered_to().find(|assigned| assigned.covers(who))
    }

    /// Nobody has it, or whoever has it held on to it until it was escalated to this person. While
    /// its clock stands still nothing has run out.
    fn free_for(&self, who: &Principal) -> bool {
        if self.stopped_at().is_some() {
            return false;
        }
        let Some(claim) = &self.claimed_by else {
            return true;
        };
        self.escalations
            .iter()
            .any(|escalation| escalation.to.covers(who) && claim.at <= escalation.at)
    }

    fn held_by(&self, who: &Principal) -> bool {
        self.claimed_by
            .as_ref()
            .is_some_and(|claim| claim.person == who.id)
    }

    fn has_decided(&self, who: &Principal) -> bool {
        self.decisions
            .iter()
            .any(|decision| decision.person == who.id)
    }

    fn held_now(&self, who: &Principal) -> Result<(), Refusal> {
        match self.state {
            State::Offered => Err(Refusal::new(
                Code::NotClaimed,
                "take the task before you work on it",
            )),
            State::Claimed | State::Held if self.held_by(who) => Ok(()),
            State::Claimed | State::Held => Err(self.taken()),
            State::Completed | State::Withdrawn => Err(self.over()),
        }
    }

    fn deciding_role(&self, who: &Principal, by: &Completion<'_>) -> Result<String, Refusal> {
        if by.outcome == APPROVE
            && let Some(limit) = &self.limit
        {
            // Without its policy nobody can show that they may: the safe answer is no.
            let policy = by.policy.ok_or_else(|| {
                let sentence = format!("the policy {} is not in force", limit.policy);
                Refusal::new(Code::OverLimit, sentence)
            })?;
            return policy.permits(
                who,
                &Asked {
                    money: &limit.money,
                    aspects: &limit.aspects,
                    on: by.on,
                    before: by.before,
                },
            );
        }
        Ok(match self.assignment_of(who).unwrap_or(&self.assigned) {
            Assigned::Role(role) => role.clone(),
            Assigned::Team(team) => team.clone(),
            Assigned::Person(_) => who.roles.first().cloned().unwrap_or_default(),
        })
    }

    fn decided(&self, who: &Principal, by: &Completion<'_>, role: String) -> Completed {
        let mut next = self.clone();
        next.decisions.push(Decision {
            person: who.id.clone(),
            display_name: who.display_name.clone(),
            role,
            at: by.at,
            outcome: by.outcome.to_owned(),
            data: by.data.clone(),
            comment: by.comment.map(str::to_owned),
            shown: self.shown(),
        });
        next.revision += 1;
        next.claimed_by = None;
        let approvals = next
            .decisions
            .iter()
            .filter(|one| one.outcome == APPROVE)
            .count();
        let wanted = usize::try_from(self.approvals_needed).unwrap_or(usize::MAX);
        if self.approval && by.outcome == APPROVE && approvals < wanted {
            next.state = State::Offered;
            Completed::More(next)
        } else {
            next.state = State::Completed;
            next.alarms.clear();
            Completed::Done(next)
        }
    }

    /// What somebody who has seen this revision has not seen. Revisions begin with 1 and grow with
    /// every decision.
    fn changed_since(&self, revision: u64) -> String {
        let seen = usize::try_from(revision.saturating_sub(1)).unwrap_or(usize::MAX);
        let unseen: Vec<_> = self
            .decisions
            .iter()
            .skip(seen)
            .map(|one| format!("{} answered `{}`", one.display_name, one.outcome))
            .collect();
        if unseen.is_empty() {
            return "the task has changed since you opened it; read it again".to_owned();
        }
        let unseen = unseen.join(", ");
        format!("the task has changed since you opened it: {unseen}; read it again")
    }

    fn taken(&self) -> Refusal {
        let sentence = match &self.claimed_by {
            Some(claim) => format!("{} has taken this task", claim.display_name),
            None => "somebody has taken this task".to_owned(),
        };
        Refusal::new(Code::AlreadyClaimed, sentence)
    }

    fn over(&self) -> Refusal {
        let sentence = match self.state {
            State::Withdrawn => "this task is no longer needed",
            _ => "this task is already done",
        };
        Refusal::new(Code::AlreadyDecided, sentence)
    }
}

fn decided_before() -> Refusal {
    Refusal::new(
        Code::AlreadyDecided,
        "you have approved this; another person must approve it too",
    )
}

#[cfg(test)]
mod tests;
