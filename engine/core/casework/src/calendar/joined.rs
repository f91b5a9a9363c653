//! Several calendars that count together: what is due by all of them, or by the first of them.
//!
//! People are told by the earliest of them in both cases: rather early than late.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::Calendar;
use crate::{Code, Refusal};

/// Which of several moments counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    Latest,
    Earliest,
}

#[derive(Debug, Clone)]
pub(super) struct Joined {
    which: Which,
    of: Vec<Calendar>,
}

impl Calendar {
    /// The error is a sentence for the author of the pack.
    pub fn joined(name: &str, which: Which, of: &[Self]) -> Result<Self, String> {
        let Some(one) = of.first() else {
            return Err("name the calendars that count together".to_owned());
        };
        if of.iter().any(|each| each.joined.is_some()) {
            return Err("calendars that count together cannot be joined again".to_owned());
        }
        let joined = Self {
            name: name.to_owned(),
            joined: Some(Box::new(Joined {
                which,
                of: of.to_owned(),
            })),
            ..one.clone()
        };
        Ok(joined.digested())
    }
}

impl Joined {
    /// The moment that counts of those that each gives.
    pub(super) fn settle(
        &self,
        each: impl Fn(&Calendar) -> Result<Timestamp, Refusal>,
    ) -> Result<Timestamp, Refusal> {
        let moments = self.of.iter().map(each).collect::<Result<Vec<_>, _>>()?;
        let moment = match self.which {
            Which::Latest => moments.into_iter().max(),
            Which::Earliest => moments.into_iter().min(),
        };
        moment.ok_or_else(none)
    }

    pub(super) fn earliest(
        &self,
        each: impl Fn(&Calendar) -> Result<Timestamp, Refusal>,
    ) -> Result<Timestamp, Refusal> {
        let moments = self.of.iter().map(each).collect::<Result<Vec<_>, _>>()?;
        moments.into_iter().min().ok_or_else(none)
    }

    pub(super) fn write(&self, text: &mut String) {
        let _ = writeln!(text, "{:?}", self.which);
        for each in &self.of {
            let _ = writeln!(text, "{}", each.digest());
        }
    }
}

fn none() -> Refusal {
    Refusal::new(Code::AmountInvalid, "no calendar counts")
}
