//! One family's file: what instances, work items and audit entries belong to. It is open or closed;
//! each time that it is open is an episode.
//!
//! What still has to be settled before it closes is found by whoever closes it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::retention::Kept;
use crate::{Code, Refusal};

/// Why a case is opened again: a sentence or two.
const REASON_LENGTH_MAX: usize = 500;

use crate::access::Audience;

/// What the engine itself knows of a case; what the family told lies in its instances.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    pub id: String,
    pub agency: String,
    /// For people: `IFS-2026-00001`.
    pub number: String,
    pub opened: Timestamp,
    pub opened_by: String,
    /// Name of the calendar that its days are counted by, where it has one of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<String>,
    /// Of a case that a hidden run opened: as hidden as the run.
    #[serde(default, skip_serializing_if = "Audience::is_everybody")]
    pub seen_by: Audience,
    /// Empty until the first one has an end; see [`Case::episodes`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    episodes: Vec<Episode>,
}

/// A time in which somebody works with the family.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Episode {
    /// From 1.
    pub number: u32,
    pub opened: Timestamp,
    pub opened_by: String,
    /// Why the case was opened again; the first has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<Closing>,
}

/// How an episode ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closing {
    pub at: Timestamp,
    pub by: String,
    /// A word of the pack.
    pub reason: String,
    /// What the pack made of the reason on that day.
    pub counts: Counts,
    /// Whether the family had agreed to be worked with.
    pub consent_given: bool,
    /// What else the document says of the end.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub facts: Value,
    /// How long the file is kept by what held then; earlier engines did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<Kept>,
}

/// What a reason means in the figures. The names are a format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Counts {
    /// The goals were reached.
    Achieved,
    /// A part of them; shown beside the figure and never in it.
    Partly,
    Not,
    /// Neither for nor against.
    Excluded,
}

impl Counts {
    /// As API and packs write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Achieved => "achieved",
            Self::Partly => "partly",
            Self::Not => "not",
            Self::Excluded => "excluded",
        }
    }
}

impl Case {
    pub fn new(id: String, agency: String, number: String, at: Timestamp, by: String) -> Self {
        Self {
            id,
            agency,
            number,
            opened: at,
            opened_by: by,
            calendar: None,
            seen_by: Audience::default(),
            episodes: Vec::new(),
        }
    }

    /// All of them, the latest last; a case of before has one.
    pub fn episodes(&self) -> Vec<Episode> {
        if self.episodes.is_empty() {
            return vec![Episode {
                number: 1,
                opened: self.opened,
                opened_by: self.opened_by.clone(),
                because: None,
                closed: None,
            }];
        }
        self.episodes.clone()
    }

    /// How the latest episode ended, if it has.
    pub fn closed(&self) -> Option<&Closing> {
        self.episodes.last()?.closed.as_ref()
    }

    /// When an episode of it ended last, whether it is open again or not.
    pub fn closed_last(&self) -> Option<Timestamp> {
        let mut ended = self.episodes.iter().rev();
        ended.find_map(|episode| Some(episode.closed.as_ref()?.at))
    }

    /// Nothing begins in a closed case.
    pub fn admits_work(&self) -> Result<(), Refusal> {
        match self.closed() {
            None => Ok(()),
            Some(_) => Err(Refusal::new(
                Code::CaseClosed,
                "this case is closed; open it again first, with the reason",
            )),
        }
    }

    /// The end of its episode.
    pub fn close(&self, closing: Closing) -> Result<(Self, Episode), Refusal> {
        self.admits_work()?;
        let mut episodes = self.episodes();
        let mut ended = episodes.pop().ok_or_else(not_closed)?;
        ended.closed = Some(closing);
        episodes.push(ended.clone());
        let case = Self {
            episodes,
            ..self.clone()
        };
        Ok((case, ended))
    }

    /// Its next episode. What was closed stays closed.
    pub fn reopen(&self, at: Timestamp, by: &str, because: &str) -> Result<Self, Refusal> {
        if self.closed().is_none() {
            return Err(not_closed());
        }
        let because = because.trim();
        if because.is_empty() || because.chars().count() > REASON_LENGTH_MAX {
            let sentence = format!(
                "say in at most {REASON_LENGTH_MAX} characters why the case is opened again"
            );
            return Err(Refusal::new(Code::ReasonNeeded, sentence));
        }
        let mut episodes = self.episodes();
        episodes.push(Episode {
            number: episodes.last().map_or(0, |last| last.number) + 1,
            opened: at,
            opened_by: by.to_owned(),
            because: Some(because.to_owned()),
            closed: None,
        });
        Ok(Self {
            episodes,
            ..self.clone()
        })
    }
}

fn not_closed() -> Refusal {
    Refusal::new(Code::NotClosed, "this case is open")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case() -> Case {
        let text = |text: &str| text.to_owned();
        let at = Timestamp::UNIX_EPOCH;
        Case::new(text("c1"), text("a"), text("IFS-1"), at, text("u-a"))
    }

    fn closing(reason: &str) -> Closing {
        Closing {
            at: Timestamp::from_second(10).unwrap(),
            by: "u-b".to_owned(),
            reason: reason.to_owned(),
            counts: Counts::Achieved,
            consent_given: true,
            facts: Value::Null,
            kept: None,
        }
    }

    #[test]
    fn a_case_of_before_has_its_first_episode() {
        let stored = serde_json::json!({
            "id": "c1", "agency": "a", "number": "IFS-1", "opened": "1970-01-01T00:00:00Z",
            "opened_by": "u-a",
        });
        let read: Case = serde_json::from_value(stored.clone()).unwrap();
        assert_eq!(read, case());
        assert_eq!(serde_json::to_value(&read).unwrap(), stored);
        let episodes = read.episodes();
        assert_eq!((episodes.len(), episodes[0].number), (1, 1));
        assert_eq!(episodes[0].opened, read.opened);
    }

    #[test]
    fn closed_is_closed_until_somebody_says_why_it_opens() {
        let (closed, ended) = case().close(closing("moved")).unwrap();
        assert_eq!(
            (ended.number, &*closed.closed().unwrap().reason),
            (1, "moved")
        );
        assert_eq!(closed.admits_work().unwrap_err().code, Code::CaseClosed);
        let twice = closed.close(closing("goals-some")).unwrap_err();
        assert_eq!(twice.code, Code::CaseClosed);
        let open = |case: &Case, why: &str| case.reopen(Timestamp::MAX, "u-c", why);
        assert_eq!(open(&case(), "Help").unwrap_err().code, Code::NotClosed);
        for no_reason in ["  ", &"x".repeat(REASON_LENGTH_MAX + 1)] {
            assert_eq!(
                open(&closed, no_reason).unwrap_err().code,
                Code::ReasonNeeded
            );
        }
        let again = open(&closed, " The rent went up ").unwrap();
        let episodes = again.episodes();
        assert_eq!((episodes.len(), episodes[1].number), (2, 2));
        assert_eq!(episodes[1].because.as_deref(), Some("The rent went up"));
        assert!(again.admits_work().is_ok() && again.closed().is_none());
        assert!(episodes[0].closed.is_some(), "the first stays closed");
        assert_eq!(again.closed_last(), Timestamp::from_second(10).ok());
        let (_, second) = again.close(closing("moved")).unwrap();
        assert_eq!(second.number, 2);
    }
}
