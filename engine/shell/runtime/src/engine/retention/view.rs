//! What is told of keeping and erasing files. No rights in here: they were checked.

use casewright_casework::Principal;
use casewright_casework::retention::erasure::{Asked, Declined, Hold, Obstacle, Transfer};
use casewright_casework::retention::{Done, Erased};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::Outlook;
use crate::engine::Refused;
use crate::engine::shared::Shared;
use crate::view::PersonView;

/// How long a case is kept, and what stands in the way of its erasure today.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RetentionView {
    /// Id of the case.
    pub case: String,
    pub number: String,
    /// The day it is where the agency is.
    pub today: Date,
    /// Its last end; `None` while it is open.
    pub closed: Option<Date>,
    /// The last day on which it is kept; `None` while nobody can say.
    pub until: Option<Date>,
    pub classes: Vec<ClassView>,
    /// Nothing: it could be asked for today.
    pub in_the_way: Vec<ObstacleView>,
    pub holds: Vec<HoldView>,
    pub transfers: Vec<TransferView>,
    pub asked: Option<AskedView>,
    pub declined: Vec<DeclinedView>,
}

/// A class that it falls under.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ClassView {
    pub name: String,
    /// As the pack in force calls it, if it has it still.
    pub title: Option<String>,
    pub until: Option<Date>,
    /// `erase` or `transfer`.
    pub dispose: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ObstacleView {
    /// Stable.
    pub name: String,
    pub sentence: String,
}

