//! The plan of a case, version by version, and what the family says to the latest one.
//!
//! A plan comes into force only when the people it is for have agreed to exactly this version.
//! Whoever changes a word of it asks them again; silence and time agree to nothing. It knows no
//! forms and does not read a plan beyond how many goals it has.

mod said;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

pub use said::{Agrees, GoalSaid, Said, Word};

use crate::audit::hex;
use crate::person::Relation;
use crate::{Code, Person, Refusal};

/// More is no plan that a family could keep in mind.
const GOALS_MAX: usize = 100;

/// Longest plan, as canonical JSON.
const PLAN_BYTES_MAX: usize = 256 * 1024;

/// What was said to one version; more than that is no talk with a family.
const SAID_MAX: usize = 500;

/// Whoever is as old speaks for themselves.
const ADULT_YEARS: i16 = 18;

/// How the plan of a case stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    pub case: String,
    /// The latest, from 1.
    pub version: u32,
    /// Of the latest version's content.
    pub digest: String,
    /// Goals of the latest version.
    pub goals: usize,
    pub proposed: Proposed,
    /// To the latest version, in the order it was said; never written over.
    pub said: Vec<Said>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active: Option<Active>,
}

/// When a version was written, and by which run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposed {
    pub at: Timestamp,
    pub instance: String,
    /// Number of the last work item that the run had offered by then.
    pub item: u32,
}

/// The version that people work by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Active {
    pub version: u32,
    pub digest: String,
    pub at: Timestamp,
}

/// How the latest version stands with the people who are in the case today.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    NeedsAgreement,
    /// Nothing is missing; it is not in force yet.
    Agreed,
    /// In force, and everybody who is to be asked was.
    Active,
}

impl Status {
    /// As API and documents write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NeedsAgreement => "needs-agreement",
            Self::Agreed => "agreed",
            Self::Active => "active",
        }
    }
}

/// What keeps a version from being the family's own. Persons are ids.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Missing {
    /// No parent or carer agrees, goal by goal.
    Caregiver,
    /// A parent, carer, partner or grown-up child who was not asked, and nobody says why.
    Asked(String),
    /// A child whose view is not there, nor why.
    Child(String),
    /// Nobody who agrees has a copy.
    Copy,
}

impl Missing {
    /// For people; it names nobody.
    pub const fn sentence(&self) -> &'static str {
        match self {
            Self::Caregiver => {
                "no parent or carer has agreed to this version, with their words for each goal \
                 that they do not agree to"
            }
            Self::Asked(_) => {
                "somebody who has to be asked was not asked about this version, and no reason says \
                 why"
            }
            Self::Child(_) => {
                "the view of a child on this version is missing, and no reason says why"
            }
            Self::Copy => "nobody who agrees to this version has a copy of it",
        }
    }

    /// Whom it is about.
    pub fn person(&self) -> Option<&str> {
        match self {
            Self::Asked(person) | Self::Child(person) => Some(person),
            Self::Caregiver | Self::Copy => None,
        }
    }
}

/// A written plan, as it is compared: equal content has an equal digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    pub digest: String,
    pub goals: usize,
}

impl Content {
    /// Refused without goals: there would be nothing to agree to.
    pub fn of(plan: &Value) -> Result<Self, Refusal> {
        let goals = plan.get("goals").and_then(Value::as_array).map(Vec::len);
        let Some(goals) = goals.filter(|count| (1..=GOALS_MAX).contains(count)) else {
            let sentence = format!("a plan is a map with `goals`, a list of 1 to {GOALS_MAX}");
            return Err(Refusal::new(Code::PlanInvalid, sentence));
        };
        // Members of a map are kept in the order of their names.
        let text = plan.to_string();
        if text.len() > PLAN_BYTES_MAX {
            let sentence = format!("a plan takes at most {PLAN_BYTES_MAX} bytes");
            return Err(Refusal::new(Code::PlanInvalid, sentence));
        }
        let hash = Sha256::new().chain_update(b"casewright plan 1\n");
        let digest = format!("sha256:{}", hex(hash.chain_update(text)));
        Ok(Self { digest, goals })
    }
}

/// What somebody is to a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Has to be asked, and can carry the plan.
    Caregiver,
    /// Has to be asked.
    Adult,
    /// Is heard.
    Child,
    None,
}

impl Part {
    fn of(person: &Person, today: Date) -> Self {
        match person.details.relation {
            Relation::Parent | Relation::Carer => Self::Caregiver,
            Relation::Partner => Self::Adult,
            Relation::Child | Relation::Sibling if grown_up(person, today) => Self::Adult,
            Relation::Child | Relation::Sibling => Self::Child,
            Relation::OtherFamily
            | Relation::Referrer
            | Relation::Payee
            | Relation::Professional
            | Relation::Other => Self::None,
        }
    }
}

/// Somebody whose birthday nobody knows is as old as their relation says.
fn grown_up(person: &Person, today: Date) -> bool {
    person.details.born.is_some_and(|born| {
        let years = today.year() - born.year();
        let had = (today.month(), today.day()) >= (born.month(), born.day());
        years > ADULT_YEARS || years == ADULT_YEARS && had
    })
}

