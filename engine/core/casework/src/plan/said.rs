//! What one person says to a version of a plan, as a member of staff wrote it down.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Code, Refusal};

const TEXT_LENGTH_MAX: usize = 2_000;

/// What somebody of the family said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// Id of a person of the case.
    pub person: String,
    #[serde(flatten)]
    pub word: Word,
    pub at: Timestamp,
    /// Who of the staff wrote it down.
    pub by: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase"
)]
pub enum Word {
    /// They were asked.
    Answer {
        agrees: Agrees,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        goals: Vec<GoalSaid>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        words: Option<String>,
        copy_given: bool,
    },
    /// What a child thinks of it.
    View { view: String },
    /// They were not asked, and why.
    NotAsked { reason: String },
}

/// To one goal, by its number from 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GoalSaid {
    pub goal: usize,
    pub agrees: Agrees,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Agrees {
    Yes,
    No,
    InPart,
}

impl Agrees {
    /// As API and documents write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::InPart => "in-part",
        }
    }
}

impl Word {
    /// Whether a caregiver's word bears a plan of so many goals: to each goal a yes, or what they
    /// say instead. A yes to the whole is a yes to each.
    pub(super) fn carries(&self, goals: usize) -> bool {
        let Self::Answer {
            agrees,
            goals: said,
            ..
        } = self
        else {
            return false;
        };
        let whole = said.is_empty() && *agrees == Agrees::Yes;
        let each = (1..=goals).all(|goal| {
            let mut to_it = said.iter().filter(|said| said.goal == goal);
            to_it.next().is_some() && to_it.next().is_none()
        });
        let settled = |said: &GoalSaid| said.agrees == Agrees::Yes || filled(said.words.as_deref());
        *agrees != Agrees::No && (whole || each && said.iter().all(settled))
    }

    pub(super) fn has_copy(&self) -> bool {
        match self {
            Self::Answer { copy_given, .. } => *copy_given,
            Self::View { .. } | Self::NotAsked { .. } => false,
        }
    }
}

impl Said {
    /// Whether it can be kept: goals that there are, texts that say something and are no book.
    pub(super) fn check(&self, goals: usize) -> Result<(), Refusal> {
        let (said, texts): (&[GoalSaid], _) = match &self.word {
            Word::Answer { goals, words, .. } => (goals, vec![words.as_deref()]),
            Word::View { view } => (&[], vec![Some(view.as_str())]),
            Word::NotAsked { reason } => (&[], vec![Some(reason.as_str())]),
        };
        if said.iter().any(|said| !(1..=goals).contains(&said.goal)) {
            let sentence = format!("the goals of this version have the numbers 1 to {goals}");
            return Err(Refusal::new(Code::PlanInvalid, sentence));
        }
        let words = said.iter().map(|said| said.words.as_deref());
        for text in texts.into_iter().chain(words).flatten() {
            if text.chars().count() > TEXT_LENGTH_MAX {
                let sentence = format!("use at most {TEXT_LENGTH_MAX} characters for a text");
                return Err(Refusal::new(Code::PlanInvalid, sentence));
            }
        }
        match &self.word {
            Word::View { view: text } | Word::NotAsked { reason: text } if !filled(Some(text)) => {
                let sentence = "say what the person thinks of it, or why they were not asked";
                Err(Refusal::new(Code::PlanInvalid, sentence))
            }
            Word::View { .. } | Word::NotAsked { .. } | Word::Answer { .. } => Ok(()),
        }
    }
}

fn filled(text: Option<&str>) -> bool {
    text.is_some_and(|text| !text.trim().is_empty())
}
