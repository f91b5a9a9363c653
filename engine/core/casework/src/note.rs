//! What staff write down about a case. A note is never changed: a correction is another note that
//! names it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Code, Refusal};

const TEXT_LENGTH_MAX: usize = 20_000;

/// A note of a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    pub id: String,
    pub case: String,
    pub text: String,
    /// The note that this one corrects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corrects: Option<String>,
    pub at: Timestamp,
    pub by: String,
}

/// The text as it is kept.
pub fn checked(text: &str) -> Result<String, Refusal> {
    let text = text.trim();
    let sentence = if text.is_empty() {
        "Enter what you want to note".to_owned()
    } else if text.chars().count() > TEXT_LENGTH_MAX {
        format!("Use at most {TEXT_LENGTH_MAX} characters")
    } else {
        return Ok(text.to_owned());
    };
    Err(Refusal {
        code: Code::FormInvalid,
        message: "the form has mistakes".to_owned(),
        fields: vec![("text".to_owned(), sentence)],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_says_something_and_ends() {
        assert_eq!(checked(" spoke with Mai \n").unwrap(), "spoke with Mai");
        for text in [" \n", &"x".repeat(TEXT_LENGTH_MAX + 1)] {
            assert_eq!(checked(text).unwrap_err().fields[0].0, "text");
        }
    }
}
