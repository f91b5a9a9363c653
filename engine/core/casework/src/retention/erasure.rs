//! Holds on a file, and its erasure: somebody asks, another decides, and everything that stands in
//! the way is told at once. Time passing decides nothing.
//!
//! Who holds which role is said by whoever asks, and whether the case is still as it was by guards.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{Done, Standing};
use crate::refusal::reasoned;
use crate::{Code, Principal, Refusal};

/// What people have said of keeping and erasing one file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disposal {
    /// Oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holds: Vec<Hold>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub transfers: Vec<Transfer>,
    /// The request that nobody has decided yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Asked>,
    /// Requests that somebody declined, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub declined: Vec<Declined>,
}

/// While one holds, nothing is erased.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    pub id: String,
    pub set: Done,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifted: Option<Done>,
}

/// That the file was handed over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    pub at: Timestamp,
    pub by: String,
    /// A word of the pack.
    pub to: String,
    pub on: Date,
    /// Which end of the case it followed.
    pub episode: u32,
}

/// Somebody asked for the erasure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    pub id: String,
    pub asked: Done,
    /// Colleagues for whom they stood in then.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub acting_for: BTreeSet<String>,
    /// Which end of the case it followed.
    pub episode: u32,
}

/// A request that came to nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declined {
    pub asked: Done,
    pub declined: Done,
}

/// What stays of an erased file: no person and no word that somebody wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erased {
    pub case: String,
    pub number: String,
    pub opened: Timestamp,
    /// The last end.
    pub closed: Timestamp,
    /// The last day on which it had to be kept.
    pub until: Date,
    /// Names of the classes that it fell under.
    pub classes: Vec<String>,
    pub asked_at: Timestamp,
    pub asked_by: String,
    pub decided_at: Timestamp,
    pub decided_by: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub transfers: Vec<Transfer>,
    /// Entries of its record, with that of the erasure.
    pub entries: u64,
    /// Hash of the last of them.
    pub last: String,
}

/// Whoever asks, decides, holds or lifts.
#[derive(Debug, Clone, Copy)]
pub struct By<'a> {
    pub who: &'a Principal,
    /// Whether one of their roles is there for it.
    pub may: bool,
    /// Whether they stand in the case themselves, lifted or not.
    pub stands: bool,
    /// Colleagues for whom they stand in today: they count as both.
    pub acts_for: &'a BTreeSet<String>,
    pub at: Timestamp,
}

/// One thing that keeps a file from being erased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    NotClosed,
    /// Runs that have not ended.
    RunsOpen,
    TasksOpen,
    MoneySetAside,
    /// Nobody said how long such a file is kept.
    NoClass,
    /// Somebody's day of birth is missing.
    BirthUnknown,
    /// Kept up to the end of this day.
    Kept(Date),
    Held,
    NotTransferred,
}

/// How a case stands on the day on which somebody asks.
#[derive(Debug, Clone, Copy)]
pub struct State<'a> {
    /// Number of the episode whose end is the last; `None` while the case is open.
    pub closed: Option<u32>,
    pub runs_open: bool,
    pub tasks_open: bool,
    pub money_set_aside: bool,
    /// `None` while the case is open: nothing is counted then.
    pub standing: Option<&'a Standing>,
    pub today: Date,
}

impl Obstacle {
    /// As the API names it.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::NotClosed => "not-closed",
            Self::RunsOpen => "runs-open",
            Self::TasksOpen => "tasks-open",
            Self::MoneySetAside => "money-set-aside",
            Self::NoClass => "no-class",
            Self::BirthUnknown => "birth-unknown",
            Self::Kept(_) => "kept",
            Self::Held => "held",
            Self::NotTransferred => "not-transferred",
        }
    }

    /// For whoever asks.
    pub fn sentence(&self) -> String {
        let sentence = match self {
            Self::NotClosed => "the case is open",
            Self::RunsOpen => "a workflow of the case has not ended",
            Self::TasksOpen => "a task of the case is open",
            Self::MoneySetAside => "money is set aside in the case",
            Self::NoClass => "the pack does not say how long such a file is kept, so it is kept",
            Self::BirthUnknown => {
                "it is kept by the age of somebody whose day of birth is not known; write it down"
            }
            Self::Kept(until) => return format!("it is kept up to the end of {until}"),
            Self::Held => "somebody holds it back",
            Self::NotTransferred => "it is not on record that it was handed over",
        };
        sentence.to_owned()
    }
}

