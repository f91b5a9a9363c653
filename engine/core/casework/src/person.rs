//! Somebody a case is about or around: what is known of them, and how it is safe to reach them.
//!
//! It knows no forms and no pages. An address marked confidential is part of the record; who is
//! shown it is decided where it is asked for, and written down there.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::contact::{self, Way};
use crate::{Code, Principal, Refusal};

const NAME_LENGTH_MAX: usize = 200;
const LINE_LENGTH_MAX: usize = 200;
const TEXT_LENGTH_MAX: usize = 2_000;

/// A person of a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    pub id: String,
    pub case: String,
    #[serde(flatten)]
    pub details: Details,
    /// Grows with every change; who changes it says which one they have seen.
    pub revision: u64,
    pub added_at: Timestamp,
    pub added_by: String,
    pub changed_at: Timestamp,
    pub changed_by: String,
}

/// What people write down about somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub born: Option<Date>,
    pub relation: Relation,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    pub contact: Contact,
    /// Who of the agency's staff this is: as family or payee they do not open this case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub staff: Option<String>,
}

/// Where somebody lives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    pub text: String,
    /// Shown only when somebody asks for it, which is written down.
    pub confidential: bool,
    #[serde(default, skip_serializing_if = "AddressKind::is_home")]
    pub kind: AddressKind,
}

/// What an address is good for. It is no secret where the address is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AddressKind {
    /// Where somebody lives.
    #[default]
    Home,
    /// A post box, or an address that stands in for another: letters are passed on and parcels are
    /// not, and nobody lives there.
    Postal,
}

impl AddressKind {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "it is what serde calls")]
    const fn is_home(&self) -> bool {
        matches!(self, Self::Home)
    }
}

/// How and when it is safe to reach somebody. Until somebody says so, nothing is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    pub safety: Safety,
    /// Times, ways, code words, whom not to talk to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub how: Option<String>,
    /// Whether messages may be left where others could hear or read them.
    #[serde(default)]
    pub messages: Messages,
    /// What the engine itself may use, and colleagues besides; none until somebody says so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ways: Vec<Way>,
    /// By which they know who calls: shown as a confidential address is, and never sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_word: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Safety {
    /// Nobody has asked yet.
    #[default]
    Unknown,
    /// As `how` says.
    Safe,
    /// Not at all.
    DoNotContact,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Messages {
    #[default]
    No,
    Yes,
}

/// What somebody is to the case. The names are a format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Relation {
    Parent,
    Carer,
    Child,
    Sibling,
    Partner,
    OtherFamily,
    Referrer,
    Payee,
    Professional,
    Other,
}

impl Relation {
    pub const ALL: [Self; 10] = [
        Self::Parent,
        Self::Carer,
        Self::Child,
        Self::Sibling,
        Self::Partner,
        Self::OtherFamily,
        Self::Referrer,
        Self::Payee,
        Self::Professional,
        Self::Other,
    ];

    /// As API and audit write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Parent => "parent",
            Self::Carer => "carer",
            Self::Child => "child",
            Self::Sibling => "sibling",
            Self::Partner => "partner",
            Self::OtherFamily => "other-family",
            Self::Referrer => "referrer",
            Self::Payee => "payee",
            Self::Professional => "professional",
            Self::Other => "other",
        }
    }

    /// As written by [`Self::as_str`].
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == word)
    }

    /// Whom facts about a family are about, unless a document says otherwise.
    pub const fn is_family(self) -> bool {
        match self {
            Self::Parent
            | Self::Carer
            | Self::Child
            | Self::Sibling
            | Self::Partner
            | Self::OtherFamily => true,
            Self::Referrer | Self::Payee | Self::Professional | Self::Other => false,
        }
    }

    /// Whether a member of staff in this relation has an interest in what is decided here. A
    /// colleague who works for the family as a professional has none.
    pub const fn bars_deciding(self) -> bool {
        match self {
            Self::Parent
            | Self::Carer
            | Self::Child
            | Self::Sibling
            | Self::Partner
            | Self::OtherFamily
            | Self::Payee => true,
            Self::Referrer | Self::Professional | Self::Other => false,
        }
    }
}

