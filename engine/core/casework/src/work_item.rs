//! Human work: offered, claimed, completed, withdrawn; and who may do which.
//!
//! Checks come in one order at every door: visible, exclusion, role, state, revision, outcome and
//! form, reason, limit. Of whoever acts for somebody, each is asked of both.

mod alarm;
mod arrange;
mod deadline;
mod handover;
mod hold;
mod skip;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::access::Audience;
use crate::audit::hex;
use crate::calendar::{Calendar, Pace, Term};
use crate::policy::{Asked, Aspect};
use crate::principal::Kind;
use crate::{Code, Money, Policy, Principal, Refusal};

pub use alarm::{Alarm, Away, Escalation, Rings};
pub use arrange::{Arranger, MOVES_MAX, Move, What};
pub use deadline::{Deadline, Shift, When};
pub use handover::{Acting, Actor, Named};
pub use hold::{Clock, HOLDS_MAX, Hold, REASON_BYTES_MAX};
pub use skip::Skippable;

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
    /// What `due` and the alarms were computed from; earlier engines did not write it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Deadline>,
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
    /// To whom it was pointed out as well, since whoever it waits for is away or it is theirs
    /// alone. It is not offered to them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub told: Vec<Escalation>,
    /// What else the document says of it.
    #[serde(default, skip_serializing_if = "Terms::none")]
    pub terms: Terms,
    /// The times that it went to somebody by somebody's word.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub moves: Vec<Move>,
    /// Ids of those who began an answer, sent or not: they count as having worked on it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub editors: BTreeSet<String>,
    pub state: State,
    pub claimed_by: Option<Claim>,
    pub decisions: Vec<Decision>,
    /// Grows with every change of what there is to decide; claiming and releasing change nothing.
    pub revision: u64,
}

/// What the document says of an item besides whom it is for and by when.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// It stays with those it is given to.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub non_delegable: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skippable: Option<Skippable>,
    /// How long all its holds may be together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holds_total: Option<Term>,
}

impl Terms {
    fn none(&self) -> bool {
        *self == Self::default()
    }
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
    /// For whom, where they act for somebody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acting: Option<Acting>,
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
    /// For whom they acted: it counts as decided by both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acting_for: Option<Named>,
    /// It was not answered but skipped, and the comment says why.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub skipped: bool,
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

impl Decision {
    /// Ids of everybody it counts for.
    pub fn people(&self) -> impl Iterator<Item = &str> {
        let stead = self.acting_for.as_ref().map(|named| named.person.as_str());
        std::iter::once(self.person.as_str()).chain(stead)
    }
}

impl WorkItem {
    /// Whether this principal may know that the item exists.
    pub fn visible(&self, who: &Principal) -> bool {
        who.agency == self.agency && self.seen_by.has(who)
    }

    /// Whether this principal may take part, whatever the state: the checks before the state. Of
    /// whoever acts for somebody they are asked of both.
    pub fn admits<'a>(&self, actor: impl Into<Actor<'a>>) -> Result<(), Refusal> {
        let actor = actor.into();
        if !actor.people().all(|person| self.visible(person)) {
            return Err(Refusal::new(Code::NotFound, "there is no such task"));
        }
        if let Some(reason) = self.excluded.get(&actor.who.id) {
            return Err(Refusal::new(Code::SelfApproval, reason.clone()));
        }
        let Some(stead) = actor.stead else {
            return self
                .assignment_of(actor.who)
                .map(drop)
                .ok_or_else(not_assigned);
        };
        if self.excluded.contains_key(&stead.id) {
            let sentence = "whoever you act for may not decide this; another person must decide";
            return Err(Refusal::new(Code::SelfApproval, sentence));
        }
        self.passes_on()?;
        if self.assignment_of(stead).is_none() {
            let sentence = "whoever you act for may not do this themselves";
            return Err(Refusal::new(Code::NotAssigned, sentence));
        }
        if self.approval && !self.stands_level(actor.who, stead) {
            let sentence = "to approve for somebody you need the role for it yourself";
            return Err(Refusal::new(Code::NotAssigned, sentence));
        }
        Ok(())
    }