impl State<'_> {
    /// Everything that stands in the way of erasure today.
    pub fn in_the_way(&self, disposal: &Disposal) -> Vec<Obstacle> {
        let mut found = Vec::new();
        let mut add = |stands: bool, obstacle| found.extend(stands.then_some(obstacle));
        add(self.closed.is_none(), Obstacle::NotClosed);
        add(self.runs_open, Obstacle::RunsOpen);
        add(self.tasks_open, Obstacle::TasksOpen);
        add(self.money_set_aside, Obstacle::MoneySetAside);
        if let Some(standing) = self.standing {
            let unknown = standing.classes.iter().any(|one| one.until.is_none());
            add(standing.classes.is_empty(), Obstacle::NoClass);
            add(unknown, Obstacle::BirthUnknown);
            if let Some(until) = standing.until.filter(|until| self.today <= *until) {
                add(true, Obstacle::Kept(until));
            }
            let handed = |episode| disposal.transfers.iter().any(|one| one.episode == episode);
            let handed = self.closed.is_some_and(handed);
            add(standing.transfers() && !handed, Obstacle::NotTransferred);
        }
        add(disposal.is_held(), Obstacle::Held);
        found
    }

    /// Nothing is in the way; the day up to which the file was kept.
    fn free(&self, disposal: &Disposal) -> Result<Date, Refusal> {
        let found = self.in_the_way(disposal);
        let until = self.standing.and_then(|standing| standing.until);
        match until {
            Some(until) if found.is_empty() => Ok(until),
            Some(_) | None => Err(refusal(&found)),
        }
    }
}

/// All of them in one sentence, and each by its name.
fn refusal(found: &[Obstacle]) -> Refusal {
    let sentences: Vec<_> = found.iter().map(Obstacle::sentence).collect();
    let named = found.iter().map(|one| one.as_str().to_owned());
    Refusal {
        code: Code::NotErasable,
        message: format!("this file cannot be erased: {}", sentences.join("; ")),
        fields: named.zip(sentences.iter().cloned()).collect(),
    }
}

impl Disposal {
    /// Whether somebody holds the file back.
    pub fn is_held(&self) -> bool {
        self.holds.iter().any(|hold| hold.lifted.is_none())
    }

    /// With one hold more.
    pub fn hold(&self, by: By<'_>, id: &str, reason: &str) -> Result<Self, Refusal> {
        by.allowed("holds files back")?;
        let mut next = self.clone();
        next.holds.push(Hold {
            id: id.to_owned(),
            set: by.done(reason)?,
            lifted: None,
        });
        Ok(next)
    }

    /// Without one hold; whoever set it leaves that to another.
    pub fn lift(&self, by: By<'_>, id: &str, reason: &str) -> Result<Self, Refusal> {
        by.allowed("holds files back")?;
        let mut next = self.clone();
        let mut holds = next.holds.iter_mut();
        let hold = holds.find(|hold| hold.id == id && hold.lifted.is_none());
        let hold = hold.ok_or_else(|| {
            Refusal::new(Code::NotFound, "there is no such hold, or it was lifted")
        })?;
        if by.is(&hold.set.by) {
            let sentence = "you set this hold; another person must lift it";
            return Err(Refusal::new(Code::SelfApproval, sentence));
        }
        hold.lifted = Some(by.done(reason)?);
        Ok(next)
    }