/// What happens in a change to what is hidden: whoever may not see it must be able to leave it
/// alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change<T> {
    Keep,
    Remove,
    Set(T),
}

/// What happens to an address.
pub type AddressChange = Change<Address>;

/// What of a person is shown only to whoever asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hidden {
    pub address: Change<Address>,
    pub code_word: Change<String>,
}

/// The same as it is shown, which is written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    pub address: Option<Address>,
    pub code_word: Option<String>,
}

impl<T: Clone> Change<T> {
    /// What there is after it.
    #[must_use]
    pub fn applied(self, before: Option<&T>) -> Option<T> {
        match self {
            Self::Keep => before.cloned(),
            Self::Remove => None,
            Self::Set(new) => Some(new),
        }
    }
}

impl Hidden {
    /// Nothing of it changes.
    pub const KEPT: Self = Self {
        address: Change::Keep,
        code_word: Change::Keep,
    };

    /// Details of somebody of whom nothing was known before.
    #[must_use]
    pub fn with(self, details: Details) -> Details {
        self.changing(None, details)
    }

    /// The details with what is hidden as it is after the change.
    fn changing(self, before: Option<&Details>, details: Details) -> Details {
        let address = before.and_then(|before| before.address.as_ref());
        let word = before.and_then(|before| before.contact.code_word.as_ref());
        Details {
            address: self.address.applied(address),
            contact: Contact {
                code_word: self.code_word.applied(word),
                ..details.contact
            },
            ..details
        }
    }
}

impl Details {
    /// Without blanks around and without empty texts; every mistake at once.
    pub fn checked(self) -> Result<Self, Refusal> {
        let cleaned = Self {
            name: self.name.trim().to_owned(),
            phone: filled(self.phone),
            email: filled(self.email),
            address: self.address.and_then(|address| {
                filled(Some(address.text)).map(|text| Address { text, ..address })
            }),
            contact: Contact {
                how: filled(self.contact.how),
                code_word: filled(self.contact.code_word),
                ..self.contact
            },
            staff: filled(self.staff),
            ..self
        };
        let fields = cleaned.mistakes();
        if fields.is_empty() {
            return Ok(cleaned);
        }
        Err(invalid(fields))
    }

    fn mistakes(&self) -> Vec<(String, String)> {
        let mut fields = Vec::new();
        let mut mistake = |field: &str, sentence: String| fields.push((field.to_owned(), sentence));
        if self.name.is_empty() {
            mistake("name", "Enter a name".to_owned());
        }
        let longest = [
            ("name", Some(&self.name), NAME_LENGTH_MAX),
            ("phone", self.phone.as_ref(), LINE_LENGTH_MAX),
            ("email", self.email.as_ref(), LINE_LENGTH_MAX),
            (
                "address",
                self.address.as_ref().map(|address| &address.text),
                TEXT_LENGTH_MAX,
            ),
            ("how", self.contact.how.as_ref(), TEXT_LENGTH_MAX),
            ("codeWord", self.contact.code_word.as_ref(), LINE_LENGTH_MAX),
            ("staff", self.staff.as_ref(), LINE_LENGTH_MAX),
        ];
        for (field, text, length_max) in longest {
            if text.is_some_and(|text| text.chars().count() > length_max) {
                mistake(field, format!("Use at most {length_max} characters"));
            }
        }
        if self
            .email
            .as_ref()
            .is_some_and(|email| !email.contains('@'))
        {
            mistake("email", "Enter an e-mail address with an @".to_owned());
        }
        for sentence in contact::mistakes(self) {
            mistake("ways", sentence);
        }
        fields
    }
}

impl Person {
    /// As everybody who may open the case sees them: without an address that is confidential, and
    /// without the code word.
    #[must_use]
    pub fn masked(mut self) -> Self {
        if let Some(address) = self.details.address.as_mut().filter(|one| one.confidential) {
            address.text.clear();
        }
        if let Some(word) = &mut self.details.contact.code_word {
            word.clear();
        }
        self
    }

    /// What [`Self::masked`] leaves out, for somebody who asked.
    pub fn shown(self) -> Shown {
        Shown {
            address: self.details.address,
            code_word: self.details.contact.code_word,
        }
    }