    /// Repeating one's own claim changes nothing.
    pub fn claim(&self, who: &Principal, at: Timestamp) -> Result<Self, Refusal> {
        self.admits(who)?;
        match self.state {
            State::Claimed if self.held_by(who) => Ok(self.clone()),
            State::Offered | State::Claimed | State::Held if self.free_for(who) => {
                if self.has_decided(who.into()) {
                    return Err(decided_before());
                }
                let claim = Claim {
                    person: who.id.clone(),
                    display_name: who.display_name.clone(),
                    at,
                    acting: None,
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
            && !self.has_decided(who.into())
    }

    /// Gives it back to those it was offered to; whoever acts for somebody gives it back to them.
    pub fn release(&self, who: &Principal, _at: Timestamp) -> Result<Self, Refusal> {
        // To give back what one should not have any more is always right.
        if self.acting(who).is_none() {
            self.admits(who)?;
            self.held_now(who.into())?;
        }
        if self.state == State::Held {
            return Err(hold::on_hold());
        }
        if self.acting(who).is_some() {
            return Ok(self.given_back());
        }
        Ok(Self {
            state: State::Offered,
            claimed_by: None,
            ..self.clone()
        })
    }

    /// Back to those it was offered to, from somebody who may not open the case any more, or from
    /// whoever acts for them. `None` where they do not have it. A clock that stood still goes on.
    pub fn taken_from(&self, staff: &str, at: Timestamp, calendar: &Calendar) -> Option<Self> {
        let claim = self.claimed_by.as_ref()?;
        let acting = claim.acting.as_ref();
        if claim.person != staff && acting.is_none_or(|acting| acting.person != staff) {
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
    /// having worked on it from then on, and so does whoever they act for.
    pub fn edit<'a>(&self, actor: impl Into<Actor<'a>>) -> Result<Self, Refusal> {
        let actor = actor.into();
        self.admits(actor)?;
        self.held_now(actor)?;
        let mut next = self.clone();
        let people = actor.people().map(|person| person.id.clone());
        next.editors.extend(people);
        Ok(next)
    }

    /// Decides it, or counts as one of several approvals.
    pub fn complete<'a>(
        &self,
        actor: impl Into<Actor<'a>>,
        by: &Completion<'_>,
    ) -> Result<Completed, Refusal> {
        let actor = actor.into();
        self.admits(actor)?;
        self.held_now(actor)?;
        if self.state == State::Held {
            return Err(hold::on_hold());
        }
        // Between two approvals of one item a person may have come to act for the other.
        if self.has_decided(actor) {
            return Err(decided_before());
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
            return Err(Refusal::mistakes(by.form_errors.to_vec()));
        }
        if self.approval
            && by.outcome != APPROVE
            && by.comment.unwrap_or_default().trim().is_empty()
        {
            let sentence = "say in the comment why this is not approved";
            return Err(Refusal::new(Code::ReasonNeeded, sentence));
        }
        let role = self.deciding_role(actor, by)?;
        Ok(self.decided(actor, by, role))
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
        let acting = claim.acting.as_ref();
        // Whoever somebody acts for may take it back at any time.
        if acting.is_some_and(|acting| acting.person == who.id) {
            return true;
        }
        let since = acting
            .and_then(|acting| acting.claimed_at)
            .unwrap_or(claim.at);
        self.escalations
            .iter()
            .any(|escalation| escalation.to.covers(who) && since <= escalation.at)
    }

    fn held_by(&self, who: &Principal) -> bool {
        self.claimed_by
            .as_ref()
            .is_some_and(|claim| claim.person == who.id)
    }

    fn has_decided(&self, actor: Actor<'_>) -> bool {
        let mut decided = self.decisions.iter().flat_map(Decision::people);
        decided.any(|person| actor.people().any(|one| one.id == person))
    }

    fn held_now(&self, actor: Actor<'_>) -> Result<(), Refusal> {
        match self.state {
            State::Offered => Err(Refusal::new(
                Code::NotClaimed,
                "take the task before you work on it",
            )),
            State::Claimed | State::Held if self.held_by(actor.who) => {
                let acting = self.acting(actor.who).map(|acting| &acting.person);
                if acting == actor.stead.map(|person| &person.id) {
                    Ok(())
                } else {
                    Err(handover::acting_over())
                }
            }
            State::Claimed | State::Held => Err(self.taken()),
            State::Completed | State::Withdrawn => Err(self.over()),
        }
    }

    /// The role that suffices. Both whoever decides and whoever they act for must be within the
    /// limit, so that the smaller one bounds.
    fn deciding_role(&self, actor: Actor<'_>, by: &Completion<'_>) -> Result<String, Refusal> {
        if by.outcome == APPROVE
            && let Some(limit) = &self.limit
        {
            // Without its policy nobody can show that they may: the safe answer is no.
            let policy = by.policy.ok_or_else(|| {
                let sentence = format!("the policy {} is not in force", limit.policy);
                Refusal::new(Code::OverLimit, sentence)
            })?;
            let asked = Asked {
                money: &limit.money,
                aspects: &limit.aspects,
                on: by.on,
                before: by.before,
            };
            let role = policy.permits(actor.who, &asked)?;
            let stead = actor.stead.map_or(Ok(()), |stead| {
                policy.permits(stead, &asked).map(drop).map_err(|_| {
                    let sentence = "it is above the limit of whoever you act for";
                    Refusal::new(Code::OverLimit, sentence)
                })
            });
            return stead.map(|()| role);
        }
        let entitled = actor.stead.unwrap_or(actor.who);
        let assigned = self.assignment_of(entitled).unwrap_or(&self.assigned);
        Ok(match assigned {
            Assigned::Role(role) => role.clone(),
            Assigned::Team(team) => team.clone(),
            Assigned::Person(_) => entitled.roles.first().cloned().unwrap_or_default(),
        })
    }

    fn decided(&self, actor: Actor<'_>, by: &Completion<'_>, role: String) -> Completed {
        let mut next = self.clone();
        next.decisions.push(Decision {
            person: actor.who.id.clone(),
            display_name: actor.who.display_name.clone(),
            role,
            at: by.at,
            outcome: by.outcome.to_owned(),
            data: by.data.clone(),
            comment: by.comment.map(str::to_owned),
            shown: self.shown(),
            acting_for: actor.stead_named(),
            skipped: false,
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

fn not_assigned() -> Refusal {
    Refusal::new(Code::NotAssigned, "this task is for somebody else")
}

fn decided_before() -> Refusal {
    Refusal::new(
        Code::AlreadyDecided,
        "you have approved this; another person must approve it too",
    )
}

#[cfg(test)]
mod tests;
