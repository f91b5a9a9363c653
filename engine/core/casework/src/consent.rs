//! What somebody of a case has agreed to: which facts about them may go to whom, for what, until
//! when.
//!
//! A consent is never written over: a renewal is another consent, and a withdrawal another revision
//! of the same. What is sent under one is decided in [`crate::disclosure`].

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::{Principal, Refusal};

const WORDS_MAX: usize = 20;
const LINE_LENGTH_MAX: usize = 200;
const TEXT_LENGTH_MAX: usize = 2_000;

/// A consent about one person of a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    pub id: String,
    pub case: String,
    /// Whom the facts are about.
    pub person: String,
    #[serde(flatten)]
    pub terms: Terms,
    /// 1 when it was given, 2 once it is withdrawn.
    pub revision: u64,
    pub recorded_at: Timestamp,
    pub recorded_by: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn: Option<Withdrawal>,
}

/// What was agreed to, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// Words of the pack.
    pub purposes: Vec<String>,
    /// Words of the pack.
    pub recipients: Vec<String>,
    /// Which facts, in the words that were used.
    pub what: String,
    pub how: How,
    /// Who agreed, where it was somebody else than the person: a parent for a child.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_by: Option<String>,
    /// Who heard what was spoken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub witness: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interpreter: Option<String>,
    pub given_on: Date,
    /// The last day on which it holds.
    pub expires_on: Date,
}

/// How a consent was given or taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    Written,
    Spoken,
    /// Spoken, before somebody who can say so.
    Witnessed,
}

impl How {
    pub const ALL: [Self; 3] = [Self::Written, Self::Spoken, Self::Witnessed];

    /// As API and pages write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Written => "written",
            Self::Spoken => "spoken",
            Self::Witnessed => "witnessed",
        }
    }
}

/// That it was taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withdrawal {
    pub at: Timestamp,
    /// Who wrote it down.
    pub recorded_by: String,
    /// Who took it back, where it was somebody else than the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    pub how: How,
}

/// How a consent stands on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    InForce,
    NotYet,
    Expired,
    Withdrawn,
}

impl Terms {
    /// Without blanks around and empty texts; every mistake at once. `purposes` and `recipients`
    /// are the words of the pack.
    pub fn checked<'w>(
        self,
        today: Date,
        purposes: impl IntoIterator<Item = &'w str>,
        recipients: impl IntoIterator<Item = &'w str>,
    ) -> Result<Self, Refusal> {
        let cleaned = Self {
            what: self.what.trim().to_owned(),
            given_by: filled(self.given_by),
            witness: filled(self.witness),
            interpreter: filled(self.interpreter),
            ..self
        };
        let mut fields = Vec::new();
        let mut mistake = |field: &str, sentence: String| fields.push((field.to_owned(), sentence));
        let (purposes, recipients) = (
            purposes.into_iter().collect::<Vec<_>>(),
            recipients.into_iter().collect::<Vec<_>>(),
        );
        for (field, chosen, known) in [
            ("purposes", &cleaned.purposes, &purposes),
            ("recipients", &cleaned.recipients, &recipients),
        ] {
            if known.is_empty() {
                let sentence =
                    format!("The pack names no {field}: add `disclosure: {field}` to it");
                mistake(field, sentence);
            } else if let Some(sentence) = misnamed(chosen, known) {
                mistake(field, sentence);
            }
        }
        if cleaned.what.is_empty() {
            mistake("what", "Say which facts may be passed on".to_owned());
        } else if cleaned.what.chars().count() > TEXT_LENGTH_MAX {
            mistake("what", format!("Use at most {TEXT_LENGTH_MAX} characters"));
        }
        for (field, text) in [
            ("givenBy", &cleaned.given_by),
            ("witness", &cleaned.witness),
            ("interpreter", &cleaned.interpreter),
        ] {
            let length = text.as_ref().map_or(0, |text| text.chars().count());
            if length > LINE_LENGTH_MAX {
                mistake(field, format!("Use at most {LINE_LENGTH_MAX} characters"));
            }
        }
        if cleaned.how == How::Witnessed && cleaned.witness.is_none() {
            mistake("witness", "Enter who heard it".to_owned());
        }
        if cleaned.given_on > today {
            mistake(
                "givenOn",
                "Enter a day that is not in the future".to_owned(),
            );
        }
        if cleaned.expires_on < cleaned.given_on || cleaned.expires_on < today {
            let sentence = "Enter the last day it holds: today or later, not before it was given";
            mistake("expiresOn", sentence.to_owned());
        }
        if fields.is_empty() {
            return Ok(cleaned);
        }
        Err(Refusal::mistakes(fields))
    }
}

impl Consent {
    pub fn standing(&self, today: Date) -> Standing {
        if self.withdrawn.is_some() {
            Standing::Withdrawn
        } else if today < self.terms.given_on {
            Standing::NotYet
        } else if today > self.terms.expires_on {
            Standing::Expired
        } else {
            Standing::InForce
        }
    }

    /// Whether it allows facts about its person to go to this recipient for this purpose.
    pub fn allows(&self, purpose: &str, recipient: &str, today: Date) -> bool {
        let named = |words: &[String], word: &str| words.iter().any(|one| one == word);
        self.standing(today) == Standing::InForce
            && named(&self.terms.purposes, purpose)
            && named(&self.terms.recipients, recipient)
    }

