//! Lengths of time as documents write them. No clock and no calendar: `casework` counts days.

use serde::{Deserialize, Serialize};

/// A plain duration (`wait`, `timeout`), in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Period(pub u64);

/// A duration in an argument of a function: working time, calendar days or an exact length.
///
/// Business days are days of the case's calendar; both kinds of days end with the local day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Term {
    BusinessDays(u32),
    BusinessHours(u32),
    CalendarDays(u32),
    Exact(Period),
}

impl Period {
    /// Reads ISO 8601 (`PT15S`, `P3DT4H`); years and months are refused, since their length needs
    /// a calendar. The error is a sentence for the author.
    pub fn parse_iso(_text: &str) -> Result<Self, String> {
        unimplemented!()
    }
}

impl Term {
    /// Reads `3 business days`, `4 business hours`, `P3D`, `PT4H`. The error is a sentence for the
    /// author that says what to write.
    pub fn parse(_text: &str) -> Result<Self, String> {
        unimplemented!()
    }
}