    /// With a request for erasure.
    pub fn ask(
        &self,
        by: By<'_>,
        id: &str,
        reason: &str,
        state: &State<'_>,
    ) -> Result<Self, Refusal> {
        by.allowed("asks for files to be erased")?;
        let reason = by.done(reason)?;
        state.free(self)?;
        let episode = state.closed.unwrap_or_default();
        if self.asked_for(episode).is_some() {
            let sentence = "somebody has asked for it already, and it is not decided";
            return Err(Refusal::new(Code::AlreadyAsked, sentence));
        }
        let mut next = self.clone();
        next.asked = Some(Asked {
            id: id.to_owned(),
            asked: reason,
            acting_for: by.acts_for.clone(),
            episode,
        });
        Ok(next)
    }

    /// The request that is open for this end of the case: one that was made before it was opened
    /// again is no more.
    pub fn asked_for(&self, episode: u32) -> Option<&Asked> {
        self.asked.as_ref().filter(|one| one.episode == episode)
    }

    /// Another person agrees: the request, and the day up to which the file was kept.
    pub fn agree(
        &self,
        by: By<'_>,
        request: &str,
        reason: &str,
        state: &State<'_>,
    ) -> Result<(Asked, Date), Refusal> {
        let asked = self.decided(by, request, state)?;
        by.done(reason)?;
        let until = state.free(self)?;
        Ok((asked.clone(), until))
    }

    /// Another person does not agree: the file stays.
    pub fn decline(
        &self,
        by: By<'_>,
        request: &str,
        reason: &str,
        state: &State<'_>,
    ) -> Result<Self, Refusal> {
        let asked = self.decided(by, request, state)?.asked.clone();
        let declined = by.done(reason)?;
        let mut next = self.clone();
        next.asked = None;
        next.declined.push(Declined { asked, declined });
        Ok(next)
    }

    fn decided(&self, by: By<'_>, request: &str, state: &State<'_>) -> Result<&Asked, Refusal> {
        by.allowed("decides on erasure")?;
        let asked = state.closed.and_then(|episode| self.asked_for(episode));
        let asked = asked.filter(|one| one.id == request).ok_or_else(|| {
            let sentence = "there is no such request, or it is decided already";
            Refusal::new(Code::NotAsked, sentence)
        })?;
        let same = asked.acting_for.contains(&by.who.id)
            || asked.acting_for.intersection(by.acts_for).next().is_some();
        if same || by.is(&asked.asked.by) {
            let sentence = "you asked for this, or stand in for whoever did; another person must \
                            decide";
            return Err(Refusal::new(Code::SelfApproval, sentence));
        }
        Ok(asked)
    }

    /// With the file handed over, on a day from its end to today.
    pub fn hand_over(
        &self,
        by: By<'_>,
        to: &str,
        on: Date,
        state: &State<'_>,
        closed: Date,
    ) -> Result<Self, Refusal> {
        by.allowed("asks for files to be erased")?;
        let Some(episode) = state.closed else {
            return Err(Refusal::new(Code::NotClosed, "this case is open"));
        };
        if on < closed || on > state.today {
            let sentence = format!("Choose a day from {closed} to {}", state.today);
            return Err(Refusal::mistake("on", sentence));
        }
        let mut next = self.clone();
        next.transfers.push(Transfer {
            at: by.at,
            by: by.who.id.clone(),
            to: to.to_owned(),
            on,
            episode,
        });
        Ok(next)
    }
}

impl By<'_> {
    /// Whether somebody is the one who acts, or is acted for.
    fn is(&self, person: &str) -> bool {
        self.who.id == person || self.acts_for.contains(person)
    }

    fn allowed(&self, what: &str) -> Result<(), Refusal> {
        if !self.may {
            let sentence = format!("none of your roles {what}");
            return Err(Refusal::new(Code::NotAssigned, sentence));
        }
        if self.stands {
            let sentence = "you stand in this case yourself; another person must do this";
            return Err(Refusal::new(Code::OwnWall, sentence));
        }
        Ok(())
    }

    fn done(&self, reason: &str) -> Result<Done, Refusal> {
        Ok(Done {
            at: self.at,
            by: self.who.id.clone(),
            reason: reasoned(reason)?,
        })
    }
}

#[cfg(test)]
mod tests;
