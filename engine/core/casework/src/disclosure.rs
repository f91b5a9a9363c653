//! Whether facts about people may go out at this moment, and the record that they did.
//!
//! It is asked each time something is sent, not when the sending was approved: with the consent of
//! everybody whom it is about, or on a legal basis that the document names. The record holds no
//! content.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::person::Relation;
use crate::{Code, Consent, Person, Refusal};

/// Why consent was not sought: as long as a reason may be.
pub const BECAUSE_BYTES_MAX: usize = 2_000;

/// What a task is about to send, as its document says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    pub purpose: String,
    /// To whom.
    pub recipient: String,
    /// Whom it is about; everybody of the family when it is empty.
    pub about: Vec<Relation>,
    /// In place of consent.
    pub basis: Option<Basis>,
}

/// A legal basis, and why consent was not sought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Basis {
    pub name: String,
    pub because: String,
}

/// On what something was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ground {
    /// Ids of the consents, one for each person.
    Consents(Vec<String>),
    /// Name of a basis of the pack, and why consent was not sought.
    Basis { name: String, because: String },
}

/// That something was about to be sent: written before it goes out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disclosure {
    pub id: String,
    pub case: String,
    pub at: Timestamp,
    pub instance: String,
    /// JSON pointer of the task.
    pub task: String,
    pub function: String,
    /// From 1; another attempt is another sending.
    pub attempt: u32,
    /// The plugin's own words of what it hands out.
    pub discloses: Vec<String>,
    pub purpose: String,
    pub recipient: String,
    /// Ids of persons of the case.
    pub persons: Vec<String>,
    pub ground: Ground,
}

impl Wish {
    /// Ids of those of the case whom it is about.
    pub fn concerns(&self, persons: &[Person]) -> Vec<String> {
        let meant = |person: &&Person| {
            let relation = person.details.relation;
            if self.about.is_empty() {
                relation.is_family()
            } else {
                self.about.contains(&relation)
            }
        };
        persons
            .iter()
            .filter(meant)
            .map(|person| person.id.clone())
            .collect()
    }

    /// On what it may be sent; `persons` are those whom it is about, `bases` the pack's.
    pub fn ground(
        &self,
        persons: &[String],
        consents: &[&Consent],
        bases: &[&str],
        today: Date,
    ) -> Result<Ground, Refusal> {
        if let Some(basis) = &self.basis {
            return self.on_basis(basis, bases);
        }
        let (purpose, recipient) = (&self.purpose, &self.recipient);
        if persons.is_empty() {
            return Err(no_basis(format!(
                "nobody whom it is about is recorded in the case, so nobody has agreed that \
                 `{recipient}` is told for `{purpose}`: add them and their consent, then try again"
            )));
        }
        let mut found = Vec::new();
        for person in persons {
            let mut all = consents.iter();
            let allowing = all.find(|consent| {
                consent.person == *person && consent.allows(purpose, recipient, today)
            });
            found.extend(allowing.map(|consent| consent.id.clone()));
        }
        if found.len() == persons.len() {
            return Ok(Ground::Consents(found));
        }
        Err(no_basis(format!(
            "{} of {} people have no consent in force that `{recipient}` is told for `{purpose}`: \
             record it with them and try again, or give this up",
            persons.len() - found.len(),
            persons.len(),
        )))
    }

    fn on_basis(&self, basis: &Basis, bases: &[&str]) -> Result<Ground, Refusal> {
        let because = basis.because.trim();
        if self.purpose.trim().is_empty() || because.is_empty() {
            let sentence = "a legal basis needs a purpose, and why consent was not sought in this \
                            case: the document or what it takes from the case says no word of it";
            return Err(no_basis(sentence.to_owned()));
        }
        if because.len() > BECAUSE_BYTES_MAX {
            return Err(no_basis(format!(
                "why consent was not sought is longer than {BECAUSE_BYTES_MAX} bytes: say it in a \
                 few sentences"
            )));
        }
        if !bases.contains(&basis.name.as_str()) {
            return Err(no_basis(format!(
                "the pack has no legal basis `{}`",
                basis.name
            )));
        }
        Ok(Ground::Basis {
            name: basis.name.clone(),
            because: because.to_owned(),
        })
    }
}

