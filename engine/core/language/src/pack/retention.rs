//! How long the files of an agency are kept, and who of it erases them, as the pack declares it.
//! Plain data: `casework` gives it its meaning.

use std::collections::{BTreeMap, BTreeSet};

/// `retention` of a pack; without classes nothing is ever erased.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Retention {
    /// Roles that ask for a file to be erased, and say that it was handed over.
    pub asks: Vec<String>,
    /// Roles that decide on it.
    pub decides: Vec<String>,
    /// Roles that hold files back.
    pub holds: Vec<String>,
    /// To whom files are handed over: names with their titles.
    pub recipients: BTreeMap<String, String>,
    /// By name.
    pub classes: BTreeMap<String, RetentionClass>,
}

/// A part of the files, and how long it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetentionClass {
    /// For people.
    pub title: String,
    /// Years and months; not both zero.
    pub keep: (u8, u16),
    pub from: KeptFrom,
    /// Only where somebody of the case is one of these.
    pub relations: Vec<String>,
    /// Only where one of these workflows ran.
    pub workflows: Vec<String>,
    /// Only where an episode was closed with one of these reasons.
    pub reasons: Vec<String>,
    pub dispose: Dispose,
}

/// The day from which a class counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeptFrom {
    /// The last end of the case.
    Closed,
    /// The birth of the youngest person with one of the relations.
    Born,
}

/// What becomes of a file when its time is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dispose {
    Erase,
    /// Handed over first.
    Transfer,
}

impl KeptFrom {
    pub const ALL: [Self; 2] = [Self::Closed, Self::Born];

    /// As authors write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Born => "born",
        }
    }
}

impl Dispose {
    pub const ALL: [Self; 2] = [Self::Erase, Self::Transfer];

    /// As authors write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Erase => "erase",
            Self::Transfer => "transfer",
        }
    }
}

impl Retention {
    /// Whether one of these roles asks for erasure.
    pub fn may_ask(&self, held: &BTreeSet<String>) -> bool {
        self.asks.iter().any(|role| held.contains(role))
    }

    /// Whether one of these roles decides on it.
    pub fn may_decide(&self, held: &BTreeSet<String>) -> bool {
        self.decides.iter().any(|role| held.contains(role))
    }

    /// Whether one of these roles holds files back.
    pub fn may_hold(&self, held: &BTreeSet<String>) -> bool {
        self.holds.iter().any(|role| held.contains(role))
    }
}