/// Who did something, when and why.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DoneView {
    pub at: Timestamp,
    pub by: PersonView,
    pub reason: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HoldView {
    pub id: String,
    pub set: DoneView,
    pub lifted: Option<DoneView>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TransferView {
    pub at: Timestamp,
    pub by: PersonView,
    /// A word of the pack.
    pub to: String,
    pub on: Date,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AskedView {
    pub id: String,
    pub asked: DoneView,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DeclinedView {
    pub asked: DoneView,
    pub declined: DoneView,
}

/// A closed case whose time is over, or of which nobody can say it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DueView {
    pub case: String,
    pub number: String,
    pub closed: Date,
    pub until: Option<Date>,
    pub in_the_way: Vec<ObstacleView>,
    pub asked: Option<AskedView>,
}

/// What stays of an erased case.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ErasedView {
    pub case: String,
    pub number: String,
    pub opened: Timestamp,
    pub closed: Timestamp,
    pub until: Date,
    pub classes: Vec<String>,
    pub asked_at: Timestamp,
    pub asked_by: PersonView,
    pub decided_at: Timestamp,
    pub decided_by: PersonView,
    pub transfers: Vec<TransferView>,
    pub entries: u64,
    pub last: String,
}

impl ObstacleView {
    pub(super) fn all(found: &[Obstacle]) -> Vec<Self> {
        let view = |one: &Obstacle| Self {
            name: one.as_str().to_owned(),
            sentence: one.sentence(),
        };
        found.iter().map(view).collect()
    }
}

impl Shared {
    pub(super) fn retention_view(
        &self,
        who: &Principal,
        outlook: &Outlook,
    ) -> Result<RetentionView, Refused> {
        let (disposal, state) = (&outlook.disposal, outlook.state());
        let retention = self.retention(&who.agency);
        let falls = outlook.standing.iter().flat_map(|one| &one.classes);
        let falls = falls.filter(|one| self.tells(who, &one.class));
        let classes = falls.map(|one| ClassView {
            title: retention.classes.get(&one.class).map(|it| it.title.clone()),
            name: one.class.clone(),
            until: one.until,
            dispose: one.dispose.as_str().to_owned(),
        });
        let asked = state.closed.and_then(|episode| disposal.asked_for(episode));
        Ok(RetentionView {
            case: outlook.case.id.clone(),
            number: outlook.case.number.clone(),
            today: outlook.today,
            closed: outlook.closed_on,
            until: outlook.standing.as_ref().and_then(|one| one.until),
            classes: classes.collect(),
            in_the_way: ObstacleView::all(&state.in_the_way(disposal)),
            holds: self.each(who, &disposal.holds, Self::hold_view)?,
            transfers: self.each(who, &disposal.transfers, Self::transfer_view)?,
            asked: asked.map(|one| self.asked_view(who, one)).transpose()?,
            declined: self.each(who, &disposal.declined, Self::declined_view)?,
        })
    }

    /// Whether somebody is told that a case falls under a class: where it says that work was done
    /// that is hidden from them, it is not named. Its day counts all the same.
    fn tells(&self, who: &Principal, class: &str) -> bool {
        let Some(in_force) = self.in_force(&who.agency) else {
            return true;
        };
        let workflows = in_force.pack.retention.classes.get(class);
        let workflows = workflows.map_or(&[][..], |class| &class.workflows);
        let seen = |name: &String| {
            in_force.workflows.get(name).is_none_or(|workflow| {
                let roles = workflow.visible_to();
                roles.is_empty() || roles.iter().any(|role| who.holds(role))
            })
        };
        workflows.is_empty() || workflows.iter().any(seen)
    }

    fn each<T, V>(
        &self,
        who: &Principal,
        all: &[T],
        view: fn(&Self, &Principal, &T) -> Result<V, Refused>,
    ) -> Result<Vec<V>, Refused> {
        all.iter().map(|one| view(self, who, one)).collect()
    }

    fn staff_view(&self, who: &Principal, id: &str) -> Result<PersonView, Refused> {
        let user = self.member(who, id)?;
        let display_name = user.map_or_else(|| id.to_owned(), |user| user.display_name);
        let id = id.to_owned();
        Ok(PersonView { id, display_name })
    }

    fn done_view(&self, who: &Principal, done: &Done) -> Result<DoneView, Refused> {
        Ok(DoneView {
            at: done.at,
            by: self.staff_view(who, &done.by)?,
            reason: done.reason.clone(),
        })
    }

    fn hold_view(&self, who: &Principal, hold: &Hold) -> Result<HoldView, Refused> {
        let lifted = hold.lifted.as_ref();
        Ok(HoldView {
            id: hold.id.clone(),
            set: self.done_view(who, &hold.set)?,
            lifted: lifted.map(|one| self.done_view(who, one)).transpose()?,
        })
    }

    fn transfer_view(&self, who: &Principal, one: &Transfer) -> Result<TransferView, Refused> {
        Ok(TransferView {
            at: one.at,
            by: self.staff_view(who, &one.by)?,
            to: one.to.clone(),
            on: one.on,
        })
    }

    pub(super) fn asked_view(&self, who: &Principal, one: &Asked) -> Result<AskedView, Refused> {
        Ok(AskedView {
            id: one.id.clone(),
            asked: self.done_view(who, &one.asked)?,
        })
    }

    fn declined_view(&self, who: &Principal, one: &Declined) -> Result<DeclinedView, Refused> {
        Ok(DeclinedView {
            asked: self.done_view(who, &one.asked)?,
            declined: self.done_view(who, &one.declined)?,
        })
    }

    pub(super) fn erased_view(&self, who: &Principal, one: Erased) -> Result<ErasedView, Refused> {
        let told = |class: &String| self.tells(who, class);
        Ok(ErasedView {
            asked_by: self.staff_view(who, &one.asked_by)?,
            decided_by: self.staff_view(who, &one.decided_by)?,
            transfers: self.each(who, &one.transfers, Self::transfer_view)?,
            case: one.case,
            number: one.number,
            opened: one.opened,
            closed: one.closed,
            until: one.until,
            classes: one.classes.into_iter().filter(told).collect(),
            asked_at: one.asked_at,
            decided_at: one.decided_at,
            entries: one.entries,
            last: one.last,
        })
    }
}
