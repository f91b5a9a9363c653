//! What stays of a reservation once it is paid, released or expired, so that its key never makes
//! a second one. It is a record of its own: a fund keeps only what is open.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Entry, EntryKind};
use crate::{Code, Refusal};

/// A reservation for ever, whether it is open or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    pub fund: String,
    /// What was put aside.
    pub minor: i64,
    /// Whose it is. Earlier engines did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case: Option<String>,
    /// What was taken back of its payment.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub reversed: i64,
    /// How many times: whoever corrects says how often they have seen it corrected.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub reversals: u64,
    /// Where it is written down that an invoice was paid by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invoice: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<End>,
}

/// How a reservation ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    pub at: Timestamp,
    pub how: How,
    /// Key of the intent that ended it; none where time did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "kind")]
pub enum How {
    Paid { minor: i64 },
    Released,
    Expired,
}

impl Kept {
    /// What is kept after an entry about the reservation; nothing for one about the allocation.
    /// Of a reservation that an earlier engine made, only its end is known.
    pub fn after(
        earlier: Option<&Self>,
        fund: &str,
        entry: &Entry,
        by: Option<&str>,
    ) -> Option<Self> {
        let how = match entry.kind {
            EntryKind::Allocate | EntryKind::Reduce => return None,
            EntryKind::Reverse => return earlier.map(|earlier| earlier.less(entry.minor)),
            EntryKind::Reserve => None,
            EntryKind::Commit => Some(How::Paid { minor: entry.minor }),
            EntryKind::Release => Some(How::Released),
            EntryKind::Expire => Some(How::Expired),
        };
        let end = how.map(|how| End {
            at: entry.at,
            how,
            by: by.map(str::to_owned),
        });
        Some(Self {
            fund: fund.to_owned(),
            minor: earlier.map_or(entry.minor, |earlier| earlier.minor),
            case: match earlier {
                Some(earlier) => earlier.case.clone(),
                None => entry.case.clone(),
            },
            reversed: 0,
            reversals: 0,
            invoice: None,
            end,
        })
    }

    /// What was paid and not taken back.
    pub fn standing(&self) -> i64 {
        match self.end.as_ref().map(|end| end.how) {
            Some(How::Paid { minor }) => minor - self.reversed,
            Some(How::Released | How::Expired) | None => 0,
        }
    }

    fn less(&self, minor: i64) -> Self {
        Self {
            reversed: self.reversed + minor,
            reversals: self.reversals + 1,
            ..self.clone()
        }
    }

    /// Whether this intent has ended it so already.
    pub(super) fn ended_by(&self, key: &str, how: How) -> bool {
        let end = self.end.as_ref();
        end.is_some_and(|end| end.by.as_deref() == Some(key) && end.how == how)
    }

    /// Why nothing more is booked on it.
    pub(super) fn refusal(&self) -> Refusal {
        let Some(end) = &self.end else {
            return unknown();
        };
        let sentence = match end.how {
            How::Paid { .. } => "the reservation was paid already; nothing is booked twice",
            How::Released => "the reservation was released; reserve again",
            How::Expired => "the reservation has expired; reserve again",
        };
        Refusal::new(Code::ReservationClosed, sentence)
    }
}

fn is_zero<T: Default + PartialEq>(count: &T) -> bool {
    *count == T::default()
}

/// Nobody has reserved under this id.
pub(super) fn unknown() -> Refusal {
    let sentence = "there is no such reservation: what `fund.reserve` gave back names it";
    Refusal::new(Code::UnknownReservation, sentence)
}