    /// Taken back; `None` when it was before, since the first time counts.
    pub fn withdrawn(
        &self,
        who: &Principal,
        at: Timestamp,
        how: How,
        by: Option<String>,
    ) -> Result<Option<Self>, Refusal> {
        if self.withdrawn.is_some() {
            return Ok(None);
        }
        let by = filled(by);
        if by
            .as_ref()
            .is_some_and(|by| by.chars().count() > LINE_LENGTH_MAX)
        {
            let sentence = format!("Use at most {LINE_LENGTH_MAX} characters");
            return Err(Refusal::mistake("by", sentence));
        }
        Ok(Some(Self {
            revision: self.revision + 1,
            withdrawn: Some(Withdrawal {
                at,
                recorded_by: who.id.clone(),
                by,
                how,
            }),
            ..self.clone()
        }))
    }
}

fn misnamed(chosen: &[String], known: &[&str]) -> Option<String> {
    let stranger = chosen.iter().any(|word| !known.contains(&word.as_str()));
    if chosen.is_empty() || chosen.len() > WORDS_MAX || stranger {
        return Some(format!("Choose one or more of: {}", known.join(", ")));
    }
    None
}

fn filled(text: Option<String>) -> Option<String> {
    let text = text?;
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::principal::tests::staff;

    pub(crate) fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    pub(crate) fn terms() -> Terms {
        Terms {
            purposes: vec!["housing".to_owned()],
            recipients: vec!["register".to_owned()],
            what: " Who lives with us ".to_owned(),
            how: How::Spoken,
            given_by: None,
            witness: Some(" ".to_owned()),
            interpreter: None,
            given_on: day("2026-08-01"),
            expires_on: day("2026-09-01"),
        }
    }

    pub(crate) fn consent(id: &str, person: &str) -> Consent {
        Consent {
            id: id.to_owned(),
            case: "c1".to_owned(),
            person: person.to_owned(),
            terms: terms(),
            revision: 1,
            recorded_at: Timestamp::UNIX_EPOCH,
            recorded_by: "u-a".to_owned(),
            withdrawn: None,
        }
    }

    fn check(terms: Terms) -> Result<Terms, Refusal> {
        terms.checked(day("2026-08-03"), ["housing"], ["register"])
    }

    #[test]
    fn every_mistake_of_a_consent_is_named() {
        assert_eq!(check(terms()).unwrap().what, "Who lives with us");
        let wrong = Terms {
            purposes: vec![],
            recipients: vec!["everybody".to_owned()],
            what: "  ".to_owned(),
            how: How::Witnessed,
            given_on: day("2026-08-04"),
            expires_on: day("2026-08-02"),
            ..terms()
        };
        let refusal = check(wrong).unwrap_err();
        let fields: Vec<_> = refusal.fields.iter().map(|(field, _)| &**field).collect();
        let all = [
            "purposes",
            "recipients",
            "what",
            "witness",
            "givenOn",
            "expiresOn",
        ];
        assert_eq!(fields, all);
        assert!(refusal.fields[1].1.contains("register"));
        let none: [&str; 0] = [];
        let refusal = terms().checked(day("2026-08-03"), none, ["register"]);
        let fields = refusal.unwrap_err().fields;
        assert!(fields[0].1.contains("The pack names no purposes"));
    }

    #[test]
    fn it_ends_today_at_the_earliest_and_not_before_it_was_given() {
        let dated = |given: &str, expires: &str| {
            let terms = Terms {
                given_on: day(given),
                expires_on: day(expires),
                ..terms()
            };
            let refusal = check(terms).err().into_iter();
            let fields = refusal.flat_map(|refusal| refusal.fields);
            fields.map(|(field, _)| field).collect::<Vec<_>>()
        };
        assert!(dated("2026-08-01", "2026-08-03").is_empty());
        assert_eq!(dated("2026-07-01", "2026-08-02"), ["expiresOn"]);
        let both = ["givenOn", "expiresOn"];
        assert_eq!(dated("2026-08-05", "2026-08-04"), both);
    }

    #[test]
    fn it_holds_from_the_day_it_is_given_to_its_last_day() {
        let consent = consent("a", "p1");
        let allows = |on: &str| consent.allows("housing", "register", day(on));
        assert!(allows("2026-08-01") && allows("2026-09-01"));
        assert!(!allows("2026-07-31") && !allows("2026-09-02"));
        assert!(!consent.allows("health", "register", day("2026-08-02")));
        assert!(!consent.allows("housing", "police", day("2026-08-02")));
    }

    #[test]
    fn a_withdrawal_holds_at_once_and_the_first_one_counts() {
        let who = staff("u-b", &[]);
        let taken = |consent: &Consent| consent.withdrawn(&who, Timestamp::MAX, How::Spoken, None);
        let withdrawn = taken(&consent("a", "p1")).unwrap().unwrap();
        assert_eq!(withdrawn.revision, 2);
        assert!(!withdrawn.allows("housing", "register", day("2026-08-01")));
        assert_eq!(taken(&withdrawn).unwrap(), None);
    }
}
