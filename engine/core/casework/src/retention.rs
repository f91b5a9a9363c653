//! How long a file is kept: by classes, of which the longest wins. What was closed under a class is
//! bound by it, whatever the pack says later.
//!
//! It says until when a case is kept and what keeps it; holds, and who asks for erasure and decides
//! on it, are in `retention/erasure.rs`. It erases nothing.

pub mod erasure;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::civil::Date;
use jiff::{Span, Timestamp};
use serde::{Deserialize, Serialize};

use crate::person::Relation;

pub use erasure::{Disposal, Erased, Obstacle};

/// A part of the files of an agency, and how long it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Class {
    /// A word of the pack.
    pub name: String,
    pub keep: Period,
    pub from: From,
    /// Only where somebody of the case is one of these; `From::Born` counts from the youngest.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub relations: BTreeSet<Relation>,
    /// Only where one of these workflows ran.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub workflows: BTreeSet<String>,
    /// Only where an episode was closed with one of these reasons.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub reasons: BTreeSet<String>,
    pub dispose: Dispose,
}

/// Years and months of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Period {
    pub years: u8,
    pub months: u16,
}

/// The day from which a class counts. The names are a format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum From {
    /// The last end of an episode.
    Closed,
    /// The birth of the youngest person with one of the relations of the class.
    Born,
}

/// What becomes of the file when its time is over. The names are a format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dispose {
    Erase,
    /// It is erased only once it was handed over.
    Transfer,
}

/// What a case falls under its classes by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The day on which its last episode ended.
    pub closed: Date,
    /// With which its episodes were closed.
    pub reasons: BTreeSet<String>,
    pub workflows: BTreeSet<String>,
    pub persons: Vec<(Relation, Option<Date>)>,
}

/// A class that a case falls under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Falls {
    pub class: String,
    /// The last day on which it is kept; `None` while a day of birth is not known.
    pub until: Option<Date>,
    pub dispose: Dispose,
}

/// What held when an episode was closed: kept with its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// The last day on which the file is kept; `None` while a day of birth is not known, or under
    /// no class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Date>,
    /// The day under which it stands in the list of what is due.
    pub listed: Date,
    /// All classes of the pack on that day: who is added to the case later is bound by them too.
    pub classes: Vec<Class>,
    /// Digest of the pack.
    pub pack: String,
}

/// How long a case is kept, and by what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// By name; none when nobody said how long such a file is kept.
    pub classes: Vec<Falls>,
    /// The last day of the longest; `None` while one of them is not known, or without any.
    pub until: Option<Date>,
}

impl Period {
    /// The day that lies so far behind another: the last of its month where there is no such day.
    pub fn after(self, day: Date) -> Date {
        let span = Span::new().years(self.years).months(self.months);
        day.saturating_add(span)
    }

    const fn in_months(self) -> u32 {
        self.years as u32 * 12 + self.months as u32
    }
}

impl fmt::Display for Period {
    /// ISO 8601, as packs write it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("P")?;
        if self.years > 0 {
            write!(f, "{}Y", self.years)?;
        }
        if self.months > 0 || self.years == 0 {
            write!(f, "{}M", self.months)?;
        }
        Ok(())
    }
}

impl From {
    /// As API and packs write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Born => "born",
        }
    }
}

impl Dispose {
    /// As API and packs write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Erase => "erase",
            Self::Transfer => "transfer",
        }
    }
}