/// For a function that hands out facts in a document that does not say on what.
pub fn unnamed(function: &str) -> Refusal {
    no_basis(format!(
        "{function} hands out facts about people, and its task does not say for what and to whom: \
         add `metadata: {{ disclosure: {{ purpose: ..., to: ... }} }}` to it"
    ))
}

fn no_basis(sentence: String) -> Refusal {
    Refusal::new(Code::NoBasis, sentence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::consent::How;
    use crate::consent::tests::{consent, day};
    use crate::principal::tests::staff;

    fn wish() -> Wish {
        Wish {
            purpose: "housing".to_owned(),
            recipient: "register".to_owned(),
            about: Vec::new(),
            basis: None,
        }
    }

    fn ground(wish: &Wish, persons: &[&str], consents: &[Consent]) -> Result<Ground, Refusal> {
        let persons: Vec<_> = persons.iter().map(|&id| id.to_owned()).collect();
        let consents: Vec<_> = consents.iter().collect();
        wish.ground(&persons, &consents, &["s159m"], day("2026-08-03"))
    }

    #[test]
    fn it_is_about_the_family_or_about_those_who_are_named() {
        let person = |id: &str, relation| {
            let mut person = crate::contact::tests::person();
            (person.id, person.details.relation) = (id.to_owned(), relation);
            person
        };
        let all = [
            person("p1", Relation::Parent),
            person("p2", Relation::Child),
            person("p3", Relation::Payee),
        ];
        assert_eq!(wish().concerns(&all), ["p1", "p2"]);
        let named = Wish {
            about: vec![Relation::Payee],
            ..wish()
        };
        assert_eq!(named.concerns(&all), ["p3"]);
    }

    #[test]
    fn everybody_whom_it_is_about_has_agreed() {
        let both = [consent("a", "p1"), consent("b", "p2")];
        let found = ground(&wish(), &["p1", "p2"], &both).unwrap();
        assert_eq!(
            found,
            Ground::Consents(vec!["a".to_owned(), "b".to_owned()])
        );
        let one = ground(&wish(), &["p1", "p2"], &both[..1]).unwrap_err();
        assert_eq!(one.code, Code::NoBasis);
        assert!(one.message.starts_with("1 of 2 people"), "{one}");
        let nobody = ground(&wish(), &[], &both).unwrap_err();
        assert_eq!(nobody.code, Code::NoBasis);
    }

    #[test]
    fn a_renewed_consent_counts_beside_the_one_that_was_withdrawn() {
        let old = consent("a", "p1");
        let who = staff("u-b", &[]);
        let old = old.withdrawn(&who, Timestamp::MAX, How::Spoken, None);
        let old = old.unwrap().unwrap();
        assert!(ground(&wish(), &["p1"], std::slice::from_ref(&old)).is_err());
        let renewed = ground(&wish(), &["p1"], &[old, consent("b", "p1")]).unwrap();
        assert_eq!(renewed, Ground::Consents(vec!["b".to_owned()]));
    }

    #[test]
    fn a_basis_is_one_of_the_packs_and_has_a_purpose_and_a_reason() {
        let on = |name: &str, purpose: &str, because: &str| {
            let wish = Wish {
                purpose: purpose.to_owned(),
                basis: Some(Basis {
                    name: name.to_owned(),
                    because: because.to_owned(),
                }),
                ..wish()
            };
            ground(&wish, &[], &[]).map_err(|refusal| refusal.code)
        };
        assert!(on("s159m", "safety", "asking would put the child at risk").is_ok());
        assert_eq!(on("s159m", " ", "risk"), Err(Code::NoBasis));
        assert_eq!(on("s159m", "safety", " "), Err(Code::NoBasis));
        let long = "x".repeat(BECAUSE_BYTES_MAX);
        assert!(on("s159m", "safety", &long).is_ok());
        assert_eq!(on("s159m", "safety", &(long + "x")), Err(Code::NoBasis));
        assert_eq!(on("whatever", "safety", "risk"), Err(Code::NoBasis));
    }
}
