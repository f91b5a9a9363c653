//! What the step before led to, said once on the next page. The address carries a word of this
//! list, never text, so that nobody can put words on our pages with a link.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Notice {
    Claimed,
    Released,
    Sent,
    MoreNeeded,
    Kept,
    Held,
    Resumed,
    HandedOver,
    Given,
    Skipped,
    AbsenceSaved,
    AbsenceEnded,
    Started,
    PassedOn,
    PersonSaved,
    NoteSaved,
    DocumentSaved,
    Reversed,
    Reopened,
    CalendarSet,
}

impl Notice {
    const ALL: &[Self] = &[
        Self::Claimed,
        Self::Released,
        Self::Sent,
        Self::MoreNeeded,
        Self::Kept,
        Self::Held,
        Self::Resumed,
        Self::HandedOver,
        Self::Given,
        Self::Skipped,
        Self::AbsenceSaved,
        Self::AbsenceEnded,
        Self::Started,
        Self::PassedOn,
        Self::PersonSaved,
        Self::NoteSaved,
        Self::DocumentSaved,
        Self::Reversed,
        Self::Reopened,
        Self::CalendarSet,
    ];

    /// How it stands in an address.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Claimed => "claimed",
            Self::Released => "released",
            Self::Sent => "sent",
            Self::MoreNeeded => "more-needed",
            Self::Kept => "kept",
            Self::Held => "held",
            Self::Resumed => "back",
            Self::HandedOver => "handed-over",
            Self::Given => "given",
            Self::Skipped => "skipped",
            Self::AbsenceSaved => "absence-saved",
            Self::AbsenceEnded => "absence-ended",
            Self::Started => "started",
            Self::PassedOn => "passed-on",
            Self::PersonSaved => "person-saved",
            Self::NoteSaved => "note-saved",
            Self::DocumentSaved => "document-saved",
            Self::Reversed => "taken-back",
            Self::Reopened => "reopened",
            Self::CalendarSet => "calendar-set",
        }
    }

    const fn text(self) -> &'static str {
        match self {
            Self::Claimed => "You have taken this task. Others see that you have it.",
            Self::Released => "You have given the task back to your team.",
            Self::Sent => "Your answer was saved.",
            Self::MoreNeeded => "Your answer was saved. Another person has to decide as well.",
            Self::Kept => "Your draft is saved. Only you can see it. You still have the task.",
            Self::Held => "The task is on hold. You still have it.",
            Self::Resumed => "The task is off hold.",
            Self::HandedOver => "Your colleague has the task and acts for you.",
            Self::Given => "The task was given to somebody else.",
            Self::Skipped => "The task was skipped. Your reason is in the record of the case.",
            Self::AbsenceSaved => "The absence is written down.",
            Self::AbsenceEnded => "The absence was taken back.",
            Self::Started => "Started. What happens next is on this page.",
            Self::PassedOn => {
                "What you wrote was passed on. From here on only those who look after it see it."
            }
            Self::PersonSaved => "The person was saved.",
            Self::DocumentSaved => "The document was saved.",
            Self::Reversed => "The payment was taken back. Both entries are below.",
            Self::Reopened => "The case is open again.",
            Self::CalendarSet => {
                "The calendar of the case was saved. What is open keeps its due date."
            }
            Self::NoteSaved => "Your note was saved. It is the newest entry below.",
        }
    }

    /// The sentence for a word from an address.
    pub(crate) fn text_of(word: Option<&str>) -> Option<String> {
        let word = word?;
        let found = Self::ALL.iter().find(|notice| notice.word() == word)?;
        Some(found.text().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_words_become_text() {
        for &notice in Notice::ALL {
            assert_eq!(Notice::text_of(Some(notice.word())).unwrap(), notice.text());
        }
        assert_eq!(
            Notice::text_of(Some("Your account is locked, call 555")),
            None
        );
        assert_eq!(Notice::text_of(None), None);
    }
}