impl Class {
    /// Whether the case falls under it, and until when it is kept then.
    fn holds(&self, facts: &Facts) -> Option<Falls> {
        let meets = |named: &BTreeSet<String>, has: &BTreeSet<String>| {
            named.is_empty() || !named.is_disjoint(has)
        };
        let named = |one: &&(Relation, Option<Date>)| self.relations.contains(&one.0);
        let mut persons = facts.persons.iter().filter(named);
        if !meets(&self.workflows, &facts.workflows) || !meets(&self.reasons, &facts.reasons) {
            return None;
        }
        if !self.relations.is_empty() && persons.clone().next().is_none() {
            return None;
        }
        let since = match self.from {
            From::Closed => Some(facts.closed),
            // Of one whose birth nobody knows it is not said that they are older than the others.
            From::Born => persons.try_fold(Date::MIN, |latest, one| Some(latest.max(one.1?))),
        };
        Some(Falls {
            class: self.name.clone(),
            until: since.map(|day| self.keep.after(day)),
            dispose: self.dispose,
        })
    }

    /// Whether a file that falls under this class may go sooner by another form of it.
    fn is_longer_than(&self, other: &Self) -> bool {
        let narrower = |before: &BTreeSet<_>, after: &BTreeSet<_>| {
            !after.is_empty() && (before.is_empty() || !before.is_subset(after))
        };
        let persons = !other.relations.is_empty()
            && (self.relations.is_empty() || !self.relations.is_subset(&other.relations));
        other.keep.in_months() < self.keep.in_months()
            || self.from != other.from
            || persons
            || narrower(&self.workflows, &other.workflows)
            || narrower(&self.reasons, &other.reasons)
            || (self.dispose == Dispose::Transfer && other.dispose == Dispose::Erase)
    }
}

/// Names of classes under which files would go sooner by the pack after than by the one before:
/// those that are shorter, narrower or gone.
pub fn shortened(before: &[Class], after: &[Class]) -> Vec<String> {
    let shorter = |class: &&Class| {
        let same = after.iter().find(|one| one.name == class.name);
        same.is_none_or(|one| class.is_longer_than(one))
    };
    let names = before.iter().filter(shorter).map(|one| one.name.clone());
    names.collect()
}

impl Standing {
    /// By the classes in force now, and by what was kept with each end: a pack may lengthen what is
    /// closed already, and never shorten it.
    pub fn of<'a>(
        now: &[Class],
        kept: impl Iterator<Item = &'a Kept> + Clone,
        facts: &Facts,
    ) -> Self {
        let mut classes: BTreeMap<String, Falls> = BTreeMap::new();
        let then = kept.clone().flat_map(|one| &one.classes);
        for falls in now.iter().chain(then).filter_map(|one| one.holds(facts)) {
            match classes.get_mut(&falls.class) {
                Some(known) => known.widen(&falls),
                None => drop(classes.insert(falls.class.clone(), falls)),
            }
        }
        let days: Option<Vec<Date>> = classes.values().map(|one| one.until).collect();
        let bound = kept.filter_map(|one| one.until);
        let until = days.and_then(|days| days.into_iter().max());
        let until = until.map(|day| bound.fold(day, Date::max));
        Self {
            classes: classes.into_values().collect(),
            until,
        }
    }

    /// Whether it has to be handed over before it goes.
    pub fn transfers(&self) -> bool {
        let mut classes = self.classes.iter();
        classes.any(|one| one.dispose == Dispose::Transfer)
    }
}

impl Falls {
    fn widen(&mut self, other: &Self) {
        self.until = self.until.zip(other.until).map(|(a, b)| a.max(b));
        if other.dispose == Dispose::Transfer {
            self.dispose = Dispose::Transfer;
        }
    }
}

impl Kept {
    /// What holds on the day of an end.
    pub fn new(classes: Vec<Class>, facts: &Facts, pack: &str) -> Self {
        let standing = Standing::of(&classes, std::iter::empty::<&Self>(), facts);
        let known = standing.classes.iter().filter_map(|one| one.until).max();
        Self {
            until: standing.until,
            // Of what is not known yet somebody has to find out.
            listed: known.unwrap_or(facts.closed),
            classes,
            pack: pack.to_owned(),
        }
    }
}

/// When somebody did something, and who.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    pub at: Timestamp,
    pub by: String,
    pub reason: String,
}

#[cfg(test)]
mod tests;
