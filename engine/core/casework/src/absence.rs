//! Days on which somebody is away, and who stands in for them. What a substitute may do with a
//! piece of work, and that it counts as done by both, is said in `work_item/handover.rs`.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

use crate::{Code, Principal, Refusal};

/// The longest absence, in days: who is away for longer gives their work to others.
pub const DAYS_MAX: i32 = 90;

/// From the beginning of one day to the end of another, where the agency is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Absence {
    pub id: String,
    pub agency: String,
    pub person: String,
    pub display_name: String,
    /// Id of who stands in.
    pub substitute: String,
    pub substitute_name: String,
    pub from: Date,
    /// The last day.
    pub to: Date,
    /// What the days were when it was written down.
    pub starts_at: Timestamp,
    pub ends_at: Timestamp,
    pub recorded_at: Timestamp,
    pub recorded_by: String,
    /// Taken back, before its last day was over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Ended>,
}

/// When it was taken back, and by whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    pub at: Timestamp,
    pub by: String,
}

/// What somebody asks to be written down.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    pub id: &'a str,
    pub who: &'a Principal,
    /// Whether one of their roles arranges the work of others.
    pub arranges: bool,
    pub person: &'a Principal,
    pub substitute: &'a Principal,
    pub from: Date,
    pub to: Date,
    pub at: Timestamp,
    pub zone: &'a TimeZone,
}

/// Absences of an agency that are not over, by id.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Absences(BTreeMap<String, Absence>);

impl Absence {
    /// Whether it is in force at that moment.
    pub fn in_force(&self, at: Timestamp) -> bool {
        self.ended.is_none() && self.starts_at <= at && at < self.ends_at
    }

    /// Whether this substitute stands in for this person at that moment.
    pub fn stands_in(&self, substitute: &str, person: &str, at: Timestamp) -> bool {
        self.in_force(at) && self.substitute == substitute && self.person == person
    }

    /// Taken back at once. Whoever is away, whoever stands in and whoever arranges may.
    pub fn ended(&self, who: &Principal, arranges: bool, at: Timestamp) -> Result<Self, Refusal> {
        if who.agency != self.agency {
            return Err(Refusal::new(Code::NotFound, "there is no such absence"));
        }
        if !arranges && who.id != self.person && who.id != self.substitute {
            return Err(not_arranging());
        }
        if self.ended.is_some() || self.ends_at <= at {
            return Ok(self.clone());
        }
        let ended = Some(Ended {
            at,
            by: who.id.clone(),
        });
        Ok(Self {
            ended,
            ..self.clone()
        })
    }

    fn over(&self, at: Timestamp) -> bool {
        self.ended.is_some() || self.ends_at <= at
    }

    fn overlaps(&self, other: &Self) -> bool {
        self.person == other.person
            && self.starts_at < other.ends_at
            && other.starts_at < self.ends_at
    }
}

impl Absences {
    pub fn iter(&self) -> impl Iterator<Item = &Absence> {
        self.0.values()
    }

    pub fn get(&self, id: &str) -> Option<&Absence> {
        self.0.get(id)
    }

    /// The one in force for a person who is away.
    pub fn of(&self, person: &str, at: Timestamp) -> Option<&Absence> {
        self.iter()
            .find(|one| one.person == person && one.in_force(at))
    }

    /// Those in which somebody stands in.
    pub fn with(&self, substitute: &str, at: Timestamp) -> impl Iterator<Item = &Absence> {
        self.iter()
            .filter(move |one| one.substitute == substitute && one.in_force(at))
    }

    /// With this one as it is by then; those that are over are left out.
    #[must_use]
    pub fn put(&self, absence: Absence, at: Timestamp) -> Self {
        let mut next = self.clone();
        next.0.insert(absence.id.clone(), absence);
        next.0.retain(|_, one| !one.over(at));
        next
    }

    /// A new absence. One's own everybody may say; that of others whoever arranges their work.
    pub fn asked(&self, asked: &Asked<'_>) -> Result<Absence, Refusal> {
        let Asked {
            id,
            who,
            person,
            substitute,
            from,
            to,
            at,
            zone,
            ..
        } = *asked;
        if person.id != who.id && !asked.arranges {
            return Err(not_arranging());
        }
        if person.agency != who.agency || substitute.agency != who.agency {
            return Err(invalid("choose a colleague of your agency"));
        }
        if person.id == substitute.id {
            return Err(invalid("nobody stands in for themselves"));
        }
        if person.id != who.id && substitute.id == who.id {
            let sentence = "whoever arranges for others cannot name themselves as the substitute";
            return Err(invalid(sentence));
        }
        if to < from {
            return Err(invalid("the last day is before the first"));
        }
        let days = from.until(to).map_or(i32::MAX, |span| span.get_days());
        if days >= DAYS_MAX {
            let sentence = format!("an absence is at most {DAYS_MAX} days long");
            return Err(invalid(&sentence));
        }
        let ends_at = to
            .checked_add(1.day())
            .ok()
            .and_then(|day| begin(day, zone));
        let (Some(starts_at), Some(ends_at)) = (begin(from, zone), ends_at) else {
            return Err(invalid("write days that the calendar knows"));
        };
        if ends_at <= at {
            return Err(invalid("the last day is over already"));
        }
        let absence = Absence {
            id: id.to_owned(),
            agency: who.agency.clone(),
            person: person.id.clone(),
            display_name: person.display_name.clone(),
            substitute: substitute.id.clone(),
            substitute_name: substitute.display_name.clone(),
            from,
            to,
            starts_at,
            ends_at,
            recorded_at: at,
            recorded_by: who.id.clone(),
            ended: None,
        };
        let other = self
            .iter()
            .find(|one| !one.over(at) && one.overlaps(&absence));
        if let Some(other) = other {
            let sentence = format!(
                "they are away from {} to {} already; take that back first",
                other.from, other.to
            );
            return Err(invalid(&sentence));
        }
        Ok(absence)
    }
}

/// The first moment of a day there.
fn begin(day: Date, zone: &TimeZone) -> Option<Timestamp> {
    let begins = day.to_zoned(zone.clone()).ok()?;
    Some(begins.timestamp())
}

pub(crate) fn not_arranging() -> Refusal {
    let sentence = "none of your roles arranges the work of others";
    Refusal::new(Code::NotArranging, sentence)
}

fn invalid(sentence: &str) -> Refusal {
    Refusal::new(Code::AbsenceInvalid, sentence)
}

#[cfg(test)]
mod tests;