impl Plan {
    /// Another version, or the same when not a word has changed: then what was said to it stands.
    #[must_use]
    pub fn proposed(
        before: Option<&Self>,
        case: &str,
        content: Content,
        proposed: Proposed,
    ) -> Self {
        match before {
            Some(before) if before.digest == content.digest => before.clone(),
            before => Self {
                case: case.to_owned(),
                version: before.map_or(0, |before| before.version) + 1,
                digest: content.digest,
                goals: content.goals,
                proposed,
                said: Vec::new(),
                active: before.and_then(|before| before.active.clone()),
            },
        }
    }

    /// With what people say to this version. What somebody says later stands beside what they said
    /// before, and counts.
    pub fn heard(&self, digest: &str, said: Vec<Said>, people: &[Person]) -> Result<Self, Refusal> {
        self.latest(digest)?;
        if self.said.len() + said.len() > SAID_MAX {
            let sentence = format!("one version of a plan holds at most {SAID_MAX} answers");
            return Err(Refusal::new(Code::PlanInvalid, sentence));
        }
        for one in &said {
            one.check(self.goals)?;
            if !people.iter().any(|person| person.id == one.person) {
                return Err(unknown_person());
            }
        }
        let mut heard = self.clone();
        heard.said.extend(said);
        Ok(heard)
    }

    /// The version that was agreed to comes into force, and no other.
    pub fn activated(
        &self,
        digest: &str,
        people: &[Person],
        today: Date,
        at: Timestamp,
    ) -> Result<Self, Refusal> {
        self.latest(digest)?;
        let missing = self.missing(people, today);
        if let Some(first) = missing.first() {
            return Err(Refusal::new(Code::NeedsAgreement, first.sentence()));
        }
        let stands = |active: &&Active| active.version == self.version;
        let active = self.active.as_ref().filter(stands).cloned();
        let active = active.unwrap_or_else(|| Active {
            version: self.version,
            digest: self.digest.clone(),
            at,
        });
        Ok(Self {
            active: Some(active),
            ..self.clone()
        })
    }

    /// What is missing until the family has agreed, asked of those who are in the case today:
    /// whoever joins the family later has to be asked as well.
    pub fn missing(&self, people: &[Person], today: Date) -> Vec<Missing> {
        let mut missing = Vec::new();
        let (mut agreed, mut copies) = (false, false);
        let mut not_heard = Vec::new();
        for person in people {
            let part = Part::of(person, today);
            let word = self.latest_of(&person.id);
            let heard = match (part, word) {
                (Part::None, _) | (_, Some(_)) => None,
                (Part::Caregiver | Part::Adult, None) => Some(Missing::Asked(person.id.clone())),
                (Part::Child, None) => Some(Missing::Child(person.id.clone())),
            };
            not_heard.extend(heard);
            if part == Part::Caregiver && word.is_some_and(|word| word.carries(self.goals)) {
                agreed = true;
                copies |= word.is_some_and(Word::has_copy);
            }
        }
        if !agreed {
            missing.push(Missing::Caregiver);
        }
        missing.append(&mut not_heard);
        if agreed && !copies {
            missing.push(Missing::Copy);
        }
        missing
    }

    pub fn status(&self, people: &[Person], today: Date) -> Status {
        if !self.missing(people, today).is_empty() {
            return Status::NeedsAgreement;
        }
        match &self.active {
            Some(active) if active.version == self.version => Status::Active,
            Some(_) | None => Status::Agreed,
        }
    }

    /// Ids of those who have to be asked, and of the children who are heard.
    pub fn to_ask(people: &[Person], today: Date) -> (Vec<String>, Vec<String>) {
        let of = |wanted: &[Part]| {
            let meant = people.iter();
            let meant = meant.filter(|person| wanted.contains(&Part::of(person, today)));
            meant.map(|person| person.id.clone()).collect()
        };
        (of(&[Part::Caregiver, Part::Adult]), of(&[Part::Child]))
    }

    /// What somebody said last.
    fn latest_of(&self, person: &str) -> Option<&Word> {
        let said = self.said.iter().rev();
        let mut own = said.filter(|said| said.person == person);
        own.next().map(|said| &said.word)
    }

    fn latest(&self, digest: &str) -> Result<(), Refusal> {
        if self.digest == digest {
            return Ok(());
        }
        Err(Refusal::new(
            Code::NeedsAgreement,
            "this is not the latest version of the plan; what was said to another one counts for \
             nothing",
        ))
    }
}

/// The id of whom a document means: an id, or a name that one person of the case has.
pub fn person_named<'a>(people: &'a [Person], word: &str) -> Result<&'a Person, Refusal> {
    let word = word.trim();
    if let Some(person) = people.iter().find(|person| person.id == word) {
        return Ok(person);
    }
    let same = |person: &&Person| person.details.name.to_lowercase() == word.to_lowercase();
    let mut named = people.iter().filter(same);
    match (named.next(), named.next()) {
        (Some(person), None) => Ok(person),
        (None, _) => Err(unknown_person()),
        (Some(_), Some(_)) => Err(Refusal::new(
            Code::UnknownPerson,
            "more than one person of the case has this name; say the person's id",
        )),
    }
}

fn unknown_person() -> Refusal {
    Refusal::new(
        Code::UnknownPerson,
        "nobody in the case has this id or name; add the person on the page of the case first",
    )
}

#[cfg(test)]
mod tests;