    /// The person with other details; refused when somebody else was first.
    pub fn changed(
        &self,
        who: &Principal,
        at: Timestamp,
        revision: Option<u64>,
        details: Details,
        hidden: Hidden,
    ) -> Result<Self, Refusal> {
        if revision.is_some_and(|revision| revision != self.revision) {
            let sentence = "this person was changed since you opened them; read them again";
            return Err(Refusal::new(Code::StaleRevision, sentence));
        }
        let before = &self.details;
        let details = hidden.changing(Some(before), details).checked()?;
        let carried = contact::carried_over(before, &details).into_iter();
        let carried: Vec<_> = carried.map(|one| ("ways".to_owned(), one)).collect();
        if !carried.is_empty() {
            return Err(invalid(carried));
        }
        Ok(Self {
            details,
            revision: self.revision + 1,
            changed_at: at,
            changed_by: who.id.clone(),
            ..self.clone()
        })
    }
}

fn invalid(fields: Vec<(String, String)>) -> Refusal {
    Refusal {
        code: Code::FormInvalid,
        message: "the form has mistakes".to_owned(),
        fields,
    }
}

fn filled(text: Option<String>) -> Option<String> {
    let text = text?;
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::principal::tests::staff;

    fn details(name: &str) -> Details {
        Details {
            name: name.to_owned(),
            born: None,
            relation: Relation::Parent,
            phone: Some("  ".to_owned()),
            email: None,
            address: Some(Address {
                text: " 1 Hidden Lane ".to_owned(),
                confidential: true,
                kind: AddressKind::Home,
            }),
            contact: Contact::default(),
            staff: None,
        }
    }

    fn person() -> Person {
        Person {
            id: "p1".to_owned(),
            case: "c1".to_owned(),
            details: details(" Mai ").checked().unwrap(),
            revision: 3,
            added_at: Timestamp::UNIX_EPOCH,
            added_by: "u-a".to_owned(),
            changed_at: Timestamp::UNIX_EPOCH,
            changed_by: "u-a".to_owned(),
        }
    }

    #[test]
    fn nothing_is_safe_until_somebody_says_so() {
        let contact = person().details.contact;
        assert_eq!(contact.safety, Safety::Unknown);
        assert_eq!(contact.messages, Messages::No);
    }

    #[test]
    fn blanks_go_and_every_mistake_is_named() {
        let clean = person().details;
        assert_eq!((&*clean.name, clean.phone), ("Mai", None));
        assert_eq!(clean.address.unwrap().text, "1 Hidden Lane");
        let mut wrong = details(" ");
        wrong.email = Some("nowhere".to_owned());
        wrong.contact.how = Some("x".repeat(TEXT_LENGTH_MAX + 1));
        let refusal = wrong.checked().unwrap_err();
        let fields: Vec<_> = refusal.fields.iter().map(|(field, _)| &**field).collect();
        assert_eq!(refusal.code, Code::FormInvalid);
        assert_eq!(fields, ["name", "how", "email"]);
    }

    #[test]
    fn who_has_not_seen_the_latest_changes_nothing() {
        let who = staff("u-b", &[]);
        let change = |revision, address| {
            let hidden = Hidden {
                address,
                ..Hidden::KEPT
            };
            person().changed(
                &who,
                Timestamp::MAX,
                revision,
                details("Mai Nguyen"),
                hidden,
            )
        };
        let stale = change(Some(2), Change::Keep).unwrap_err();
        assert_eq!(stale.code, Code::StaleRevision);
        let kept = change(Some(3), Change::Keep).unwrap();
        assert_eq!((kept.revision, &*kept.changed_by), (4, "u-b"));
        assert_eq!(kept.details.address, person().details.address);
        assert_eq!(kept.masked().details.address.unwrap().text, "");
        let mut open = person();
        let address = open.details.address.as_mut().unwrap();
        address.confidential = false;
        assert_eq!(open.clone().masked(), open, "it is no secret");
        let removed = change(None, Change::Remove).unwrap();
        assert_eq!(removed.details.address, None);
    }

    #[test]
    fn names_of_relations_are_what_is_written() {
        for relation in Relation::ALL {
            let written = serde_json::to_value(relation).unwrap();
            assert_eq!(written, relation.as_str());
        }
    }
}
